"""Flow-GAN: a generator that knows the likelihood of an image."""

import inspect
import math

import keras
import numpy as np
from keras import ops

from kerasgan import backend, networks, validation
from kerasgan.adversarial import AdversarialModel, checks
from kerasgan.adversarial.optimizer import adam_pair
from kerasgan.networks.flow import bits_per_dimension, flow
from kerasgan.penalties import GradientPenalty


@keras.saving.register_keras_serializable(package="kerasgan")
class FlowGAN(AdversarialModel):
    """An invertible generator, trained by a critic and by maximum likelihood at once.

    ```text
    n_critic times:
        x, z <- real images, latent vectors from the prior
        y <- e x + (1 - e) G(z),    e ~ U(0, 1) for each image
        move the critic f to lower    E[f(G(z))] - E[f(x)] + gp_weight E[(||grad f(y)|| - 1)^2]
    z <- new latent vectors
    move G to lower    -adversarial_weight E[f(G(z))] - nll_weight E[log p_G(x)]
    ```

    A dropped mode costs likelihood without bound, so that the hybrid should drop none. The
    generator minimises `adversarial_weight * (-E[f(G(z))]) + nll_weight * NLL`, the negative
    log-likelihood in nats per image; a weight of zero leaves one of the two alone. The critic is
    WGAN-GP's.

    Departures: the critic sees real images as they are. In the authors' code it sees them
    dequantised, with uniform noise below one level of 8 bits. Their critic steps of a round and the
    generator's step share one batch and its latent vectors; here each critic step has a new batch,
    and each step new latent vectors. The gradient's norm is that of a whole image; theirs is of
    each of its columns. They divide the adversarial loss by lambda, which is 1 for NICE and 20 for
    RealNVP; `nll_weight=20` has the same ratio. For the flows see `kerasgan.networks.flow`. The
    moving average is an addition.

    Args:
        generator: A flow, as `kerasgan.networks.FlowGenerator`, whose latent vectors are as wide
            as an image has values; its `prior` is the model's.
        critic: See `AdversarialModel`; without batch normalisation, which is refused.
        adversarial_weight: 0 is pure likelihood.
        nll_weight: 0 is pure adversarial; the paper's lambda. The authors' code has 1 for NICE on
            MNIST and 20 for RealNVP on CIFAR-10.
        gp_weight: Weight of the gradient penalty.
        learning_rate: The learning rate of both default optimizers. For RealNVP the authors have
            1e-3 with likelihood, falling slowly, and 1e-4 without it.
        n_critic: Critic steps for each generator step.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Grover et al. 2018, https://arxiv.org/abs/1705.08868. The authors' code is
    ermongroup/flow-gan on GitHub: README.md, model.py, real_nvp/.
    """

    critic_norm = None
    logged = ("bits_per_dimension",)

    def __init__(
        self,
        generator,
        critic=None,
        adversarial_weight=1.0,
        nll_weight=1.0,
        gp_weight=10.0,
        learning_rate=1e-4,
        n_critic=5,
        name="flow_gan",
        **shared,
    ):
        checks.numbers(
            non_negative={
                "adversarial_weight": adversarial_weight,
                "nll_weight": nll_weight,
                "gp_weight": gp_weight,
            }
        )
        if adversarial_weight == nll_weight == 0:
            raise ValueError(
                "`adversarial_weight` and `nll_weight` must not both be zero. Received: both are"
            )
        checks.flow(generator)
        if shared.get("prior", generator.prior) != generator.prior:
            raise ValueError(
                f"`prior` must be the generator's, {generator.prior!r}. Received: "
                f"prior={shared['prior']!r}"
            )
        super().__init__(
            generator,
            critic,
            **{"loss": "wasserstein", **shared, "prior": generator.prior},
            learning_rate=learning_rate,
            n_critic=n_critic,
            name=name,
            own_penalties=(GradientPenalty(gp_weight),),
        )
        self.adversarial_weight = adversarial_weight
        self.nll_weight = nll_weight
        self.gp_weight = gp_weight

    @classmethod
    def default_networks(cls, architecture="nice", **size):
        """Return a flow and a critic; see `AdversarialModel.default_networks`.

        Args:
            architecture: "nice" or "realnvp".
            **size: Arguments of `kerasgan.networks.flow`; `latent_dim` is left out, since an
                image's size is that of its latent vector.

        Raises:
            ValueError: For another architecture, or an argument that flows do not have.
        """
        validation.choice("architecture", architecture, networks.FLOWS)
        size.pop("latent_dim", None)
        for name in size:
            if name not in inspect.signature(flow).parameters:
                raise ValueError(f"the networks of a FlowGAN take no `{name}`. Received: {name}")
        return flow(kind=architecture, **size)

    def default_optimizers(self):
        return adam_pair(self.learning_rate, self.critic_learning_rate, beta_1=0.5, beta_2=0.9)

    def critic_steps_per_round(self, generator_steps):
        """Return 1 where likelihood alone is asked for: no critic is trained."""
        return super().critic_steps_per_round(generator_steps) if self.adversarial_weight else 1

    def _critic_step(self, real, labels, penalties):
        if self.adversarial_weight:
            super()._critic_step(real, labels, penalties)

    def generator_objective(self, batch, penalties, training=True):
        rows = ops.shape(batch.real)[0]
        noise = self.noise(rows, "uniform", *self.image_shape)
        log_prob = ops.mean(self.generator.log_prob(batch.real, noise))
        self.log("bits_per_dimension", bits_per_dimension(log_prob, self.latent_dim), rows)
        loss = -self.nll_weight * log_prob if self.nll_weight else 0.0
        if self.adversarial_weight:
            loss += self.adversarial_weight * super().generator_objective(
                batch, penalties, training
            )
        return loss

    def log_prob(self, x, seed=0, batch_size=256):
        """Return the log-likelihood of 8-bit images under the network that `sample` uses.

        Args:
            x: Images `(n, height, width, channels)` in [-1, 1].
            seed: Seed of the dequantisation noise.
            batch_size: Images at a time.

        Returns:
            A dict of "nats", an array `(n,)`, and "bits_per_dimension", the same in bits for each
            value of an image.
        """
        self.synchronize()
        checks.shape("x", np.shape(x), self.image_shape)
        x = np.asarray(x, "float32")
        noise = np.random.default_rng(seed).random(x.shape, dtype="float32")
        with backend.no_gradients():
            nats = np.concatenate(
                [
                    ops.convert_to_numpy(
                        self.sampling_generator.log_prob(
                            *(a[start : start + batch_size] for a in (x, noise))
                        )
                    )
                    for start in range(0, len(x), batch_size)
                ]
            )
        return {
            "nats": nats,
            "bits_per_dimension": bits_per_dimension(nats, math.prod(x.shape[1:])),
        }

    def get_config(self):
        own = {
            "adversarial_weight": self.adversarial_weight,
            "nll_weight": self.nll_weight,
            "gp_weight": self.gp_weight,
        }
        return {**super().get_config(), **own}
