"""What every adversarial model shares: two networks, their schedule, and the whole state."""

import keras
import numpy as np
from keras import ops

from kerasgan import backend, storage, validation
from kerasgan.gans import checks
from kerasgan.gans.feed import Feed, held_out, is_array
from kerasgan.gans.latent import latent_vectors
from kerasgan.gans.optimizer import AdversarialOptimizer
from kerasgan.networks.base import Builder

_COUNTERS = ("critic_steps", "generator_steps", "critic_steps_this_round")


class AdversarialModel(backend.Trainer, keras.Model):
    """A generator and a critic that train each other; the base of every variant.

    A variant gives `critic_loss`, `generator_loss` and `default_optimizers`; where its schedule
    or a step differs, it overrides `critic_steps_per_round` or `critic_step`.

    One batch of `fit` is one critic step, so `batch_size` is the papers' m and every critic step
    sees fresh real images; after `critic_steps_per_round` of them the generator takes one step.

    Args:
        generator: A Keras model from latent vectors `(batch_size, latent_dim)` to images
            `(batch_size, height, width, channels)` in [-1, 1].
        critic: A Keras model from such images to one score each, `(batch_size, 1)`, without a
            sigmoid. Also called the discriminator.
        n_critic: Critic steps for each generator step.
        ema: Decay of the moving average of the generator's weights, which `sample` and `predict`
            use; None for none. It is reached gradually: after t generator steps the decay is at
            most `(1 + t) / (10 + t)`.
        seed: Seed of every random draw during training.
        name: Name of the model.

    Raises:
        ValueError: If generator and critic do not fit together, or an argument is out of range.
    """

    critic_batch_norm = True  # Whether the loss allows batch normalisation in the critic.
    logged = ()  # Names that the variant's losses pass to `log`, beside the two losses.

    def __init__(self, generator, critic, n_critic=1, ema=0.999, seed=0, name=None):
        super().__init__(name=name)
        validation.positive_integer("n_critic", n_critic)
        validation.fraction("ema", ema, optional=True)
        self.latent_dim, self.image_shape = checks.networks(
            generator, critic, allow_batch_norm=self.critic_batch_norm, variant=type(self).__name__
        )
        self.generator = generator
        self.critic = critic
        self.n_critic = n_critic
        self.ema = ema
        self.seed = seed
        self.ema_generator = None if ema is None else _copy(generator)
        self.seed_generator = keras.random.SeedGenerator(seed, name="training_seeds")
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in ("critic_loss", "generator_loss", *self.logged)
        }
        for counter in _COUNTERS:
            setattr(self, counter, 0)
        self.built = True

    # The variant's part.

    def critic_loss(self, real, fake, training=True):
        """Return the critic's loss on real and generated images, a scalar to be minimised."""
        raise NotImplementedError

    def generator_loss(self, real, fake, training=True):
        """Return the generator's loss on generated images, a scalar to be minimised."""
        raise NotImplementedError

    def default_optimizers(self):
        """Return the paper's optimizers for the generator and for the critic."""
        raise NotImplementedError

    def critic_steps_per_round(self, generator_steps):
        """Return how many critic steps come before generator step number `generator_steps`."""
        return self.n_critic

    # One step.

    def critic_step(self, real):
        """Move the critic once, on real images `(batch_size, height, width, channels)`."""
        with backend.no_gradients():
            fake = self.generator(self.latent(ops.shape(real)[0]), training=True)
        variables = self.critic.trainable_variables
        loss, gradients = backend.value_and_grad(lambda: self.critic_loss(real, fake), variables)
        self.optimizer.critic_optimizer.apply(gradients, variables)
        self.log("critic_loss", loss, ops.shape(real)[0])

    def generator_step(self, real):
        """Move the generator once, and its moving average after it."""
        z = self.latent(ops.shape(real)[0])
        variables = self.generator.trainable_variables
        loss, gradients = backend.value_and_grad(
            lambda: self.generator_loss(real, self.generator(z, training=True)), variables
        )
        self.optimizer.generator_optimizer.apply(gradients, variables)
        self.log("generator_loss", loss, ops.shape(real)[0])
        if self.ema is not None:
            self._update_average()

    def play(self, data, generator_turn):
        """Take one critic step and, if it is the generator's turn, one generator step."""
        real = checks.batch(data, self.image_shape)
        self.critic_step(real)
        if generator_turn:
            self.generator_step(real)
        return self.get_metrics_result()

    def judge(self, data):
        """Measure both losses on held-out images; nothing moves."""
        real = checks.batch(data, self.image_shape)
        rows = ops.shape(real)[0]
        fake = self.generator(self.latent(rows), training=False)
        self.log("critic_loss", self.critic_loss(real, fake, training=False), rows)
        self.log("generator_loss", self.generator_loss(real, fake, training=False), rows)
        return self.get_metrics_result()

    def latent(self, batch_size):
        """Draw latent vectors from N(0, I), of shape `(batch_size, latent_dim)`."""
        return backend.draw(
            lambda n: keras.random.normal((n, self.latent_dim), seed=self.seed_generator),
            batch_size,
        )

    def log(self, name, value, rows):
        """Add `value`, a mean over `rows` images, to the epoch's mean that is logged as `name`."""
        self.trackers[name].update_state(ops.stop_gradient(value), sample_weight=rows)

    def get_metrics_result(self):
        """Return the epoch's means so far; `loss` is their sum over the two players."""
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        return {"loss": results["critic_loss"] + results["generator_loss"], **results}

    def _update_average(self):
        t = ops.cast(self.optimizer.generator_optimizer.iterations, "float32")
        decay = ops.minimum(self.ema, (1.0 + t) / (10.0 + t))
        averages, values = self.ema_generator.variables, []
        for average, variable in zip(averages, self.generator.variables, strict=True):
            if keras.backend.is_float_dtype(variable.dtype):
                difference = ops.subtract(variable, average)
                values.append(average + ops.cast(1.0 - decay, average.dtype) * difference)
            else:
                values.append(ops.convert_to_tensor(variable))
        backend.assign(averages, values)

    # The schedule, on the host: it chooses between two compiled steps.

    def make_train_function(self, force=False):
        """Compile the critic's step and the full round, and choose between them by the counter."""
        if self.train_function is not None and not force:
            return self.train_function
        critic_only = self.compile_step(lambda data: self.play(data, generator_turn=False))
        full_round = self.compile_step(lambda data: self.play(data, generator_turn=True))

        def train_function(*args):
            needed = self.critic_steps_per_round(self.generator_steps)
            generator_turn = self.critic_steps_this_round + 1 >= needed
            result = (full_round if generator_turn else critic_only)(*args)
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
        critic_ids = {id(v) for v in self.critic.trainable_variables}
        optimizer = AdversarialOptimizer(*pair, lambda variable: id(variable) in critic_ids)
        self._compile_arguments = {"run_eagerly": run_eagerly, "jit_compile": jit_compile}
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            jit_compile=backend.resolve_jit(jit_compile),
        )
        self.optimizer.build(self.trainable_variables)
        backend.lay_out([*self.variables, *self.optimizer.variables])

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

    def evaluate(self, x=None, y=None, return_dict=True, **kwargs):
        """Return both losses on held-out images by name; see `keras.Model.evaluate`.

        The latent vectors are drawn from the model's seeds, which go on: nothing else moves.
        """
        if is_array(x):
            x, y = held_out(self, x, y, kwargs.pop("batch_size", None)), None
        return super().evaluate(x, y, return_dict=return_dict, **kwargs)

    # Images out.

    @property
    def sampler(self):
        """The network that `sample` uses: the moving average, or the generator without one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def call(self, z, training=False):
        """Return images for latent vectors `(batch_size, latent_dim)`, as `predict` does."""
        return self.sampler(z, training=training)

    def sample(self, n, seed=None, batch_size=256):
        """Return generated images.

        The latent vectors are drawn by NumPy, so one seed gives one set of images on every
        backend, and the first k of n images are those of `sample(k, seed)`.

        Args:
            n: How many.
            seed: Seed of the latent vectors; None draws new ones.
            batch_size: Images computed at a time.

        Returns:
            A float32 array of shape `(n, height, width, channels)` in [-1, 1].
        """
        validation.positive_integer("n", n)
        validation.positive_integer("batch_size", batch_size)
        return self.images_of(latent_vectors(n, self.latent_dim, seed), batch_size)

    def images_of(self, z, batch_size=256):
        """Return the images of latent vectors `(n, latent_dim)`, computed in batches."""
        self.synchronize()
        z = np.asarray(z, "float32")
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(
                f"`z` must have the shape (n, {self.latent_dim}). Received: shape {z.shape}"
            )
        size = min(batch_size, len(z))
        images = np.empty((len(z), *self.image_shape), "float32")
        for start in range(0, len(z), size):
            rows = z[start : start + size]
            filled = np.pad(rows, ((0, size - len(rows)), (0, 0)))  # One shape, one program.
            batch = keras.ops.convert_to_numpy(backend.forward(self.sampler, filled))
            images[start : start + size] = batch[: len(rows)]
        return images

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Write the network that `sample` uses for serving; see `keras.Model.export`."""
        self.synchronize()
        # Keras exports to ONNX only what was called before.
        self.sampler(np.zeros((1, self.latent_dim), "float32"), training=False)
        return self.sampler.export(filepath, format=format, **kwargs)

    # State.

    def save_to_preset(self, folder, metadata=None):
        """Write the networks as a preset that `from_preset` opens; see `storage.write_preset`."""
        return storage.write_preset(self, folder, metadata)

    def get_config(self):
        """Return the arguments that make this model again, networks included."""
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "critic": keras.saving.serialize_keras_object(self.critic),
            "n_critic": self.n_critic,
            "ema": self.ema,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return the model that `get_config` describes."""
        config = dict(config)
        for key in ("generator", "critic"):
            config[key] = keras.saving.deserialize_keras_object(
                config[key], custom_objects=custom_objects
            )
        return cls(**config)

    def save_own_variables(self, store):
        """Store the schedule's counters and every seed beside the networks and optimizers."""
        store["schedule"] = np.array([getattr(self, counter) for counter in _COUNTERS])
        for i, variable in enumerate(self._seed_variables()):
            store[f"seed_{i}"] = variable

    def load_own_variables(self, store):
        """Take the counters and the seeds back."""
        schedule = [int(value) for value in np.array(store["schedule"])]
        for counter, value in zip(_COUNTERS, schedule, strict=True):
            setattr(self, counter, value)
        for i, variable in enumerate(self._seed_variables()):
            variable.assign(store[f"seed_{i}"])

    def _seed_variables(self):
        # Keras counts the states of seed generators (the model's and every dropout's) as
        # variables but not as weights, and saves weights alone.
        weights = {id(weight) for weight in self.weights}
        return [v for v in self.non_trainable_variables if id(v) not in weights]


def _copy(network):
    """Return a second, untrained-by-gradient network with the same weights."""
    try:
        if isinstance(network, Builder):
            # Keras' own way serializes the layers, and its serializer imports TensorFlow.
            copy = type(network).from_config(network.get_config())
        else:
            copy = keras.models.clone_model(network)
        if not copy.built:
            copy.build(checks.input_shape(network, "generator"))
        copy.set_weights(network.get_weights())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            "`ema` needs a generator that keras.models.clone_model can copy; register its own "
            "classes and give them a get_config, or pass ema=None. Received: "
            f"{type(network).__name__}: {error}"
        ) from error
    copy.trainable = False
    return copy
