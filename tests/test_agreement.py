"""The backends agree: same weights, same batches, same draws, same losses."""

import functools
import importlib.util

import numpy as np
import pytest
from processes import run_worker

import kerasgan
from kerasgan.gans import VARIANTS

pytestmark = pytest.mark.xdist_group("agreement")  # They share what the processes reported.
BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]


@pytest.fixture(scope="module")
def report():
    """What a backend computes for every variant, worked out when it is first asked for."""
    return functools.cache(
        lambda backend, **environment: run_worker(
            "losses", backend, ",".join(VARIANTS), **environment
        )
    )


def _close(found, expected, rtol):
    assert len(found) == len(expected)
    for step, (a, b) in enumerate(zip(found, expected, strict=True)):
        for name in b:
            # A penalty may be a thousandth of the loss that it is a part of.
            part = 0.0 if name.endswith("loss") else rtol * 0.1 * abs(b["critic_loss"])
            np.testing.assert_allclose(
                a[name], b[name], rtol=rtol, atol=1e-6 + part, err_msg=f"{name} in step {step}"
            )


def _agree(found, expected, rtol):
    _close(found["losses"], expected["losses"], rtol)
    ours, theirs = np.array(found["gradients"]), np.array(expected["gradients"])
    # Of a gradient that cancels out only rounding is left: what counts is the largest one's scale.
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * 0.1 * theirs[:, 0].max())


@pytest.mark.gpu
@pytest.mark.parametrize("name", VARIANTS)
def test_the_accelerator_agrees_with_the_cpu(name, backend_name, report):
    on_cpu = report(backend_name, CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    _agree(report(backend_name)[name], on_cpu[name], rtol=1e-3)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("other", BACKENDS)
def test_losses_of_five_rounds_and_gradients_agree(name, other, backend_name, report):
    # Each pair once: the suite runs on every backend.
    if BACKENDS.index(other) <= BACKENDS.index(backend_name):
        pytest.skip("not a pair, or one that the other backend's suite compares")
    _agree(report(other)[name], report(backend_name)[name], rtol=1e-4)


def test_samples_of_a_preset_agree(backend_name, tmp_path):
    model = kerasgan.GAN(*kerasgan.networks.dcgan(28, 1, latent_dim=8, width=4))
    model.save_to_preset(tmp_path / "preset")
    expected = model.sample(16, seed=1)
    for other in BACKENDS[BACKENDS.index(backend_name) + 1 :]:
        found = np.array(run_worker("samples", other, tmp_path / "preset"))
        np.testing.assert_allclose(found, expected, atol=1e-3)
