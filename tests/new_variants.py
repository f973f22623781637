"""Two variants as somebody would add them: each is a class and an entry of the catalogue."""

import keras
from keras import ops

from kerasgan import catalogue
from kerasgan.adversarial import AdversarialModel
from kerasgan.penalties import Penalty


@keras.saving.register_keras_serializable("tests")
class LSGAN(AdversarialModel):
    """Least squares with labels of its own: fake images are to score a, real ones b."""

    def __init__(self, generator, critic=None, a=-1.0, b=1.0, name="lsgan", **shared):
        super().__init__(generator, critic, "least_squares", name=name, **shared)
        self.a, self.b = a, b

    def critic_loss(self, batch, scores, training=True):
        real, fake = scores.real - self.b, scores.fake - self.a
        return 0.5 * (ops.mean(ops.square(real)) + ops.mean(ops.square(fake)))

    def generator_loss(self, batch, scores, training=True):
        return 0.5 * ops.mean(ops.square(scores.fake - self.b))

    def get_config(self):
        return {**super().get_config(), "a": self.a, "b": self.b}


@keras.saving.register_keras_serializable("tests")
class Smoothness(Penalty):
    """How far images move when their latent vectors move a little."""

    name = "smoothness"

    def __init__(self, weight=1.0, player="generator", **options):
        super().__init__(weight, player, **options)

    def __call__(self, inputs):
        moved = inputs.generate(1.01 * inputs.z) - inputs.generate(inputs.z)
        return ops.mean(ops.square(moved))


@keras.saving.register_keras_serializable("tests")
class CentredGAN(AdversarialModel):
    """Has a weight, the mean image; a sampling option, `contrast`; a penalty on its generator."""

    sampling_options = ("contrast",)

    def __init__(self, generator, critic=None, smoothness=1.0, name="centred_gan", **shared):
        own = (Smoothness(smoothness),)
        super().__init__(generator, critic, name=name, own_penalties=own, **shared)
        self.smoothness = smoothness
        self.mean_image = self.add_weight(
            shape=self.image_shape, initializer="zeros", trainable=False, name="mean_image"
        )

    def critic_loss(self, batch, scores, training=True):
        if training:
            moved = ops.mean(batch.real, axis=0) - self.mean_image
            self.mean_image.assign(self.mean_image + 0.1 * moved)
        return super().critic_loss(batch, scores, training)

    def decode(self, z, labels=None, network=None, contrast=1.0):
        images = super().decode(z, labels, network)
        return self.mean_image + contrast * (images - self.mean_image)

    def get_config(self):
        return {**super().get_config(), "smoothness": self.smoothness}


def number(name, help):
    return catalogue.Option(name, "number", help)


ENTRIES = {
    "lsgan": catalogue.Variant(
        "lsgan",
        "LSGAN",
        "LSGAN",
        "least squares",
        "vanishing gradients",
        ("1611.04076",),
        (number("a", "what fake images are to score"), number("b", "what real ones are to score")),
        module=__name__,
    ),
    "centred_gan": catalogue.Variant(
        "centred_gan",
        "CentredGAN",
        "Centred GAN",
        "knows its mean image",
        "nothing",
        (),
        (catalogue.Option("smoothness", "number", "weight of the penalty", minimum=0),),
        sampling=(number("contrast", "distance from the mean image"),),
        module=__name__,
    ),
}
