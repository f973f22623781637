"""A group of processes of PyTorch, and what a step of training does in each of them.

What they tell each other travels on the CPU, by gloo. Gradients travel by the device's own way.
"""

import contextlib
import datetime
import os

import torch
from torch import distributed

from kerasgan.backend import private
from kerasgan.backend.group import Group, ProcessLost

PAUSE = datetime.timedelta(days=7)  # The longest one: a callback of the leader may take its time.


class TorchGroup(Group):
    """Processes in a group of `torch.distributed`, whose steps run layer by layer."""

    traces = False

    def size(self):
        there = distributed.is_available() and distributed.is_initialized()
        return distributed.get_world_size() if there else 1

    def rank(self):
        return distributed.get_rank() if self.size() > 1 else 0

    @contextlib.contextmanager
    def joined(self, number, count, place=None):
        kinds = "cpu:gloo"
        if torch.cuda.is_available():
            device = int(os.environ.get("LOCAL_RANK", number))
            torch.cuda.set_device(device % torch.cuda.device_count())
            kinds += ",cuda:nccl"
        distributed.init_process_group(
            kinds, init_method=place or "env://", rank=number, world_size=count, timeout=PAUSE
        )
        try:
            yield
        finally:
            distributed.destroy_process_group()

    def summed(self, array):
        values = torch.tensor(array, device="cpu")
        _collective(distributed.all_reduce, values)
        return values.numpy()

    def mean_in_step(self, tensors):
        with torch.no_grad():
            flat = torch.cat([t.reshape(-1) for t in tensors])
            _collective(distributed.all_reduce, flat)
            parts = (flat / self.size()).split([t.numel() for t in tensors])
            return [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)]

    def is_lost(self, error):
        return isinstance(error, ProcessLost)

    def signs(self, values):
        return private.torch_versions(values)


def _collective(operation, *args):
    """Take part in what all processes do at once.

    Raises:
        ProcessLost: If one of them cannot.
    """
    try:
        operation(*args)
    except RuntimeError as error:
        raise ProcessLost from error
