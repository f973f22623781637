"""`Recipe`: a training as data, that can be written as JSON, and from which a model is built.

This module needs no Keras until a recipe is loaded or built.
"""

import copy
import dataclasses

from kerasgan import catalogue, sizes, validation
from kerasgan.files import read_json
from kerasgan.recipe import checks
from kerasgan.recipe import options as flat
from kerasgan.text import listed, quoted, short, told

FORMAT = 2
LONGEST = 1000  # Characters of an error: what is in a recipe may come from somebody else.
# What stands beside a recipe in the files of runs and of the zoo.
BESIDE = ("about", "run", "images", "classes", "content", "environment")


@dataclasses.dataclass
class Recipe:
    """What a training is.

    Attributes:
        variant: A key of `kerasgan.catalogue.VARIANTS`.
        data: Where the images come from: `name_or_path` and other arguments of
            `kerasgan.data.load`.
        conditional: Whether both networks are given the labels of the data.
        networks: `architecture`, a key of `kerasgan.catalogue.ARCHITECTURES`, and arguments of its
            builder; what is left out is the variant's or the builder's own.
        arguments: Arguments of the variant's constructor. Of what counts critic steps, `{"share":
            s}` stands for that share of the training's.
        penalties: Dictionaries with the `kind`, a key of `kerasgan.catalogue.PENALTIES`, and the
            arguments of its constructor.
        augment: A dictionary with the `kind`, one of `kerasgan.catalogue.AUGMENTS`, and the
            arguments of its constructor; or None.
        optimizers: For the "generator" and the "critic" the `learning_rate`, `beta_1` and `beta_2`
            that differ from the variant's own. A learning rate is a number, `{"cosine": [first,
            last]}` for half a cosine over the training, or `{"boundaries": [...], "values":
            [...]}`, constant between the boundaries, in steps of that optimizer.
        length: `{"epochs": n}` or `{"steps": n}`, critic steps. An epoch is one pass over the
            images, unless `{"epochs": n, "steps_per_epoch": k}` gives it so many critic steps.
        batch_size: Images of one critic step.
        accumulate: Parts in which each batch is taken; see `AdversarialModel.compile`.
        seed: Seed of the weights, the order of the images and the noise.
        precision: "float32", "tf32" or "mixed_bfloat16".
        deterministic: Whether the backend is asked for reproducible kernels; None for yes on a CPU
            and no on an accelerator.
        backend: "tensorflow", "jax" or "torch"; None for Keras' own setting.
    """

    variant: str
    data: dict = dataclasses.field(default_factory=dict)
    conditional: bool = False
    networks: dict = dataclasses.field(default_factory=dict)
    arguments: dict = dataclasses.field(default_factory=dict)
    penalties: list = dataclasses.field(default_factory=list)
    augment: dict | None = None
    optimizers: dict = dataclasses.field(default_factory=dict)
    length: dict = dataclasses.field(default_factory=lambda: {"epochs": 50})
    batch_size: int = 64
    accumulate: int = 1
    seed: int = 0
    precision: str = "float32"
    deterministic: bool | None = None
    backend: str | None = None

    # JSON.

    def to_json(self):
        """Return the recipe as JSON values."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, stored, together=True):
        """Return the recipe in JSON values, also in those of version 0.1.

        Args:
            stored: JSON values.
            together: Whether parts that contradict each other are refused. Pass
                False if options will be changed next: `with_options` refuses them too.

        Raises:
            ValueError: If they hold no recipe, or one of a later format.
        """
        try:
            return cls._from_json(stored, together)
        except ValueError as error:
            raise ValueError(short(error, LONGEST, named=False)) from error
        except RecursionError:
            raise ValueError("a recipe must not be nested so deeply") from None

    @classmethod
    def _from_json(cls, stored, together):
        if not isinstance(stored, dict):
            raise ValueError(f"a recipe must be a JSON object. Received: {quoted(stored, 80)}")
        if "format" not in stored:
            return cls._from_flat(stored)
        if stored["format"] != FORMAT:
            raise ValueError(
                f"a recipe's `format` must be {FORMAT}; a later kerasgan wrote this one. Received: "
                f"format={quoted(stored['format'])}"
            )
        fields = {k: v for k, v in stored.items() if k != "format" and k not in BESIDE}
        known = {field.name for field in dataclasses.fields(cls)}
        if fields.keys() - known or "variant" not in fields:
            wrong = listed(sorted(fields.keys() - known)) or "no variant"
            raise ValueError(
                f"a recipe must have the entries {', '.join(sorted(known))}. Received: {wrong}"
            )
        recipe = cls(**copy.deepcopy(fields))
        checks.check_parts(recipe)
        if together:
            checks.check_together(recipe)
        return recipe

    @classmethod
    def _from_flat(cls, stored):
        """Return the recipe in the options that version 0.1 wrote."""
        beside = (*BESIDE, *(option.name for option in catalogue.RUN))
        options = {name: value for name, value in stored.items() if name not in beside}
        recipe = cls(options.pop("model", None))
        validation.choice("model", recipe.variant, catalogue.VARIANTS)
        if "latent_dim" in catalogue.VARIANTS[recipe.variant].refuses:
            options.pop("latent_dim", None)  # A default that was written down and had no effect.
        return flat.apply(recipe, options)

    @classmethod
    def read(cls, path):
        """Return the recipe in a JSON file.

        Raises:
            ValueError: If the file cannot be read or holds no recipe.
        """
        try:
            stored = read_json(path)
        except (OSError, ValueError) as error:
            text = short(error, named=False)
            raise ValueError(f"{told(path)} cannot be read: {text}") from error
        try:
            return cls.from_json(stored)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{told(path)}: {short(error, LONGEST, named=False)}") from error

    def with_options(self, **options):
        """Return the recipe with options of the shell changed; see `kerasgan.recipe.options`.

        Args:
            **options: As `learning_rate=1e-3`, `width=24` or `r1=5.0`; those that are None change
                nothing.

        Raises:
            ValueError: If an option is unknown, or not one of this variant.
        """
        return flat.apply(self, options)

    @property
    def falls(self):
        """Whether a learning rate falls along a cosine over the training."""
        rates = (settings.get("learning_rate") for settings in self.optimizers.values())
        return any(isinstance(rate, dict) and "cosine" in rate for rate in rates)

    @property
    def architecture(self):
        """Name of the networks' architecture, given or the variant's default."""
        first = catalogue.VARIANTS[self.variant].architectures[0]
        return self.networks.get("architecture") or first

    @property
    def packing(self):
        """Images that the critic scores together, given or the variant's default."""
        return self.arguments.get("packing", catalogue.VARIANTS[self.variant].packs)

    def argument(self, name):
        """Return an argument of the variant's constructor, given or by default."""
        return self.arguments.get(name, catalogue.options(self.variant)[name].default)

    # What it makes.

    def load(self, progress=None):
        """Return the `kerasgan.data.ImageDataset` of the recipe.

        Args:
            progress: Optional callable `(done, total)`, called while images are decoded.
        """
        from kerasgan import data

        chosen = {name: value for name, value in self.data.items() if value is not None}
        dataset = data.load(**chosen, batch_size=self.batch_size, seed=self.seed, progress=progress)
        dataset.steps_per_epoch = self.length.get("steps_per_epoch")
        return dataset

    def critic_steps(self, batches_per_epoch=None):
        """Return how many critic steps the training has.

        Args:
            batches_per_epoch: Where the length is in epochs.
        """
        if "steps" in self.length:
            return self.length["steps"]
        batches_per_epoch = self.length.get("steps_per_epoch", batches_per_epoch)
        if batches_per_epoch is None:
            raise ValueError(
                "the length of this recipe is in epochs: `batches_per_epoch` is needed."
            )
        return self.length["epochs"] * batches_per_epoch

    def build(self, image_shape=None, num_classes=None, steps=None, networks=None):
        """Return the compiled model.

        Args:
            image_shape: `(height, width, channels)` of the images; height and width are equal.
            num_classes: Classes of the labels, of a conditional recipe.
            steps: Critic steps of the training, for what depends on them; by default those of
                `length`, which must then be in steps.
            networks: The generator and the critic, where they are not the recipe's.

        Returns:
            An `AdversarialModel`.

        Raises:
            ValueError: If the recipe cannot be built.
        """
        if steps is None:
            steps = self.length.get("steps")
        if steps is None and self._depends_on_steps():
            raise ValueError(
                "`steps` must be given: this recipe has a part that depends on the training's "
                f"critic steps, {self._depends_on_steps()}, and its length is in epochs. "
                "`recipe.critic_steps(batches_per_epoch)` returns them. Received: steps=None"
            )
        pair = networks or self.build_networks(image_shape, num_classes)
        arguments = {name: _of_steps(value, steps) for name, value in self.arguments.items()}
        arguments["penalties"] = [_made(catalogue.PENALTIES, item) for item in self.penalties]
        if self.augment:
            arguments["augment"] = _made(catalogue.AUGMENTATIONS, self.augment)
        rates = [self.optimizers.get(p, {}).get("learning_rate") for p in ("generator", "critic")]
        if not any(rate is None or isinstance(rate, dict) for rate in rates):
            arguments["learning_rate"], arguments["critic_learning_rate"] = rates
        variant = catalogue.resolve(catalogue.VARIANTS[self.variant].path)
        model = variant(*pair, seed=self.seed, **arguments)
        model.compile(*self._optimizers(model, steps), accumulate=self.accumulate)
        return model

    def _depends_on_steps(self):
        """Return the names of what depends on the critic steps of the training, as text."""
        found = [name for name, value in self.arguments.items() if isinstance(value, dict)]
        return ", ".join([*found, *(["the learning rate's cosine"] if self.falls else [])])

    def build_networks(self, image_shape, num_classes=None):
        """Return the generator and the critic; see `build`."""
        if image_shape is None:
            raise ValueError(
                "`image_shape` must be given, (height, width, channels) of the images, or "
                "`networks`. Received: image_shape=None"
            )
        if self.conditional and num_classes is None:
            raise ValueError(
                "`num_classes` must be given for a conditional recipe, the number of classes of "
                "the labels. Received: num_classes=None"
            )
        height, width, channels = image_shape
        size = {"image_size": sizes.shortest(height, width), "channels": channels, **self.networks}
        if "packing" in self.arguments:
            size["packing"] = self.arguments["packing"]
        if self.conditional:
            size["num_classes"] = num_classes
        entry = catalogue.VARIANTS[self.variant]
        kinds = {item["kind"] for item in self.penalties}
        mixed = any(catalogue.PENALTIES[kind].batch_norm != "allowed" for kind in kinds)
        if entry.critic_norm == "batch" and mixed and "critic_norm" not in size:
            size["critic_norm"] = None  # It mixes the samples whose gradients are penalised.
        return catalogue.resolve(entry.path).default_networks(**size)

    def _optimizers(self, model, steps):
        """Return the generator's and the critic's optimizer."""
        pair = model.default_optimizers()
        for player, optimizer in zip(("generator", "critic"), pair, strict=True):
            given = dict(self.optimizers.get(player, {}))
            rate = given.pop("learning_rate", None)
            if rate is not None:
                turns = model.critic_steps_per_round(0) if player == "generator" else 1
                optimizer.learning_rate = _learning_rate(rate, steps and steps // turns)
            for name, value in given.items():
                if value is not None:
                    setattr(optimizer, name, value)
        return pair


def run_settings(stored):
    """Return what the file of a run or of the zoo says of the run, in either format.

    Raises:
        ValueError: If a setting is unknown or out of range.
    """
    known = {option.name: option for option in catalogue.RUN}
    found = stored
    if "format" in stored:
        found = stored.get("run", {})
        if not isinstance(found, dict) or found.keys() - known.keys():
            raise ValueError(
                f"`run` must be a JSON object with entries among {', '.join(known)}. Received: "
                f"run={quoted(found)}"
            )
    given = {name: found[name] for name in known if found.get(name) is not None}
    for name, value in given.items():
        known[name].check(value)
    return given


def _made(kinds, item):
    options = {name: value for name, value in item.items() if name != "kind"}
    return catalogue.resolve(kinds[item["kind"]].path)(**options)


def _of_steps(value, steps):
    return max(1, round(value["share"] * steps)) if isinstance(value, dict) else value


def _learning_rate(given, steps):
    """Return a learning rate, or its schedule over an optimizer's steps.

    Args:
        given: See `Recipe.optimizers`.
        steps: Of the optimizer in the whole training.
    """
    import keras

    from kerasgan.adversarial.optimizer import falling

    if not isinstance(given, dict):
        return given
    if "cosine" in given:
        return falling(*given["cosine"], steps)
    return keras.optimizers.schedules.PiecewiseConstantDecay(**given)
