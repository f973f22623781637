"""The PyTorch file of the backend package."""

import contextlib
import math
import os

import keras
import numpy as np
import torch
from torch.nn import functional

from kerasgan.backend import private, private_random, torch_traced
from kerasgan.backend.torch_group import TorchGroup
from kerasgan.backend.torch_traced import TracedStep

GROUP = TorchGroup()
MEANS_IN_STEPS = False
WARM_UP = torch_traced.WARM_UP
LONGEST_PRODUCT = 256
PREFERRED_DATA_FORMAT = "channels_first"


class Trainer:
    """Hands each batch to the model's `_train_on` and `_evaluate_on`."""

    def train_step(self, data):
        return self._train_on(data, generator_turn=True)

    def test_step(self, data):
        return self._evaluate_on(data)

    def _compile_step(self, step):
        """Return a train function around `step(data) -> logs`, as Keras makes one."""
        arguments = self._compile_arguments
        eager = arguments["run_eagerly"] or arguments["jit_compile"] is False
        if eager or GROUP.size() > 1:  # No trace contains what processes tell each other.
            return lambda data: step(data[0])
        traced = TracedStep(step, self._all_variables, compiled=arguments["jit_compile"] is True)
        return lambda data: traced(data[0])

    def _compile_several(self, steps):
        """Return None: steps are taken one after the other; see `Programs`."""

    def _one_by_one(self, step, batches):
        """Take a step on each of some batches."""
        return [step([batch]) for batch in batches][-1]

    def _fetched(self, batches):
        """Return the arguments of a step with its batch read, as it is here."""
        return (batches,)

    def _all_variables(self):
        groups = (self.variables, self.metrics_variables, self.optimizer.variables)
        return list({id(v): v for group in groups for v in group}.values())

    def synchronize(self):
        """Make the variables hold the present state, which they always do here."""


def value_and_grad(loss_fn, variables):
    """Return the loss and its gradients."""
    with torch.enable_grad():
        loss = loss_fn()
        gradients = torch.autograd.grad(
            loss, [v.value for v in variables], allow_unused=True, materialize_grads=True
        )
    loss, *gradients = GROUP.mean([loss.detach(), *gradients])
    return loss, gradients


def value_and_gradient(fn, x):
    """Return fn(x) and d sum(fn(x)) / dx, differentiable again where gradients are recorded.

    `x` may be a list.
    """
    again = torch.is_grad_enabled()
    several = isinstance(x, (list, tuple))
    with torch.enable_grad():
        points = [
            point if point.requires_grad else point.detach().requires_grad_()
            for point in (x if several else [x])
        ]
        value = fn(points if several else points[0])
        gradients = torch.autograd.grad(
            value.sum(), points, create_graph=again, allow_unused=several, materialize_grads=several
        )
    return value, list(gradients) if several else gradients[0]


def no_gradients():
    """Return a context in which autograd records nothing."""
    return torch.no_grad()


def independent_seeds():
    """Return a context in which the noise of two seeds is independent."""
    return private_random.independent_seeds()


def substituted(variables, values):
    """Return a context in which the variables have these values; what is written there is lost."""
    return keras.StatelessScope(zip(variables, values, strict=True))


def assign(variables, values):
    """Assign each value to its variable."""
    with torch.no_grad():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def move_towards(variables, values, share):
    """Add a share of the way to other values, a tensor, to variables of floats."""
    groups = {}
    for variable, value in zip(variables, values, strict=True):
        groups.setdefault(variable.value.dtype, []).append((variable.value, value))
    with torch.no_grad():
        for dtype, pairs in groups.items():
            targets, sources = zip(*pairs, strict=True)
            private.torch_move_towards(targets, sources, share.to(dtype))


def accelerated():
    """Return whether this backend computes on something other than a CPU."""
    return torch.accelerator.is_available()


def devices():
    """Return how many devices of the fastest kind there are."""
    return torch.accelerator.device_count() or 1


def on_devices(count):
    """Return a context; each device has a process of its own here, see `processes.py`."""
    return contextlib.nullcontext()


def send(batch):
    """Return this process's rows of a batch; on CUDA they are copied while the host goes on.

    A copy from ordinary memory would wait until the device has done all that it was given.
    """
    batch = GROUP.own_rows(batch)
    if not torch.cuda.is_available():
        return batch

    def sent(array):
        pinned = torch.from_numpy(np.require(array, requirements="W")).pin_memory()
        return pinned.to("cuda", non_blocking=True)

    return keras.tree.map_structure(sent, batch)


def summed(fn, count):
    """Return the sums of `fn(0)` to `fn(count - 1)`, lists of tensors, one call after the other."""
    total = fn(0)
    for i in range(1, count):
        total = [a + b for a, b in zip(total, fn(i), strict=True)]
    return total


def set_memory_layout(variables):
    """Keep kernels in Keras' shape (HWIO), but in the memory order that PyTorch reads.

    Otherwise each call copies the kernel, and each gradient is added across the grain. The order is
    OIHW; on CUDA it is OHWI where products are made in TF32 or bfloat16, since tensor cores read
    channels last (https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html). The
    images follow the kernels.
    """
    for variable in variables:
        if len(variable.shape) == 4:
            tensor = variable.value
            _lay_out(tensor, tensor.is_cuda and _on_tensor_cores())


def _on_tensor_cores():
    compute = keras.config.dtype_policy().compute_dtype
    return compute == "bfloat16" or torch.backends.cudnn.allow_tf32


def _lay_out(kernel, channels_last):
    """Change the memory order of an HWIO kernel to OHWI or to OIHW."""
    order, back = ((3, 0, 1, 2), (1, 2, 3, 0)) if channels_last else ((3, 2, 0, 1), (2, 3, 1, 0))
    kernel.data = kernel.data.permute(order).contiguous().permute(back)


def fuse_steps(optimizer):
    """Let a built Keras Adam take its steps in one kernel, which Keras makes in twelve passes."""
    adam = isinstance(optimizer, keras.optimizers.Adam) and not optimizer.amsgrad
    slowly = private.torch_update_step(optimizer)
    if not adam or slowly is None:
        return
    far = {}  # A step count whose bias corrections are 1, on each device.

    def step(gradients, variables, learning_rate):
        values = [v.value.detach() for v in variables]
        moments = [private.adam_moments(optimizer, v) for v in variables]
        first, second = ([m.value.detach() for m in group] for group in zip(*moments, strict=True))
        one = values[0]
        alike = all(t.dtype == one.dtype and t.device == one.device for t in (*values, *gradients))
        # The kernel goes through memory as it lies, so all of a variable's must lie alike.
        lie = [[t.stride() for t in group] for group in (values, first, second)]
        if not alike or not lie[0] == lie[1] == lie[2]:
            return slowly(gradients, variables, learning_rate)
        gradients = [
            g if g.stride() == v.stride() else torch.empty_like(v).copy_(g)
            for g, v in zip(gradients, values, strict=True)
        ]
        count = keras.ops.cast(optimizer.iterations + 1, one.dtype)
        rate = keras.ops.cast(learning_rate, one.dtype)
        # Keras adds epsilon after the correction of the bias, which is hence part of the rate.
        rate = rate * torch.sqrt(1 - optimizer.beta_2**count) / (1 - optimizer.beta_1**count)
        if one.device not in far:
            far[one.device] = torch.full((), 1e9, device=one.device)
        private.torch_fused_adam(
            values, gradients, first, second, [], [far[one.device]] * len(values),
            lr=rate, beta1=optimizer.beta_1, beta2=optimizer.beta_2, weight_decay=0.0,
            eps=optimizer.epsilon, amsgrad=False, maximize=False,
        )  # fmt: skip
        return None

    private.replace_torch_update_step(optimizer, step)


def replica_rows(fn, batch_size):
    """Return this process's rows of `fn(rows)`: all together draw what one would."""
    return GROUP.drawn(fn, batch_size)


def compiled(fn, variables):
    """Return `fn` without a record for differentiation."""

    def program(*args):
        args = keras.tree.map_structure(keras.ops.convert_to_tensor, args)
        with torch.no_grad():
            return fn(*args)

    return program


def resolve_jit(jit_compile):
    """Return False: what Keras would compile on PyTorch is compiled by `TracedStep`, if at all."""
    return False


def set_float32_precision(name):
    """Let products of float32 be "float32", or "tf32" on devices that have it."""
    tf32 = name == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32


def make_deterministic():
    """Ask for reproducible kernels."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False


# Keras computes a batch normalisation in ten elementwise passes, a transposed convolution with a
# border that it cuts off, and adds biases in a pass of their own. These three give the same values
# in PyTorch's own kernels, and hand all that they do not know to Keras.


class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` in one kernel."""

    def call(self, inputs):
        pads = [
            max((math.ceil(side / step) - 1) * step + size - side, 0)
            for side, size, step in zip(
                inputs.shape[2:], self.kernel_size, self.strides, strict=True
            )
        ]
        plain = (
            self.data_format == "channels_first"
            and self.padding == "same"
            and self.dilation_rate == (1, 1)
        )
        if not plain:
            return super().call(inputs)
        if any(pad % 2 for pad in pads):  # The row and column that one side has more.
            inputs = functional.pad(inputs, (0, pads[1] % 2, 0, pads[0] % 2))
        y = functional.conv2d(
            inputs,
            torch.permute(_tensor(self.kernel), (3, 2, 0, 1)),
            _tensor(self.bias) if self.use_bias else None,
            self.strides,
            [pad // 2 for pad in pads],
            groups=self.groups,
        )
        return y if self.activation is None else self.activation(y)


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` in one kernel, without a border to cut off."""

    def call(self, inputs):
        kernel = _tensor(self.kernel)  # A subclass may compute it.
        sides = kernel.shape[:2]
        pads = [side - step for side, step in zip(sides, self.strides, strict=True)]
        plain = (
            self.data_format == "channels_first"
            and self.padding == "same"
            and self.output_padding is None
            and self.dilation_rate == (1, 1)
            and not any(pad < 0 or pad % 2 for pad in pads)
        )
        if not plain:
            return super().call(inputs)
        y = functional.conv_transpose2d(
            inputs,
            torch.permute(kernel, (3, 2, 0, 1)),
            _tensor(self.bias) if self.use_bias else None,
            self.strides,
            [pad // 2 for pad in pads],
        )
        return y if self.activation is None else self.activation(y)


class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` in one kernel; its variances are biased, as Keras' are."""

    def call(self, inputs, training=None, mask=None):
        plain = self.axis == 1 and mask is None and not self.renorm
        if not plain or not self.trainable or not training:
            return super().call(inputs, training=training, mask=mask)
        x = keras.ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        # With a momentum of 1 the kernel leaves the batch's own statistics in its two buffers.
        mean, variance = torch.zeros((2, x.shape[1]), dtype=x.dtype, device=x.device)
        y = functional.batch_norm(
            x,
            mean,
            variance,
            _tensor(self.gamma, x.dtype) if self.scale else None,
            _tensor(self.beta, x.dtype) if self.center else None,
            training=True,
            momentum=1.0,
            eps=self.epsilon,
        )
        with torch.no_grad():
            n = x.numel() // x.shape[1]
            share = 1.0 - self.momentum
            for moving, now in (
                (self.moving_mean, mean),
                (self.moving_variance, variance * ((n - 1) / n)),
            ):
                moving.assign(torch.lerp(_tensor(moving, x.dtype), now, share))
        return keras.ops.cast(y, self.compute_dtype)


def _tensor(variable, dtype=None):
    return keras.ops.convert_to_tensor(variable, dtype=dtype)
