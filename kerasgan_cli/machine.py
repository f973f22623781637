"""What a training of the shell uses of the machine."""

import math

import keras

from kerasgan import backend
from kerasgan.environment import accelerator
from kerasgan_cli.common import without_import_chatter
from kerasgan_cli.memory import keep_freed_memory

AT_ONCE = 16  # Critic steps in one program.


def prepare(recipe):
    """Set what holds in the whole process; return the accelerator and whether it is exact."""
    keep_freed_memory()
    if recipe.deterministic:  # Before the backend starts its devices.
        backend.make_deterministic()
    device = accelerator(recipe.backend)
    exact = device is None if recipe.deterministic is None else recipe.deterministic
    if exact:
        backend.make_deterministic()
    seed(recipe)
    mixed = recipe.precision.startswith("mixed")
    backend.set_float32_precision("float32" if recipe.precision == "float32" else "tf32")
    keras.config.set_dtype_policy(recipe.precision if mixed else "float32")
    return device, exact


def seed(recipe):
    """Set the seed of all that is drawn next, as initial weights are."""
    with without_import_chatter():  # TensorFlow finds its devices.
        keras.utils.set_random_seed(recipe.seed)


def devices(recipe, asked):
    """Return on how many devices to train.

    Raises:
        ValueError: If there are fewer.
    """
    there = backend.devices()
    if backend.GROUP.size() > 1:
        asked = there = backend.GROUP.parts()
    count = asked or there
    if count > there:
        kind = accelerator(recipe.backend) or "CPU"
        raise ValueError(
            f"--devices must be at most {there}, the number of devices that {recipe.backend} has "
            f"here ({kind}). Received: {count}"
        )
    return count


def check_parts(recipe, count):
    """Raise ValueError if so many devices cannot have equal parts of a batch."""
    parts = count * recipe.accumulate * recipe.packing
    if count > 1 and recipe.batch_size % parts:
        raise ValueError(
            f"--batch-size must be divisible by {parts}, so that {count} devices have equal parts. "
            f"Received: {recipe.batch_size}"
        )


def steps_at_once(recipe, settings, devices):
    """Return how many critic steps are one program.

    An accelerator may be faster than its host, which then hands it many steps at once. The guard's
    checks keep their steps.
    """
    if not backend.accelerated() or recipe.backend == "torch" or devices > 1:
        return 1
    return math.gcd(AT_ONCE, settings["guard_every"] or AT_ONCE)
