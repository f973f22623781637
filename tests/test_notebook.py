"""What notebooks show: pictures, models, data sets, and the grids of a training."""

import base64
import io
import re
import sys
import types

import keras
import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import callbacks, networks, notebook, pictures
from kerasgan.data import ImageDataset
from kerasgan.data.pixels import straight


def model(side=8, channels=1, **more):
    pair = networks.mlp(side, channels, latent_dim=16, width=8, depth=1, **more)
    return kerasgan.GAN(*pair, name="small")


def picture_in(html):
    found = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    return None if found is None else Image.open(io.BytesIO(base64.b64decode(found[1])))


class Shell:
    """What IPython's `get_ipython` returns in a notebook, or with no kernel in a terminal."""

    def __init__(self, monkeypatch, kernel=True):
        self.shown = []
        package = types.ModuleType("IPython")
        package.get_ipython = lambda: types.SimpleNamespace(**({"kernel": 1} if kernel else {}))
        package.display = types.ModuleType("IPython.display")
        package.display.display = self.shown.append
        monkeypatch.setitem(sys.modules, "IPython", package)
        monkeypatch.setitem(sys.modules, "IPython.display", package.display)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_show_takes_bytes_floats_and_tensors(channels, mode):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, channels), "uint8")
    floats = kerasgan.data.from_uint8(pixels)
    expected = pictures.show(pixels, scale=1)
    assert (expected.mode, expected.size) == (mode, (26, 17))
    first = straight(pixels[0])  # With transparency, networks see colours over white.
    np.testing.assert_array_equal(np.asarray(expected).reshape(17, 26, -1)[:8, :8], first)
    for images in (floats, keras.ops.convert_to_tensor(floats), floats.astype("float64")):
        np.testing.assert_array_equal(pictures.show(images, scale=1), expected)
    assert expected._repr_png_().startswith(b"\x89PNG")


def test_show_enlarges_what_is_small_and_nothing_else():
    assert pictures.show(np.zeros((4, 28, 28), "uint8")).size == (57 * 11, 57 * 11)
    assert pictures.show(np.zeros((1, 700, 700, 3), "uint8")).size == (700, 700)
    assert pictures.show(np.zeros((4, 28, 28), "uint8"), columns=4, scale=2).size == (230, 56)


def test_show_takes_one_image_and_the_first_of_many():
    grey, colour = np.zeros((6, 9), "uint8"), np.zeros((6, 9, 3), "uint8")
    assert pictures.show(grey, scale=1).size == pictures.show(colour, scale=1).size == (9, 6)
    assert pictures.show(np.zeros((1000, 6, 9, 1), "uint8"), most=9, scale=1).size == (29, 20)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 3, 8, 8), "uint8"), r"1 to 4 channels. Received: shape \(2, 3, 8, 8\)"),
        (np.zeros((0, 8, 8, 1), "uint8"), r"Received: shape \(0, 8, 8, 1\)"),
        (np.zeros(8, "uint8"), r"Received: shape \(8,\)"),
        (np.zeros((2, 8, 8, 1), "int64"), r"uint8 .* or floats .* Received: dtype int64"),
        (["a"], r"`images` must have the shape .* Received: shape \(1,\)"),
    ],
)
def test_show_refuses_what_is_no_image(images, words):
    with pytest.raises(ValueError, match=words):
        pictures.show(images)
    for name in ("columns", "most", "scale"):
        with pytest.raises(ValueError, match=f"`{name}` must be a positive integer"):
            pictures.show(np.zeros((2, 8, 8, 1), "uint8"), **{name: 0})


def test_show_warns_of_floats_that_are_not_in_the_range():
    with pytest.warns(UserWarning, match=r"in \[-1, 1\].*Received: values from 0 to 1"):
        pictures.show(np.linspace(0, 1, 128, dtype="float32").reshape(2, 8, 8, 1))
    pictures.show(np.full((2, 8, 8, 1), np.nan, "float32"))  # Of a training that has diverged.


def test_a_new_model_shows_text_and_a_trained_one_samples(images):
    gan = model(28)
    gan.compile()
    text = gan._repr_html_()
    assert "GAN &#x27;small&#x27;: images 28x28x1, latent vectors of 16 numbers" in text
    assert f"generator {gan.generator.count_params():,} and critic" in text
    assert picture_in(text) is None
    gan.fit(images, batch_size=32, verbose=0)
    html = gan._repr_html_()
    assert "2 critic steps" in html
    expected = pictures.grid(gan.sample(16, seed=0), columns=8)[..., 0]
    found = np.asarray(picture_in(html))
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


@pytest.mark.parametrize("kind", ["preset", "file"])
def test_a_loaded_model_shows_samples(tmp_path, kind):
    gan = model(num_classes=3)
    if kind == "preset":
        gan.save_to_preset(tmp_path / "p")
        loaded = kerasgan.from_preset(tmp_path / "p")
        assert picture_in(kerasgan.from_preset(tmp_path / "p", False)._repr_html_()) is None
    else:
        gan.save(tmp_path / "m.keras")
        loaded = keras.saving.load_model(tmp_path / "m.keras")
    html = loaded._repr_html_()
    assert picture_in(html).size == (8 * 9 - 1, 2 * 9 - 1) and "3 classes" in html


@keras.saving.register_keras_serializable(package="tests")
class Noisy(keras.layers.Layer):
    """A layer with noise of its own, which it draws in inference too."""

    def __init__(self, **more):
        super().__init__(**more)
        self.seed = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + 0.1 * keras.random.normal(keras.ops.shape(x), seed=self.seed)


def test_showing_a_model_changes_nothing_in_it(images):
    generator, critic = networks.mlp(28, 1, latent_dim=4, width=8, depth=1)
    z = keras.Input((4,))
    gan = kerasgan.GAN(keras.Model(z, Noisy()(generator(z))), critic)
    gan.compile()
    gan.fit(images, batch_size=32, verbose=0)
    gan.synchronize()
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in gan.variables]
    counters = gan.critic_steps, gan.generator_steps
    random = np.random.get_state()[1].copy()
    assert gan._repr_html_() == gan._repr_html_()
    assert picture_in(gan._repr_html_()) is not None
    for a, b in zip(before, gan.variables, strict=True):
        np.testing.assert_array_equal(a, keras.ops.convert_to_numpy(b))
    assert counters == (gan.critic_steps, gan.generator_steps)
    np.testing.assert_array_equal(random, np.random.get_state()[1])


def test_showing_a_model_never_fails(images, monkeypatch):
    gan = model(8, 5)
    gan.compile()
    gan.fit(np.zeros((8, 8, 8, 5), "float32"), batch_size=8, verbose=0)
    assert picture_in(gan._repr_html_()) is None  # Five channels are no picture.
    gan = model()
    gan.critic_steps = 1
    assert picture_in(gan._repr_html_()) is not None
    monkeypatch.setattr(kerasgan.adversarial.shown, "LARGEST", 10)
    assert picture_in(gan._repr_html_()) is None  # It would take too long.
    monkeypatch.undo()
    monkeypatch.setattr(type(gan), "sample", lambda *_, **__: 1 / 0)
    assert "images 8x8x1" in gan._repr_html_()
    del gan.image_shape
    assert gan._repr_html_() is None


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_a_data_set_shows_its_first_images(images, kind):
    pixels = kerasgan.data.to_uint8(images)
    given = pixels if kind == "uint8" else images
    html = ImageDataset(given, batch_size=8, name="<b>\n")._repr_html_()
    assert "ImageDataset &lt;b&gt;\\n: 64 images 28x28x1, 8 batches of 8" in html
    found = np.asarray(picture_in(html))
    np.testing.assert_array_equal(found, notebook.tiled(pixels[:32], 8)[..., 0])


def test_a_data_set_of_large_or_strange_images():
    large = ImageDataset(np.zeros((3, 1200, 1200, 3), "uint8"), batch_size=1)
    assert picture_in(large._repr_html_()).size == (1200, 1200)
    strange = ImageDataset(np.zeros((3, 8, 8, 7), "uint8"), batch_size=1)
    assert picture_in(strange._repr_html_()) is None


def test_grids_are_shown_in_a_notebook_alone(images, tmp_path, monkeypatch):
    gan = model(28)
    gan.compile()

    def train(**more):
        grid = callbacks.SampleGrid(tmp_path, n=4, animation=None, **more)
        gan.fit(images, batch_size=32, epochs=2, verbose=0, callbacks=[grid])

    train(inline=True)  # In a script nothing happens.
    assert not notebook.running()
    terminal = Shell(monkeypatch, kernel=False)
    train(inline=True)
    assert terminal.shown == []
    cell = Shell(monkeypatch)
    train()
    assert cell.shown == []
    train(inline=True)
    assert [image.size for image in cell.shown] == [(57 * 11, 57 * 11)] * 2
    written = Image.open(tmp_path / "epoch_0002.png")
    np.testing.assert_array_equal(cell.shown[1].resize(written.size, 0), written)


CELLS = [
    "import numpy as np\nimport kerasgan\nfrom kerasgan import callbacks, networks",
    "images = np.random.default_rng(0).integers(0, 256, (64, 12, 12, 3), 'uint8')\n"
    "kerasgan.pictures.show(images)",
    "data = kerasgan.data.ImageDataset(images, batch_size=32)\ndata",
    "gan = kerasgan.GAN(*networks.mlp(12, 3, latent_dim=4, width=8, depth=1))\ngan.compile()\ngan",
    "gan.fit(data, epochs=2, verbose=0,\n"
    "        callbacks=[callbacks.SampleGrid('grids', n=9, animation=None, inline=True)])\n"
    "None",
    "gan",
]


def test_a_notebook_shows_all_of_it(tmp_path, backend_name):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(code) for code in CELLS]
    done = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(done, timeout=300, resources=resources).execute()
    shown = [
        [output["data"] for output in cell["outputs"] if "data" in output] for cell in done["cells"]
    ]
    _, (grid,), (data,), (new,), grids, (trained,) = shown
    assert "image/png" in grid
    assert ["image/png" in output for output in grids] == [True, True]
    pictured = [picture_in(output["text/html"]) is not None for output in (data, new, trained)]
    assert pictured == [True, False, True]
