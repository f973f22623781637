"""Training loops as an expert would write them by hand, one file a backend.

Each file offers the same two classes, both with the losses, the schedule and the optimizers of
one kerasgan model:

- `KerasLoop`: the same Keras networks and Keras optimizers, in a loop of the backend's own.
- `NativeLoop`: the same architecture and optimizers in the backend's own layers; no Keras at all.

Neither keeps the running means of the losses that `fit` logs, checks its input, or can be saved and
resumed. `step_overhead.py` includes the time that kerasgan needs for these.
"""

import dataclasses
import math
import time

import keras


@dataclasses.dataclass(frozen=True)
class Task:
    """The training that the loops do: everything but the networks.

    Args:
        loss: "non_saturating", "minimax", "wasserstein" or "relativistic".
        n_critic: Critic steps for each generator step.
        latent_dim: Width of the latent vectors.
        batch_size: Images in one critic step.
        ema: Decay of the generator's moving average.
        clip: WGAN's bound of the critic's weights, or None.
        penalties: Weights of the penalties by name: "gradient_penalty", or "r1" and "r2" together.
        unrolled_steps: Number of unrolled critic steps; 0 for none. With unrolled steps, the
            critic has Adam and no batch normalisation.
        optimizers: The serialized optimizers of the "generator" and the "critic".
    """

    loss: str
    n_critic: int
    latent_dim: int
    batch_size: int
    ema: float
    clip: float | None
    penalties: dict
    unrolled_steps: int
    optimizers: dict

    @classmethod
    def of(cls, gan, batch_size):
        """Return the task of the compiled `gan`."""
        pair = {
            "generator": gan.optimizer.generator_optimizer,
            "critic": gan.optimizer.critic_optimizer,
        }
        return cls(
            loss=gan.adversarial_loss.name,
            n_critic=gan.n_critic,
            latent_dim=gan.latent_dim,
            batch_size=batch_size,
            ema=gan.ema,
            clip=getattr(gan, "clip", None),
            penalties={penalty.name: penalty.weight for penalty in gan.penalties},
            unrolled_steps=getattr(gan, "unrolled_steps", 0),
            optimizers={p: keras.optimizers.serialize(o) for p, o in pair.items()},
        )

    def keras_optimizer(self, player):
        """Return a new Keras optimizer for the generator or the critic."""
        return keras.optimizers.deserialize(dict(self.optimizers[player]))  # It writes to it.

    def hyperparameters(self, player):
        """Return the name of the optimizer, "Adam" or "RMSprop", and its constants."""
        return self.optimizers[player]["class_name"], self.optimizers[player]["config"]


class Loop:
    """The schedule, the losses and the unrolling.

    A backend gives `to_device(batch)`, `critic_step(real)` and `generator_step(real)`, which
    return the losses, and `synchronize()`; and it names its `mean`, `softplus` and `sqrt`, the last
    unless it defines its own `adam`.

    Args:
        task: A `Task`.
        batches: NumPy batches of real images, used in turn. A loop may convert them to its
            preferred layout once, before the timing begins.
    """

    def __init__(self, task, batches):
        self.task = task
        self.batches = batches
        self.critic_steps = 0

    def train(self, rounds):
        """Train for some rounds and return the losses of both networks, as backend scalars."""
        losses = {"critic": [], "generator": []}
        for _ in range(rounds):
            for _ in range(self.task.n_critic):
                real = self.to_device(self.batches[self.critic_steps % len(self.batches)])
                losses["critic"].append(self.critic_step(real))
                self.critic_steps += 1
            losses["generator"].append(self.generator_step(real))
        self.synchronize()
        return losses

    def turn(self, rounds):
        """Return the seconds that some rounds take, to the end of their last computation."""
        started = time.perf_counter()
        self.train(rounds)
        return time.perf_counter() - started

    def average_decay(self, generator_steps):
        """Return the decay of the moving average after so many generator steps."""
        return min(self.task.ema, (1.0 + generator_steps) / (10.0 + generator_steps))

    def critic_loss(self, real, fake):
        """Return the critic's loss from the scores, without penalties."""
        if self.task.loss == "wasserstein":
            return self.mean(fake) - self.mean(real)
        if self.task.loss == "relativistic":
            return self.mean(self.softplus(fake - real))
        return self.mean(self.softplus(-real)) + self.mean(self.softplus(fake))

    def generator_loss(self, real, fake):
        """Return the generator's loss from the scores; those of real images may be None.

        The relativistic loss uses them. The minimax loss uses them where the critic's weights, and
        so its scores of real images, depend on the generator.
        """
        if self.task.loss == "wasserstein":
            return -self.mean(fake)
        if self.task.loss == "relativistic":
            return self.mean(self.softplus(real - fake))
        if self.task.loss == "minimax":
            return -self.critic_loss(real, fake)
        return self.mean(self.softplus(-fake))

    def unrolled(self, weights, moments, gradients_of):
        """Return the critic's weights after the unrolled steps.

        Args:
            weights: A list of the weights now.
            moments: The number of steps that the critic's Adam has made, and the lists of its
                first and second moments.
            gradients_of: From such weights to the gradients of the critic's loss, differentiable.
        """
        c = self.task.hyperparameters("critic")[1]
        t, first, second = moments
        for _ in range(self.task.unrolled_steps):
            t = t + 1.0
            rate = c["learning_rate"] * (1.0 - c["beta_2"] ** t) ** 0.5 / (1.0 - c["beta_1"] ** t)
            gradients = gradients_of(weights)
            weights, first, second = self.adam(c, rate, weights, first, second, gradients)
        return weights

    def adam(self, c, rate, weights, first, second, gradients):
        """Return weights and moments after one step, differentiable where a gradient is zero.

        Args:
            c: Adam's constants.
            rate: The learning rate, corrected for the moments' start at zero.
            weights: Each of these four is a list.
            first: The first moments.
            second: The second moments.
            gradients: Of the loss.
        """
        moved = []
        for w, m, s, g in zip(weights, first, second, gradients, strict=True):
            m = m + (1.0 - c["beta_1"]) * (g - m)
            s = s + (1.0 - c["beta_2"]) * (g * g - s)
            moved.append((w - rate * m / self.sqrt(s + c["epsilon"] ** 2), m, s))
        return map(list, zip(*moved, strict=True))

    def snapshot(self):
        """Return lists of NumPy arrays by name.

        "generator" and "critic" hold what is trained, "statistics" the moving statistics of both,
        and "average" the generator's moving average, its statistics included.
        """
        raise NotImplementedError


class KerasPlayers:
    """Keras networks and optimizers, for loops that change their variables in place.

    `hold` sets the attributes that `generate`, `score` and `critic_moments` use, and the loops of
    TensorFlow and PyTorch.
    """

    def hold(self, generator, critic, average):
        """Keep the networks, build their optimizers, and list their tensors."""
        self.networks = {"generator": generator, "critic": critic}
        self.variables = {p: network.trainable_variables for p, network in self.networks.items()}
        self.weights = {p: [v.value for v in vs] for p, vs in self.variables.items()}
        self.optimizers = {player: self.task.keras_optimizer(player) for player in self.networks}
        for player, optimizer in self.optimizers.items():
            optimizer.build(self.variables[player])
        statistics = (*generator.non_trainable_variables, *critic.non_trainable_variables)
        self.statistics = [v.value for v in statistics]
        self.averages = [v.value for v in average.variables]
        self.averaged = [v.value for v in generator.variables]

    def generate(self, z):
        """Return the images of latent vectors, in training mode."""
        return self.networks["generator"](z, training=True)

    def score(self, images, weights=None):
        """Return the scores of images, in training mode; with other weights if they are given."""
        critic = self.networks["critic"]
        if weights is None:
            return critic(images, training=True)
        # Not torch.func.functional_call, which Keras' variables do not heed.
        statistics = critic.non_trainable_variables
        return critic.stateless_call(weights, statistics, images, training=True)[0]

    def critic_moments(self):
        """Return the first and second moments of the critic's Adam."""
        adam = self.optimizers["critic"]
        return [[v.value for v in vs] for vs in (adam._momentums, adam._velocities)]


def layers_of(network):
    """Return `(kind, arrays)` of each layer that holds weights, in order, from a Keras network."""
    layers = [(type(layer).__name__, layer.get_weights()) for layer in network.layers]
    return [(kind, arrays) for kind, arrays in layers if arrays]


def first_map(layers):
    """Return `(side, maps)` of the generator's smallest feature map, from its `layers_of`."""
    width = layers[0][1][0].shape[1]
    maps = len(layers[1][1][0])  # The batch normalisation after it has one gamma a map.
    return round((width / maps) ** 0.5), maps


def sides(first, image_size):
    """Return the sides of the generator's maps; where doubling passes them it crops."""
    found = [image_size]
    while found[0] > first:
        found.insert(0, math.ceil(found[0] / 2))
    return found
