"""Multi-scale structural similarity against TensorFlow's."""

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics import MetricError
from kerasgan.metrics.ms_ssim import WEIGHTS, ms_ssim, scale_weights

pytestmark = pytest.mark.numpy


def smooth(rng, n, side, channels):
    t = np.linspace(0, 6, side)
    a, b = rng.uniform(0.3, 1.5, (2, n, 1, 1, channels))
    return (np.sin(a * t[:, None, None] + 3 * b) * np.cos(b * t[None, :, None])).astype("float32")


@pytest.mark.parametrize(("side", "channels", "scales"), [(176, 3, 5), (64, 3, 3), (28, 1, 2)])
def test_equals_tensorflows(side, channels, scales, rng):
    tf = pytest.importorskip("tensorflow")
    x = smooth(rng, 3, side, channels)
    y = np.clip(x + 0.2 * rng.standard_normal(x.shape), -1, 1).astype("float32")
    weights = scale_weights(side, side)
    assert len(weights) == scales and weights.sum() == pytest.approx(1)
    expected = tf.image.ssim_multiscale((x + 1) / 2, (y + 1) / 2, 1.0, power_factors=weights)
    np.testing.assert_allclose(ms_ssim(x, y), expected.numpy(), atol=1e-4)


def test_five_scales_have_the_papers_weights():
    np.testing.assert_allclose(scale_weights(200, 176), np.array(WEIGHTS) / sum(WEIGHTS))


def test_a_collapsed_set_is_more_alike_than_a_varied_one(rng):
    varied = smooth(rng, 60, 32, 1)
    alike = np.clip(varied[:1] + 0.02 * rng.standard_normal((60, 32, 32, 1)), -1, 1)
    (low, error), (high, _) = metrics.mean_ms_ssim(varied), metrics.mean_ms_ssim(alike)
    assert high > 0.9 and high > low + 10 * error
    assert metrics.mean_ms_ssim(varied[:1].repeat(3, axis=0))[0] == pytest.approx(1)
    assert metrics.mean_ms_ssim(varied, seed=1) == metrics.mean_ms_ssim(varied, seed=1)


def test_bytes_and_floats_are_the_same_images(rng):
    pixels = rng.integers(0, 256, (4, 16, 16, 3), dtype="uint8")
    floats = pixels.astype("float32") / 127.5 - 1
    np.testing.assert_allclose(
        ms_ssim(pixels[:2], pixels[2:]), ms_ssim(floats[:2], floats[2:]), atol=1e-6
    )


@pytest.mark.parametrize(
    ("images", "rule"),
    [
        (np.zeros((4, 10, 28, 1)), "at least 11 pixels"),
        (np.zeros((1, 28, 28, 1)), "at least 2"),
        (np.zeros((4, 28, 28)), r"shape \(n, height, width, 1, 3 or 4\)"),
        (
            np.full((4, 28, 28, 1), 1.5),
            r"floats in \[-1, 1\]. Received: float64 values equal to 1.5",
        ),
        (np.full((4, 28, 28, 1), 256), r"integers in 0..255. Received: int64 values equal to 256"),
        (np.full((4, 28, 28, 1), np.nan), "must be finite"),
    ],
)
def test_bad_images_are_refused(images, rule):
    with pytest.raises(MetricError, match=rule):
        metrics.mean_ms_ssim(images)
