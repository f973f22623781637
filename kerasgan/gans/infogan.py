"""InfoGAN: a generator whose codes can be read back from its images."""

import itertools
import math

import keras
import numpy as np
from keras import ops

from kerasgan import backend, validation
from kerasgan.adversarial import AdversarialModel, checks, latent
from kerasgan.adversarial.sampler import in_batches
from kerasgan.augment import Distortion
from kerasgan.networks.code_reader import code_reader


@keras.saving.register_keras_serializable(package="kerasgan")
class InfoGAN(AdversarialModel):
    """Part of the latent vector are codes, and a network Q is trained to read them in the images.

    ```text
    x, z <- real images, noise
    c <- codes: one-hot from a uniform categorical, numbers from U(-1, 1)
    I <- E[log Q(c | G(z, c))] + H(c)
    move D and Q to lower    -E[log D(x)] - E[log(1 - D(G(z, c)))] - info_weight I
    z, c <- new noise and codes
    move G to lower    -E[log D(G(z, c))] - info_weight I
    ```

    A latent vector is noise from the prior, U(-1, 1) by default, a one-hot vector for each
    categorical code, and continuous codes from U(-1, 1). Q shares the critic's body and adds a
    hidden layer of 128 with batch normalisation. The lower bound of the mutual information,
    `E[log Q(c | x)] + H(c)` in nats, is logged and enters both losses; Q moves with the critic, as
    in the authors' code, and its density of continuous codes is a normal one of variance 1.

    A `view_weight` above 0, which is not in the paper, asks for categories that a distortion does
    not change, such as a change of slant or of the thickness of strokes. Two things then change.
    First, Q reads the categories of generated images in distorted copies alone, whatever the weight
    is, and `mutual_information` is measured on these copies. Second, the critic and Q maximise the
    mutual information between the categories of two distortions of one real image, summed over the
    categorical codes. It is logged in nats as `view_information` and is estimated from one batch,
    under `tf.distribute` from that of one replica. A critic step sees twice as many images.

    Departures: the networks of `dcgan` lack the dense layer of 1,024 units that both of the
    authors' have, and the slopes of LeakyReLU are 0.2 in the critic and 0.1 in Q, where their code
    has 0.01. The moving average is an addition.

    Args:
        generator: Takes `latent_dim` numbers, the codes being the last of them.
        critic: A functional network whose last layer takes its features.
        categorical: Number of values of each categorical code.
        continuous: How many continuous codes there are.
        info_weight: Weight of the categorical codes' information; the paper's lambda.
        continuous_weight: Weight of the continuous codes'.
        learning_rate: The generator's default learning rate.
        critic_learning_rate: The critic's.
        view_weight: Weight of the mutual information between the categories of two views of a real
            image; 0, as in the paper, for no views.
        views: A layer of `kerasgan.augment` that changes an image and not its category; with a
            `view_weight` by default `kerasgan.augment.Distortion()`.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Chen et al. 2016, https://arxiv.org/abs/1606.03657, and its code for MNIST: 62 noise,
    one code of 10 values, two continuous ones, Adam with beta_1 0.5, batches of 128
    (openai/InfoGAN on GitHub: launchers/run_mnist_exp.py, infogan/algos/infogan_trainer.py,
    infogan/models/regularized_gan.py). Views: Ji et al. 2019, https://arxiv.org/abs/1807.06653;
    distortions that keep a category in an InfoGAN: Ojha et al. 2020,
    https://arxiv.org/abs/1910.01112.
    """

    logged = ("mutual_information",)
    sampling_options = ("codes",)
    _objects = (*AdversarialModel._objects, "views")

    def __init__(
        self,
        generator,
        critic=None,
        categorical=(10,),
        continuous=2,
        info_weight=1.0,
        continuous_weight=1.0,
        learning_rate=1e-3,
        critic_learning_rate=2e-4,
        view_weight=0.0,
        views=None,
        name="infogan",
        **shared,
    ):
        for size in categorical:
            validation.positive_integer("categorical", size)
        if continuous != 0:
            validation.positive_integer("continuous", continuous)
        checks.numbers(
            non_negative={
                "info_weight": info_weight,
                "continuous_weight": continuous_weight,
                "view_weight": view_weight,
            }
        )
        super().__init__(
            generator,
            critic,
            **{"prior": "uniform", **shared},
            learning_rate=learning_rate,
            critic_learning_rate=critic_learning_rate,
            name=name,
        )
        if len(self.latent_shape) > 1:
            raise ValueError(
                "`generator` must take latent vectors of one axis, (batch_size, latent_dim), of "
                f"which the codes are the last. Received: {(None, *self.latent_shape)}"
            )
        self.categorical = tuple(categorical)
        self.continuous = continuous
        self.info_weight = info_weight
        self.continuous_weight = continuous_weight
        self.code_dim = sum(self.categorical) + continuous
        if not 0 < self.code_dim < self.latent_dim:
            raise ValueError(
                "`categorical` and `continuous` must leave numbers for noise in the generator's "
                f"latent vectors. Received: {self.code_dim} numbers of codes and latent_dim="
                f"{self.latent_dim}"
            )
        self.view_weight = view_weight
        self.views = Distortion() if view_weight and views is None else views
        if self.views is not None:
            checks.views(self.views, view_weight, self.categorical)
            self.trackers["view_information"] = keras.metrics.Mean(name="view_information")
        self.code_reader = code_reader(self.scorer.body.width, self.code_dim)

    def critic_variables(self):
        return [*self.critic.trainable_variables, *self.code_reader.trainable_variables]

    def critic_loss(self, batch, scores, training=True):
        loss = super().critic_loss(batch, scores, training) - self._information(batch, training)
        if self.view_weight:
            loss = loss - self.view_weight * self._view_information(batch, training)
        return loss

    def generator_loss(self, batch, scores, training=True):
        return super().generator_loss(batch, scores, training) - self._information(batch, training)

    def _information(self, batch, training=True):
        """Return the weighted lower bound of the mutual information of codes and images."""
        codes = batch.z[:, self.latent_dim - self.code_dim :]
        if self.packing > 1:  # The features are of a pack: its first image's codes are asked for.
            codes = codes[:: self.packing]
        fake, labels = batch.fake, batch.labels
        seen = fake if self.views is None else self.scorer.augmented(fake, self.views)
        read = self._read(seen, labels, training)
        categorical = 0.0
        for part, size in self._categories():
            log_q = ops.log_softmax(read[:, part], axis=-1)
            categorical += ops.mean(ops.sum(codes[:, part] * log_q, axis=-1)) + math.log(size)
        if self.continuous and seen is not fake:
            read = self._read(fake, labels, training)
        start = sum(self.categorical)
        error = ops.sum(ops.square(codes[:, start:] - read[:, start:]), axis=-1)
        entropy = self.continuous * (math.log(2.0) - 0.5 * math.log(2.0 * math.pi))
        continuous = entropy - 0.5 * ops.mean(error)
        self.log("mutual_information", categorical + continuous, ops.shape(batch.fake)[0])
        return self.info_weight * categorical + self.continuous_weight * continuous

    def _view_information(self, batch, training=True):
        """Return what the categories of two views of real images tell about each other, in nats."""
        views = [
            self._read(self.scorer.augmented(batch.real, self.views), batch.labels, training)
            for _ in range(2)
        ]
        found = sum(
            _mutual_information(*(ops.softmax(view[:, part]) for view in views))
            for part, _ in self._categories()
        )
        self.log("view_information", found, ops.shape(batch.real)[0])
        return found

    def _read(self, images, labels, training):
        """Return the parameters of Q's distribution of the codes, float32."""
        features = self.scorer.features(images, labels, training)
        return ops.cast(self.code_reader(features, training=training), "float32")

    def _places(self):
        """Return where each code lies among the codes, slices by name."""
        sizes = {f"categorical_{i}": size for i, size in enumerate(self.categorical)}
        sizes |= {f"continuous_{i}": 1 for i in range(self.continuous)}
        ends = itertools.accumulate(sizes.values())
        return {
            name: slice(end - size, end)
            for (name, size), end in zip(sizes.items(), ends, strict=True)
        }

    def _categories(self):
        """Return where each categorical code lies among the codes, and its size."""
        return list(zip(self._places().values(), self.categorical, strict=False))

    def draw_latents(self, batch_size):
        noise = super().draw_latents(batch_size)
        parts = [noise[:, : self.latent_dim - self.code_dim]]
        for size in self.categorical:
            drawn = ops.cast(self.noise(batch_size, "uniform") * size, "int32")
            parts.append(ops.one_hot(ops.minimum(drawn, size - 1), size, dtype="float32"))
        parts.append(2.0 * self.noise(batch_size, "uniform", self.continuous) - 1.0)
        return ops.concatenate(parts, axis=1)

    def latent_vectors(self, n, seed=None):
        """Return the `n` latent vectors that `sample(n, seed)` starts from, codes included."""
        z = latent.latent_vectors(n, self.latent_shape, seed, "uniform")
        start = self.latent_dim - self.code_dim
        if self.prior != "uniform":
            stream = None if seed is None else [seed, 2]  # Apart from that of the codes.
            z[:, :start] = latent.latent_vectors(n, (start,), stream, self.prior)
        for part, size in self._categories():
            place = slice(start + part.start, start + part.stop)
            chosen = ((z[:, place.start] + 1.0) / 2.0 * size).astype(int).clip(0, size - 1)
            z[:, place] = np.eye(size, dtype="float32")[chosen]
        return z

    def decode(self, z, labels=None, network=None, codes=None):
        """Return the images of latent vectors in which some codes are replaced.

        Args:
            z: Latent vectors `(batch_size, latent_dim)`.
            labels: Class numbers of a conditional model, or None.
            network: See `AdversarialModel.decode`.
            codes: Values by name, numbers or `(batch_size,)`: `categorical_0` is an integer below
                that code's size, `continuous_0` lies in [-1, 1].
        """
        return super().decode(self.with_codes(z, codes or {}), labels, network)

    def with_codes(self, z, codes):
        """Return latent vectors in which some codes are replaced, a tensor.

        Args:
            z: Latent vectors `(batch_size, latent_dim)`.
            codes: See `decode`.
        """
        if not codes:
            return z
        start = self.latent_dim - self.code_dim
        parts = [z[:, :start]]
        for name, place in self._places().items():
            own = z[:, start + place.start : start + place.stop]
            parts.append(_replaced(own, codes[name]) if name in codes else own)
        return ops.concatenate(parts, axis=1)

    def export_inputs(self, z, labels=None, codes=None):
        """Return what an exported network takes: noise, and each code that is not in `codes`.

        `latent` is the noise alone, `(n, latent_dim - code_dim)`. A categorical code is an integer,
        a continuous one a number in [-1, 1], both `(n,)`.
        """
        start = self.latent_dim - self.code_dim
        inputs = super().export_inputs(z[:, :start], labels)
        for name, place in self._places().items():
            own = z[:, start + place.start : start + place.stop]
            if name not in (codes or {}):
                categorical = name.startswith("categorical")
                inputs[name] = own.argmax(axis=1).astype("int32") if categorical else own[:, 0]
        return inputs

    def export_decode(self, inputs, codes=None):
        """Return the images of noise and codes."""
        given = {name: inputs[name] for name in self.code_names if name in inputs}
        z = ops.pad(inputs["latent"], ((0, 0), (0, self.code_dim)))
        return self.decode(z, inputs.get("label"), codes={**(codes or {}), **given})

    def checked_sampling(self, n, codes=None):
        """Return `codes` as arrays of one value for each of `n` images.

        Raises:
            ValueError: If a name is unknown, or a value out of range.
        """
        found = {}
        for name, values in (codes or {}).items():
            validation.choice("codes", name, self._places())
            place, values = self._places()[name], np.broadcast_to(values, n)
            continuous = name.startswith("continuous")
            low, high = (-1, 1) if continuous else (0, place.stop - place.start - 1)
            if not continuous and values.dtype.kind not in "iu":
                raise ValueError(
                    f"`codes`: {name} must be integers. Received: dtype {values.dtype}"
                )
            if values.min() < low or values.max() > high:
                rule = "[-1, 1]" if continuous else f"0..{high}"
                raise ValueError(
                    f"`codes`: {name} must lie in {rule}. Received: {values.min()} to "
                    f"{values.max()}"
                )
            found[name] = values.astype("float32" if continuous else "int32")
        return {"codes": found} if found else {}

    def read_codes(self, images, batch_size=256):
        """Return the codes that Q reads in images, a dict of arrays `(n,)` by `code_names`.

        A categorical code is the likeliest value, a continuous one the mean of Q's distribution.

        Args:
            images: `(n, height, width, channels)` in [-1, 1].
            batch_size: Images at a time.

        Raises:
            ValueError: If the critic scores several images at once, or is conditional.
        """
        if self.packing > 1 or self.num_classes is not None:
            raise ValueError(
                "`read_codes` needs a critic that scores one image at a time and takes no labels. "
                f"Received: packing={self.packing}, num_classes={self.num_classes}"
            )
        validation.positive_integer("batch_size", batch_size)
        checks.shape("images", np.shape(images), self.image_shape)
        self.synchronize()
        read = in_batches(self._reader(), np.asarray(images, "float32"), len(images), batch_size)
        return {
            name: read[:, part].argmax(axis=1)
            if name.startswith("categorical")
            else read[:, part.start]
            for name, part in self._places().items()
        }

    def _reader(self):
        """Return Q as one program, from images to the parameters of its distribution."""
        if "reader" not in self._decoders:

            def read(images):
                features = self.scorer.body.features(images, training=False)
                return self.code_reader(features, training=False)

            variables = [*self.critic.variables, *self.code_reader.variables]
            self._decoders["reader"] = backend.compiled(read, variables)
        return self._decoders["reader"]

    @property
    def code_names(self):
        """The names of the codes, in the order of the latent vector."""
        return list(self._places())

    def traverse(self, code, steps=10, rows=10, seed=None):
        """Return images in each row of which one code alone changes.

        Args:
            code: A name, `categorical_0` or `continuous_1`.
            steps: Values of a continuous code, evenly from -1 to 1; a categorical code takes all
                of its own.
            rows: Latent vectors, one each row.
            seed: Their seed.

        Returns:
            A float32 array `(rows * steps, height, width, channels)`, row by row, as
            `kerasgan.pictures.save_grid(path, images, columns=steps)` arranges it.
        """
        validation.choice("code", code, self.code_names)
        for name, value in (("steps", steps), ("rows", rows)):
            validation.positive_integer(name, value)
        part = self._places()[code]
        if code.startswith("categorical"):
            values = np.arange(part.stop - part.start)
        else:
            values = np.linspace(-1.0, 1.0, steps)
        z = np.repeat(self.latent_vectors(rows, seed), len(values), axis=0)
        return self.decode_latents(z, codes={code: np.tile(values, rows)})

    def get_config(self):
        own = {
            "categorical": list(self.categorical),
            "continuous": self.continuous,
            "info_weight": self.info_weight,
            "continuous_weight": self.continuous_weight,
            "view_weight": self.view_weight,
            "views": keras.saving.serialize_keras_object(self.views),
        }
        return {**super().get_config(), **own}


def _replaced(own, value):
    """Return a code's place in latent vectors, `(batch_size, size)`, with another value in it."""
    if own.shape[1] > 1:
        new = ops.one_hot(ops.cast(value, "int32"), own.shape[1], dtype="float32")
    else:
        new = ops.reshape(ops.cast(value, "float32"), (-1, 1))
    return ops.zeros_like(own) + new


def _mutual_information(p, q):
    """Return what two readings of categories, `(batch_size, n)`, tell about each other, in nats.

    The joint distribution is the mean of their outer products over the batch, made symmetric, and
    at least 1e-8.
    """
    joint = ops.matmul(ops.transpose(p), q) / ops.cast(ops.shape(p)[0], "float32")
    joint = ops.maximum((joint + ops.transpose(joint)) / 2.0, 1e-8)
    marginal = ops.sum(joint, axis=1)
    return ops.sum(joint * (ops.log(joint) - ops.log(marginal[:, None] * marginal[None, :])))
