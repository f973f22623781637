"""GAN: generative adversarial network."""

import keras

from kerasgan import losses
from kerasgan.adversarial import AdversarialModel


@keras.saving.register_keras_serializable(package="kerasgan")
class GAN(AdversarialModel):
    """The original GAN: one critic step, one generator step, in turn; with any of the losses.

    ```text
    x, z <- real images, latent vectors from N(0, I)
    move D to lower    -E[log D(x)] - E[log(1 - D(G(z)))]
    z <- new latent vectors
    move G to lower    -E[log D(G(z))]
    ```

    Departures: the optimizers are those of DCGAN (Adam, 2e-4, beta_1 0.5), since the paper names
    momentum without its numbers. The moving average is an addition. Feature matching and label
    smoothing are those of Salimans et al.'s paper. Their code matches features by a mean over the
    features, of squares on MNIST and of absolute values on CIFAR-10 and SVHN, and has labels of
    0.75 on ImageNet.

    Args:
        generator: See `AdversarialModel`.
        critic: Returns logits; `D = sigmoid(critic(x))`.
        loss: "non_saturating" (section 3 of the paper), "minimax" (its algorithm 1),
            "least_squares", "hinge", "wasserstein", "relativistic", "feature_matching", or a
            `kerasgan.losses.Loss`.
        real_label: What the critic's logarithmic loss asks of real images: 0.9 is the one-sided
            label smoothing of Salimans et al. 2016, section 3.4. It goes with the losses
            non_saturating, minimax and feature_matching.
        learning_rate: The learning rate of both default optimizers.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Example:
    ```python
    generator, critic = kerasgan.networks.dcgan(image_size=28, channels=1, critic_norm="batch")
    gan = kerasgan.GAN(generator, critic)
    gan.compile()
    gan.fit(images, batch_size=64, epochs=10)
    ```

    References: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, algorithm 1; Salimans et
    al. 2016, https://arxiv.org/abs/1606.03498, and its code, openai/improved-gan on GitHub:
    mnist_svhn_cifar10/train_cifar_feature_matching.py and others, imagenet/train_imagenet.py.
    """

    def __init__(
        self,
        generator,
        critic=None,
        loss="non_saturating",
        real_label=1.0,
        learning_rate=2e-4,
        name="gan",
        **shared,
    ):
        loss = losses.get(loss, real_label)
        super().__init__(generator, critic, loss, learning_rate=learning_rate, name=name, **shared)

    def get_config(self):
        config, loss = super().get_config(), self.adversarial_loss
        if type(loss) is losses.LOSSES.get(loss.name):  # By its name, beside the label.
            config |= {"loss": loss.name, "real_label": getattr(loss, "real_label", 1.0)}
        return config
