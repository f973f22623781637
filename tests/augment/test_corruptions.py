"""ADA's filtering, noise and cutout, beside what the authors' code gives.

The golden arrays were written by AugmentPipe of NVlabs/stylegan2-ada-pytorch (training/augment.py)
with its `debug_percentile`, which fixes what is drawn.
"""

import pathlib
from statistics import NormalDist

import numpy as np
import pytest
from augmented import numpy
from keras import ops

import kerasgan
from kerasgan.augment import ADA, corruptions

GOLDEN = pathlib.Path(__file__).with_name("ada_golden.npz")


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return {key: file[key] for key in file}


def test_the_filters_are_the_authors(golden):
    np.testing.assert_allclose(corruptions.filters(), golden["bank"], atol=1e-6)
    identity = np.zeros(43)
    identity[21] = 1
    np.testing.assert_allclose(corruptions.filters().sum(axis=0), identity, atol=1e-6)


@pytest.mark.parametrize("percentile", [0.7, 0.15])
def test_filtered_images_are_the_authors(golden, percentile):
    # Theirs is erfinv(2 p - 1), which is the normal quantile divided by the square root of 2.
    drawn = NormalDist().inv_cdf(percentile) / np.sqrt(2)
    amplified = np.full((1, 4), 2.0**drawn, "float32")
    found = corruptions.with_gains(
        ops.convert_to_tensor(golden["images"]), corruptions.gains(ops.convert_to_tensor(amplified))
    )
    np.testing.assert_allclose(numpy(found), golden[f"filter/{percentile}"], atol=1e-3)


def test_amplifying_a_band_keeps_the_power():
    alone = np.ones((4, 4), "float32") + np.eye(4, dtype="float32")
    found = numpy(corruptions.gains(ops.convert_to_tensor(np.ones((1, 4), "float32"))))
    np.testing.assert_allclose(found, 1, rtol=1e-5)
    for band in range(4):
        one = np.ones((1, 4), "float32")
        one[0, band] = 2
        gain = numpy(corruptions.gains(ops.convert_to_tensor(one)))
        np.testing.assert_allclose((corruptions.POWER * gain**2).sum(), 1, rtol=1e-5)
        np.testing.assert_allclose(gain[0] / gain[0, (band + 1) % 4], alone[band], rtol=1e-5)


def test_cutout_is_the_authors(golden):
    images = ops.convert_to_tensor(golden["images"])
    place, size = (ops.convert_to_tensor(np.full(1, x, "float32")) for x in (0.3, 0.5))
    found = corruptions.without_rectangle(images, size, place, place)
    np.testing.assert_array_equal(numpy(found), golden["cutout/0.3"])


class Drawn:
    """Noise of given numbers."""

    def __init__(self, uniform, normal):
        self.given = {"uniform": uniform, "normal": normal}

    def __call__(self, kind, *shape):
        return ops.convert_to_tensor(np.broadcast_to(self.given[kind], (2, *shape)).copy())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_noise_is_on_the_colours(channels):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 6, 4, channels)).astype("float32")
    noise = Drawn(np.float32(0.4), np.float32(-2.0))
    given = ops.convert_to_tensor(images)
    found = numpy(corruptions.noisy(given, noise, 0.5))
    expected = images.copy()
    expected[..., : min(channels, 3)] += 0.1 * 2.0 * -2.0
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(numpy(corruptions.noisy(given, noise, 0.3)), images)


def test_nothing_happens_without_a_probability():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype("float32")
    layer = ADA(policy="filter,noise,cutout")
    rng = np.random.default_rng(0)

    def noise(kind, *shape):
        draw = {"uniform": rng.random, "normal": rng.standard_normal}[kind]
        return ops.convert_to_tensor(draw((2, *shape)).astype("float32"))

    np.testing.assert_allclose(numpy(layer.transform(images, noise)), images, atol=1e-5)
    layer.probability.assign(1.0)
    assert np.abs(numpy(layer.transform(images, noise)) - images).max() > 0.1


def test_a_fixed_probability_stays_or_rises():
    scores = ops.ones((4, 1))
    fixed, rising = ADA(fixed=0.3), ADA(fixed=0.4, rise=10)
    found = []
    for _ in range(12):
        for layer in (fixed, rising):
            layer.observe(scores)
        found.append(float(numpy(rising.probability.value)))
        assert float(numpy(fixed.probability.value)) == pytest.approx(0.3)
    steps = np.minimum(np.arange(1, 13) / 10, 1)
    np.testing.assert_allclose(found, 0.4 * (0.5 - 0.5 * np.cos(np.pi * steps)), atol=1e-6)
    assert not fixed.adaptive and ADA().adaptive


def test_a_loss_without_a_zero_takes_a_fixed_one():
    pair = kerasgan.networks.mlp(8, 3, latent_dim=4, width=8, depth=2)
    gan = kerasgan.R3GAN(*pair, augment=ADA(fixed=0.4, rise=4, policy="cutout"))
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 3)).astype("float32")
    gan.fit(images, batch_size=4, verbose=0)
    assert float(numpy(gan.augment.probability.value)) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="must not be ADA with an adaptive probability"):
        kerasgan.R3GAN(*pair, augment=ADA())


def test_a_group_happens_more_rarely_than_the_others():
    layer = ADA(policy="color,cutout", fixed=0.5, multipliers={"color": 0.4})
    images = np.full((1000, 8, 8, 3), 0.5, "float32")
    images[..., 1:] = -0.2
    rng = np.random.default_rng(0)

    def noise(kind, *shape):
        draw = {"uniform": rng.random, "normal": rng.standard_normal}[kind]
        return ops.convert_to_tensor(draw((1000, *shape)).astype("float32"))

    found = numpy(layer.transform(images, noise))
    cut = (found == 0).all(axis=-1).any(axis=(1, 2))
    kept = np.where((found == 0).all(axis=-1, keepdims=True), images, found)
    coloured = (np.abs(kept - images) > 1e-3).any(axis=(1, 2, 3))
    # Five of the changes of colours move these; of them each happens with a fifth.
    assert cut.mean() == pytest.approx(0.5, abs=0.05)
    assert coloured.mean() == pytest.approx(1 - (1 - 0.2) ** 3 * 0.9 * 0.8, abs=0.05)


class InOrder:
    """Noise of given numbers, which are the same for all images."""

    def __init__(self, **given):
        self.given = {kind: list(rows) for kind, rows in given.items()}

    def __call__(self, kind, *shape):
        numbers = np.array([self.given[kind].pop(0)], "float32")
        assert numbers.shape[1:] == shape
        return ops.convert_to_tensor(numbers)


NEVER = 2.0  # No probability is above it.


def drawn(name, p):
    """Return what the authors' code draws for a percentile, in the order of ours."""
    happens = {
        "geometry": (0, 0, 0, 0),
        "scale": (0, NEVER, NEVER, NEVER),
        "turn": (NEVER, 0, NEVER, NEVER),
        "shift": (NEVER, NEVER, NEVER, 0),
        "blit": (NEVER,) * 4,
    }[name]
    scale, turn, stretch, shift = happens
    normal = NormalDist().inv_cdf(p) / np.sqrt(2)
    geometry = [scale, p, turn, stretch, 0.5, NEVER, shift]
    blit = 0 if name in ("geometry", "blit") else NEVER
    return InOrder(uniform=[geometry, [p, blit, p, blit, blit, p, p]], normal=[[normal] * 4])


@pytest.mark.parametrize(
    ("name", "percentile"),
    [*((n, 0.9) for n in ("scale", "turn", "shift", "blit")),
     *(("geometry", p) for p in (0.2, 0.6, 0.9))],
)  # fmt: skip
def test_geometric_changes_are_the_authors(golden, name, percentile):
    layer = ADA(policy="blit,geometry", fixed=1.0, antialias=True)
    found = numpy(layer.transform(golden["images"], drawn(name, percentile)))
    np.testing.assert_allclose(found, golden[f"{name}/{percentile}"], atol=1e-3)


def test_antialiasing_changes_little_where_images_are_smooth(golden):
    """Off the borders, where the authors' reflection ends."""
    y, x = np.mgrid[0:28, 0:32].astype("float32")
    smooth = np.stack([np.sin(x / 6), np.cos(y / 7), np.sin((x + y) / 9)], axis=-1)[None]
    pair = [
        numpy(ADA(policy="blit,geometry", fixed=1.0, antialias=antialias).transform(smooth, noise))
        for antialias, noise in ((a, drawn("turn", 0.55)) for a in (True, False))
    ]
    np.testing.assert_allclose(*(x[:, 5:-5, 5:-5] for x in pair), atol=0.03)
