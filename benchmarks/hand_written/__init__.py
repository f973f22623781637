"""Training loops as an expert would write them by hand, one file a backend.

Each file offers the same two classes, both with the losses, the schedule and the optimizers of
one kerasgan model:

- `KerasLoop`: the same Keras networks and Keras optimizers, in a loop of the backend's own.
- `NativeLoop`: the same architecture and optimizers in the backend's own layers; no Keras at all.

Neither keeps the running means of the losses that `fit` logs, nor checks its input, nor can it be
saved or resumed: what kerasgan does for these is part of what `step_overhead.py` measures.
"""

import dataclasses
import math
import time

import keras


@dataclasses.dataclass(frozen=True)
class Task:
    """What the loops train: everything but the networks.

    Args:
        variant: "gan", "wgan" or "wgan_gp".
        n_critic: Critic steps for each generator step.
        latent_dim: Width of the latent vectors.
        batch_size: Images in one critic step.
        ema: Decay of the generator's moving average.
        clip: WGAN's bound of the critic's weights, or None.
        gp_weight: Weight of the gradient penalty, or None.
        optimizer: The critic's optimizer, serialized; the generator has the same.
    """

    variant: str
    n_critic: int
    latent_dim: int
    batch_size: int
    ema: float
    clip: float | None
    gp_weight: float | None
    optimizer: dict

    @classmethod
    def of(cls, gan, variant, batch_size):
        """Return the task that the compiled `gan` has."""
        pair = gan.optimizer.critic_optimizer, gan.optimizer.generator_optimizer
        first, second = ({**o.get_config(), "name": None} for o in pair)
        if first != second:
            raise ValueError(
                "The hand-written loops take one kind of optimizer for both networks. "
                f"Received: {first} and {second}"
            )
        return cls(
            variant=variant,
            n_critic=gan.n_critic,
            latent_dim=gan.latent_dim,
            batch_size=batch_size,
            ema=gan.ema,
            clip=getattr(gan, "clip", None),
            gp_weight=getattr(gan, "gp_weight", None),
            optimizer=keras.optimizers.serialize(pair[0]),
        )

    def keras_optimizer(self):
        """Return a new Keras optimizer."""
        return keras.optimizers.deserialize(self.optimizer)

    @property
    def hyperparameters(self):
        """The name of the optimizer, "Adam" or "RMSprop", and its constants."""
        return type(self.keras_optimizer()).__name__, self.optimizer["config"]


class Loop:
    """The schedule; a backend gives `critic_step(real)`, `generator_step()` and `synchronize()`.

    Args:
        task: A `Task`.
        batches: NumPy batches of real images, used in turn; a loop may bring them into its
            preferred layout once, before the clock runs.
    """

    def __init__(self, task, batches):
        self.task = task
        self.batches = batches
        self.critic_steps = 0

    def play(self, rounds):
        """Train for some rounds and return the critic's losses, as the backend's scalars."""
        losses = []
        for _ in range(rounds):
            for _ in range(self.task.n_critic):
                real = self.batches[self.critic_steps % len(self.batches)]
                losses.append(self.critic_step(real))
                self.critic_steps += 1
            self.generator_step()
        self.synchronize()
        return losses

    def turn(self, rounds):
        """Return the seconds that some rounds take, to the end of their last computation."""
        started = time.perf_counter()
        self.play(rounds)
        return time.perf_counter() - started

    def average_decay(self, generator_steps):
        """Return the decay of the moving average after so many generator steps."""
        return min(self.task.ema, (1.0 + generator_steps) / (10.0 + generator_steps))

    def snapshot(self):
        """Return lists of NumPy arrays by name.

        "generator" and "critic" hold what is trained, "statistics" the moving statistics of both,
        and "average" the generator's moving average, its statistics included.
        """
        raise NotImplementedError


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
