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

    Departures: `batch_size` counts images. In the authors' code it counts packs: 64 of them on
    CelebA and on VEEGAN's stacked MNIST, 128 with Unrolled GAN's small critics, 100 on the ring.
    Neighbours of a shuffled batch are a pack; on VEEGAN's stacked MNIST and on the ring theirs are
    drawn once. On CelebA and on VEEGAN's stacked MNIST they take two generator steps for each
    critic step, all on the same latent vectors; here there is one, on new ones. Their latent
    vectors for the latter are from U(-1, 1)^100, which are `prior="uniform"` and networks of
    `latent_dim=100` here. The moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: Takes `packing` times the channels; `dcgan(..., packing=2)` builds one.
        packing: Images that the critic scores together, the paper's m, 2 to 4 there.
        name: Name of the model.
        **shared: See `GAN`.

    Reference: Lin et al. 2018, https://arxiv.org/abs/1712.04086. The authors' code is
    fjxmlzn/PacGAN on GitHub: stacked_MNIST_experiments/VEEGAN_experiment/model.py,
    stacked_MNIST_experiments/unrolled_GAN_experiment/, synthetic_data_experiments/,
    celeba_experiments/pacgan_task_wrapper_celebA.py.
    """

    packs = 2

    def __init__(self, generator, critic=None, packing=2, name="pacgan", **shared):
        super().__init__(generator, critic, packing=packing, name=name, **shared)
