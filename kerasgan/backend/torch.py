"""The PyTorch file of the backend room."""

import os

import torch

PREFERRED_DATA_FORMAT = "channels_first"


class Trainer:
    """Hands each batch to the model's `play` and `judge`."""

    def train_step(self, data):
        return self.play(data, generator_turn=True)

    def test_step(self, data):
        return self.judge(data)

    def compile_step(self, step):
        """Return a train function around `step(data) -> logs`, as Keras makes one."""
        if self.steps_per_execution > 1:
            raise ValueError(
                "`steps_per_execution` must be 1 with the PyTorch backend. "
                f"Received: steps_per_execution={self.steps_per_execution}"
            )
        compiled = torch.compile(step) if self.jit_compile else step
        return lambda data: compiled(data[0])

    def synchronize(self):
        """Make the variables hold the present state (they always do here)."""


def value_and_grad(loss_fn, variables):
    """Return the loss and its gradients."""
    with torch.enable_grad():
        loss = loss_fn()
        gradients = torch.autograd.grad(
            loss, [v.value for v in variables], allow_unused=True, materialize_grads=True
        )
    return loss.detach(), list(gradients)


def gradient(fn, x):
    """Return d sum(fn(x)) / dx, differentiable again where gradients are being recorded."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        if not x.requires_grad:
            x = x.detach().requires_grad_()
        (result,) = torch.autograd.grad(fn(x).sum(), x, create_graph=again)
    return result


def no_gradients():
    """Return a context in which autograd records nothing."""
    return torch.no_grad()


def assign(variables, values):
    """Assign each value to its variable."""
    with torch.no_grad():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def draw(fn, batch_size):
    """Return `fn(batch_size)`."""
    return fn(batch_size)


def forward(model, x):
    """Return the forward pass of `model` in inference mode."""
    with torch.no_grad():
        return model(x, training=False)


def resolve_jit(jit_compile):
    """Return `jit_compile`: "auto" is eager execution on PyTorch."""
    return False if jit_compile == "auto" else jit_compile


def make_deterministic():
    """Ask for reproducible kernels."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
