"""`fit` runs unchanged over two devices, and computes the same."""

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
def test_a_collapse_on_two_devices_is_put_back(backend_name):
    if backend_name == "torch":
        pytest.skip("Keras has no data parallelism of its own on PyTorch")
    flags = "--xla_force_host_platform_device_count=2"
    found = run_worker("rescued", backend_name, XLA_FLAGS=flags)
    assert found["complaints"] == []
    assert found["actions"][0] == "rescue" and "stop" not in found["actions"]
    assert found["diversity"] > 0.8 and found["largest weight"] > 0
