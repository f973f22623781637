"""What a training of the shell uses of the machine."""

import pytest

from kerasgan import backend
from kerasgan.recipe import Recipe
from kerasgan_cli import machine


@pytest.mark.parametrize(
    ("accelerated", "name", "guard_every", "devices", "expected"),
    [
        (False, "jax", None, 1, 1),
        (True, "jax", None, 1, 16),
        (True, "tensorflow", 150, 1, 2),  # The guard's checks keep their steps.
        (True, "tensorflow", 33, 1, 1),
        (True, "jax", 32, 1, 16),
        (True, "torch", None, 1, 1),
        (True, "jax", None, 2, 1),
    ],
)
def test_steps_at_once(monkeypatch, accelerated, name, guard_every, devices, expected):
    monkeypatch.setattr(backend, "accelerated", lambda: accelerated)
    recipe = Recipe("gan", backend=name)
    assert machine.steps_at_once(recipe, {"guard_every": guard_every}, devices) == expected


def test_a_run_with_several_steps_at_once_is_the_same_run(
    command, data, tmp_path, monkeypatch, backend_name
):
    """On a CPU, told that it is an accelerator."""
    if backend_name == "torch":
        pytest.skip("steps are taken one after the other")
    from small_runs import SMALL

    options = ["train", "gan", "--data", data, *SMALL, "--epochs", 3, "--batch-size", 8]
    code, _, err = command(*options, "--run-dir", tmp_path / "one")
    assert code == 0, err
    monkeypatch.setattr(machine, "steps_at_once", lambda *args: 16)
    code, out, err = command(*options, "--run-dir", tmp_path / "several")
    assert code == 0, err
    rows = [
        [line.rpartition(",")[0] for line in path.read_text().splitlines()]  # Without the seconds.
        for path in sorted(tmp_path.glob("*/0001-gan-images/metrics.csv"))
    ]
    assert len(rows) == 2 and rows[0] == rows[1]
    assert "3/3" in out
