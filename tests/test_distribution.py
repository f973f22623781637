"""`fit` runs unchanged over two devices, and computes the same."""

import numpy as np
import pytest
from processes import run_worker
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
    if backend_name == "torch":
        pytest.skip("Keras has no data parallelism of its own on PyTorch")
    flags = "--xla_force_host_platform_device_count=2"
    found = run_worker("shell", backend_name, tmp_path, XLA_FLAGS=flags)
    for name in ("all", "both"):
        np.testing.assert_allclose(found[name], found["one"], rtol=2e-4, atol=2e-5)
