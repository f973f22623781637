"""Every private name of Keras and of the backends that the package uses, but for random numbers.

Private names may go in any release, so each stands here once, with what it is for and what happens
without it. `kerasgan` pins Keras to the minor release with which these were tried, and a test calls
each function. Those of random numbers stand in `private_random.py`.
"""

import contextlib
import functools
import threading

from keras import ops

active = threading.local()  # What holds in this thread, for what is replaced here.

# What Keras sets to the state after each step on JAX. Under another name, only time would be lost.
JAX_STATE = "_jax_state"


@contextlib.contextmanager
def inside(name, value):
    """Return a context inside of which `active` has this attribute, in this thread."""
    before = getattr(active, name, None)
    setattr(active, name, value)
    try:
        yield
    finally:
        setattr(active, name, before)


def weights_that_can_train(model):
    """Return the weights that a model trains where none of its layers is frozen, in their order.

    `Layer._trainable_variables`. Without it, `historical_averaging` loses its means when a part of
    a network is frozen.
    """
    known = {id(v) for layer in flat_layers(model) for v in layer._trainable_variables}
    return [v for v in model.variables if id(v) in known]


def remember_what_saving_skips():
    """Let Keras remember which attributes of an optimizer it does not save.

    `saving_lib.get_attr_skipset`. Keras 3.15 looks for what it remembers under another name than
    that under which it writes it, and so makes an optimizer for each save. On TensorFlow each costs
    0.07 MB that never come back, as two optimizers did after every epoch. Without this, memory
    grows.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src.backend.common import global_state
        from keras.src.saving import saving_lib

        name = "saving_attr_skiplist_Optimizer"
        if global_state.get_global_attribute(name) is None:
            global_state.set_global_attribute(name, saving_lib.get_attr_skipset("Optimizer"))


def leave_out_tensorflow():
    """Let Keras, on another backend, not import TensorFlow to save a model or to set a seed.

    `LazyModule._available` of `keras.src.utils.module_utils.tensorflow`. With TensorFlow installed,
    Keras would ask it of each object that it saves whether it is one of TensorFlow's. Without this,
    a training takes two seconds and 300 MB more.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src.utils import module_utils

        if module_utils.tensorflow.module is None:
            module_utils.tensorflow._available = False


def leave_own_pipelines_untuned():
    """Let batches that say so go through TensorFlow's pipelines without tf.data tuning these.

    `PyDatasetAdapter.get_tf_dataset`. Keras lets go of the iterator of an epoch before its end is
    read, and tf.data may then wait until its next tuning is due: 0.01 * (2^k - 1) seconds after the
    epoch began, or a minute after the last one. Without this, time is lost.
    """
    with contextlib.suppress(ImportError, AttributeError):
        import tensorflow as tf
        from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

        tuned = PyDatasetAdapter.get_tf_dataset

        @functools.wraps(tuned)
        def get_tf_dataset(adapter):
            found = tuned(adapter)
            if not getattr(adapter.py_dataset, "untuned", False):
                return found
            options = tf.data.Options()
            options.autotune.enabled = False
            return found.with_options(options)

        PyDatasetAdapter.get_tf_dataset = get_tf_dataset


def flat_layers(model):
    """Return all layers of a model, nested ones included, the model itself first.

    `Layer._flatten_layers`. Without it, batch normalisation in a user's critic is not found and
    spectral normalisation takes no power iterations.
    """
    return list(model._flatten_layers())


def place_after(model, layer, others):
    """Move a layer that was given to a model last behind the last of some others.

    `Layer._layers`, whose order is that of `model.weights`. Without it, a model that was given a
    layer in training lists its weights in another order than the model that is loaded from its
    file, and presets and snapshots mix them up.
    """
    layers = model._layers
    if not any(layer is one for one in layers):
        return
    layers[:] = [one for one in layers if one is not layer]
    known = {id(other) for other in others}
    last = max(i for i, one in enumerate(layers) if id(one) in known)
    layers.insert(last + 1, layer)


def loss_tracker(model):
    """Return the metric with which Keras tracks the loss of `compile(loss=...)`, or None.

    `Trainer._loss_tracker`, which `Model.metrics` lists. Without it, this unused metric is stored
    beside a subclass's own.
    """
    return getattr(model, "_loss_tracker", None)


def own_optimizer_variables(optimizer):
    """Return the variables of a `MultiOptimizer` itself, without those of the optimizers in it.

    `BaseOptimizer._variables`. Without it, a stored model holds the state of both optimizers twice.
    """
    return optimizer._variables


def learning_rate_setting(optimizer):
    """Return what an optimizer's learning rate was set to: a variable, a schedule or a callable.

    `Optimizer._learning_rate`; the public property returns the present value. Without it, a guard
    cannot tell a constant rate from a schedule and cannot lower it.
    """
    return optimizer._learning_rate


def adam_moments(optimizer, variable=None):
    """Return Adam's first and second moments: two lists, or those of one variable.

    `Adam._momentums`, `Adam._velocities` and `Optimizer._get_variable_index`. Without them,
    `BurnInAdam` and the unrolled steps of Adam cannot be computed.
    """
    groups = optimizer._momentums, optimizer._velocities
    if variable is None:
        return groups
    index = optimizer._get_variable_index(variable)
    return tuple(group[index] for group in groups)


def overrides(callback, name):
    """Return whether a Keras callback has a method of its own, not that of `keras.callbacks`.

    The mark `_is_default`, by which Keras too decides whether to wait for each step. Without it,
    every step of `fit` waits for its logs.
    """
    return not getattr(getattr(callback, name), "_is_default", False)


def give_back_jax_state(model, state):
    """Give a model on JAX the values back that Keras took out of its variables for an epoch.

    `Trainer._jax_state`, `Trainer._jax_state_synced` and `jax_state_sync`. Without it, an error or
    an interrupt in a step leaves a model without weights, which cannot be used any more.

    Args:
        model: The model.
        state: Lists of values by "trainable", "non_trainable", "optimizer" and "metrics".
    """
    import jax

    if any(leaf.is_deleted() for leaf in jax.tree.leaves(state)):  # The step had taken them.
        return
    model._jax_state = {f"{name}_variables": values for name, values in state.items()}
    model._jax_state_synced = False
    model.jax_state_sync()


def hide_jax_state(model):
    """Take the values out of a model's variables again, as Keras does for an epoch on JAX.

    `Trainer._purge_model_variables` and `Trainer._jax_state_synced`. Without it, variables keep
    arrays that the next step takes, and Keras would go on from those.
    """
    model._purge_model_variables(
        trainable_variables=True,
        non_trainable_variables=True,
        optimizer_variables=True,
        metrics_variables=True,
    )
    model._jax_state_synced = False


def jax_service():
    """Return the client of the service by which processes of JAX have met.

    `jax._src.distributed.global_state.client`. Without it, processes would have to wait for each
    other on their devices, which they do for half a minute only.
    """
    from jax._src import distributed

    return distributed.global_state.client


def abandon_jax_service():
    """Do not wait for the other processes of JAX when this one ends.

    `client` and `service` of `jax._src.distributed.global_state`. JAX waits for all when Python
    ends. Without this, a process that has lost another one lasts half a minute longer, and aborts.
    """
    import ctypes

    from jax._src import distributed

    state = distributed.global_state
    for name in ("client", "service", "preemption_sync_manager"):
        # Its threads go on until the very end, and abort the process where a part is missing.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(getattr(state, name)))
        setattr(state, name, None)


def exact_moments():
    """Return a context in which Keras' normalisation layers can be differentiated twice.

    `keras.src.backend.tensorflow.nn._compute_moments`, on TensorFlow alone. It calls
    `tf.nn.moments`, whose variance stops the gradient of the mean: the first derivative is right,
    the second is not. Without it, penalties on gradients and unrolled steps are wrong where a
    critic holds BatchNormalization, LayerNormalization or GroupNormalization.
    """
    _install_exact_moments()
    return inside("exact_moments", True)


@functools.cache
def _install_exact_moments():
    from keras.src.backend.tensorflow import nn

    usual = nn._compute_moments

    @functools.wraps(usual)
    def moments(x, axes, keepdims):
        if not getattr(active, "exact_moments", None):
            return usual(x, axes, keepdims)
        mean = ops.mean(x, axes, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axes, keepdims=True)
        if not keepdims:
            mean, variance = ops.squeeze(mean, axes), ops.squeeze(variance, axes)
        return mean, variance

    nn._compute_moments = moments


def torch_update_step(optimizer):
    """Return the method with which an optimizer on PyTorch moves all variables, or None.

    `TorchParallelOptimizer._parallel_update_step`. Without it, Adam runs in Keras' own passes,
    about twelve for one kernel.
    """
    return getattr(optimizer, "_parallel_update_step", None)


def replace_torch_update_step(optimizer, step):
    """Let an optimizer on PyTorch move all variables by `step`; see `torch_update_step`."""
    object.__setattr__(optimizer, "_parallel_update_step", step)


def torch_versions(tensors):
    """Return numbers that change when a value of some tensors is written in place.

    `Tensor._version`. Without it, processes that train together would have to send all values
    before each step.
    """
    return [(id(tensor), tensor._version) for tensor in tensors]


def torch_fused_adam(*tensors, **options):
    """Run Adam's step on lists of tensors in one kernel.

    `torch._fused_adam_`, the function behind `torch.optim.Adam(fused=True)`. Without it, see
    `torch_update_step`.
    """
    import torch

    return torch._fused_adam_(*tensors, **options)


def torch_move_towards(targets, sources, share):
    """Add a share, a tensor, of the way to `sources` to some tensors, in three operations for all.

    `torch._foreach_sub`, `torch._foreach_mul_`, `torch._foreach_add_`. Without them, it takes as
    many for each tensor.
    """
    import torch

    ways = torch._foreach_sub(sources, targets)
    torch._foreach_mul_(ways, share)
    torch._foreach_add_(targets, ways)


def torch_schema(operator):
    """Return what an operator of PyTorch reads, returns and writes, or None if it is none.

    `OpOverload._schema`. Without it, nothing can be left out of a traced step.
    """
    return getattr(operator, "_schema", None)


def torch_graph(fn, *args):
    """Run a function of tensors on PyTorch, and return its operations as a `torch.fx.GraphModule`.

    `torch.fx.experimental.proxy_tensor.make_fx`. Without it, steps on PyTorch run layer by layer.
    `torch.nn.functional.one_hot` reads the labels on the host, so that no trace can contain it; in
    `keras.src.backend.torch.nn` it is replaced for that time. Without that, steps of conditional
    networks run layer by layer.
    """
    import torch
    from keras.src.backend.torch import nn
    from torch.fx.experimental import proxy_tensor

    class Functional:
        def __getattr__(self, name):
            return getattr(torch.nn.functional, name)

        def one_hot(self, labels, num_classes):
            classes = torch.arange(num_classes, device=labels.device)
            return (labels.unsqueeze(-1) == classes).to(torch.int64)

    usual, nn.tnn = nn.tnn, Functional()
    try:
        return proxy_tensor.make_fx(fn)(*args)
    finally:
        nn.tnn = usual
