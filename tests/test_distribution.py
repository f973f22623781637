"""`fit` runs unchanged over two devices, and computes the same."""

import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from processes import WORKER, run_worker
from test_agreement import _close


@pytest.mark.parametrize(
    "name",
    ["gan", *(pytest.param(n, marks=pytest.mark.slow) for n in ("wgan", "wgan_gp", "r3gan"))],
)
def test_two_devices_equal_one(name, backend_name):
    if backend_name == "torch":
        pytest.skip("Keras has no data parallelism of its own on PyTorch")
    flags = "--xla_force_host_platform_device_count=2"
    losses = run_worker("distributed", backend_name, name, XLA_FLAGS=flags)
    _close(losses["together"], losses["alone"], rtol=1e-4)


@pytest.mark.slow
def test_a_device_without_images_leaves_losses_finite(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("JAX divides each batch evenly, and PyTorch has no data parallelism in Keras")
    found = run_worker("odd", backend_name)
    assert {"critic_loss", "generator_loss", "val_critic_loss"} < set(found["logs"])
    assert all(0 < abs(v) < 100 for values in found["logs"].values() for v in values)
    assert found["largest weight"] < 10


@pytest.mark.slow
def test_a_collapse_on_two_devices_is_put_back(backend_name):
    if backend_name == "torch":
        pytest.skip("Keras has no data parallelism of its own on PyTorch")
    flags = "--xla_force_host_platform_device_count=2"
    found = run_worker("rescued", backend_name, XLA_FLAGS=flags)
    assert found["complaints"] == []
    assert found["actions"][0] == "rescue" and "stop" not in found["actions"]
    assert found["diversity"] > 0.8 and found["largest weight"] > 0


def test_the_command_trains_on_several_devices(backend_name, tmp_path):
    flags = "--xla_force_host_platform_device_count=2"
    found = run_worker("shell", backend_name, tmp_path, XLA_FLAGS=flags)
    for name in ("all", "both"):
        np.testing.assert_allclose(found[name], found["one"], rtol=2e-4, atol=2e-5)


# Several processes of PyTorch.

torch_alone = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the other backends distribute by themselves"
)


def ranks(tmp_path, *arguments, count=2):
    """Start processes of `worker.py` that train together."""
    place = f"file://{tmp_path}/meeting"
    return [
        subprocess.Popen(
            [sys.executable, str(WORKER), "rank", str(i), str(count), place, *arguments],
            env={**os.environ, "KERAS_BACKEND": "torch"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(count)
    ]


def reports(processes):
    found = [process.communicate(timeout=600) for process in processes]
    assert all(p.returncode == 0 for p in processes), [error[-3000:] for _, error in found]
    return [json.loads(out.strip().splitlines()[-1]) for out, _ in found]


@torch_alone
@pytest.mark.parametrize(
    "name",
    ["r3gan", *(pytest.param(n, marks=pytest.mark.slow) for n in ("gan", "wgan", "wgan_gp"))],
)
def test_two_processes_equal_one(name, tmp_path):
    together, followed = reports(ranks(tmp_path, name))
    alone = run_worker("alone", "torch", name)
    _close(together, alone, rtol=1e-4)
    assert followed == []  # It had no callbacks.


@torch_alone
@pytest.mark.slow
def test_processes_must_read_the_same_images(tmp_path):
    processes = ranks(tmp_path, "disagreeing")
    errors = [process.communicate(timeout=300)[1] for process in processes]
    for process, error in zip(processes, errors, strict=True):
        assert process.returncode == 1
        assert "the same images in all processes" in error and "17 images" in error, error


@torch_alone
@pytest.mark.slow
def test_a_rescue_reaches_all_processes(tmp_path):
    found, _ = reports(ranks(tmp_path, "rescued"))
    assert found["complaints"] == []
    assert found["actions"][0] == "rescue" and "stop" not in found["actions"]
    assert found["diversity"] > 0.8 and found["largest weight"] > 0


@torch_alone
@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_run_and_it_goes_on(tmp_path):
    """By torchrun's variables, as on several machines: kill the second, and resume."""
    images = np.random.default_rng(0).integers(0, 256, (128, 16, 16), dtype="uint8")
    np.save(tmp_path / "images.npy", images)
    small = ["--network", "mlp", "--width", "8", "--latent-dim", "4", "--batch-size", "16"]
    options = ["--data", str(tmp_path / "images.npy"), "--run-dir", str(tmp_path / "r")]
    command = [sys.executable, "-m", "kerasgan_cli", "train"]

    def start(*words):
        port = str(20000 + os.getpid() % 20000)
        return [
            subprocess.Popen(
                [*command, *words],
                env={
                    **os.environ,
                    "KERAS_BACKEND": "torch",
                    "RANK": str(i),
                    "WORLD_SIZE": "2",
                    "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": port,
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for i in range(2)
        ]

    first = start("gan", *options, *small, "--epochs", "10000", "--guard", "off")
    run = tmp_path / "r" / "0001-gan-images"
    try:
        until = time.monotonic() + 120
        while not (run / "checkpoint.keras").exists() and time.monotonic() < until:
            time.sleep(0.1)
        first[1].send_signal(signal.SIGKILL)
        began = time.monotonic()
        _, error = first[0].communicate(timeout=120)
        assert time.monotonic() - began < 60
        assert first[0].returncode == 1 and "another process" in error, error[-2000:]
        assert str(run / "checkpoint.keras") in error and "Traceback" not in error
    finally:
        for process in first:
            process.kill()
    done = (run / "metrics.csv").read_text().count("\n") - 1
    second = start("--resume", str(run), "--epochs", str(done + 2))
    texts = [process.communicate(timeout=300) for process in second]
    assert [process.returncode for process in second] == [0, 0], texts
    assert (run / "model.keras").exists() and "done" in texts[0][0] and texts[1][0] == ""


@torch_alone
@pytest.mark.slow
def test_what_callbacks_change_reaches_all_processes(tmp_path):
    leader, follower = reports(ranks(tmp_path, "changes"))
    (tmp_path / "meeting").unlink(missing_ok=True)
    (alone,) = reports(ranks(tmp_path, "alone changes", count=1))
    np.testing.assert_allclose(leader["losses"], alone["losses"], rtol=2e-4)
    np.testing.assert_allclose(leader["weights"], alone["weights"], rtol=2e-4)
    # Its model is the trained one, though it saw none of the callbacks.
    assert follower["steps"] == leader["steps"] == 36
    np.testing.assert_allclose(follower["weights"], leader["weights"], rtol=1e-6)


@torch_alone
@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "sentence"),
    [("raises", "division by zero"), ("freezes", "layers must be frozen before `compile`")],
)
def test_an_error_of_the_leader_ends_all_processes(tmp_path, what, sentence):
    processes = ranks(tmp_path, what)
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [1, 1]
    assert sentence in errors[0] and "ProcessLost" in errors[1]


@torch_alone
@pytest.mark.slow
def test_a_run_that_was_stopped_within_an_epoch_goes_on(tmp_path):
    found = run_worker("stopped", "torch", tmp_path)
    assert found == {"codes": [130, 0], "steps": 16}
