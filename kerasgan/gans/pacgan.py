"""PacGAN: a critic that scores several images at once."""

import keras

from kerasgan.gans.gan import GAN


@keras.saving.register_keras_serializable(package="kerasgan")
class PacGAN(GAN):
    """A GAN whose critic sees `packing` independent images, stacked along the channels.

    ```text
    x_1 .. x_m, z_1 .. z_m <- real images, latent vectors from N(0, I)
    move D to lower    -E[log D(x_1, .., x_m)] - E[log(1 - D(G(z_1), .., G(z_m)))]
    z_1 .. z_m <- new latent vectors
    move G to lower    -E[log D(G(z_1), .., G(z_m))]
    ```

    A generator that repeats itself shows at once: two of its images are alike, two real ones are
    not. Only the critic's input layer grows. Any other variant packs as well: `WGANGP(...,
    packing=2)`.

    Args:
        generator: See `AdversarialModel`.
        critic: Takes `packing` times the channels; `dcgan(..., packing=2)` builds one.
        packing: Images that the critic scores together, the paper's m, 2 to 4 there.
        name: Name of the model.
        **shared: See `GAN`.

    Reference: Lin et al. 2018, https://arxiv.org/abs/1712.04086.
    """

    packs = 2

    def __init__(self, generator, critic=None, packing=2, name="pacgan", **shared):
        super().__init__(generator, critic, packing=packing, name=name, **shared)
