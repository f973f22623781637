"""JAX: both steps are pure functions under `jax.jit`, with all of the state donated."""

import functools

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from hand_written import Loop, first_map, layers_of, sides


class _JaxLoop(Loop):
    """The two steps over any networks.

    A subclass gives `generate` and `score`, from `(weights, statistics, input)` to the output and
    the new statistics, and `update(player, weights, optimizer, gradients)`, which returns new
    weights and a new optimizer state; `moments(optimizer)`, the step count and the two lists of
    moments in the state of the critic's Adam; and it passes the initial `(weights, statistics,
    optimizer)` of each player to `start`.
    """

    mean = staticmethod(jnp.mean)
    softplus = staticmethod(jax.nn.softplus)
    sqrt = staticmethod(jnp.sqrt)
    to_device = staticmethod(jax.device_put)

    def start(self, generator, critic):
        """Set the initial state; both steps are compiled at their first call."""
        state = {
            "generator": dict(zip(("weights", "statistics", "optimizer"), generator, strict=True)),
            "critic": dict(zip(("weights", "statistics", "optimizer"), critic, strict=True)),
            "average": generator[:2],
            "generator_steps": np.float32(0),
            "key": jax.random.key(0),
        }
        self.state = jax.tree.map(jnp.array, state)  # Copies: donated buffers must be distinct.
        self._critic_program = jax.jit(self._critic_step, donate_argnums=0)
        self._generator_program = jax.jit(self._generator_step, donate_argnums=0)

    def critic_step(self, real):
        """Move the critic once; return its loss."""
        self.state, loss = self._critic_program(self.state, real)
        return loss

    def generator_step(self, real):
        """Move the generator once, and its moving average after it."""
        self.state, loss = self._generator_program(self.state, real)
        return loss

    def _latent(self, key):
        return jax.random.normal(key, (self.task.batch_size, self.task.latent_dim))

    def _critic_step(self, state, real):
        generator, critic = state["generator"], state["critic"]
        key, latent_key, penalty_key = jax.random.split(state["key"], 3)
        fake, generated = self.generate(
            generator["weights"], generator["statistics"], self._latent(latent_key)
        )
        weights = critic["weights"]
        if self.task.clip is not None:
            weights = jax.tree.map(lambda w: jnp.clip(w, -self.task.clip, self.task.clip), weights)
        loss_fn = functools.partial(
            self._penalised_critic_loss, statistics=critic["statistics"], real=real, fake=fake
        )
        (loss, statistics), gradients = jax.value_and_grad(
            lambda weights: loss_fn(weights, key=penalty_key), has_aux=True
        )(weights)
        critic = self._moved("critic", weights, critic["optimizer"], gradients, statistics)
        generator = {**generator, "statistics": generated}
        return {**state, "generator": generator, "critic": critic, "key": key}, loss

    def _penalised_critic_loss(self, weights, statistics, real, fake, key=None):
        def total(images, statistics):
            scores, statistics = self.score(weights, statistics, images)
            return scores.sum(), (scores, statistics)

        gradient = jax.grad(total, has_aux=True)  # The compiler removes outputs that are not used.
        r1, (real_scores, statistics) = gradient(real, statistics)
        r2, (fake_scores, statistics) = gradient(fake, statistics)
        loss = self.critic_loss(real_scores, fake_scores)
        if "gradient_penalty" in self.task.penalties:
            epsilon = jax.random.uniform(key, (self.task.batch_size, 1, 1, 1))
            gradients, _ = gradient(epsilon * real + (1.0 - epsilon) * fake, statistics)
            norms = jnp.sqrt(jnp.square(gradients).sum(axis=(1, 2, 3)) + 1e-12)
            loss += self.task.penalties["gradient_penalty"] * jnp.square(norms - 1.0).mean()
        if "r1" in self.task.penalties:
            for name, gradients in (("r1", r1), ("r2", r2)):
                norms = jnp.square(gradients).sum(axis=(1, 2, 3))
                loss += 0.5 * self.task.penalties[name] * norms.mean()
        return loss, statistics

    def _generator_step(self, state, real):
        generator, critic = state["generator"], state["critic"]
        key, latent_key = jax.random.split(state["key"])

        def loss_fn(weights):
            fake, generated = self.generate(
                weights, generator["statistics"], self._latent(latent_key)
            )
            weights, critic_statistics, real_scores = critic["weights"], critic["statistics"], None
            if self.task.unrolled_steps:
                weights = self._critic_ahead(critic, real, fake)
            if self.task.loss in ("relativistic", "minimax"):
                real_scores, critic_statistics = self.score(weights, critic_statistics, real)
            fake_scores, critic_statistics = self.score(weights, critic_statistics, fake)
            return self.generator_loss(real_scores, fake_scores), (generated, critic_statistics)

        weights = generator["weights"]
        (loss, (generated, critic_statistics)), gradients = jax.value_and_grad(
            loss_fn, has_aux=True
        )(weights)
        generator = self._moved("generator", weights, generator["optimizer"], gradients, generated)
        t = state["generator_steps"] + 1.0
        decay = jnp.minimum(self.task.ema, (1.0 + t) / (10.0 + t))
        average = jax.tree.map(
            lambda average, value: average + (1.0 - decay) * (value - average),
            state["average"],
            (generator["weights"], generator["statistics"]),
        )
        return {
            "generator": generator,
            "critic": {**critic, "statistics": critic_statistics},
            "average": average,
            "generator_steps": t,
            "key": key,
        }, loss

    def _critic_ahead(self, critic, real, fake):
        leaves, structure = jax.tree.flatten(critic["weights"])

        def loss_fn(leaves):
            weights = jax.tree.unflatten(structure, leaves)
            return self._penalised_critic_loss(weights, critic["statistics"], real, fake)[0]

        moments = self.moments(critic["optimizer"])
        return jax.tree.unflatten(structure, self.unrolled(leaves, moments, jax.grad(loss_fn)))

    def _moved(self, player, weights, optimizer, gradients, statistics):
        weights, optimizer = self.update(player, weights, optimizer, gradients)
        return {"weights": weights, "statistics": statistics, "optimizer": optimizer}

    def synchronize(self):
        """Wait for the last step."""
        jax.block_until_ready(self.state)

    def snapshot(self):
        def arrays(*trees):
            return [np.array(leaf) for leaf in jax.tree.leaves(trees)]

        players = [self.state["generator"], self.state["critic"]]
        return {
            "generator": arrays(players[0]["weights"]),
            "critic": arrays(players[1]["weights"]),
            "statistics": arrays(*[player["statistics"] for player in players]),
            "average": arrays(self.state["average"]),
        }


class KerasLoop(_JaxLoop):
    """The loop of Keras' guide to custom training on JAX: `stateless_call`, `stateless_apply`."""

    def __init__(self, task, batches, generator, critic, average):
        del average  # A pure function's average is a part of its state.
        super().__init__(task, batches)
        self._networks = {"generator": generator, "critic": critic}
        self._optimizers = {player: task.keras_optimizer(player) for player in self._networks}
        initial = {}
        for player, network in self._networks.items():
            optimizer = self._optimizers[player]
            optimizer.build(network.trainable_variables)
            initial[player] = (
                [v.value for v in network.trainable_variables],
                [v.value for v in network.non_trainable_variables],
                [v.value for v in optimizer.variables],
            )
        self.start(**initial)

    def generate(self, weights, statistics, z):
        """Return images and new statistics."""
        return self._networks["generator"].stateless_call(weights, statistics, z, training=True)

    def score(self, weights, statistics, images):
        """Return scores and new statistics."""
        return self._networks["critic"].stateless_call(weights, statistics, images, training=True)

    def update(self, player, weights, optimizer, gradients):
        """Apply the gradients with a Keras optimizer."""
        return self._optimizers[player].stateless_apply(optimizer, gradients, weights)

    def moments(self, optimizer):
        """Return Adam's step count, its first and its second moments."""
        adam = self._optimizers["critic"]
        value = {id(v): x for v, x in zip(adam.variables, optimizer, strict=True)}
        first, second = ([value[id(v)] for v in vs] for vs in (adam._momentums, adam._velocities))
        return value[id(adam.iterations)].astype("float32"), first, second


class NativeLoop(_JaxLoop):
    """`jax.lax` convolutions, with Adam and RMSprop written out.

    Args:
        task: A `Task`.
        batches: NumPy batches of real images.
        generator: The Keras generator whose architecture and weights are copied.
        critic: The Keras critic, likewise.
    """

    def __init__(self, task, batches, generator, critic):
        super().__init__(task, batches)
        self._kinds, initial = {}, {}
        for player, layers in (
            ("generator", layers_of(generator)),
            ("critic", layers_of(critic)),
        ):
            self._kinds[player] = [kind for kind, _ in layers]
            weights = [tuple(arrays[:2]) for _, arrays in layers]
            statistics = [tuple(arrays[2:]) for _, arrays in layers]  # Of batch normalisations.
            zeros = jax.tree.map(np.zeros_like, weights)
            initial[player] = (weights, statistics, (np.float32(0), zeros, zeros))
        self._first = first_map(layers_of(generator))
        self._sides = sides(self._first[0], batches[0].shape[1])
        self.start(**initial)

    def generate(self, weights, statistics, z):
        """Return images and new statistics."""
        side, maps = self._first
        x = (z @ weights[0][0]).reshape(-1, side, side, maps)
        written = [()]
        following = iter(self._sides[1:])
        rest = zip(self._kinds["generator"][1:], weights[1:], statistics[1:], strict=True)
        for kind, arrays, moving in rest:
            if kind == "BatchNormalization":
                x, moving = _batch_norm(x, *arrays, *moving)
                x = jax.nn.relu(x)
            else:
                x = lax.conv_transpose(
                    x, arrays[0], (2, 2), "SAME", dimension_numbers=_NHWC, transpose_kernel=True
                )
                side = next(following)
                x = x[:, :side, :side]
            written.append(moving)
        return jnp.tanh(x + weights[-1][1]), written

    def score(self, weights, statistics, images):
        """Return scores and new statistics."""
        x, written = images, []
        kinds = self._kinds["critic"]
        for i, (kind, arrays, moving) in enumerate(zip(kinds, weights, statistics, strict=True)):
            if kind == "BatchNormalization":
                x, moving = _batch_norm(x, *arrays, *moving)
            elif kind == "Conv2D":
                x = lax.conv_general_dilated(x, arrays[0], (2, 2), "SAME", dimension_numbers=_NHWC)
                x = x + arrays[1] if len(arrays) == 2 else x
            else:
                x = x.reshape(len(x), -1) @ arrays[0] + arrays[1]
            if kind != "Dense" and kinds[i + 1] != "BatchNormalization":
                x = jax.nn.leaky_relu(x, 0.2)
            written.append(moving)
        return x, written

    def update(self, player, weights, optimizer, gradients):
        """Apply the gradients."""
        kind, constants = self.task.hyperparameters(player)
        return (_adam if kind == "Adam" else _rmsprop)(constants, weights, optimizer, gradients)

    def moments(self, optimizer):
        """Return Adam's step count, its first and its second moments."""
        t, first, second = optimizer
        return t, jax.tree.leaves(first), jax.tree.leaves(second)


_NHWC = ("NHWC", "HWIO", "NHWC")


def _batch_norm(x, gamma, beta, moving_mean, moving_variance):
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    moving = (0.9 * moving_mean + 0.1 * mean, 0.9 * moving_variance + 0.1 * variance)
    return (x - mean) * (lax.rsqrt(variance + 1e-5) * gamma) + beta, moving


def _adam(c, weights, optimizer, gradients):
    t, first, second = optimizer
    t = t + 1.0
    beta_1, beta_2 = c["beta_1"], c["beta_2"]
    rate = c["learning_rate"] * jnp.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    first = jax.tree.map(lambda m, g: m + (1.0 - beta_1) * (g - m), first, gradients)
    second = jax.tree.map(lambda s, g: s + (1.0 - beta_2) * (g * g - s), second, gradients)
    weights = jax.tree.map(
        lambda w, m, s: w - rate * m / (jnp.sqrt(s) + c["epsilon"]), weights, first, second
    )
    return weights, (t, first, second)


def _rmsprop(c, weights, optimizer, gradients):
    t, first, second = optimizer
    second = jax.tree.map(lambda s, g: s + (1.0 - c["rho"]) * (g * g - s), second, gradients)
    weights = jax.tree.map(
        lambda w, g, s: w - c["learning_rate"] * g * lax.rsqrt(s + c["epsilon"]),
        weights,
        gradients,
        second,
    )
    return weights, (t + 1.0, first, second)
