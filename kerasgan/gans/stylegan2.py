"""StyleGAN2: a style-based generator, lazy regularisation, path lengths."""

import math
import numbers

import keras
import numpy as np
from keras import ops

from kerasgan import backend, networks, validation
from kerasgan.adversarial import AdversarialModel, checks, latent
from kerasgan.adversarial.optimizer import adam_pair
from kerasgan.adversarial.sampler import in_batches
from kerasgan.backend import private_random
from kerasgan.penalties import R1, PathLength

NOISES = ("constant", "random", "none")
HALF_LIFE = 10000 / 32  # Generator steps; the authors have 10,000 images at batches of 32.


@keras.saving.register_keras_serializable(package="kerasgan")
class StyleGAN2(AdversarialModel):
    """A latent vector becomes a style, which scales the feature maps of every layer.

    ```text
    x, z <- real images, latent vectors from N(0, I)
    move D to lower    E[softplus(D(G(z)))] + E[softplus(-D(x))]
                       + gamma / 2 E[||grad D(x)||^2]                 (every 16th step, times 16)
    z <- new latent vectors
    move G to lower    E[softplus(-D(G(z)))]
                       + 2 E[(||J_w^T y|| - a)^2]                     (every 4th step, times 4)
    ```

    With y from N(0, I) and the moving average `a` of the lengths. In nine of ten batches the layers
    after a random one have the style of another latent vector. The defaults are those of the
    authors' configuration "auto" for one GPU.

    Departures: a lazy penalty is added to the loss of its step. In the authors' code it has a step
    of its own, with latent vectors of its own, and for all steps of that network Adam's rate is
    multiplied by k / (k + 1), and its betas are raised to that power, for a penalty in every k-th
    step. Real and generated images of a batch share their labels. The moving average of the
    generator averages the average style and copies nothing. Reduced precision, which the authors
    have in the four largest resolutions, is that of Keras' dtype policy. There is no augmentation
    unless `augment` is given; theirs is `ADA()`. On several devices each has an average style of
    its own, as in the authors' code, and each looks at path lengths of a part of its own images.

    Args:
        generator: A `kerasgan.networks.StyleGAN2Generator`.
        critic: See `AdversarialModel`.
        gamma: Weight of R1; None for the authors' heuristic, `0.0002 height width / batch_size`,
            with the batch size that "auto" has for the size of the images.
        r1_every: In every so many critic steps R1 is added, times that number.
        path_weight: Weight of the penalty on path lengths.
        path_every: In every so many generator steps it is added, times that number.
        mixing: Probability that two styles are mixed.
        learning_rate: Of both default optimizers; None for 0.0025, and for 0.002 from 1,024 pixels
            on.
        ema: Decay of the moving average at the end, by default with a half-life of 312.5 steps.
        ema_ramp: The half-life is at most this share of the steps so far; None for no bound.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958; the configuration is that of
    Karras et al. 2020, https://arxiv.org/abs/2006.06676. The authors' code is
    NVlabs/stylegan2-ada-pytorch on GitHub: train.py, training/loss.py, training/training_loop.py.
    """

    critic_norm = None
    sampling_options = ("truncation", "noise")

    def __init__(
        self,
        generator,
        critic=None,
        gamma=None,
        r1_every=16,
        path_weight=2.0,
        path_every=4,
        mixing=0.9,
        learning_rate=None,
        ema=0.5 ** (1 / HALF_LIFE),
        ema_ramp=0.05,
        name="stylegan2",
        **shared,
    ):
        if not isinstance(generator, networks.StyleGAN2Generator):
            raise ValueError(
                "`generator` must be a kerasgan.networks.StyleGAN2Generator. Received: "
                f"{type(generator).__name__} {getattr(generator, 'name', '')!r}"
            )
        side = max(generator.synthesis.noise_sides[-1])
        if learning_rate is None:
            learning_rate = 0.002 if side >= 1024 else 0.0025
        checks.numbers(
            non_negative={"path_weight": path_weight, "gamma": 0.0 if gamma is None else gamma},
            optional={"ema_ramp": ema_ramp},
            integers={"r1_every": r1_every, "path_every": path_every},
        )
        if not isinstance(mixing, numbers.Real) or not 0 <= mixing <= 1:
            raise ValueError(f"`mixing` must be in [0, 1]. Received: mixing={mixing!r}")
        found = usual_gamma(*generator.synthesis.noise_sides[-1]) if gamma is None else gamma
        super().__init__(
            generator,
            critic,
            learning_rate=learning_rate,
            ema=ema,
            name=name,
            own_penalties=(
                *([R1(found, every=r1_every)] if found else []),
                *([PathLength(path_weight, every=path_every)] if path_weight else []),
            ),
            **shared,
        )
        self.gamma = gamma
        self.r1_every = r1_every
        self.path_weight = path_weight
        self.path_every = path_every
        self.mixing = mixing
        self.ema_ramp = ema_ramp

    @classmethod
    def default_networks(cls, architecture="stylegan2", **size):
        """Return a generator and a critic; see `kerasgan.networks.stylegan2`."""
        validation.choice("architecture", architecture, ("stylegan2",))
        return networks.stylegan2(**size)

    def default_optimizers(self):
        return adam_pair(self.learning_rate, self.critic_learning_rate, beta_1=0.0, beta_2=0.99)

    def ema_decay(self, steps):
        half_life = math.log(0.5) / math.log(self.ema) if self.ema else 0.0
        if self.ema_ramp is not None:
            half_life = ops.minimum(half_life, self.ema_ramp * (steps - 1.0))
        return ops.power(0.5, 1.0 / ops.maximum(half_life, 1e-8))

    def draw_latents(self, batch_size):
        """Draw latent vectors, and with `mixing` others and two numbers that say what is mixed."""
        z = super().draw_latents(batch_size)
        if not self.mixing:
            return z
        others = super().draw_latents(batch_size)
        with backend.independent_seeds():  # One choice for the batch, on all devices.
            chance = keras.random.uniform((1, 2), seed=self.seed_generator)
        chance = ops.broadcast_to(chance, (ops.shape(z)[0], 2))
        return ops.concatenate([z, others, chance], axis=1)

    def stages(self, z, labels=None, training=True):
        synthesis = self.generator.synthesis
        w = self._styles(z[:, : self.latent_dim], labels)
        if not training:
            return self._for_layers(w), synthesis
        backend.track(self.generator.mapping.average, ops.mean(w, axis=0), 0.005, ops.shape(w)[0])
        styles = self._for_layers(w)
        if self.mixing:
            others = self._styles(z[:, self.latent_dim : -2], labels)
            # All rows say the same; a device may have none.
            happens, place = ops.max(z[:, -2:-1]) < self.mixing, ops.max(z[:, -1:])
            first = 1.0 + ops.floor(place * (synthesis.styles - 1))
            first = ops.where(happens, first, float(synthesis.styles))
            own = ops.arange(synthesis.styles, dtype="float32") < first
            styles = ops.where(own[None, :, None], styles, self._for_layers(others))
        rows = ops.shape(styles)[0]
        noise = [self.noise(rows, "normal", *sides, 1) for sides in synthesis.noise_sides]
        return styles, lambda styles: synthesis(styles, noise)

    def _styles(self, z, labels=None, network=None, truncation=None):
        mapping = (self.generator if network is None else network).mapping
        w = mapping(z) if labels is None else mapping(z, labels)
        if truncation is None:
            return w
        average = ops.convert_to_tensor(mapping.average)
        return average + truncation * (w - average)

    def _for_layers(self, w):
        return ops.repeat(w[:, None], self.generator.synthesis.styles, axis=1)

    def decode(self, z, labels=None, network=None, truncation=None, noise="constant"):
        """Return the images of latent vectors, cut at -1 and 1.

        Args:
            z: Latent vectors `(batch_size, latent_dim)`.
            labels: Class numbers of a conditional model, or None.
            network: See `AdversarialModel.decode`.
            truncation: How far styles are from their average, as a factor of the distance: 1 for
                the styles themselves, 0 for the average alone.
            noise: "constant", "random" or "none".
        """
        network = self.sampling_generator if network is None else network
        w = self._styles(z, labels, network, truncation)
        noise = self._noise(noise, network, ops.shape(z)[0])
        return _in_range(network.synthesis(self._for_layers(w), noise=noise))

    @property
    def style_layers(self):
        """How many styles an image has."""
        return self.generator.synthesis.styles

    def styles(self, n, seed=None, labels=None, truncation=None, **sampling):
        validation.positive_integer("n", n)
        self.checked_sampling(n, truncation=truncation, **sampling)
        self.synchronize()
        if labels is None and self.num_classes is not None:
            labels = latent.labels(n, self.num_classes, seed)
        if labels is not None:
            labels = checks.labels(labels, n, self.num_classes)
        z = self.latent_vectors(n, seed)
        w = self._styles(z, labels, self.sampling_generator, truncation)
        return np.repeat(ops.convert_to_numpy(w)[:, None], self.style_layers, axis=1)

    def decode_styles(self, styles, labels=None, batch_size=256, noise_seed=0, noise="constant"):
        """Return the images of styles `(n, layers, style_dim)`, whose class is a part of them."""
        validation.positive_integer("batch_size", batch_size)
        self.checked_sampling(1, noise=noise)
        self.synchronize()
        styles = np.asarray(styles, "float32")
        shape = self.style_layers, self.generator.mapping.width
        if styles.shape[1:] != shape or not len(styles):
            raise ValueError(
                f"`styles` must have the shape (n, {shape[0]}, {shape[1]}). Received: shape "
                f"{styles.shape}"
            )
        seeds = latent.noise_seeds(len(styles), noise_seed)
        parts = {"styles": styles, "seeds": seeds, "shared_seed": seeds[0]}
        return in_batches(self._synthesizer(noise), parts, len(styles), batch_size)

    def _synthesizer(self, noise):
        """Return the synthesis network as one program."""
        network = self.sampling_generator
        key = "styles", noise
        if key not in self._decoders:

            def synthesize(inputs):
                with private_random.noise_of(inputs["seeds"], inputs["shared_seed"]):
                    maps = self._noise(noise, network, ops.shape(inputs["styles"])[0])
                    return _in_range(network.synthesis(inputs["styles"], noise=maps))

            variables = [*network.variables, *self._beside(network)]
            self._decoders[key] = backend.compiled(synthesize, variables)
        return self._decoders[key]

    def _noise(self, noise, network, rows):
        """Return what the synthesis network takes for a sampling option."""
        if noise != "random":
            return noise
        return [
            keras.random.normal((rows, *sides, 1), seed=self.seed_generator)
            for sides in network.synthesis.noise_sides
        ]

    def _style_kernels(self, chosen):
        found, number = [], 0
        for block in self.sampling_generator.synthesis.blocks:
            for layer in (block.enlarge, block.refine):
                if layer is not None:
                    if chosen is None or number in chosen:
                        found.append(layer.scale.kernel)
                    number += 1
        if chosen is not None and number in chosen:  # The last style makes an image of the maps.
            found.append(block.to_image.scale.kernel)
        return found

    def checked_sampling(self, n, **sampling):
        found = super().checked_sampling(n, **sampling)
        if found.get("truncation") is not None:
            validation.positive("truncation", found["truncation"], zero=True)
        if "noise" in found:
            validation.choice("noise", found["noise"], NOISES)
        return found

    def get_config(self):
        own = {
            "gamma": self.gamma,
            "r1_every": self.r1_every,
            "path_weight": self.path_weight,
            "path_every": self.path_every,
            "mixing": self.mixing,
            "ema_ramp": self.ema_ramp,
        }
        return {**super().get_config(), **own}


def _in_range(images):
    """Return images whose values are cut at -1 and 1, which the networks do not promise."""
    return ops.clip(images, -1.0, 1.0)


def usual_batch_size(side):
    """Return the authors' batch size for images of a side on one GPU, in their "auto"."""
    return max(min(4096 // side, 32), 1)


def usual_gamma(height, width):
    """Return the authors' weight of R1 for images of a size, with their batch size."""
    return 0.0002 * height * width / usual_batch_size(max(height, width))
