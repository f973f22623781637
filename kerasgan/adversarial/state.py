"""What an adversarial model stores of itself, beside its networks and its optimizers."""

import keras
import numpy as np

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
    for name, variable in weights.items():
        store[f"weight_{name}"] = variable


def load(model, store):
    """Take back what `save` wrote, and return the model's own weights as Keras takes them.

    Files of version 0.1 hold the means of past weights alone, as `past_0`, `past_1`, ...
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
    old = {name.removeprefix("past_"): store[name] for name in names if name.startswith("past_")}
    new = (name for name in names if name.startswith("weight_"))
    return old or {name.removeprefix("weight_"): store[name] for name in new}


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


def past_weights(model, network):
    """Return variables for the means of a network's past weights, zero at the start."""
    return [
        model.add_weight(shape=v.shape, dtype=v.dtype, initializer="zeros", trainable=False)
        for v in network.trainable_variables
    ]


def renamed(config):
    """Return a configuration with the names of today's arguments, and the laziness of penalties.

    Version 0.1 had other names, and one interval for all penalties, which each has for itself now.
    """
    names = {
        "alpha": "learning_rate",
        "critic_alpha": "critic_learning_rate",
        "final_alpha": "final_learning_rate",
    }
    config = {names.get(key, key): value for key, value in config.items()}
    return config, config.pop("penalty_interval", 1)


def _seeds(model):
    return [(f"seed_{i}", v) for i, v in enumerate(seed_states(model))]


def _metrics(model):
    variables = [v for metric in own_metrics(model) for v in metric.variables]
    return [(f"metric_{i}", v) for i, v in enumerate(variables)]


def summary(model, **options):
    """Print both networks' summaries; see `AdversarialModel.summary`."""
    lines = options.pop("print_fn", None) or print
    for title, network in (("Generator", model.generator), ("Critic", model.critic)):
        lines(f"{title} of {type(model).__name__} {model.name!r}")
        network.summary(print_fn=lines, **options)
    counts = model.generator.count_params(), model.critic.count_params()
    lines(
        f"Generator {counts[0]:,} and critic {counts[1]:,} parameters; latent vectors "
        f"{(None, *model.latent_shape)}, images {(None, *model.image_shape)}."
    )


def serialized(items):
    """Return Keras objects as JSON values."""
    return [keras.saving.serialize_keras_object(item) for item in items]
