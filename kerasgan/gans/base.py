"""What every adversarial model shares: two networks, their schedule, and the whole state."""

import warnings

import keras
import numpy as np
from keras import ops

from kerasgan import backend, metrics, networks, validation
from kerasgan.data import ImageDataset
from kerasgan.gans import checks, latent, moving_average
from kerasgan.gans.feed import Feed, check_dataset, held_out, is_array
from kerasgan.gans.optimizer import AdversarialOptimizer
from kerasgan.gans.pretrained import Pretrained
from kerasgan.gans.sampling import Sampling
from kerasgan.gans.scoring import Batch, Scoring
from kerasgan.losses import LOSSES

_COUNTERS = ("critic_steps", "generator_steps", "critic_steps_this_round")


class AdversarialModel(Pretrained, Sampling, Scoring, backend.Trainer, keras.Model):
    """A generator and a critic that train each other; the base of every variant.

    A variant names its `adversarial_loss` and gives `default_optimizers`; where its losses, its
    schedule or a step differ, it overrides `critic_loss`, `generator_loss`,
    `critic_steps_per_round` or `critic_step`.

    One batch of `fit` is one critic step, so `batch_size` is the papers' m and every critic step
    sees fresh real images; after `critic_steps_per_round` of them the generator takes one step.

    The networks may be conditional: then the generator takes `[z, labels]` and the critic
    `[images, labels]`, with integer labels of shape `(batch_size,)`, and `fit` is given labels.

    Args:
        generator: A Keras model from latent vectors `(batch_size, latent_dim)` to images
            `(batch_size, height, width, channels)` in [-1, 1].
        critic: A Keras model from such images to one score each, `(batch_size, 1)`, without a
            sigmoid. Also called the discriminator.
        loss: A key of `kerasgan.losses.LOSSES`.
        penalties: `kerasgan.penalties.Penalty` objects, added to the critic's loss.
        penalty_interval: Critic steps from one that has the penalties to the next, which then
            weigh as much more (lazy regularisation). Leave it at 1: R3GAN's ablation found that
            anything else fails on stacked MNIST and on 25 Gaussians.
        packing: Images that the critic judges together, PacGAN's m, stacked along the channels:
            it takes `(batch_size / packing, height, width, packing * channels)`.
        augment: A layer of `kerasgan.augment` on what the critic sees, or None.
        historical_averaging: Weight of each network's squared distance to the mean of its past
            weights, or None. Reference: Salimans et al. 2016, https://arxiv.org/abs/1606.03498.
        n_critic: Critic steps for each generator step.
        ema: Decay of the moving average of the generator's weights, which `sample` and `predict`
            use; None for none. It is reached gradually: after t generator steps the decay is at
            most `(1 + t) / (10 + t)`.
        prior: "normal" for latent vectors from N(0, I), "uniform" for U(-1, 1), or "logistic".
        num_classes: Classes of conditional networks; known where kerasgan built them.
        seed: Seed of every random draw during training.
        name: Name of the model.
        own_penalties: The variant's part of the penalties.

    Raises:
        ValueError: If the parts do not fit together, or an argument is out of range.
    """

    critic_norm = "batch"  # What `default_networks` puts into the critic: "batch" or None.
    packs = 1  # The packing that `default_networks` builds for.
    resnet_style = "sngan"  # What it takes for "resnet".
    objects = ("generator", "critic", "augment", "penalties")  # Arguments that are Keras objects.
    logged = ()  # Names that the variant's losses pass to `log`, beside losses and penalties.

    def __init__(
        self,
        generator,
        critic,
        loss="non_saturating",
        penalties=(),
        penalty_interval=1,
        packing=1,
        augment=None,
        historical_averaging=None,
        n_critic=1,
        ema=0.999,
        prior="normal",
        num_classes=None,
        seed=0,
        name=None,
        own_penalties=(),
    ):
        super().__init__(name=name)
        validation.choice("loss", loss, LOSSES)
        validation.choice("prior", prior, latent.PRIORS)
        for argument, value in (
            ("n_critic", n_critic),
            ("packing", packing),
            ("penalty_interval", penalty_interval),
        ):
            validation.positive_integer(argument, value)
        validation.fraction("ema", ema, optional=True)
        if historical_averaging is not None:
            validation.positive("historical_averaging", historical_averaging)
        checks.augment(augment, loss)
        self.added_penalties = checks.penalties(penalties)
        self.penalties = (*own_penalties, *self.added_penalties)
        shapes = checks.networks(generator, critic, packing, num_classes)
        self.latent_dim, self.image_shape, self.num_classes = shapes
        for penalty in self.penalties:
            checks.batch_norm(critic, penalty, type(self).__name__)
        if penalty_interval > 1:
            warnings.warn(
                "`penalty_interval` above 1 makes penalties lazy, which fails where collapse is "
                f"hardest to avoid. Received: penalty_interval={penalty_interval}",
                stacklevel=3,
            )
        self.generator = generator
        self.critic = critic
        self.power_iterations = tuple(  # Of spectral normalisation, one a critic step.
            layer.iterate for layer in critic._flatten_layers() if hasattr(layer, "iterate")
        )
        self.adversarial_loss = loss
        self.penalty_interval = penalty_interval
        self.packing = packing
        self.augment = augment
        self.historical_averaging = historical_averaging
        self.n_critic = n_critic
        self.ema = ema
        self.prior = prior
        self.seed = seed
        self.ema_generator = None if ema is None else moving_average.copy(generator)
        self.seed_generator = keras.random.SeedGenerator(seed, name="training_seeds")
        names = ["critic_loss", "generator_loss", *(p.name for p in self.penalties), *self.logged]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        for counter in _COUNTERS:
            setattr(self, counter, 0)
        self.put_back_at = None  # The critic steps at which an earlier state was put back.
        self.past = {}  # The mean of past weights, by player, where it is asked for.
        if historical_averaging is not None:
            for player, network in (("critic", critic), ("generator", generator)):
                self.past[player] = [_past(self, v) for v in network.trainable_variables]
        self.built = True

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

    # The variant's part.

    def critic_loss(self, batch, training=True):
        """Return the critic's loss on a `Batch`, a scalar to be minimised; without penalties."""
        return LOSSES[self.adversarial_loss].critic(*self.both_scores(batch, training))

    def generator_loss(self, batch, training=True):
        """Return the generator's loss on a `Batch`, a scalar to be minimised."""
        loss = LOSSES[self.adversarial_loss]
        if loss.relativistic:
            return loss.generator(*self.both_scores(batch, training))
        return loss.generator(self.scores(batch.fake, batch.labels, training))

    def default_optimizers(self):
        """Return the paper's optimizers for the generator and for the critic."""
        raise NotImplementedError

    def critic_steps_per_round(self, generator_steps):
        """Return how many critic steps come before generator step number `generator_steps`."""
        return self.n_critic

    def penalty_weight(self, penalty):
        """Return the weight that a penalty has at this step."""
        return penalty.weight

    def ema_decay(self, steps):
        """Return the decay of the moving average after `steps` generator steps, a tensor."""
        return ops.minimum(self.ema, (1.0 + steps) / (10.0 + steps))

    def critic_variables(self):
        """Return what the critic's optimizer moves."""
        return self.critic.trainable_variables

    # One step.

    def generate(self, z, labels=None, training=False):
        """Return the generator's images."""
        return self.generator(z if labels is None else [z, labels], training=training)

    def critic_step(self, real, labels=None, penalise=True):
        """Move the critic once, on real images `(batch_size, height, width, channels)`."""
        for iterate in self.power_iterations:
            iterate()
        z = self.latent(ops.shape(real)[0])
        with backend.no_gradients():
            fake = self.generate(z, labels, training=True)
        wanted = {p.at for p in self.penalties if p.at} if penalise else ()

        def loss():
            batch = Batch(real, fake, z, labels, dict.fromkeys(wanted), observed=True)
            value = self.critic_loss(batch)
            if not penalise:
                return value
            return self.penalised(value, batch, factor=self.penalty_interval)

        self._move("critic", loss, self.critic_variables(), real)

    def generator_step(self, real, labels=None):
        """Move the generator once, and its moving average after it."""
        z = self.latent(ops.shape(real)[0])

        def loss():
            fake = self.generate(z, labels, training=True)
            return self.generator_loss(Batch(real, fake, z, labels))

        self._move("generator", loss, self.generator.trainable_variables, real)
        if self.ema is not None:
            steps = ops.cast(self.optimizer.generator_optimizer.iterations, "float32")
            moving_average.follow(self.ema_generator, self.generator, self.ema_decay(steps))

    def _move(self, player, loss_fn, variables, real):
        optimizer = getattr(self.optimizer, f"{player}_optimizer")
        past = self.past.get(player, ())

        def with_distance():
            pairs = zip(variables, past, strict=False)
            distance = sum(ops.sum(ops.square(v - p)) for v, p in pairs)
            # Before the first step there is no past.
            weight = ops.where(optimizer.iterations > 0, self.historical_averaging, 0.0)
            return loss_fn() + weight * distance

        loss = with_distance if past else loss_fn
        value, gradients = backend.value_and_grad(loss, variables)
        optimizer.apply(gradients, variables)
        self.log(f"{player}_loss", value, ops.shape(real)[0])
        if past:
            steps = ops.cast(optimizer.iterations, "float32")
            means = [p + (v - p) / steps for v, p in zip(variables, past, strict=False)]
            backend.assign(past, means)

    def play(self, data, generator_turn, penalise=True):
        """Take one critic step and, if it is the generator's turn, one generator step."""
        real, labels = checks.batch(data, self)
        self.critic_step(real, labels, penalise)
        if generator_turn:
            self.generator_step(real, labels)
        return self.get_metrics_result()

    def judge(self, data):
        """Measure both losses on held-out images; nothing moves."""
        real, labels = checks.batch(data, self)
        rows = ops.shape(real)[0]
        z = self.latent(rows)
        batch = Batch(real, self.generate(z, labels), z, labels)
        critic_loss = self.penalised(self.critic_loss(batch, training=False), batch, training=False)
        self.log("critic_loss", critic_loss, rows)
        self.log("generator_loss", self.generator_loss(batch, training=False), rows)
        return self.get_metrics_result()

    def latent(self, batch_size):
        """Draw latent vectors from the prior, of shape `(batch_size, latent_dim)`."""
        prior = latent.PRIORS[self.prior]
        return prior.scaled(self.noise(batch_size, prior.kind, self.latent_dim), ops.log)

    def noise(self, rows, kind, *shape):
        """Draw `(rows, *shape)` numbers, "uniform" in [0, 1) or "normal", of this replica."""
        draw = {"normal": keras.random.normal, "uniform": keras.random.uniform}[kind]
        return backend.draw(lambda n: draw((n, *shape), seed=self.seed_generator), rows)

    def log(self, name, value, rows):
        """Add `value`, a mean over `rows` images, to the epoch's mean that is logged as `name`."""
        self.trackers[name].update_state(ops.stop_gradient(value), sample_weight=rows)

    def get_metrics_result(self):
        """Return the epoch's means so far; `loss` is their sum over the two players."""
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        return {"loss": results["critic_loss"] + results["generator_loss"], **results}

    # The schedule, on the host: it chooses between compiled steps.

    def make_train_function(self, force=False):
        """Compile the critic's step and the full round, and choose between them by the counters.

        With lazy penalties there are four steps; each is traced when it is first needed.
        """
        if self.train_function is not None and not force:
            return self.train_function
        steps = {
            (generator_turn, penalise): self.compile_step(
                lambda data, turn=generator_turn, penalise=penalise: self.play(data, turn, penalise)
            )
            for generator_turn in (False, True)
            for penalise in ((True,) if self.penalty_interval == 1 else (True, False))
        }

        def train_function(*args):
            needed = self.critic_steps_per_round(self.generator_steps)
            generator_turn = self.critic_steps_this_round + 1 >= needed
            penalise = self.critic_steps % self.penalty_interval == 0
            result = steps[generator_turn, penalise](*args)
            self.critic_steps += 1
            self.generator_steps += int(generator_turn)
            self.critic_steps_this_round = 0 if generator_turn else self.critic_steps_this_round + 1
            return result

        self.train_function = train_function
        return train_function

    def compile(
        self,
        generator_optimizer=None,
        critic_optimizer=None,
        run_eagerly=False,
        jit_compile="auto",
    ):
        """Configure training; without arguments with the paper's optimizers.

        Args:
            generator_optimizer: A Keras optimizer, its name, or None for the paper's.
            critic_optimizer: The same for the critic; not the same instance.
            run_eagerly: Run every step uncompiled, for debugging.
            jit_compile: As in `keras.Model.compile`; "auto" is XLA on JAX and on TensorFlow with
                a GPU, tf.function alone on a CPU, and eager execution on PyTorch.
        """
        checks.precision(self)
        defaults = self.default_optimizers()
        pair = [
            default if given is None else keras.optimizers.get(given)
            for given, default in zip(
                (generator_optimizer, critic_optimizer), defaults, strict=True
            )
        ]
        if pair[0] is pair[1]:
            raise ValueError(
                "`generator_optimizer` and `critic_optimizer` must be two instances, since each "
                f"keeps the state of its own network. Received: {pair[0]!r} for both."
            )
        # By identity: `in` would compare values, and names change when a model is loaded.
        critic_ids = {id(v) for v in self.critic_variables()}
        optimizer = AdversarialOptimizer(*pair, lambda variable: id(variable) in critic_ids)
        self._compile_arguments = {"run_eagerly": run_eagerly, "jit_compile": jit_compile}
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            jit_compile=backend.resolve_jit(jit_compile),
        )
        self.optimizer.build(self.trainable_variables)
        backend.lay_out([*self.variables, *self.optimizer.variables])
        for inner in pair:
            backend.quicken(inner)

    def get_compile_config(self):
        """Return both optimizers and the flags of `compile`, for `compile_from_config`."""
        if not self.compiled:
            return {}
        return {
            "generator_optimizer": keras.optimizers.serialize(self.optimizer.generator_optimizer),
            "critic_optimizer": keras.optimizers.serialize(self.optimizer.critic_optimizer),
            **self._compile_arguments,
        }

    def compile_from_config(self, config):
        """Compile as `get_compile_config` describes; the optimizers' variables exist afterwards."""
        optimizers = {
            key: keras.optimizers.deserialize(config[key])
            for key in ("generator_optimizer", "critic_optimizer")
        }
        self.compile(**{**config, **optimizers})

    def add_penalty(self, penalty):
        """Add a penalty to the critic's loss of a compiled model.

        Steps that were compiled go on without it: `make_train_function(force=True)` compiles anew.
        """
        (penalty,) = checks.penalties(penalty)
        checks.batch_norm(self.critic, penalty, type(self).__name__)
        self.added_penalties = (*self.added_penalties, penalty)
        self.penalties = (*self.penalties, penalty)
        self.trackers[penalty.name] = keras.metrics.Mean(name=penalty.name)

    # Data.

    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, callbacks=None, shuffle=True, **kwargs
    ):
        """Train on real images; see `keras.Model.fit`.

        Args:
            x: Images `(n, height, width, channels)` in [-1, 1] as an array, or batches of them as
                a `kerasgan.data.ImageDataset`, tf.data dataset, `PyDataset` or torch
                `DataLoader`, with or without labels in the tuple.
            y: Labels beside an array, or None.
            batch_size: Images of an array in one critic step; 64, as in the WGAN papers.
            epochs: Number of passes over the images.
            callbacks: Keras callbacks.
            shuffle: Whether an array is shuffled anew each epoch, in the order of `seed`.
            **kwargs: As in `keras.Model.fit`.

        Returns:
            The `keras.callbacks.History`.

        Raises:
            ValueError: If the images do not fit the networks; if those of an array are not
                finite, lie outside [-1, 1], or are fewer than one batch.
        """
        feed = Feed(self, x, y, batch_size, shuffle, kwargs)
        return super().fit(
            feed.x,
            batch_size=feed.batch_size,
            epochs=epochs,
            callbacks=feed.callbacks(callbacks),
            shuffle=False,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, return_dict=True, scores=(), samples=2000, **kwargs):
        """Return both losses on held-out images by name; see `keras.Model.evaluate`.

        The latent vectors are drawn from the model's seeds, which go on: nothing else moves.

        Args:
            x: Images, as `fit` takes them.
            y: Labels beside an array, or None.
            return_dict: Whether the result has names.
            scores: Metrics of `kerasgan.metrics.METRICS` to add, such as "frechet_distance"; `x`
                is then an array or an `ImageDataset`.
            samples: Generated images, and real ones, in a score.
            **kwargs: As in `keras.Model.evaluate`.
        """
        found = {}
        if scores:
            evaluator = metrics.Evaluator(x, y, list(scores), samples)
            found = {result.name: result.value for result in evaluator(self)}
        if is_array(x):
            x, y = held_out(self, x, y, kwargs.pop("batch_size", None)), None
        elif isinstance(x, ImageDataset):
            check_dataset(self, x)
        losses = super().evaluate(x, y, return_dict=return_dict, **kwargs)
        return {**losses, **found} if return_dict else [*losses, *found.values()]

    # State.

    def get_config(self):
        """Return the arguments that make this model again, networks included."""
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "critic": keras.saving.serialize_keras_object(self.critic),
            "loss": self.adversarial_loss,
            "penalties": [keras.saving.serialize_keras_object(p) for p in self.added_penalties],
            "penalty_interval": self.penalty_interval,
            "packing": self.packing,
            "augment": keras.saving.serialize_keras_object(self.augment),
            "historical_averaging": self.historical_averaging,
            "n_critic": self.n_critic,
            "ema": self.ema,
            "prior": self.prior,
            "num_classes": self.num_classes,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return the model that `get_config` describes."""
        config = dict(config)
        for key in cls.objects:
            if config.get(key):
                config[key] = keras.saving.deserialize_keras_object(
                    config[key], custom_objects=custom_objects
                )
        return cls(**config)

    def save_own_variables(self, store):
        """Store the schedule's counters, every seed and the mean of past weights.

        Networks and optimizers are stored beside them.
        """
        store["schedule"] = np.array([getattr(self, counter) for counter in _COUNTERS])
        for name, variable in self._own_state():
            store[name] = variable

    def load_own_variables(self, store):
        """Take them back."""
        schedule = [int(value) for value in np.array(store["schedule"])]
        for counter, value in zip(_COUNTERS, schedule, strict=True):
            setattr(self, counter, value)
        for name, variable in self._own_state():
            variable.assign(store[name])

    @property
    def seed_states(self):
        """The states of all seed generators, the model's and every dropout's.

        Keras counts them as variables but not as weights, and saves weights alone.
        """
        weights = {id(weight) for weight in self.weights}
        return [v for v in self.non_trainable_variables if id(v) not in weights]

    def _own_state(self):
        past = [v for group in self.past.values() for v in group]
        return [
            *((f"seed_{i}", v) for i, v in enumerate(self.seed_states)),
            *((f"past_{i}", v) for i, v in enumerate(past)),
        ]


def _past(model, variable):
    return model.add_weight(
        shape=variable.shape, dtype=variable.dtype, initializer="zeros", trainable=False
    )
