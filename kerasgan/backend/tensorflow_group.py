"""A group of processes of TensorFlow, and what a step of training does in each of them.

Keras' trainer does not know `tf.distribute.MultiWorkerMirroredStrategy`, whose variables only all
processes together can make. Here each process has variables of its own, and the strategy only adds
what they compute.
"""

import contextlib
import json
import os

import tensorflow as tf

from kerasgan.backend.group import Group, sigterm_kept

LOST = (
    tf.errors.UnavailableError,
    tf.errors.CancelledError,
    tf.errors.AbortedError,
    tf.errors.DeadlineExceededError,
)


class TensorflowGroup(Group):
    """The workers that `TF_CONFIG` names."""

    def __init__(self):
        self._strategy = None

    def size(self):
        if self._strategy is None and "TF_CONFIG" in os.environ and _workers()[1] > 1:
            self._connect()
        return 1 if self._strategy is None else self._strategy.num_replicas_in_sync

    def rank(self):
        return _workers()[0] if self.size() > 1 else 0

    def launched(self):
        return _workers() if "TF_CONFIG" in os.environ else super().launched()

    @contextlib.contextmanager
    def joined(self, number, count, place=None):
        if "TF_CONFIG" not in os.environ:  # All are on one machine.
            host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
            workers = [f"{host}:{port + 1 + i}" for i in range(count)]
            task = {"type": "worker", "index": number}
            os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
        self._connect()
        yield

    def _connect(self):
        """Connect to the other processes.

        Raises:
            ValueError: If TensorFlow has begun without them, or if one has several devices.
        """
        try:
            with sigterm_kept():
                strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise ValueError(
                "TF_CONFIG must be followed before TensorFlow computes: make a `tf.distribute."
                "MultiWorkerMirroredStrategy()` at the start of the program, before a model. "
                f"Received: several workers in TF_CONFIG, and: {error}"
            ) from error
        count = _workers()[1]
        if strategy.num_replicas_in_sync != count:
            raise ValueError(
                "each process must see one device where several train together, as by "
                f"CUDA_VISIBLE_DEVICES. Received: {strategy.num_replicas_in_sync} devices in "
                f"{count} processes"
            )
        self._strategy = strategy

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def added(x):
            return self._reduced(tf.distribute.ReduceOp.SUM, x)

        self._added = added

    def _reduced(self, how, tensors):
        @tf.autograph.experimental.do_not_convert
        def reduced(tensors):
            here = tf.nest.map_structure(tf.identity, tensors)  # On the device of this process.
            return tf.distribute.get_replica_context().all_reduce(how, here)

        return self._strategy.run(reduced, args=(tensors,))

    def summed(self, array):
        return self._added(tf.constant(array)).numpy()

    def mean_in_step(self, tensors):
        tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
        return self._reduced(tf.distribute.ReduceOp.MEAN, tensors)

    def is_lost(self, error):
        return isinstance(error, LOST)

    def signs(self, values):
        return _signs([tf.convert_to_tensor(value) for value in values]).numpy().tolist()


@tf.function(reduce_retracing=True)
def _signs(values):
    """Return a number for each tensor, which all but certainly differs for other values."""
    return tf.stack([_sign(value) for value in values])


def _sign(value):
    if value.dtype.size == 2:
        value = tf.cast(tf.bitcast(value, tf.int16), tf.int32)
    bits = tf.bitcast(value, tf.int32) if value.dtype.size >= 4 else tf.cast(value, tf.int32)
    bits = tf.reshape(bits, [-1])
    return tf.reduce_sum(bits * (2 * tf.range(tf.size(bits)) + 1))  # Which wraps around.


def _workers():
    """Return the number of this process among the workers of `TF_CONFIG`, and how many there are.

    It is (0, 1) without them.
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        jobs, task = config.get("cluster", {}), config.get("task", {})
        chiefs, workers = (len(jobs.get(job, ())) for job in ("chief", "worker"))
        number = int(task.get("index", 0)) + (chiefs if task.get("type") == "worker" else 0)
        return number, max(chiefs + workers, 1)
    except (ValueError, AttributeError, TypeError):
        return 0, 1
