"""Films: what is in them, and that the same steps give the same bytes."""

import sys

import numpy as np
import pytest
from PIL import Image

from kerasgan import environment, film, pictures

pytestmark = pytest.mark.numpy


def steps(count=4, channels=3, n=1, size=16):
    rng = np.random.default_rng(0)
    return list(rng.uniform(-1, 1, (count, n, size, size, channels)).astype("float32"))


def frames(path):
    with Image.open(path) as found:
        for i in range(found.n_frames):
            found.seek(i)
            yield found.convert("RGBA"), found.info.get("duration")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_webp_has_every_pixel(tmp_path, channels):
    images = steps(channels=channels, n=3)
    size = film.save(tmp_path / "f.webp", images, fps=20, scale=2)
    shown = list(frames(tmp_path / "f.webp"))
    assert len(shown) == 4 and shown[0][0].size == size == (66, 66)
    for (image, duration), step in zip(shown, images, strict=True):
        expected = pictures.picture(pictures.grid(step)).convert("RGBA").resize((66, 66), 0)
        found, expected = np.asarray(image), np.asarray(expected)
        np.testing.assert_array_equal(found[..., 3], expected[..., 3])
        seen = expected[..., 3] > 0
        np.testing.assert_array_equal(found[seen], expected[seen])
        assert duration == 50


def test_a_gif_is_over_white_and_keeps_the_time(tmp_path):
    images = steps(30, channels=4)
    film.save(tmp_path / "f.gif", images, fps=30)
    shown = list(frames(tmp_path / "f.gif"))
    assert len(shown) == 30 and sum(duration for _, duration in shown) == 1000
    expected = pictures.opaque(pictures.picture(pictures.grid(images[0])))
    near = np.asarray(shown[0][0].convert("RGB")).astype(int)[8::16, 8::16]
    assert np.abs(near - np.asarray(expected).astype(int)).mean() < 10


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_the_same_steps_give_the_same_bytes(tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        film.save(path, steps())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    film.save(paths[1], steps(), loop=False)
    loops = [Image.open(path).info.get("loop") for path in paths]
    assert loops[0] == 0 and loops[1] in (1, None)


def test_an_mp4_has_its_pictures_and_its_speed(tmp_path):
    av = pytest.importorskip("av")
    images = [np.full((1, 15, 15, 1), value, "float32") for value in np.linspace(-1, 1, 10)]
    assert film.save(tmp_path / "f.mp4", images, fps=10, scale=3) == (45, 45)
    with av.open(str(tmp_path / "f.mp4")) as found:
        stream = found.streams.video[0]
        assert stream.average_rate == 10 and stream.codec_context.name == "h264"
        shown = [frame.to_ndarray(format="rgb24") for frame in found.decode(stream)]
    assert len(shown) == 10 and shown[0].shape == (46, 46, 3)  # H.264 has even sides.
    greys = [image[5:40, 5:40].mean() for image in shown]
    np.testing.assert_allclose(greys, np.linspace(0, 255, 10), atol=4)


def test_small_pictures_are_enlarged(tmp_path):
    assert film.save(tmp_path / "f.webp", steps(size=28)) == (280, 280)
    assert film.save(tmp_path / "f.webp", steps(size=28), scale=1) == (28, 28)
    assert film.scale_of(300, 20) == 1


def test_each_step_is_made_when_it_is_its_turn(tmp_path):
    made = []

    class Steps(list):
        def __getitem__(self, place):
            made.append(place)
            return super().__getitem__(place)

    film.save(tmp_path / "f.webp", Steps(steps(3)))
    assert made[:3] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "fps", "words"),
    [
        ("f.avi", 25, r"`path` must end in \.webp, \.gif, \.mp4.*f\.avi"),
        ("f.gif", 60, r"`fps` must be at most 50 in a \.gif. Received: fps=60"),
        ("f.webp", 0, "`fps` must be a positive integer"),
    ],
)
def test_bad_films(tmp_path, name, fps, words):
    with pytest.raises(ValueError, match=words):
        film.save(tmp_path / name, steps(), fps)
    assert not list(tmp_path.iterdir())


def test_no_steps_and_a_step_that_fails_leave_nothing(tmp_path):
    with pytest.raises(ValueError, match="`steps` must hold at least one"):
        film.save(tmp_path / "f.webp", [])
    with pytest.raises(ValueError, match="1 to 4 channels"):
        film.save(tmp_path / "f.webp", [*steps(), np.zeros((1, 16, 16, 5))])
    assert not list(tmp_path.iterdir())


def test_without_pyav_an_mp4_has_a_pip_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    find = environment.util.find_spec
    monkeypatch.setattr(
        environment.util, "find_spec", lambda name: None if name == "av" else find(name)
    )
    with pytest.raises(environment.MissingPackage, match=r"pip install 'kerasgan\[video\]'"):
        film.save(tmp_path / "f.mp4", steps())
    assert not list(tmp_path.iterdir())
