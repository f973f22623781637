"""TensorFlow: both steps are a `tf.function` without XLA, whose CPU convolutions are slow."""

import tensorflow as tf

from hand_written import KerasPlayers, Loop, first_map, layers_of, sides


class _TensorFlowLoop(Loop):
    """The two steps over any networks.

    A subclass sets `generator_weights` and `critic_weights` (what is trained), `statistics`,
    `averages` and `averaged` (the last two of equal length), and gives `generate(z)`,
    `score(images, weights=None)`, `update(player, gradients)` and `critic_moments()`.
    """

    mean = staticmethod(tf.reduce_mean)
    softplus = staticmethod(tf.nn.softplus)
    sqrt = staticmethod(tf.sqrt)
    to_device = staticmethod(tf.convert_to_tensor)

    def __init__(self, task, batches):
        super().__init__(task, batches)
        self.generator_steps = tf.Variable(0.0)
        self.critic_step = tf.function(self._critic_step)
        self.generator_step = tf.function(self._generator_step)

    def _latent(self):
        return tf.random.normal((self.task.batch_size, self.task.latent_dim))

    def _critic_step(self, real):
        fake = self.generate(self._latent())
        if self.task.clip is not None:
            for w in self.critic_weights:
                w.assign(tf.clip_by_value(w, -self.task.clip, self.task.clip))
        with tf.GradientTape() as tape:
            loss = self._penalised_critic_loss(real, fake)
        self.update("critic", tape.gradient(loss, self.critic_weights))
        return loss

    def _penalised_critic_loss(self, real, fake, weights=None):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([real, fake])
            scores = [self.score(real, weights), self.score(fake, weights)]
        loss = self.critic_loss(*scores)
        if "gradient_penalty" in self.task.penalties:
            penalty = self._gradient_penalty(real, fake)
            loss += self.task.penalties["gradient_penalty"] * penalty
        if "r1" in self.task.penalties:
            gradients = tape.gradient(scores, [real, fake])
            for name, g in zip(("r1", "r2"), gradients, strict=True):
                norms = tf.reduce_sum(tf.square(g), axis=(1, 2, 3))
                loss += 0.5 * self.task.penalties[name] * tf.reduce_mean(norms)
        return loss

    def _gradient_penalty(self, real, fake):
        epsilon = tf.random.uniform((self.task.batch_size, 1, 1, 1))
        between = epsilon * real + (1.0 - epsilon) * fake
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            scores = self.score(between)
        gradients = tape.gradient(scores, between)
        norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)
        return tf.reduce_mean(tf.square(norms - 1.0))

    def _generator_step(self, real):
        with tf.GradientTape() as tape:
            fake = self.generate(self._latent())
            weights = self._critic_ahead(real, fake) if self.task.unrolled_steps else None
            needed = self.task.loss in ("relativistic", "minimax")
            real_scores = self.score(real, weights) if needed else None
            loss = self.generator_loss(real_scores, self.score(fake, weights))
        self.update("generator", tape.gradient(loss, self.generator_weights))
        self.generator_steps.assign_add(1.0)
        t = self.generator_steps
        decay = tf.minimum(self.task.ema, (1.0 + t) / (10.0 + t))
        for average, value in zip(self.averages, self.averaged, strict=True):
            average.assign_add((1.0 - decay) * (value - average))
        return loss

    def _critic_ahead(self, real, fake):
        def gradients_of(weights):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(weights)
                loss = self._penalised_critic_loss(real, fake, weights)
            return tape.gradient(loss, weights)

        weights = [tf.convert_to_tensor(w) for w in self.critic_weights]
        return self.unrolled(weights, self.critic_moments(), gradients_of)

    def synchronize(self):
        """Wait for the last step."""
        self.critic_weights[0].numpy()
        self.generator_weights[0].numpy()

    def snapshot(self):
        return {
            "generator": [v.numpy() for v in self.generator_weights],
            "critic": [v.numpy() for v in self.critic_weights],
            "statistics": [v.numpy() for v in self.statistics],
            "average": [v.numpy() for v in self.averages],
        }


class KerasLoop(KerasPlayers, _TensorFlowLoop):
    """The loop of Keras' guide to custom training on TensorFlow."""

    def __init__(self, task, batches, generator, critic, average):
        super().__init__(task, batches)
        self.hold(generator, critic, average)
        self.generator_weights = self.weights["generator"]
        self.critic_weights = self.weights["critic"]

    def critic_moments(self):
        """Return Adam's step count, its first and its second moments."""
        count = tf.cast(self.optimizers["critic"].iterations.value, tf.float32)
        return count, *super().critic_moments()

    def update(self, player, gradients):
        """Apply the gradients with a Keras optimizer."""
        self.optimizers[player].apply(gradients, self.variables[player])


class NativeLoop(_TensorFlowLoop):
    """`tf.nn` and `tf.Variable`, with Adam and RMSprop written out.

    Args:
        task: A `Task`.
        batches: NumPy batches of real images.
        generator: The Keras generator whose architecture and weights are copied.
        critic: The Keras critic, likewise.
    """

    def __init__(self, task, batches, generator, critic):
        super().__init__(task, batches)
        layers = layers_of(generator)
        self._first = first_map(layers)
        self._sides = sides(self._first[0], batches[0].shape[1])
        self._generator, self._critic = _variables(layers), _variables(layers_of(critic))
        self.generator_weights = _trainable(self._generator)
        self.critic_weights = _trainable(self._critic)
        self.averaged = [v for _, variables in self._generator for v in variables]
        layers = (*self._generator, *self._critic)
        self.statistics = [v for _, vs in layers for v in vs if not v.trainable]
        self.averages = [tf.Variable(v, trainable=False) for v in self.averaged]
        self._states = {
            "generator": _Optimizer(*task.hyperparameters("generator"), self.generator_weights),
            "critic": _Optimizer(*task.hyperparameters("critic"), self.critic_weights),
        }

    def update(self, player, gradients):
        """Apply the gradients."""
        self._states[player].apply(gradients)

    def critic_moments(self):
        """Return Adam's step count, its first and its second moments."""
        state = self._states["critic"]
        return state.steps, state.first, state.second

    def generate(self, z):
        """Return the images of latent vectors, in training mode."""
        side, maps = self._first
        (_, (kernel,)), *rest = self._generator
        x = tf.reshape(z @ kernel, (self.task.batch_size, side, side, maps))
        following = iter(self._sides[1:])
        for kind, variables in rest:
            if kind == "BatchNormalization":
                x = tf.nn.relu(_batch_norm(x, *variables))
                continue
            shape = (self.task.batch_size, 2 * side, 2 * side, variables[0].shape[2])
            x = tf.nn.conv2d_transpose(x, variables[0], shape, 2, "SAME")
            side = next(following)
            x = x[:, :side, :side] if side < x.shape[1] else x
        return tf.tanh(tf.nn.bias_add(x, variables[1]))

    def score(self, images, weights=None):
        """Return the scores of images, in training mode; with other weights if they are given."""
        x = images
        layers = self._critic if weights is None else _substituted(self._critic, weights)
        *body, (_, (kernel, bias)) = layers
        for i, (kind, variables) in enumerate(body):
            if kind == "BatchNormalization":
                x = _batch_norm(x, *variables)
            else:
                x = tf.nn.conv2d(x, variables[0], 2, "SAME")
                if len(variables) == 2:
                    x = tf.nn.bias_add(x, variables[1])
            if i + 1 == len(body) or body[i + 1][0] != "BatchNormalization":
                x = tf.nn.leaky_relu(x, 0.2)
        return tf.reshape(x, (self.task.batch_size, -1)) @ kernel + bias


def _variables(layers):
    """Return the layers with a `tf.Variable` for each array; moving statistics are not trained."""
    made = []
    for kind, arrays in layers:
        trained = 2  # A kernel and its bias, or gamma and beta.
        made.append((kind, [tf.Variable(a, trainable=i < trained) for i, a in enumerate(arrays)]))
    return made


def _trainable(layers):
    return [v for _, variables in layers for v in variables if v.trainable]


def _substituted(layers, weights):
    """Return the layers with `weights` in place of what `_trainable` returns of them."""
    following = iter(weights)
    return [(kind, [next(following) if v.trainable else v for v in vs]) for kind, vs in layers]


def _batch_norm(x, gamma, beta, moving_mean, moving_variance):
    """Normalise over the batch with TensorFlow's fused kernel; update the moving statistics."""
    x, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-5)
    moving_mean.assign_sub(0.1 * (moving_mean - mean))
    moving_variance.assign_sub(0.1 * (moving_variance - variance))
    return x


class _Optimizer:
    """Adam or RMSprop."""

    def __init__(self, kind, constants, variables):
        self.kind, self.constants = kind, constants
        self.variables = variables
        self.steps = tf.Variable(0.0, trainable=False)
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]

    def apply(self, gradients):
        """Move the variables once."""
        self.steps.assign_add(1.0)
        (self._adam if self.kind == "Adam" else self._rmsprop)(gradients)

    def _adam(self, gradients):
        c = self.constants
        beta_1, beta_2 = c["beta_1"], c["beta_2"]
        rate = c["learning_rate"] * tf.sqrt(1.0 - beta_2**self.steps) / (1.0 - beta_1**self.steps)
        for v, m, s, g in zip(self.variables, self.first, self.second, gradients, strict=True):
            m.assign_add((1.0 - beta_1) * (g - m))
            s.assign_add((1.0 - beta_2) * (tf.square(g) - s))
            v.assign_sub(rate * m / (tf.sqrt(s) + c["epsilon"]))

    def _rmsprop(self, gradients):
        c = self.constants
        for v, s, g in zip(self.variables, self.second, gradients, strict=True):
            s.assign_add((1.0 - c["rho"]) * (tf.square(g) - s))
            v.assign_sub(c["learning_rate"] * g / tf.sqrt(s + c["epsilon"]))
