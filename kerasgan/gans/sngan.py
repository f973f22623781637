"""SNGAN: a GAN with spectral normalisation in its critic."""

import keras

from kerasgan.adversarial import AdversarialModel
from kerasgan.adversarial.optimizer import adam_pair


@keras.saving.register_keras_serializable(package="kerasgan")
class SNGAN(AdversarialModel):
    """A critic each of whose layers is divided by its largest singular value.

    ```text
    n_critic times:
        x, z <- real images, latent vectors from N(0, I)
        one power iteration for the largest singular value s(W) of each layer's W
        move D, with W / s(W) for W, to lower    E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
    z <- new latent vectors
    move G to lower    -E[D(G(z))]
    ```

    There is one power iteration in each critic step, as in algorithm 1. The authors' residual
    networks are trained with the hinge loss and Adam (2e-4, beta_1 0, beta_2 0.9), with five critic
    steps a round.

    Departures: critics of the other architectures are trained in the same way. The paper compares
    six settings of Adam and `n_critic` on its plain convolutional network. The learning rates are
    constant. In the authors' code both fall linearly to 0, on CIFAR-10 over the whole run, on
    ImageNet over its last 50,000 rounds; a Keras schedule given to `compile` does the same. The
    generator's batch is the critic's. Theirs is twice as large, except at 64 pixels, where both are
    equal. Generated images have the labels of the real batch; theirs are drawn evenly from all
    classes. The last layer of the critic has a bias; theirs has none at 32 pixels. Their layers
    take a power iteration in every pass, not in every step. The moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: Made of spectrally normalised layers, as `resnet(critic_norm="spectral")` builds.
        loss: A key of `kerasgan.losses.LOSSES`, or a `kerasgan.losses.Loss`.
        learning_rate: The learning rate of both default optimizers.
        n_critic: Critic steps for each generator step.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1. The authors'
    code is pfnet-research/sngan_projection on GitHub: updater.py, train.py, configs/,
    dis_models/snresnet_32.py, source/links/sn_convolution_2d.py.
    """

    critic_norm = "spectral"

    def __init__(
        self,
        generator,
        critic=None,
        loss="hinge",
        learning_rate=2e-4,
        n_critic=5,
        name="sngan",
        **shared,
    ):
        super().__init__(
            generator,
            critic,
            loss,
            learning_rate=learning_rate,
            n_critic=n_critic,
            name=name,
            **shared,
        )
        if not self._spectral:
            raise ValueError(
                "`critic` must hold spectrally normalised layers (kerasgan.layers.SpectralConv2D, "
                'SpectralDense), as critic_norm="spectral" builds it. Received: '
                f"{self.critic.name!r} without any"
            )

    def default_optimizers(self):
        return adam_pair(self.learning_rate, self.critic_learning_rate, beta_1=0.0, beta_2=0.9)
