"""`AdversarialModel`: a generator and a critic, and the whole state of their training."""

import math
import types

import keras
from keras import ops

from kerasgan import backend, losses, networks, validation
from kerasgan.adversarial import checks, freezing, latent, moving_average, network_checks, state
from kerasgan.adversarial.optimizer import adam_pair
from kerasgan.adversarial.pretrained import Pretrained
from kerasgan.adversarial.programs import Programs
from kerasgan.adversarial.sampler import Sampler
from kerasgan.adversarial.scorer import Scorer
from kerasgan.adversarial.shown import Shown
from kerasgan.adversarial.steps import Steps
from kerasgan.adversarial.styles import Styles
from kerasgan.adversarial.training import Training
from kerasgan.backend import private


class AdversarialModel(
    Pretrained, Sampler, Styles, Shown, Steps, Programs, Training, backend.Trainer, keras.Model
):
    """A generator and a critic that train each other; the base class of every variant.

    A training is this, in the terms of the methods that a variant may override:

    ```text
    repeat critic_steps_per_round() times:
        x, z <- a batch of real images, draw_latents()
        move the critic to lower   critic_loss(x, G(z)) + penalties
    z <- draw_latents()
    move the generator to lower    generator_loss(x, G(z)) + penalties
    move the average of G's weights towards them, by ema_decay()
    ```

    One batch of `fit` is one critic step, so `batch_size` is the papers' m and every critic step
    sees fresh real images.

    The networks may be conditional: then the generator takes `[z, labels]` and the critic
    `[images, labels]`, with integer labels of shape `(batch_size,)`, and `fit` is given labels.

    Args:
        generator: A Keras model from latent vectors `(batch_size, latent_dim)` to images
            `(batch_size, height, width, channels)` in [-1, 1].
        critic: A Keras model from such images to one score each, `(batch_size, 1)`, without a
            sigmoid.
        loss: A key of `kerasgan.losses.LOSSES`, or a `kerasgan.losses.Loss`.
        penalties: `kerasgan.penalties.Penalty` objects, added to the loss of their player.
        packing: Images that the critic scores together, PacGAN's m, stacked along the channels:
            it takes `(batch_size / packing, height, width, packing * channels)`.
        augment: A layer of `kerasgan.augment` on what the critic sees, or None.
        historical_averaging: Weight of each network's squared distance to the mean of its past
            weights, or None. Reference: Salimans et al. 2016, https://arxiv.org/abs/1606.03498.
        n_critic: Critic steps for each generator step.
        ema: Decay of the moving average of the generator's weights, which `sample` and `predict`
            use; None for none. It is reached gradually: after t generator steps the decay is at
            most `(1 + t) / (10 + t)`.
        prior: "normal" for latent vectors from N(0, I), "uniform" for U(-1, 1), or "logistic".
        num_classes: Classes of conditional networks; networks that kerasgan built know them.
        seed: Seed of every random draw during training.
        learning_rate: Of both default optimizers; what `compile` is given comes first.
        critic_learning_rate: Of the critic's, where it differs.
        freeze: Levels of the critic, from the largest maps on, whose weights are frozen here, for
            fine-tuning. Reference: Mo et al. 2020, https://arxiv.org/abs/2002.10964.
        discriminator: Another name for `critic`.
        name: Name of the model.
        own_penalties: The variant's part of the penalties.

    Attributes:
        critic_steps: Steps that the critic has taken, one for each batch.
        generator_steps: Steps that the generator has taken.
        latent_shape: Shape of one latent vector; `latent_dim` is its length.
        image_shape: `(height, width, channels)`.

    Raises:
        ValueError: If the parts do not fit together, or an argument is out of range.
    """

    critic_norm = "batch"  # What `default_networks` puts into the critic: "batch" or None.
    packs = 1  # The packing that `default_networks` builds for.
    resnet_style = "sngan"  # What it takes for "resnet".
    # Arguments that are Keras objects.
    _objects = ("generator", "critic", "loss", "augment", "penalties")
    several_scores = False  # Whether the critic may give an image more than one score.
    logged = ()  # Names that the variant's losses pass to `log`, beside losses and penalties.

    def __init__(
        self,
        generator,
        critic=None,
        loss="non_saturating",
        penalties=(),
        packing=1,
        augment=None,
        historical_averaging=None,
        n_critic=1,
        ema=0.999,
        prior="normal",
        num_classes=None,
        seed=0,
        learning_rate=2e-4,
        critic_learning_rate=None,
        freeze=0,
        discriminator=None,
        name=None,
        own_penalties=(),
    ):
        super().__init__(name=name)
        critic = checks.one_critic(critic, discriminator)
        self.adversarial_loss = losses.get(loss)
        checks.numbers(
            positive={"learning_rate": learning_rate},
            optional={
                "critic_learning_rate": critic_learning_rate,
                "historical_averaging": historical_averaging,
            },
            integers={"n_critic": n_critic, "packing": packing},
        )
        validation.choice("prior", prior, latent.PRIORS)
        validation.fraction("ema", ema, optional=True)
        checks.augment(augment, self.adversarial_loss)
        self.added_penalties = checks.penalties(penalties)
        self.penalties = (*own_penalties, *self.added_penalties)
        network_checks.built(generator=generator, critic=critic)
        checks.shared_weights(generator, critic)
        checks.last_layers(generator, critic)
        freezing.freeze(critic, freeze)
        own_inputs = type(self).generator_inputs is not Sampler.generator_inputs
        self.latent_shape, self.num_classes = network_checks.latents_and_classes(
            generator, critic, packing, num_classes, more=own_inputs
        )
        self.generator = generator
        self.critic = critic
        self.packing = packing
        self.image_shape = network_checks.image_shape(
            self, self.generator_inputs if own_inputs else None
        )
        for penalty in self.penalties:
            checks.batch_norm(critic, penalty, type(self).__name__)
        self._spectral = tuple(
            layer for layer in private.flat_layers(critic) if hasattr(layer, "iterate")
        )
        self.augment = augment
        self.historical_averaging = historical_averaging
        self.n_critic = n_critic
        self.ema = ema
        self.prior = prior
        self.seed = seed
        self.learning_rate = learning_rate
        self.critic_learning_rate = critic_learning_rate
        self.ema_generator = None if ema is None else moving_average.copy(generator)
        self.seed_generator = keras.random.SeedGenerator(seed, name="training_seeds")
        self.scorer = Scorer(critic, self.image_shape, packing, augment, self.noise)
        if {"real_features", "fake_features"} & set(self.adversarial_loss.generator_needs):
            _ = self.scorer.body  # A critic without features is refused here.
        names = ["critic_loss", "generator_loss", *self._penalty_names(), *self.logged]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        for counter in state.COUNTERS:
            setattr(self, counter, 0)
        self._steps_left = None  # Of the present epoch, where that is known.
        self._leader = None  # What has other processes take the same steps, in `fit`.
        self.accumulate = 1  # What `compile` was given.
        self._watch = None  # Looks at batches of `fit` and `evaluate` that nobody has checked.
        self._reads = None  # The steps of `fit` whose logs are read; None for all.
        # What was logged since this was emptied, and what the epoch's steps have measured.
        self._names = types.SimpleNamespace(logged=set(), measured=None)
        self._put_back_at = None  # The critic steps at which an earlier state was put back.
        self._past = {}  # The means of past weights, by player, where they are asked for.
        if historical_averaging is not None:
            for player, network in (("critic", critic), ("generator", generator)):
                self._past[player] = state.past_weights(self, network)
        # Past Keras, which would track dictionaries.
        for name in ("_decoders", "_given_rates", "_penalty_weights", "_trained_weights"):
            object.__setattr__(self, name, {})
        for name, penalty in zip(self._penalty_names(), self.penalties, strict=True):
            self._build_penalty(name, penalty)
        self.built = True

    # What a variant may override.

    @classmethod
    def default_networks(cls, architecture="dcgan", **size):
        """Return a generator and a critic that this variant can train.

        Args:
            architecture: A key of `kerasgan.networks.ARCHITECTURES`.
            **size: Arguments of that builder, as `image_size`, `channels` and `latent_dim`.
        """
        validation.choice("architecture", architecture, networks.ARCHITECTURES)
        own = {"critic_norm": cls.critic_norm, "packing": cls.packs}
        if architecture == "resnet":  # It has no batch normalisation in the critic.
            norm = None if cls.critic_norm == "batch" else cls.critic_norm
            own |= {"critic_norm": norm, "style": cls.resnet_style}
        return networks.ARCHITECTURES[architecture](**{**own, **size})

    def default_optimizers(self):
        """Return the variant's optimizers for the generator and for the critic.

        They are the paper's unless the variant's docstring says otherwise.
        """
        return adam_pair(self.learning_rate, self.critic_learning_rate)

    def critic_loss(self, batch, scores, training=True):
        """Return the critic's loss, a scalar to be minimised; without penalties.

        Args:
            batch: A `Batch`.
            scores: Its `kerasgan.losses.Scores`, with `real` and `fake`.
            training: Whether networks are to be called in training mode.
        """
        return self.adversarial_loss.critic(scores)

    def generator_loss(self, batch, scores, training=True):
        """Return the generator's loss, a scalar to be minimised; without penalties.

        Args:
            batch: A `Batch`.
            scores: Its `kerasgan.losses.Scores`, with what the loss's `generator_needs` names.
            training: Whether networks are to be called in training mode.
        """
        return self.adversarial_loss.generator(scores)

    def critic_objective(self, batch, penalties, training=True, observe=False, lazy=True):
        """Return all that the critic minimises: it scores a batch once for loss and penalties.

        Args:
            batch: A `Batch`.
            penalties: Pairs of a name and a `Penalty`, those of this step.
            training: Whether networks are called in training mode.
            observe: Whether the augmentation learns from the scores.
            lazy: Whether lazy penalties are scaled for the steps that leave them out.
        """
        gradients = {penalty.at for _, penalty in penalties if penalty.at}
        scores = self.scorer.compare(batch, ("real", "fake"), gradients, training, observe)
        loss = self.critic_loss(batch, scores, training)
        return self._penalised(loss, batch, scores, penalties, training, lazy)

    def generator_objective(self, batch, penalties, training=True):
        """Return all that the generator minimises; see `critic_objective`."""
        needs = self.adversarial_loss.generator_needs
        scores = self.scorer.compare(batch, needs, training=training)
        loss = self.generator_loss(batch, scores, training)
        return self._penalised(loss, batch, scores, penalties, training)

    def before_critic_step(self):
        """Prepare the critic for a step: one power iteration of each spectral normalisation."""
        for layer in self._spectral:
            if layer.trainable:
                layer.iterate()

    def penalty_weight(self, penalty):
        """Return the weight of a penalty at the current step."""
        return penalty.weight

    def ema_decay(self, steps):
        """Return the decay of the moving average after `steps` generator steps, a tensor."""
        return ops.minimum(self.ema, (1.0 + steps) / (10.0 + steps))

    def critic_variables(self):
        """Return what the critic's optimizer moves."""
        return self.critic.trainable_variables

    def generator_variables(self):
        """Return what the generator's optimizer moves."""
        return self.generator.trainable_variables

    def draw_latents(self, batch_size):
        """Draw latent vectors for a step of training, a tensor `(batch_size, latent_dim)`."""
        prior = latent.PRIORS[self.prior]
        return prior.scaled(self.noise(batch_size, prior.kind, *self.latent_shape), ops.log)

    # What a variant may use.

    def noise(self, rows, kind, *shape):
        """Draw numbers `(rows, *shape)`, "uniform" in [0, 1) or "normal", of this replica."""
        draw = {"normal": keras.random.normal, "uniform": keras.random.uniform}[kind]
        with backend.independent_seeds():
            return backend.replica_rows(lambda n: draw((n, *shape), seed=self.seed_generator), rows)

    def log(self, name, value, rows):
        """Add `value`, a mean over `rows` images, to the epoch's mean that is logged as `name`."""
        value = backend.mean_over_processes(ops.stop_gradient(value))
        if not isinstance(rows, int):  # A replica may have no images, and the mean of none is NaN.
            value = ops.where(rows > 0, value, ops.zeros_like(value))
        self.trackers[name].update_state(value, sample_weight=rows)
        self._names.logged.add(name)

    @property
    def discriminator(self):
        """The critic."""
        return self.critic

    @property
    def latent_dim(self):
        """How many numbers a latent vector has."""
        return math.prod(self.latent_shape)

    # State.

    def summary(self, line_length=None, positions=None, print_fn=None, *args, **kwargs):
        """Print the layers of both networks; see `keras.Model.summary`."""
        lines = print_fn or print
        for title, network in (("Generator", self.generator), ("Critic", self.critic)):
            lines(f"{title} of {type(self).__name__} {self.name!r}")
            network.summary(line_length, positions, lines, *args, **kwargs)
        counts = self.generator.count_params(), self.critic.count_params()
        lines(
            f"Generator {counts[0]:,} and critic {counts[1]:,} parameters; latent vectors "
            f"{(None, *self.latent_shape)}, images {(None, *self.image_shape)}."
        )

    def get_config(self):
        """Return the arguments that make this model again, networks included.

        The learning rates are those of the optimizers that `compile` was given, if any.
        """
        given = self._given_rates
        critic_rate = given.get("critic", self.critic_learning_rate)
        if critic_rate is None and "generator" in given:
            critic_rate = self.learning_rate  # It does not follow the rate that was given.
        return {
            **state.lazy(self),
            **state.frozen(self),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "critic": keras.saving.serialize_keras_object(self.critic),
            "loss": losses.serialize(self.adversarial_loss),
            "penalties": [keras.saving.serialize_keras_object(p) for p in self.added_penalties],
            "packing": self.packing,
            "augment": keras.saving.serialize_keras_object(self.augment),
            "historical_averaging": self.historical_averaging,
            "n_critic": self.n_critic,
            "ema": self.ema,
            "prior": self.prior,
            "num_classes": self.num_classes,
            "seed": self.seed,
            "learning_rate": given.get("generator", self.learning_rate),
            "critic_learning_rate": critic_rate,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return the model that `get_config` describes, also that of version 0.1."""
        config, lazy, interval = state.renamed(config)
        for key in cls._objects:
            if config.get(key) and not isinstance(config[key], str):
                config[key] = keras.saving.deserialize_keras_object(
                    config[key], custom_objects=custom_objects
                )
        frozen = config.pop("frozen", {})
        model = cls(**config)
        state.freeze(model, frozen)
        for name, penalty in zip(model._penalty_names(), model.penalties, strict=True):
            penalty.every = lazy.get(name, max(penalty.every, interval))
        return model

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Write the model as a `.keras` file; see `keras.Model.save`."""
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`filepath` must end in .keras: an HDF5 file cannot hold a model of two networks. "
                "`save_weights` writes weights alone, as .weights.h5. Received: "
                f"filepath={str(filepath)!r}"
            )
        return super().save(filepath, overwrite, zipped, **kwargs)

    def save_own_variables(self, store):
        """Store the schedule's counters, every seed, and the model's own weights and metrics.

        Networks and optimizers are stored beside them.
        """
        private.remember_what_saving_skips()
        weights = {}
        super().save_own_variables(weights)
        state.save(self, store, weights)

    def load_own_variables(self, store):
        """Take them back."""
        weights = {}
        super().save_own_variables(weights)
        super().load_own_variables(state.load(self, store, weights))
