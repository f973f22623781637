"""The energy at the highest frequency: by hand, of lattices, and of what is no lattice."""

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.data import from_uint8, to_uint8
from kerasgan.metrics import MetricError, NyquistEnergy, checkerboard, nyquist_energy

pytestmark = pytest.mark.numpy
SMALL = metrics.extractors.RandomProjection(8)

Y, X = np.mgrid[:40, :33]
PATTERNS = {
    "horizontal": np.where(X % 2, -1.0, 1.0),
    "vertical": np.where(Y % 2, -1.0, 1.0),
    "diagonal": np.where((X + Y) % 2, -1.0, 1.0),
}


def pictures(n, seed, side=48, channels=3):
    """Return smooth images with some edges."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    waves = rng.uniform(1, 9, (n, 1, 1, channels, 2)), rng.uniform(0, 6, (n, 1, 1, channels))
    found = np.sin(waves[0][..., 0] * y[..., None] + waves[0][..., 1] * x[..., None] + waves[1])
    edge = rng.uniform(0.2, 0.8, (n, 1, 1, 1)) > (x + y)[..., None] / 2
    return np.where(edge, 0.8 * found, -0.6 * found).astype("float32")


@pytest.mark.parametrize("direction", PATTERNS)
@pytest.mark.parametrize("amplitude", [0.5, 0.01])
def test_an_alternation_has_the_square_of_its_amplitude(direction, amplitude):
    pattern = amplitude * PATTERNS[direction][None, ..., None]
    found = nyquist_energy(np.repeat(pattern, 2, axis=0).astype("float32"))
    expected = NyquistEnergy(0.0, 0.0, 0.0)._replace(**{direction: amplitude**2})
    np.testing.assert_allclose(found, expected, atol=1e-9, rtol=1e-4)


def test_each_image_and_each_channel_counts_the_same():
    images = np.zeros((70, *X.shape, 3), "float32")
    images[:7, ..., 0] = 0.6 * PATTERNS["vertical"]
    assert nyquist_energy(images).vertical == pytest.approx(0.36 / 30, rel=1e-4)


def test_the_transform_of_numpy_agrees():
    """A window of 16 pixels in one image of that size: its Fourier coefficients by NumPy."""
    image = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 1)).astype("float32")
    window = np.hanning(18)[1:-1] / np.hanning(18).sum()
    power = np.abs(np.fft.fft2(image[0, ..., 0] * np.outer(window, window))) ** 2
    np.testing.assert_allclose(
        nyquist_energy(image), [power[0, 8], power[8, 0], power[8, 8]], rtol=1e-4
    )


def test_light_and_slow_waves_have_none():
    even = np.full((1, 32, 32, 1), 0.9, "float32")
    wave = 0.9 * np.sin(2 * np.pi * X / 8)[None, ..., None].astype("float32")
    assert max(nyquist_energy(even)) < 1e-12 and max(nyquist_energy(wave)) < 1e-6


def test_a_lattice_is_above_real_images_and_blur_below():
    real, other = pictures(60, 0), pictures(60, 1)
    y, x = np.mgrid[:48, :48]
    lattice = 0.05 * np.where((x + y) % 2, -1, 1)[None, ..., None]
    blurred = (other + np.roll(other, 1, axis=2)) / 2
    assert checkerboard(real, other) == pytest.approx(1, abs=0.3)
    assert checkerboard(real, other + lattice) > 5
    assert checkerboard(real, (blurred + np.roll(blurred, 1, axis=1)) / 2) < 0.2


def test_bytes_are_floats_by_another_name():
    images = from_uint8(to_uint8(pictures(4, 2)))
    np.testing.assert_array_equal(nyquist_energy(to_uint8(images)), nyquist_energy(images))


@pytest.mark.parametrize("shape", [(4, 15, 32, 1), (0, 32, 32, 3), (4, 32, 32), (4, 32, 32, 2)])
def test_what_cannot_be_measured_is_refused(shape):
    with pytest.raises(MetricError, match="Received"):
        nyquist_energy(np.zeros(shape, "float32"))


def test_even_real_images_cannot_be_compared_with():
    with pytest.raises(MetricError, match="must have energy"):
        checkerboard(np.zeros((2, 16, 16, 1), "float32"), pictures(2, 0, 16, 1))


def test_the_evaluator_knows_it():
    data = to_uint8(pictures(400, 3, 16, 1))
    evaluator = metrics.Evaluator(data, metrics=["checkerboard"], samples=200, extractor=SMALL)
    (found,) = evaluator(pictures(200, 4, 16, 1))
    assert (found.value, found.baseline) == pytest.approx((1, 1), abs=0.3)
    assert set(found.details) >= set(PATTERNS) and found.provenance.extractor == "pixels"
