"""How a trained model samples: latent vectors in, images out."""

import keras
import numpy as np
from keras import ops, tree

from kerasgan import backend, validation
from kerasgan.adversarial import checks, latent, network_checks
from kerasgan.adversarial.walk import Walk
from kerasgan.backend import private_random


class Sampler:
    """The part of an adversarial model that needs its generator alone.

    Attributes:
        sampling_options: What `decode` takes beside latent vectors and labels, and what `sample`,
            `decode_latents`, `interpolate`, `predict` and `export` hand on to it.
    """

    sampling_options = ()

    # What a variant may override.

    def generator_inputs(self, z, labels=None):
        """Return what the generator takes: `z`, or `[z, labels]` if it is conditional.

        Override it for a generator that takes more; `z` and `labels` may be symbolic. With a
        subclassed generator the constructor calls it, to find the shape of an image: what it reads
        of the model must then be set before `super().__init__`.
        """
        return network_checks.generator_inputs(z, labels)

    def decode(self, z, labels=None, network=None, **sampling):
        """Return the images of latent vectors, as a tensor.

        Override it for a variant that has sampling options or decodes in several stages, and name
        the options in `sampling_options`.

        Args:
            z: Latent vectors `(batch_size, latent_dim)`; they may be symbolic.
            labels: Class numbers `(batch_size,)` of a conditional model, or None.
            network: The generator, or its moving average; by default what `sample` uses.
            **sampling: The variant's sampling options.
        """
        network = self.sampling_generator if network is None else network
        return network(self.generator_inputs(z, labels), training=False)

    def checked_sampling(self, n, **sampling):
        """Return sampling options for `n` images as `decode` takes them.

        Override it to check values. An array whose first axis has the length `n` is divided among
        the batches.

        Raises:
            ValueError: For an option that the variant does not have.
        """
        for name in sampling:
            if name not in self.sampling_options:
                known = ", ".join(self.sampling_options) or "none"
                raise ValueError(
                    f"the sampling options of a {type(self).__name__} are: {known}. Received: "
                    f"{name}={sampling[name]!r}"
                )
        return sampling

    def export_inputs(self, z, labels=None, **sampling):
        """Return what an exported network takes, arrays or tensors by name.

        Override it together with `export_decode` for a variant whose sampling options should be
        inputs.

        Args:
            z: Latent vectors `(n, latent_dim)`, an array.
            labels: Class numbers `(n,)` of a conditional model, or None.
            **sampling: The options that become part of the network.
        """
        return {"latent": z} if labels is None else {"latent": z, "label": labels}

    def export_decode(self, inputs, **sampling):
        """Return the images of what `export_inputs` names, as `decode` does."""
        return self.decode(inputs["latent"], inputs.get("label"), **sampling)

    # What a user calls.

    @property
    def sampling_generator(self):
        """The network that `sample` uses: the moving average, or the generator without one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def call(self, z, training=False):
        """Return images for latent vectors `(batch_size, latent_dim)`, as `predict` does.

        A conditional model is called with `[z, labels]`.
        """
        parts = z if isinstance(z, (list, tuple)) else [z]
        if training:
            return self.sampling_generator(self.generator_inputs(*parts), training=True)
        return self.decode(*parts, **getattr(self, "_sampling", {}))

    def sample(self, n, seed=None, labels=None, batch_size=256, **sampling):
        """Return generated images.

        The latent vectors are drawn by NumPy, so one seed gives one set of images on every
        backend, and the first k of n images are those of `sample(k, seed)`.

        Args:
            n: How many.
            seed: Seed of the latent vectors; None draws new ones.
            labels: Of a conditional model: one class number for all, or n of them; None draws
                them evenly.
            batch_size: Images computed at a time.
            **sampling: The variant's sampling options, as `codes` of an InfoGAN.

        Returns:
            A float32 array of shape `(n, height, width, channels)` in [-1, 1].
        """
        validation.positive_integer("n", n)
        if labels is None and self.num_classes is not None:
            labels = latent.labels(n, self.num_classes, seed)
        z = self.latent_vectors(n, seed)
        return self.decode_latents(z, labels, batch_size, noise_seed=seed, **sampling)

    def latent_vectors(self, n, seed=None):
        """Return the `n` latent vectors that `sample(n, seed)` starts from, float32."""
        return latent.latent_vectors(n, self.latent_shape, seed, self.prior)

    def decode_latents(self, z, labels=None, batch_size=256, raw=False, noise_seed=0, **sampling):
        """Return the images of latent vectors, computed in batches.

        Args:
            z: Latent vectors `(n, latent_dim)`, an array.
            labels: Of a conditional model: one class number for all, or n of them; None goes
                through the classes in turn.
            batch_size: Images computed at a time.
            raw: Whether the generator as it is makes the images, and not its moving average.
            noise_seed: Seed of the noise that layers of the generator draw, where they draw any;
                None draws another seed. Noise whose first axis is that of the batch is an image's
                own; any other is the same for all images of the call.
            **sampling: The variant's sampling options.

        Returns:
            A float32 array of shape `(n, height, width, channels)` in [-1, 1].

        Raises:
            ValueError: If the latent vectors, the labels or an option do not suit the model.
        """
        validation.positive_integer("batch_size", batch_size)
        self.synchronize()
        z = np.asarray(z, "float32")
        if z.shape[1:] != self.latent_shape or not len(z):
            expected = ", ".join(map(str, ("n", *self.latent_shape)))
            raise ValueError(f"`z` must have the shape ({expected}). Received: shape {z.shape}")
        n = len(z)
        seeds = latent.noise_seeds(n, noise_seed)
        parts = {"z": z, "seeds": seeds, "shared_seed": seeds[0]}
        if labels is None and self.num_classes is not None:
            labels = np.arange(n) % self.num_classes
        if labels is not None:
            parts["labels"] = checks.labels(labels, n, self.num_classes)
        sampling = self.checked_sampling(n, **sampling)
        program, values = self._decoder(raw, sampling)
        found = in_batches(program, {**parts, "values": values}, n, batch_size)
        return found.astype("float32", copy=False)

    def _decoder(self, raw, sampling):
        """Return a compiled `decode`, and the options that are arrays or numbers.

        Numbers are inputs of the program, so that another truncation needs no new one.
        """
        values = {k: v for k, v in sampling.items() if _is_numeric(v)}
        fixed = {k: v for k, v in sampling.items() if k not in values}
        network = self.generator if raw else self.sampling_generator
        ranks = tree.map_structure(np.ndim, values)  # A graph of one rank does not take another.
        key = (id(network), repr(sorted(fixed.items())), repr(sorted(ranks.items())))
        if key not in self._decoders:

            def decode(inputs):
                # For generators that draw any.
                with private_random.noise_of(inputs["seeds"], inputs["shared_seed"]):
                    options = {**fixed, **inputs["values"]}
                    return self.decode(inputs["z"], inputs.get("labels"), network, **options)

            variables = [*network.variables, *self._beside(network)]
            self._decoders[key] = backend.compiled(decode, variables)
        return self._decoders[key], values

    def _beside(self, network):
        """Return the variables beside a generator's that `decode` may read.

        These of the critic and of the other copy of the generator are not.
        """
        out = {id(v) for other in (self.critic, self.generator, network) for v in other.variables}
        out |= {id(v) for v in self.sampling_generator.variables}
        return [v for v in self.variables if id(v) not in out]

    def interpolated_latents(self, n, first_seed, last_seed):
        """Return `n` latent vectors on the way from one seed's first vector to another's."""
        ends = (self.latent_vectors(1, seed)[0] for seed in (first_seed, last_seed))
        return latent.interpolated(n, *ends, self.prior)

    def interpolate(self, n, first_seed, last_seed, labels=None, batch_size=256, **sampling):
        """Return `n` images on the way from one seed's first image to another's.

        Args:
            n: How many.
            first_seed: Seed of the first image, that of `sample(1, first_seed)`.
            last_seed: Seed of the last one.
            labels: Of a conditional model: one class number for all, or n of them; 0 by default.
            batch_size: Images computed at a time.
            **sampling: The variant's sampling options.
        """
        validation.positive_integer("n", n)
        if labels is None and self.num_classes is not None:
            labels = 0
        z = self.interpolated_latents(n, first_seed, last_seed)
        return self.decode_latents(z, labels, batch_size, noise_seed=first_seed, **sampling)

    def walk(self, seeds, steps, n=1, loop=True, labels=None, **sampling):
        """Return the images on the way through the latent vectors of several seeds.

        The way between two seeds is that of `interpolate`: a great circle for a normal prior, and
        a straight line for another.

        Args:
            seeds: At least two seeds. At each of them the walk shows `sample(n, seed)`; noise that
                layers of the generator draw is that of the first seed.
            steps: Steps from one seed to the next.
            n: Images at each step.
            loop: Whether the walk goes on from the last seed to the first one.
            labels: Of a conditional model, which needs them: one class number for all, or n.
            **sampling: The variant's sampling options.

        Returns:
            A `kerasgan.adversarial.walk.Walk`, a sequence of float32 arrays
            `(n, height, width, channels)` in [-1, 1], which `kerasgan.film.save` writes as a film.

        Raises:
            ValueError: If there are fewer than two seeds, or an argument is out of range.
        """
        return Walk(self, seeds, steps, n, loop, labels, **sampling)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None, **sampling):
        """Return the images of latent vectors; see `keras.Model.predict`.

        Args:
            x: Latent vectors `(n, latent_dim)`, of a conditional model `[z, labels]`.
            batch_size: Images computed at a time; 32 by default.
            verbose: As in `keras.Model.predict`.
            steps: As in `keras.Model.predict`.
            callbacks: As in `keras.Model.predict`.
            **sampling: The variant's sampling options, alike for all images.
        """
        # Past Keras, which would track a dictionary.
        object.__setattr__(self, "_sampling", self.checked_sampling(1, **sampling))
        if sampling:
            self.make_predict_function(force=True)
        try:
            return super().predict(x, batch_size, verbose, steps, callbacks)
        finally:
            object.__delattr__(self, "_sampling")
            if sampling:
                self.predict_function = None

    def export(self, filepath, format="tf_saved_model", verbose=None, **options):
        """Write the network that `sample` uses for serving; see `keras.Model.export`.

        It takes `latent`, latent vectors `(n, latent_dim)`, and of a conditional model `label`,
        class numbers `(n,)`; `kerasgan.serving.write` says more, and checks what was written.

        Args:
            filepath: Where.
            format: As in `keras.Model.export`.
            verbose: As in `keras.Model.export`.
            **options: The variant's sampling options, which become part of the network, and what
                `keras.Model.export` takes beside these.
        """
        self.synchronize()
        names = set(options) & set(self.sampling_options)
        sampling = self.checked_sampling(1, **{name: options.pop(name) for name in names})
        z = np.zeros((1, *self.latent_shape), "float32")
        labels = None if self.num_classes is None else np.zeros(1, "int32")
        parts = self.export_inputs(z, labels, **sampling)
        inputs = [keras.Input(p.shape[1:], dtype=p.dtype.name, name=n) for n, p in parts.items()]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        network = keras.Model(inputs, _Decode(self, list(parts), sampling)(inputs))
        # Keras exports to ONNX only what was called before.
        network(list(parts.values()) if len(parts) > 1 else z, training=False)
        return network.export(filepath, format=format, verbose=verbose, **options)


class _Decode(keras.layers.Layer):
    """A variant's `export_decode` as a layer of the network that is exported.

    Args:
        model: The adversarial model, which is not tracked: only what `decode` reads is exported.
        names: The names of its inputs, in their order.
        sampling: Its sampling options.
    """

    def __init__(self, model, names, sampling):
        super().__init__(name="decode", dtype="float32")
        self.network = model.sampling_generator
        self.own = model._beside(self.network)
        self.decode = lambda inputs: model.export_decode(
            dict(zip(names, inputs, strict=True)), **sampling
        )
        self.image_shape = model.image_shape

    def call(self, inputs):
        return self.decode(inputs if isinstance(inputs, (list, tuple)) else [inputs])

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((None, *self.image_shape), dtype=self.compute_dtype)


def _is_numeric(value):
    leaves = tree.flatten(value)
    return bool(leaves) and all(
        hasattr(leaf, "dtype") or (isinstance(leaf, (int, float)) and not isinstance(leaf, bool))
        for leaf in leaves
    )


_SINGLE = {"float64": "float32", "int64": "int32"}  # Python's numbers as tensors are.


def in_batches(program, inputs, n, batch_size):
    """Return what a program makes of arrays of one length, computed in batches of one shape.

    Args:
        program: A callable that takes `inputs`, or a part of each array in it.
        inputs: A structure of arrays; those whose first axis has the length `n` are divided.
        n: How many rows there are.
        batch_size: Rows at a time.
    """
    size = min(batch_size, n)
    found = None
    for start in range(0, n, size):
        short = max(0, start + size - n)  # The last batch is filled: one shape, one program.

        def rows(value, start=start, short=short):
            value = np.asarray(value)
            value = value.astype(_SINGLE.get(value.dtype.name, value.dtype), copy=False)
            if value.ndim == 0 or len(value) != n:
                return value
            part = value[start : start + size]
            return np.pad(part, [(0, short)] + [(0, 0)] * (part.ndim - 1))

        batch = ops.convert_to_numpy(program(tree.map_structure(rows, inputs)))
        if found is None:
            found = np.empty((n, *batch.shape[1:]), batch.dtype)
        found[start : start + size] = batch[: size - short]
    return found
