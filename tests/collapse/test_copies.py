"""The images that a generator repeats: found, kept on disk, shown."""

import functools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from kerasgan import report
from kerasgan.collapse import DiversityMetric, Entry, Journal, lost
from kerasgan.data import to_uint8

pytestmark = pytest.mark.numpy


def spots(n, seed, side=16, channels=1):
    """Return images of one bright spot at any place."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(2, 13, (n, 2)) * side / 16
    y, x = np.mgrid[:side, :side]
    r = (y - at[:, 0, None, None]) ** 2 + (x - at[:, 1, None, None]) ** 2
    image = (2 * np.exp(-r / (6 * (side / 16) ** 2)) - 1).astype("float32")[..., None]
    return np.repeat(image, channels, axis=-1)


REAL = spots(1500, 0)


@functools.cache
def ready():
    """Return a metric, which takes seconds to make."""
    return DiversityMetric(REAL, samples=300)


def repeated(counts, images, seed=0):
    """Return each image as often as counted, in a mixed order, and which each is.

    A little noise makes no two of them equal. The first image is the first of those given.
    """
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    which[[0, which.argmin()]] = which[[which.argmin(), 0]]
    noise = rng.normal(0, 0.01, (len(which), *images.shape[1:]))
    return np.clip(images[which] + noise, -1, 1).astype("float32"), which


def test_the_most_repeated_images_come_first_with_their_twins():
    counts = [20, 60, 40, *[1] * 180]
    images, which = repeated(counts, spots(183, 5))
    found = ready().copies(images)
    assert [which[one.image] for one in found[:3]] == [1, 2, 0]
    for one, count in zip(found[:3], (60, 40, 20), strict=True):
        # Among so many images a few are near by chance.
        assert count - 1 <= one.count <= count + 3
        assert len(one.twins) == 4 and one.image not in one.twins
        assert {which[twin] for twin in one.twins} == {which[one.image]}
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)
    assert len(found) <= 6


def test_no_image_is_in_two_groups_and_limits_are_kept():
    images, which = repeated([50] * 6, spots(6, 5))
    found = ready().copies(images, most=3, twins=2)
    assert len(found) == 3 and all(len(one.twins) == 2 for one in found)
    assert len({which[one.image] for one in found}) == 3
    assert [one.count for one in ready().copies(images)] == [49] * 6


def test_the_nearest_real_image_is_found_in_the_users_array():
    chosen = [ready()._real_rows[i] for i in (3, 700)]
    images, _ = repeated([200, 100], REAL[chosen])
    assert [one.real for one in ready().copies(images)] == chosen
    assert ready().images is REAL


def test_images_that_all_differ_have_no_copies():
    grid = np.stack(np.meshgrid(np.linspace(2, 13, 10), np.linspace(2, 13, 10)), -1).reshape(-1, 2)
    y, x = np.mgrid[:16, :16]
    r = (y - grid[:, 0, None, None]) ** 2 + (x - grid[:, 1, None, None]) ** 2
    apart = (2 * np.exp(-r / 6) - 1).astype("float32")[..., None]
    assert ready().copies(apart) == []


def checked(folder, metric, images, alarm=False, step=100):
    found = metric.measure(images)
    state = "collapsed" if alarm else "healthy"
    entry = Entry(step // 100, step, found, state, "a sentence")
    lost.write_check(folder, metric, entry, found, images, [], alarm)
    return entry


def arrays(path):
    with np.load(path) as stored:
        return dict(stored)


def test_a_check_keeps_the_pictures_of_copies(tmp_path):
    images, _ = repeated([150, 100, *[1] * 50], spots(52, 5))
    checked(tmp_path, ready(), images, alarm=True)
    stored = arrays(tmp_path / "check.npz")
    found = ready().copies(images)
    np.testing.assert_array_equal(stored["copies"], to_uint8(images[[c.image for c in found]]))
    np.testing.assert_array_equal(stored["nearest_real"], to_uint8(REAL[[c.real for c in found]]))
    np.testing.assert_array_equal(stored["twins"][:4], to_uint8(images[list(found[0].twins)]))
    assert stored["counts"].sum() == len(stored["twins"]) and stored["compared"] == 300
    assert stored["alike"][0] == found[0].count + 1 >= 150
    assert stored.keys() == arrays(tmp_path / "alarm-000000100.npz").keys()


def test_real_images_are_no_copies(tmp_path):
    entry = checked(tmp_path, ready(), spots(300, 9))
    assert entry.measurement.distinct > 0.9
    assert "copies" not in arrays(tmp_path / "check.npz")


def test_large_pictures_are_shrunk_by_means(tmp_path):
    real = spots(150, 0, side=100, channels=3)
    metric = DiversityMetric(real, samples=50)
    images = np.repeat(spots(1, 3, side=100, channels=3), 50, axis=0)
    checked(tmp_path, metric, images)
    stored = arrays(tmp_path / "check.npz")
    assert stored["copies"].shape == (1, 50, 50, 3) and stored["twins"].shape == (4, 50, 50, 3)
    expected = to_uint8(images[:1]).reshape(1, 50, 2, 50, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(stored["copies"], expected, atol=0.51)
    # An odd side leaves a row of smaller squares, whose means are no darker.
    assert (lost.small(np.full((1, 65, 129, 1), 200, "uint8")) == 200).all()


def run(folder, metric, *checks):
    """Write the files of a run of the given images, and return its page."""
    (folder / "guard").mkdir(parents=True)
    lost.write_exemplars(folder / "guard", metric)
    journal = Journal()
    for i, (images, alarm) in enumerate(checks, 1):
        journal.add(checked(folder / "guard", metric, images, alarm, 100 * i))
    journal.write(folder / "guard" / "journal.json")
    return report.write(folder).read_text()


def section(page):
    found = re.search(r"What it repeated</h2>(.*?)<h2>", page, re.S)
    return found and found[1]


HEALTHY = spots(300, 9)
COPIED = repeated([150, 100, *[1] * 50], spots(52, 5))[0]


def test_the_page_shows_copies_beside_twins_and_a_real_image(tmp_path):
    text = section(run(tmp_path, ready(), (HEALTHY, False), (COPIED, True)))
    first = text.split('<div class="part">')[1]
    alts = re.findall(r'alt="(.*?)"', first)
    assert alts == [
        "a generated image that comes again and again",
        *["a twin of it"] * 4,
        "the real image nearest to it",
    ]
    assert "alarm of epoch 2" in text and "last check" not in text
    assert re.search(r"15\d of 300 generated images look like this", first)


def test_the_page_tells_the_last_check_from_the_alarm(tmp_path):
    text = section(run(tmp_path / "a", ready(), (COPIED, True), (HEALTHY, False)))
    assert "alarm of epoch 1" in text and "last check, in epoch 2, images differed" in text
    text = section(run(tmp_path / "b", ready(), (COPIED, True), (COPIED, False)))
    assert "alarm of epoch 1" in text and "last check, epoch 2" in text
    text = section(run(tmp_path / "c", ready(), (HEALTHY, True), (COPIED, False)))
    assert "alarm of" not in text and "last check, epoch 2" in text
    assert section(run(tmp_path / "d", ready(), (COPIED, False), (HEALTHY, False))) is None


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_any_channels_are_shown(tmp_path, channels):
    real = spots(300, 0, channels=channels)
    text = run(tmp_path, DiversityMetric(real, samples=100), (real[:1].repeat(100, axis=0), True))
    assert section(text).count("<img") == 6


def test_points_of_a_mixture_have_no_copies_and_no_sharpness(tmp_path):
    points = np.random.default_rng(0).normal(0, 0.3, (600, 1, 1, 2)).astype("float32")
    metric = DiversityMetric(points, samples=200)
    text = run(tmp_path, metric, (points[:200], False), (points[:1].repeat(200, axis=0), True))
    assert section(text) is None and "Sharpness and copies" not in text
    assert "cannot be shown as pictures" in text


def test_files_without_copies_and_damaged_ones_are_read(tmp_path):
    stored = shutil.copytree(Path(__file__).with_name("stored_run"), tmp_path / "run")
    text = report.write(stored).read_text()
    assert section(text) is None and "Sharpness and copies" not in text
    run(tmp_path / "new", ready(), (COPIED, True))
    for name in ("check.npz", "alarm-000000100.npz"):
        (tmp_path / "new" / "guard" / name).write_bytes(b"no file of arrays")
    assert section(report.write(tmp_path / "new").read_text()) is None
