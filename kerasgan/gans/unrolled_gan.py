"""Unrolled GAN: the generator is trained against the critic of K steps ahead."""

import types

import keras
from keras import ops

from kerasgan import backend, validation
from kerasgan.backend import private
from kerasgan.gans.gan import GAN
from kerasgan.losses import Minimax

_INNER = ("adam", "sgd")


@keras.saving.register_keras_serializable(package="kerasgan")
class UnrolledGAN(GAN):
    """The generator's loss is taken at the critic of K steps ahead, and differentiated through it.

    ```text
    x, z <- real images, latent vectors from N(0, I)
    move D by one step to lower    L(D, G) = -E[log D(x)] - E[log(1 - D(G(z)))]
    z <- new latent vectors
    D_K <- D after unrolled_steps further steps, as a function of G
    move G to lower    -L(D_K(G), G)    by its whole gradient, that through D_K included
    ```

    With the minimax loss, which is the paper's and the default, the generator minimises the whole
    objective `E[log D(x)] + E[log(1 - D(G(z)))]` of that critic: it moves the first term too, by
    way of the critic's weights. With any other loss it is that loss.

    The K steps are on the batch at hand, with the critic optimizer's learning rate and, where both
    are Adam, its moments, betas and epsilon (which stands under the root here, as its square, so
    that gradients of zero can be differentiated); the real critic takes one step. What the
    unrolled critic writes, as statistics of batch normalisation, is forgotten.

    Departures: the critic moves first, and the generator then unrolls from its new weights, with
    new latent vectors. The authors' notebook moves both at once, from the same weights and on one
    batch of latent vectors. The moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`.
        unrolled_steps: The paper's K; 0 is the plain GAN.
        inner: The optimizer of these steps: "adam", as in the authors' notebook, or "sgd".
        loss: See `GAN`.
        learning_rate: The generator's default learning rate.
        critic_learning_rate: The critic's; both those of the notebook, as is beta_1 0.5.
        name: Name of the model.
        **shared: See `GAN`.

    Reference: Metz et al. 2017, https://arxiv.org/abs/1611.02163, section 2. The authors'
    notebook is "Unrolled GAN demo.ipynb" in poolio/unrolled_gan on GitHub; it says of itself that
    its networks and constants are not the paper's.
    """

    def __init__(
        self,
        generator,
        critic=None,
        unrolled_steps=5,
        inner="adam",
        loss="minimax",
        learning_rate=1e-3,
        critic_learning_rate=1e-4,
        name="unrolled_gan",
        **shared,
    ):
        if unrolled_steps != 0:
            validation.positive_integer("unrolled_steps", unrolled_steps)
        validation.choice("inner", inner, _INNER)
        super().__init__(
            generator,
            critic,
            loss,
            learning_rate=learning_rate,
            critic_learning_rate=critic_learning_rate,
            name=name,
            **shared,
        )
        self.unrolled_steps = unrolled_steps
        self.inner = inner

    def generator_objective(self, batch, penalties, training=True):
        def objective():
            if isinstance(self.adversarial_loss, Minimax):
                scores = self.scorer.compare(batch, training=training)
                loss = -self.critic_loss(batch, scores, training)
                return self._penalised(loss, batch, scores, penalties, training)
            return super(UnrolledGAN, self).generator_objective(batch, penalties, training)

        if not training or not self.critic_variables():  # A frozen critic takes no steps ahead.
            return objective()
        return self._at(self._unrolled_weights(batch), objective)

    def _unrolled_weights(self, batch):
        """Return the critic's weights after K steps, as functions of the generator's images."""
        penalties = self._penalties_of("critic")

        def loss(weights):
            return self._at(weights, objective)

        def objective():  # With all penalties, none of them scaled: no step is left out here.
            return self.critic_objective(batch, penalties, lazy=False)

        variables = self.critic_variables()
        weights = [ops.convert_to_tensor(v) for v in variables]
        optimizer = self.optimizer.critic_optimizer
        rate = ops.cast(optimizer.learning_rate, "float32")
        if self.inner == "sgd":
            for _ in range(self.unrolled_steps):
                gradients = backend.gradient(loss, weights)
                weights = [w - rate * g for w, g in zip(weights, gradients, strict=True)]
            return weights
        is_adam = isinstance(optimizer, keras.optimizers.Adam)
        constants = optimizer if is_adam else _ADAM
        t, first, second = _moments(optimizer, variables, is_adam)
        for _ in range(self.unrolled_steps):
            gradients = backend.gradient(loss, weights)
            t = t + 1.0
            moved = [
                _adam(constants, rate, t, *values)
                for values in zip(weights, first, second, gradients, strict=True)
            ]
            weights, first, second = map(list, zip(*moved, strict=True))
        return weights

    def _at(self, weights, fn):
        """Return `fn()` where the critic has these weights; of what it writes, only seeds stay."""
        with backend.substituted(self.critic_variables(), weights) as scope:
            value = fn()
            seed = scope.get_current_value(self.seed_generator.state)
        if seed is not None:
            self.seed_generator.state.assign(seed)
        return value

    def get_config(self):
        own = {"unrolled_steps": self.unrolled_steps, "inner": self.inner}
        return {**super().get_config(), **own}


# The notebook's, where the critic's own optimizer is another.
_ADAM = types.SimpleNamespace(beta_1=0.5, beta_2=0.999, epsilon=1e-8)


def _moments(optimizer, variables, is_adam):
    """Return Adam's step count and moments, those of `optimizer` if it is Adam, else zeros."""
    if is_adam:
        moments = [private.adam_moments(optimizer, variable) for variable in variables]
        count = ops.cast(optimizer.iterations, "float32")
        groups = zip(*moments, strict=True)
        return count, *[[ops.convert_to_tensor(m) for m in group] for group in groups]
    zeros = [ops.zeros_like(ops.convert_to_tensor(v)) for v in variables]
    return ops.convert_to_tensor(0.0), zeros, zeros


def _adam(constants, rate, t, weight, first, second, gradient):
    """Return one step of Adam, differentiable also where a gradient is zero."""
    beta_1, beta_2 = constants.beta_1, constants.beta_2
    first = beta_1 * first + (1.0 - beta_1) * gradient
    second = beta_2 * second + (1.0 - beta_2) * ops.square(gradient)
    scale = rate * ops.sqrt(1.0 - ops.power(beta_2, t)) / (1.0 - ops.power(beta_1, t))
    return weight - scale * first / ops.sqrt(second + constants.epsilon**2), first, second
