"""Images that are there twice."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import copies

pytestmark = pytest.mark.numpy


def smooth(rng, count, size=32, channels=3):
    """Random pictures without much detail, as photographs have."""
    found = []
    for small in rng.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8):
        image = Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC)
        found.append(np.asarray(image)[..., :channels])
    return np.stack(found)


def test_equal_images_have_the_first_ones_index(rng):
    images = smooth(rng, 50)
    images[20] = images[40] = images[3]
    firsts = copies.equal(images)
    assert copies.pairs(firsts) == [(20, 3), (40, 3)]
    assert firsts[3] == 3


def saved_again(image, **options):
    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "JPEG", **options)
    return np.asarray(Image.open(memory).convert("RGB"))


def resized(image):
    small = Image.fromarray(image).resize((40, 40), Image.Resampling.LANCZOS)
    return np.asarray(small.resize((64, 64), Image.Resampling.LANCZOS))


def test_pictures_saved_again_or_resized_are_nearly_equal(rng):
    images = smooth(rng, 60, 64)
    images[10] = saved_again(images[1], quality=85)
    images[11] = resized(images[2])
    images[12] = images[2]
    firsts = copies.equal(images)
    assert copies.pairs(firsts) == [(12, 2)]
    assert copies.pairs(copies.near(images, firsts)) == [(10, 1), (11, 2), (12, 2)]


def test_other_pictures_are_not(rng):
    images = smooth(rng, 60)
    images[10] = images[1][:, ::-1]
    images[11] = np.roll(images[2], 6, axis=0)
    images[12] = np.clip(images[3].astype(int) + 20, 0, 255)
    images[13] = images[4]
    images[13, 10:18, 10:18] = 255 - images[13, 10:18, 10:18]
    assert copies.pairs(copies.near(images, copies.equal(images))) == []


@pytest.mark.parametrize("shape", [(28, 28, 1), (7, 9, 3), (33, 50, 4), (1, 1, 2)])
def test_any_shape_is_compared(rng, shape):
    images = rng.integers(0, 256, (40, *shape), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(40) * 6
    images[30] = images[2]
    images[31] = np.clip(images[4].astype(int) - 1, 0, 255)
    found = dict(copies.pairs(copies.near(images, copies.equal(images))))
    assert found[30] == 2 and found[31] == 4


def test_a_chain_of_near_ones_has_groups_around_their_first(rng):
    base = rng.integers(50, 200, (8, 8, 1), dtype=np.uint8)
    images = np.stack([base + 3 * i for i in range(5)]).astype(np.uint8)
    assert copies.near(images, copies.equal(images)).tolist() == [0, 0, 2, 2, 4]


@pytest.mark.slow
def test_ten_thousand_are_compared_in_seconds(rng):
    images = np.tile(smooth(rng, 1000, 64), (10, 1, 1, 1))
    images[1000:] = np.roll(images[1000:], 7, axis=0) // 2 + rng.integers(
        0, 100, (9000, 1, 1, 1), dtype=np.uint8
    )
    images[9999] = images[0]
    began = time.process_time()
    firsts = copies.equal(images)
    near = copies.near(images, firsts)
    assert time.process_time() - began < 20
    assert firsts[9999] == near[9999] == 0
