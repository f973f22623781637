"""Models from recipes, and trainings that stop for a look."""

import time

import keras
import numpy as np

from kerasgan import gans, penalties
from kerasgan.adversarial.optimizer import falling


def build(recipe, networks, steps=None):
    """Return the compiled model of a recipe.

    Args:
        recipe: A dict: `model`, a name in `kerasgan.gans.VARIANTS`; `seed`; and where they differ
            from the variant's own, `arguments`, `of_steps` (arguments as shares of the steps),
            `penalties` (pairs of a class name and a weight), the learning rates `generator` and
            `critic` (see `rate`), and `beta_1`, `beta_2` of Adam. None is the variant's own.
        networks: Its generator and critic.
        steps: Critic steps of the training, where the recipe has shares of them.
    """
    variant = gans.VARIANTS[recipe["model"]]
    arguments = dict(recipe.get("arguments", {}))
    for name, share in recipe.get("of_steps", {}).items():
        arguments[name] = max(1, round(share * steps))
    added = [getattr(penalties, kind)(weight) for kind, weight in recipe.get("penalties", ())]
    model = variant(*networks, penalties=added, seed=recipe["seed"], **arguments)
    optimizers = model.default_optimizers()
    for optimizer, player in zip(optimizers, ("generator", "critic"), strict=True):
        if recipe.get(player) is not None:
            turns = model.n_critic if player == "generator" else 1
            optimizer.learning_rate = rate(recipe[player], steps and steps // turns)
        for name in ("beta_1", "beta_2"):
            if recipe.get(name) is not None and hasattr(optimizer, name):
                setattr(optimizer, name, recipe[name])
    model.compile(*optimizers)
    return model


def rate(given, steps):
    """Return a learning rate, or its schedule over an optimizer's steps.

    Args:
        given: A number; `{"boundaries": [...], "values": [...]}` in steps; or `{"cosine": [first,
            last]}`, along half a cosine over the whole training.
        steps: Of the optimizer in the whole training.
    """
    if not isinstance(given, dict):
        return given
    if "cosine" in given:
        return falling(*given["cosine"], steps)
    return keras.optimizers.schedules.PiecewiseConstantDecay(**given)


class LooksAt(keras.callbacks.Callback):
    """Calls `look(step)` when so many critic steps were taken, and ends the training at the last.

    Args:
        moments: Numbers of steps.
        look: What is called.
    """

    def __init__(self, moments, look):
        super().__init__()
        self.moments = set(moments)
        self.look = look
        self.seen = 0
        self.looking = np.zeros(2)

    def on_train_batch_begin(self, batch, logs=None):
        # Before the next step and not after this one, when JAX would have to wait for its logs.
        if self.seen in self.moments:
            start = _clocks()
            self.look(self.seen)
            self.looking += _clocks() - start
        if self.seen >= max(self.moments):
            self.model.stop_training = True
        self.seen += 1


def train(model, dataset, moments, look, callbacks=()):
    """Train for `max(moments)` critic steps, look at each moment, and return what it took.

    That is seconds, and seconds of one core, which other programs on the machine change less; the
    looks are in neither.

    Args:
        model: A compiled model.
        dataset: A `kerasgan.data.ImageDataset`.
        moments: Numbers of critic steps.
        look: A callable that takes one of them.
        callbacks: Others, which come first.
    """
    watcher = LooksAt(moments, look)
    epochs = -(-(max(moments) + 1) // dataset.batches_per_epoch)
    start = _clocks()
    model.fit(dataset, epochs=epochs, verbose=0, callbacks=[*callbacks, watcher])
    return tuple(_clocks() - start - watcher.looking)


def _clocks():
    return np.array([time.perf_counter(), time.process_time()])
