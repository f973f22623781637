"""The backends agree: same weights, same batches, same draws, same losses."""

import importlib.util
import itertools

import numpy as np
import pytest
from processes import run_worker

import kerasgan
from kerasgan.gans import VARIANTS

BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]


def report(backend, **environment):
    """Return what a backend computes for every variant."""
    return run_worker("losses", backend, ",".join(VARIANTS), **environment)


def _close(found, expected, rtol, title=""):
    assert len(found) == len(expected)
    for step, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert set(a) == set(b)
        for name in b:
            # A penalty may be a thousandth of the loss that it is a part of, and the two players'
            # losses nearly cancel in their sum.
            part = rtol * (abs(b["critic_loss"]) + abs(b.get("generator_loss", 0.0)))
            part = {"loss": part, "critic_loss": 0.0, "generator_loss": 0.0}.get(name, 0.1 * part)
            np.testing.assert_allclose(
                a[name],
                b[name],
                rtol=rtol,
                atol=1e-6 + part,
                err_msg=f"{title} {name} in step {step}",
            )


def _agree(found, expected, rtol, title):
    for name in VARIANTS:
        _close(found[name]["losses"], expected[name]["losses"], rtol, f"{title}: {name}")
        ours, theirs = (np.array(side[name]["gradients"]) for side in (found, expected))
        # A projection is of the order of its gradient's norm, and may cancel out; so may a whole
        # gradient, of which only rounding is left: then the scale of the largest counts.
        atol = rtol * np.maximum(theirs[:, 0], 0.1 * theirs[:, 0].max())
        far = np.abs(ours - theirs).max(axis=1) > atol
        assert not far.any(), f"{title}: {name}, gradients {ours[far]} and {theirs[far]}"


@pytest.mark.gpu
def test_the_accelerator_agrees_with_the_cpu(backend_name):
    on_cpu = report(backend_name, CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    _agree(report(backend_name), on_cpu, 1e-3, backend_name)


@pytest.mark.slow
def test_losses_of_five_rounds_and_gradients_agree(backend_name):
    if len(BACKENDS) == 1:
        pytest.skip("needs a second backend")
    if backend_name != BACKENDS[0]:
        pytest.skip(f"the suite of {BACKENDS[0]} compares all pairs")
    reports = {backend: report(backend) for backend in BACKENDS}
    for one, other in itertools.combinations(BACKENDS, 2):
        _agree(reports[other], reports[one], 1e-4, f"{other} and {one}")


def test_samples_of_a_preset_agree(backend_name, tmp_path):
    others = BACKENDS[BACKENDS.index(backend_name) + 1 :]
    if not others:
        pytest.skip("needs a second backend, and each pair is compared once")
    model = kerasgan.GAN(*kerasgan.networks.dcgan(28, 1, latent_dim=8, width=4))
    model.save_to_preset(tmp_path / "preset")
    expected = model.sample(16, seed=1)
    for other in others:
        found = np.array(run_worker("samples", other, tmp_path / "preset"))
        np.testing.assert_allclose(found, expected, atol=1e-3)
