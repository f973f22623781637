"""What an adversarial model stores of itself, beside its networks and its optimizers."""

import itertools
import re

import keras
import numpy as np
from keras import ops

from kerasgan.backend import private

COUNTERS = ("critic_steps", "generator_steps", "critic_steps_this_round")


def save(model, store, weights):
    """Write the counters of the schedule, the seeds, and the model's own weights and metrics.

    Args:
        model: An adversarial model.
        store: A mapping from names to arrays.
        weights: A mapping of the model's own weights, as Keras stores them.
    """
    store["schedule"] = np.array([getattr(model, counter) for counter in COUNTERS])
    for name, variable in [*_seeds(model), *_metrics(model)]:
        store[name] = variable
    for name, variable in zip(_names(model, weights), weights.values(), strict=True):
        store[name] = variable


def load(model, store, weights):
    """Take back what `save` wrote, and return the model's own weights as Keras takes them.

    Files of version 0.1 hold the means of past weights alone, as `past_0`, `past_1`, ...

    Args:
        model: An adversarial model.
        store: What `save` wrote.
        weights: A mapping of the model's own weights, as Keras stores them now.

    Raises:
        ValueError: If the stored weights are not those that the model has.
    """
    schedule = [int(value) for value in np.array(store["schedule"])]
    for counter, value in zip(COUNTERS, schedule, strict=True):
        setattr(model, counter, value)
    names = set(store.keys())
    for name, variable in _seeds(model):
        variable.assign(store[name])
    for name, variable in _metrics(model):
        if name in names:
            variable.assign(store[name])
    stored = {re.sub("^past_", "weight_", name): name for name in names}
    found = {name for name in stored if name.startswith(("weight_", "penalty_"))}
    expected = _names(model, weights)
    if found != set(expected):
        raise ValueError(
            "the stored weights of the model itself, beside its networks, must be "
            f"{sorted(expected)}. Received: {sorted(found)}"
        )
    return {key: store[stored[name]] for key, name in zip(weights, expected, strict=True)}


def seed_states(model):
    """Return the states of all seed generators, the model's and every layer's.

    Keras counts them as variables but not as weights, and saves weights alone.
    """
    weights = {id(weight) for weight in model.weights}
    return [v for v in model.non_trainable_variables if id(v) not in weights]


def own_metrics(model):
    """Return the metrics that a subclass added, beside the means of losses and penalties."""
    known = {id(tracker) for tracker in model.trackers.values()}
    known.add(id(private.loss_tracker(model)))
    return [metric for metric in model.metrics if id(metric) not in known]


def not_finite(model):
    """Return the name of a variable that holds NaN or infinity, "a generated image", or None.

    Losses tell less: they were computed before the last update, which may have broken the weights.
    """
    model.synchronize()
    variables = [
        variable
        for variable in (*model.weights, *model.optimizer.variables)
        if keras.backend.is_float_dtype(variable.dtype)
    ]
    finite = ops.stack([ops.all(ops.isfinite(variable)) for variable in variables])
    finite = ops.convert_to_numpy(finite)  # One read of the device for all of them.
    if not finite.all():
        return variables[int(finite.argmin())].path
    images = model.sample(16, seed=0)
    return None if np.isfinite(images).all() else "a generated image"


def past_weights(model, network):
    """Return variables for the means of a network's past weights, zero at the start.

    There is one for each weight of `private.weights_that_can_train`, frozen or not.
    """
    return [
        model.add_weight(shape=v.shape, dtype=v.dtype, initializer="zeros", trainable=False)
        for v in private.weights_that_can_train(network)
    ]


def frozen(model):
    """Return which layers of the networks are frozen, as a part of the model's configuration.

    Networks of the library are configured by the arguments of their builders, without layers.
    """
    flags = {
        name: [layer.trainable for layer in private.flat_layers(getattr(model, name))]
        for name in ("generator", "critic")
    }
    return {} if all(map(all, flags.values())) else {"frozen": flags}


def freeze(model, flags):
    """Freeze the layers that `frozen` noted."""
    for name, trainable in flags.items():
        layers = private.flat_layers(getattr(model, name))
        for layer, flag in zip(layers, trainable, strict=True):  # Those around others come first.
            layer.trainable = flag


def lazy(model):
    """Return `every` of the variant's own penalties, as a part of the model's configuration.

    Penalties that the model was given have it in their own.
    """
    pairs = zip(model._penalty_names(), model.penalties, strict=True)
    every = {name: p.every for name, p in pairs if p not in model.added_penalties}
    return {"lazy": every} if every else {}


def renamed(config):
    """Return a configuration with the names of today's arguments, and the laziness of penalties.

    Version 0.1 had other names, and one interval for all penalties, which each has for itself now.

    Returns:
        The configuration, what `lazy` noted, and the interval of version 0.1.
    """
    names = {
        "alpha": "learning_rate",
        "critic_alpha": "critic_learning_rate",
        "final_alpha": "final_learning_rate",
    }
    config = {names.get(key, key): value for key, value in config.items()}
    return config, config.pop("lazy", {}), config.pop("penalty_interval", 1)


def _names(model, weights):
    """Name the model's own weights: those of a penalty by its name, the others by their order.

    By order alone, a penalty that was added last would be loaded into the weights of a subclass,
    which are created after those of the penalties that the constructor is given.
    """
    names = {
        id(variable): f"penalty_{name.replace('/', '|')}_{i}"  # A slash would make a group.
        for name, variables in model._penalty_weights.items()
        for i, variable in enumerate(variables)
    }
    numbers = itertools.count()
    return [names.get(id(v)) or f"weight_{next(numbers)}" for v in weights.values()]


def _seeds(model):
    return [(f"seed_{i}", v) for i, v in enumerate(seed_states(model))]


def _metrics(model):
    variables = [v for metric in own_metrics(model) for v in metric.variables]
    return [(f"metric_{i}", v) for i, v in enumerate(variables)]
