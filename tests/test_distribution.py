"""`fit` runs unchanged over two devices, and computes the same."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from processes import WORKER, run_worker
from test_agreement import _close

from kerasgan import backend


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


# Several processes.


def together(*command, count=2):
    """Start processes that the environment names to each other, as `torchrun` does."""
    port = _free_port(1 + count)  # On TensorFlow each worker has one of its own.
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env={
                **os.environ,
                "RANK": str(i),
                "WORLD_SIZE": str(count),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(count)
    ]


def _free_port(count):
    """Return the first of so many ports that nobody listens on."""
    while True:
        # Below those that the system gives away. Other tests at this time have the same seed.
        first = 20000 + secrets.randbelow(10000)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("", port))
            return first


def test_the_environment_names_the_processes(monkeypatch, backend_name):
    monkeypatch.delenv("RANK", raising=False)
    assert backend.GROUP.launched() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert backend.GROUP.launched() == (1, 3)
    if backend_name == "tensorflow":
        cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}
        task = {"type": "worker", "index": 1}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        assert backend.GROUP.launched() == (2, 3)


def ranks(what, count=2):
    """Start processes of `worker.py` that train together."""
    return together(WORKER, "rank", what, count=count)


def reports(processes):
    found = [process.communicate(timeout=600) for process in processes]
    assert all(p.returncode == 0 for p in processes), [error[-3000:] for _, error in found]
    return [json.loads(out.strip().splitlines()[-1]) for out, _ in found]


@pytest.mark.parametrize(
    "name",
    ["r3gan", *(pytest.param(n, marks=pytest.mark.slow) for n in ("gan", "wgan", "wgan_gp"))],
)
def test_two_processes_equal_one(name, backend_name):
    together, followed = reports(ranks(name))
    alone = run_worker("alone", backend_name, name)
    assert followed["losses"] == []  # It had no callbacks.
    assert together["weights"] == followed["weights"]
    # It has failed in two of 30 runs elsewhere, for no reason that is known: all is shown.
    _close(together["losses"], alone, rtol=1e-4, title=json.dumps([together["losses"], alone]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "sentences"),
    [
        ("disagreeing", ("the same images in all processes", "17 images")),
        ("undivided", ("`batch_size` must be divisible by 2", "Received: 3")),
    ],
)
def test_processes_must_read_the_same_images_in_equal_parts(what, sentences):
    processes = ranks(what)
    errors = [process.communicate(timeout=300)[1] for process in processes]
    for process, error in zip(processes, errors, strict=True):
        assert process.returncode == 1
        assert all(sentence in error for sentence in sentences), error


@pytest.mark.slow
def test_a_process_that_is_told_to_end_does_so():
    processes = ranks("waits")
    try:
        for process in processes:
            assert "ready\n" in iter(process.stdout.readline, "")
        for process in processes:
            process.terminate()
        assert [p.wait(timeout=30) for p in processes] == [-signal.SIGTERM] * 2
    finally:
        for process in processes:
            process.kill()


@pytest.mark.slow
def test_a_rescue_reaches_all_processes():
    found, _ = reports(ranks("rescued"))
    assert found["complaints"] == []
    assert found["actions"][0] == "rescue" and "stop" not in found["actions"]
    assert found["diversity"] > 0.8 and found["largest weight"] > 0


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_run_and_it_goes_on(tmp_path):
    """By the variables of the environment, as on several machines: kill the second, and resume."""
    images = np.random.default_rng(0).integers(0, 256, (128, 16, 16), dtype="uint8")
    np.save(tmp_path / "images.npy", images)
    small = ["--network", "mlp", "--width", "8", "--latent-dim", "4", "--batch-size", "16"]
    options = ["--data", str(tmp_path / "images.npy"), "--run-dir", str(tmp_path / "r")]
    train = ["-m", "kerasgan_cli", "train"]
    first = together(*train, "gan", *options, *small, "--epochs", "10000", "--guard", "off")
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
    second = together(*train, "--resume", run, "--epochs", done + 2)
    texts = [process.communicate(timeout=300) for process in second]
    assert [process.returncode for process in second] == [0, 0], texts
    assert (run / "model.keras").exists() and "done" in texts[0][0]
    lines = texts[1][0].splitlines()
    assert all(line.startswith("[Gloo]") for line in lines), lines  # JAX's own.


@pytest.mark.slow
def test_what_callbacks_change_reaches_all_processes():
    leader, follower = reports(ranks("changes"))
    (alone,) = reports(ranks("alone changes", count=1))
    np.testing.assert_allclose(leader["losses"], alone["losses"], rtol=2e-4)
    np.testing.assert_allclose(leader["weights"], alone["weights"], rtol=2e-4)
    # Its model is the trained one, though it saw none of the callbacks.
    assert follower["steps"] == leader["steps"] == 36
    np.testing.assert_allclose(follower["weights"], leader["weights"], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "sentence"),
    [("raises", "division by zero"), ("freezes", "layers must be frozen before `compile`")],
)
def test_an_error_of_the_leader_ends_all_processes(what, sentence):
    processes = ranks(what)
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert processes[0].returncode == 1 and processes[1].returncode != 0
    assert sentence in errors[0]
    # JAX ends a process by itself where it has lost the one that leads.
    assert "ProcessLost" in errors[1] or "detected fatal errors" in errors[1], errors[1]


@pytest.mark.slow
def test_a_run_that_was_stopped_within_an_epoch_goes_on(tmp_path, backend_name):
    if backend_name != "torch":
        pytest.skip("on the other backends all devices of a machine are in one process")
    found = run_worker("stopped", "torch", tmp_path)
    assert found == {"codes": [130, 0], "steps": 16}
