"""R3GAN: relativistic pairing with both zero-centred penalties."""

import math

import keras
from keras import ops

from kerasgan import catalogue, networks, validation
from kerasgan.adversarial import AdversarialModel, checks
from kerasgan.adversarial.burn_in import BurnInAdam, cosine
from kerasgan.augment import ADA
from kerasgan.penalties import R1, R2


@keras.saving.register_keras_serializable(package="kerasgan")
class R3GAN(AdversarialModel):
    """Each generated image is paired with a real one; R1 and R2 in every step.

    ```text
    x, z <- real images, latent vectors from N(0, I)
    move D to lower    E[softplus(D(G(z)) - D(x))]
                       + gamma / 2 (E[||grad D(x)||^2] + E[||grad D(G(z))||^2])
    z <- new latent vectors
    move G to lower    E[softplus(D(x) - D(G(z)))]
    ```

    Over a burn-in gamma falls, beta_2 and the half-life of the moving average grow, and the
    learning rate falls, each along half a cosine as in the authors' code. Their networks, which
    normalise nowhere, are `default_networks("r3gan")`. `configured` has their constants for a data
    set, and a fifth schedule, the probability of augmentations.

    Departures: the burn-in counts steps of either network, not images, and its length and the
    half-life at its end (693 steps) suit hours, not days; those of `configured` are the authors'.
    There are no augmentations unless `augment` is given. Their generator's step takes real images
    of its own; here it takes those of the last critic step. The generators of the other
    architectures keep their batch normalisation, whose statistics the moving average includes;
    their code copies such buffers.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`; without normalisation.
        gamma: Weight of R1 and of R2 at the start. The authors' code has 0.05 for CIFAR-10, 0.5
            and 1 for ImageNet of 32 and 64 pixels, and 2 and 150 for FFHQ of 64 and 256 pixels.
            It has no settings for stacked MNIST.
        final_gamma: The same at the end of the burn-in; a tenth of the first in the authors' code.
        burn_in: Its steps.
        learning_rate: The learning rate of both default optimizers at the start.
        final_learning_rate: At the end; None for a quarter, as the authors have it.
        ema: Decay of the moving average at the end.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Huang et al. 2025, https://arxiv.org/abs/2501.05441. The authors' code is
    brownvc/R3GAN on GitHub: train.py, training/training_loop.py, R3GAN/Trainer.py.
    """

    critic_norm = None
    resnet_style = "r3gan"

    def __init__(
        self,
        generator,
        critic=None,
        gamma=1.0,
        final_gamma=0.1,
        burn_in=20000,
        learning_rate=2e-4,
        final_learning_rate=None,
        ema=0.999,
        name="r3gan",
        **shared,
    ):
        checks.numbers(
            non_negative={"gamma": gamma, "final_gamma": final_gamma},
            positive={"learning_rate": learning_rate},
            optional={"final_learning_rate": final_learning_rate},
            integers={"burn_in": burn_in},
        )
        if final_learning_rate is not None and final_learning_rate > learning_rate:
            raise ValueError(
                "`final_learning_rate` must not be above `learning_rate`, which falls. Received: "
                f"learning_rate={learning_rate}, final_learning_rate={final_learning_rate}"
            )
        super().__init__(
            generator,
            critic,
            **{"loss": "relativistic", **shared},
            learning_rate=learning_rate,
            ema=ema,
            name=name,
            own_penalties=(R1(gamma), R2(gamma)),
        )
        self.gamma = gamma
        self.final_gamma = final_gamma
        self.burn_in = burn_in
        self.final_learning_rate = final_learning_rate

    @classmethod
    def default_networks(cls, architecture="dcgan", **size):
        """Return a generator and a critic; "r3gan" names the authors' own.

        See `AdversarialModel.default_networks` and `kerasgan.networks.r3gan`.
        """
        if architecture == "r3gan":
            return networks.r3gan(**size)
        return super().default_networks(architecture, **size)

    @classmethod
    def configured(cls, config, batch_size=None, networks=None, **changes):
        """Return the model, networks included, that the authors train on a data set.

        Args:
            config: "cifar-10", "ffhq-64", "ffhq-256", "imagenet-32" or "imagenet-64".
            batch_size: Images of a step, by which images of the burn-in and of the moving average
                become steps; by default the authors', 512, 256 or 4,096.
            networks: What differs in the networks, arguments of `kerasgan.networks.r3gan`, as
                `{"channels": 1}` or `{"num_classes": 10}`.
            **changes: What differs in the model, arguments of the constructor, as `augment=None`.

        Reference: `kerasgan.catalogue.CONFIGURATIONS` lists the constants and where they are from.
        """
        validation.choice("config", config, catalogue.CONFIGURATIONS)
        if batch_size is not None:
            validation.positive_integer("batch_size", batch_size)
        known = catalogue.CONFIGURATIONS[config]
        pair = cls.default_networks("r3gan", **{**known.networks, **(networks or {})})
        own = {**known.arguments(batch_size), **changes}
        if "augment" not in own:
            own["augment"] = ADA(**known.augment(batch_size))
        return cls(*pair, **own)

    def default_optimizers(self):
        rates = self.learning_rate, self.critic_learning_rate or self.learning_rate
        final = self.final_learning_rate
        factor = 0.25 if final is None else final / self.learning_rate
        return tuple(BurnInAdam(rate, factor, burn_in=self.burn_in) for rate in rates)

    def penalty_weight(self, penalty):
        if penalty in self.added_penalties:
            return penalty.weight
        steps = self.optimizer.critic_optimizer.iterations
        return cosine(self.gamma, self.final_gamma, steps, self.burn_in)

    def ema_decay(self, steps):
        # The half-life grows from nothing to that of the decay at the end.
        half_life = math.log(0.5) / math.log(self.ema)
        now = cosine(0.0, half_life, steps, self.burn_in)
        return ops.power(0.5, 1.0 / ops.maximum(now, 1e-3))

    def get_config(self):
        config, final = super().get_config(), self.final_learning_rate
        if final is not None and final > config["learning_rate"]:
            final = None  # `compile` was given a lower rate, whose end its optimizer knows.
        own = {
            "gamma": self.gamma,
            "final_gamma": self.final_gamma,
            "burn_in": self.burn_in,
            "final_learning_rate": final,
        }
        return {**config, **own}
