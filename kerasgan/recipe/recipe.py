"""`Recipe`: a training as data, from the images to the length, that can be written as JSON.

This module needs no Keras until a recipe is built.
"""

import copy
import dataclasses
import json
from pathlib import Path

from kerasgan import catalogue, validation
from kerasgan.recipe import options as flat

FORMAT = 2
# What stands beside a recipe in the files of runs and of the zoo.
BESIDE = ("about", "run", "images", "environment")


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
        arguments: Arguments of the variant's constructor. `{"share": s}` stands for that share of
            the training's critic steps.
        penalties: Dictionaries with the `kind`, a key of `kerasgan.catalogue.PENALTIES`, and the
            arguments of its constructor.
        augment: A dictionary with the `kind`, a key of `kerasgan.catalogue.AUGMENTATIONS`, and the
            arguments of its constructor; or None.
        optimizers: For the "generator" and the "critic" the `learning_rate`, `beta_1` and `beta_2`
            that differ from the variant's own. A learning rate is a number, `{"cosine": [first,
            last]}` for half a cosine over the training, or `{"boundaries": [...], "values":
            [...]}`, constant between the boundaries, in steps of that optimizer.
        length: `{"epochs": n}` or `{"steps": n}`, critic steps.
        batch_size: Images of one critic step.
        seed: Seed of the weights, the order of the images and the noise.
        precision: "float32" or "mixed_bfloat16".
        deterministic: Whether the backend is asked for reproducible kernels.
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
    seed: int = 0
    precision: str = "float32"
    deterministic: bool = True
    backend: str | None = None

    # JSON.

    def to_json(self):
        """Return the recipe as JSON values."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, stored):
        """Return the recipe in JSON values, also in those of version 0.1.

        Raises:
            ValueError: If they hold no recipe, or one of a later format.
        """
        if not isinstance(stored, dict):
            raise ValueError(f"a recipe must be a JSON object. Received: {stored!r:.80}")
        if "format" not in stored:
            recipe = flat.from_flat(cls, stored)
            recipe.check()
            return recipe
        if stored["format"] != FORMAT:
            raise ValueError(
                f"a recipe's `format` must be {FORMAT}; a later kerasgan wrote this one. Received: "
                f"format={stored['format']!r}"
            )
        fields = {k: v for k, v in stored.items() if k != "format" and k not in BESIDE}
        known = {field.name for field in dataclasses.fields(cls)}
        if fields.keys() - known or "variant" not in fields:
            wrong = ", ".join(sorted(fields.keys() - known)) or "no variant"
            raise ValueError(
                f"a recipe must have the entries {', '.join(sorted(known))}. Received: {wrong}"
            )
        recipe = cls(**copy.deepcopy(fields))
        recipe.check()
        return recipe

    @classmethod
    def read(cls, path):
        """Return the recipe in a JSON file.

        Raises:
            ValueError: If the file cannot be read or holds no recipe.
        """
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        try:
            return cls.from_json(stored)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error

    def with_options(self, **options):
        """Return the recipe with options of the shell changed; see `kerasgan.recipe.options`.

        Args:
            **options: As `lr=1e-3`, `width=24` or `r1=5.0`; those that are None change nothing.

        Raises:
            ValueError: If an option is unknown, or not one of this variant.
        """
        recipe = flat.changed(self, options)
        recipe.check()
        return recipe

    @property
    def falls(self):
        """Whether a learning rate falls along a cosine over the training."""
        rates = (settings.get("learning_rate") for settings in self.optimizers.values())
        return any(isinstance(rate, dict) and "cosine" in rate for rate in rates)

    # What must hold.

    def check(self):
        """Raise ValueError if something in the recipe is unknown, out of range or contradictory."""
        self._check_structure()
        validation.choice("variant", self.variant, catalogue.VARIANTS)
        for option in catalogue.PLAIN:
            option.check(getattr(self, option.name))
        loading = {option.name: option for option in catalogue.LOADING}
        self._check_values("data", self.data, loading)
        if not isinstance(self.length, dict) or list(self.length) not in (["epochs"], ["steps"]):
            raise ValueError(
                '`length` must be {"epochs": n} or {"steps": n}. Received: '
                f"length={self.length!r}"
            )
        for name, value in self.length.items():
            validation.positive_integer(name, value)
        self._check_refusals()
        known = catalogue.options(self.variant)
        # These are fields of the recipe itself.
        known = {name: option for name, option in known.items() if name not in ("augment", "seed")}
        self._check_values(self.variant, self.arguments, _data_only(known))
        self._check_networks()
        packing = self.arguments.get("packing", 1)
        if self.batch_size % packing:
            raise ValueError(
                f"`batch_size` must be divisible by packing={packing}, the images that the critic "
                f"scores together. Received: {self.batch_size}"
            )
        for kinds, items in (
            (catalogue.PENALTIES, self.penalties),
            (catalogue.AUGMENTATIONS, [self.augment] if self.augment else []),
        ):
            for item in items:
                validation.choice("kind", item.get("kind"), kinds)
                own = {option.name: option for option in kinds[item["kind"]].options}
                values = {k: v for k, v in item.items() if k != "kind"}
                self._check_values(item["kind"], values, own)
        self._check_optimizers()

    def _check_networks(self):
        entry = catalogue.VARIANTS[self.variant]
        architecture = self.networks.get("architecture")
        if architecture is not None and architecture not in entry.architectures:
            raise ValueError(
                f"`architecture` of {self.variant} must be one of "
                f"{', '.join(entry.architectures)}. Received: {architecture!r}"
            )
        if "conditioning" in self.networks and not self.conditional:
            raise ValueError(
                "`conditioning` goes with `conditional`: unconditional networks take no labels. "
                f"Received: conditioning={self.networks['conditioning']!r}"
            )
        options = catalogue.ARCHITECTURES[architecture or entry.architectures[0]].options
        known = {option.name: option for option in options}
        values = {k: v for k, v in self.networks.items() if k != "architecture"}
        self._check_values(architecture or entry.architectures[0], values, _data_only(known))

    def _check_structure(self):
        """Raise ValueError unless each field is the object or the list that it should be."""
        fields = {name: getattr(self, name) for name in ("data", "networks", "arguments")}
        fields["optimizers"] = self.optimizers
        if isinstance(self.optimizers, dict):
            fields |= {f"optimizers.{player}": own for player, own in self.optimizers.items()}
        if not isinstance(self.penalties, list):
            raise ValueError(f"`penalties` must be a list. Received: penalties={self.penalties!r}")
        fields |= {f"penalties[{i}]": item for i, item in enumerate(self.penalties)}
        if self.augment is not None:
            fields["augment"] = self.augment
        for name, value in fields.items():
            if not isinstance(value, dict):
                raise ValueError(f"`{name}` must be a JSON object. Received: {name}={value!r}")

    def _check_optimizers(self):
        betas = {o.name: o for o in catalogue.OPTIMIZERS if o.name.startswith("beta")}
        for player, settings in self.optimizers.items():
            validation.choice("optimizers", player, ("generator", "critic"))
            for name, value in settings.items():
                validation.choice("optimizers", name, ("learning_rate", *betas))
                if value is None:
                    continue
                if name in betas:
                    betas[name].check(value)
                elif isinstance(value, dict):
                    _check_schedule(value)
                else:
                    validation.positive("learning_rate", value)

    def _check_refusals(self):
        """Raise ValueError for what the variant cannot have."""
        settings = [settings.items() for settings in self.optimizers.values()]
        given = {name for pairs in settings for name, value in pairs if value is not None}
        given |= {*self.networks, *self.arguments}
        given |= {"conditional"} if self.conditional else set()
        given |= {"final_lr"} if self.falls else set()
        for name, why in catalogue.VARIANTS[self.variant].refuses.items():
            if name in given:
                flag = f"--{name.replace('_', '-')}"
                raise ValueError(f"{flag} is no option of {self.variant}: {why}.")
        if self.arguments.get("warmup") and self.falls:
            raise ValueError("--final-lr and --warmup do not go together.")

    @staticmethod
    def _check_values(where, values, known):
        for name, value in values.items():
            if name not in known:
                own = ", ".join(sorted(known)) or "none"
                raise ValueError(f"`{name}` is no option of {where}; its own are {own}.")
            if isinstance(value, dict) and list(value) == ["share"]:
                validation.positive(f"{name}.share", value["share"])
            else:
                known[name].check(value)

    # What it makes.

    def load(self, progress=None):
        """Return the `kerasgan.data.ImageDataset` of the recipe.

        Args:
            progress: Optional callable `(done, total)`, called while images are decoded.
        """
        from kerasgan import data

        chosen = {name: value for name, value in self.data.items() if value is not None}
        return data.load(**chosen, batch_size=self.batch_size, seed=self.seed, progress=progress)

    def critic_steps(self, batches_per_epoch=None):
        """Return how many critic steps the training has.

        Args:
            batches_per_epoch: Where the length is in epochs.
        """
        if "steps" in self.length:
            return self.length["steps"]
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
        from kerasgan.recipe import building

        if networks is None:
            networks = building.networks(self, image_shape, num_classes)
        return building.model(self, networks, self.length.get("steps") if steps is None else steps)


def _data_only(options):
    """Return the options that JSON can hold, by name."""
    return {name: option for name, option in options.items() if option.kind != "object"}


def _check_schedule(rate):
    """Raise ValueError unless a learning rate is one of the schedules of `Recipe.optimizers`."""
    lists = all(isinstance(value, (list, tuple)) for value in rate.values())
    counts = {name: len(value) for name, value in rate.items()} if lists else {}
    constant = counts.keys() == {"boundaries", "values"}
    if not (counts == {"cosine": 2} or (constant and counts["values"] == counts["boundaries"] + 1)):
        raise ValueError(
            '`learning_rate` must be a number, {"cosine": [first, last]} or {"boundaries": [...], '
            f'"values": [...]}} with one value more than boundaries. Received: {rate!r}'
        )
    for value in rate["values"] if constant else rate["cosine"]:
        validation.positive("learning_rate", value, zero=True)
    for value in rate.get("boundaries", ()):
        validation.positive_integer("boundaries", value)
