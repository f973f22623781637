"""What a training says that finds no memory."""

import pytest

from kerasgan.recipe import Recipe
from kerasgan_cli.memory import is_out_of_memory, ways_out


class OutOfMemoryError(RuntimeError):
    """As PyTorch names it."""


class ResourceExhaustedError(Exception):
    """As TensorFlow names it."""


class JaxRuntimeError(Exception):
    """As JAX names it."""


@pytest.mark.numpy
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (ResourceExhaustedError("OOM when allocating tensor"), True),
        (JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_without_memory_are_known(error, expected):
    assert is_out_of_memory(error) == expected


@pytest.mark.numpy
def test_the_ways_out_can_be_taken():
    recipe = Recipe("gan", batch_size=12, accumulate=2)
    assert "--resume runs/1 --accumulate 4" in ways_out(recipe, (64, 64, 3), "runs/1")
    recipe = Recipe("gan", batch_size=1)
    assert "parts" not in ways_out(recipe, (64, 64, 3), "runs/1")


def test_a_step_without_memory_ends_in_words(command, data, tmp_path, monkeypatch):
    import kerasgan

    options = ["--network", "mlp", "--width", 4, "--latent-dim", 4, "--batch-size", 8]
    options = ["gan", "--data", data, *options, "--epochs", 2, "--guard", "off"]

    def fail(*args, **kwargs):
        raise OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(kerasgan.GAN, "_generator_step", fail)
        code, _, err = command("train", *options, "--run-dir", tmp_path)
    [run] = tmp_path.glob("*-gan-*")
    assert code == 1 and "no memory left for a batch of 8 images" in err
    assert f"--resume {run} --accumulate 2" in err and "--precision mixed_bfloat16" in err
    code, out, err = command("train", "--resume", run, "--accumulate", 2)
    assert code == 0, out + err
    code, _, err = command("train", "--resume", run, "--accumulate", 3, "--epochs", 3)
    assert code == 2 and "divisible by --accumulate 3" in err
    code, _, err = command("train", *options, "--accumulate", 3, "--run-dir", tmp_path)
    assert code == 2 and "divisible by --accumulate 3" in err
