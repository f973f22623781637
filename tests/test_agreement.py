"""The backends agree: same weights, same batches, same draws, same losses."""

import functools
import importlib.util

import numpy as np
import pytest
from processes import run_worker

import kerasgan

BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]
VARIANTS = ("gan", "wgan", "wgan_gp")


@pytest.fixture(scope="module")
def reference(backend_name):
    """The losses on the backend under test, by variant, worked out when first asked for."""
    return functools.cache(lambda name: run_worker("losses", backend_name, name))


def _close(found, expected, rtol):
    assert len(found) == len(expected)
    for step, (a, b) in enumerate(zip(found, expected, strict=True)):
        for name in b:
            np.testing.assert_allclose(
                a[name], b[name], rtol=rtol, atol=1e-6, err_msg=f"{name} in step {step}"
            )


@pytest.mark.gpu
@pytest.mark.parametrize("name", VARIANTS)
def test_losses_on_the_accelerator_agree_with_the_cpu(name, backend_name):
    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    on_cpu = run_worker("losses", backend_name, name, **hidden)
    _close(run_worker("losses", backend_name, name), on_cpu, rtol=1e-3)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("other", BACKENDS)
def test_losses_of_five_rounds_agree(name, other, backend_name, reference):
    # Each pair once: the suite runs on every backend.
    if BACKENDS.index(other) <= BACKENDS.index(backend_name):
        pytest.skip("not a pair, or one that the other backend's suite compares")
    _close(run_worker("losses", other, name), reference(name), rtol=1e-4)


def test_samples_of_a_preset_agree(backend_name, tmp_path):
    model = kerasgan.GAN(*kerasgan.networks.dcgan(28, 1, latent_dim=8, width=4))
    model.save_to_preset(tmp_path / "preset")
    expected = model.sample(16, seed=1)
    for other in BACKENDS[BACKENDS.index(backend_name) + 1 :]:
        found = np.array(run_worker("samples", other, tmp_path / "preset"))
        np.testing.assert_allclose(found, expected, atol=1e-3)
