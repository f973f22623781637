"""A group of processes of PyTorch, and what a step of training does in each of them.

What they tell each other travels on the CPU, by gloo. Gradients travel by the device's own way.
"""

import contextlib
import datetime
import os

import torch
from torch import distributed

PAUSE = datetime.timedelta(days=7)  # The longest one: a callback of the leader may take its time.
_in_step = False


def size():
    """Return how many processes train together."""
    there = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if there else 1


def rank():
    """Return the number of this process, 0 for the one that leads."""
    return distributed.get_rank() if size() > 1 else 0


def follows():
    """Return whether another process leads the training, so that this one follows it."""
    return rank() > 0


@contextlib.contextmanager
def joined(number, count, place="env://"):
    """Join a group of processes, for the time of the block.

    Args:
        number: The rank of this process.
        count: How many there are.
        place: Where they meet, a URL of `torch.distributed`.
    """
    kinds = "cpu:gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", number)) % torch.cuda.device_count())
        kinds += ",cuda:nccl"
    distributed.init_process_group(
        kinds, init_method=place, rank=number, world_size=count, timeout=PAUSE
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


class ProcessLost(RuntimeError):
    """Another process of this training has ended."""


def collective(operation, *args):
    """Take part in what all processes do at once.

    Raises:
        ProcessLost: If one of them cannot.
    """
    try:
        operation(*args)
    except RuntimeError as error:
        raise ProcessLost(
            "another process of this training has ended, or cannot be reached"
        ) from error


def from_leader(tensor):
    """Have the leader's values in a tensor."""
    collective(distributed.broadcast, tensor, 0)


# What a step does in each process.


@contextlib.contextmanager
def step():
    """Return a context in which the processes take a step together."""
    global _in_step
    _in_step = True
    try:
        yield
    finally:
        _in_step = False


def mean(tensors):
    """Return the means over all processes of some tensors, inside a step; else the tensors."""
    if not _in_step:
        return tensors
    with torch.no_grad():
        flat = torch.cat([t.reshape(-1) for t in tensors])
        collective(distributed.all_reduce, flat)
        parts = (flat / size()).split([t.numel() for t in tensors])
        return [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)]


def mean_over_processes(value):
    """Return the mean over all processes of what each has in a step; outside, the value."""
    return mean([value])[0]


def sum_over_processes(value):
    """Return the sum over all processes of what each has in a step; outside, the value."""
    return mean_over_processes(value) * size() if _in_step else value


def own_rows(array):
    """Return the rows of a batch that this process trains on."""
    count = len(array) // size()
    return array if size() == 1 else array[rank() * count : (rank() + 1) * count]


def drawn(fn, rows):
    """Return this process's rows of `fn(n)`, with which all draw what one process would."""
    if not _in_step:
        return fn(rows)
    return fn(rows * size())[rank() * rows : (rank() + 1) * rows]
