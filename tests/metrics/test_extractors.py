"""The extractors that come with weights."""

import gzip
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasgan import metrics, torch_files
from kerasgan.metrics import extractors
from kerasgan.metrics.extractors import (
    EfficientNetLite0,
    GarmentsAndDigits,
    RandomProjection,
    default_extractor,
    efficientnet_lite0,
    garments_and_digits,
)

FILES = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_efficientnet = pytest.mark.skipif(
    not EfficientNetLite0.installed(), reason="the package with the weights is not installed"
)


def test_default_extractors(monkeypatch):
    assert isinstance(default_extractor((28, 28, 1)), GarmentsAndDigits)
    monkeypatch.setattr(EfficientNetLite0, "installed", staticmethod(lambda: False))
    fallback = default_extractor((64, 64, 3))
    assert isinstance(fallback, RandomProjection) and "random projection" in fallback.name
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(metrics.MetricError, match=r"pip install 'kerasgan\[efficientnet\]'"):
        EfficientNetLite0()


def test_large_images_are_taken_a_few_at_a_time():
    sizes = {side: extractors.Network(identity(side)).batch_size for side in (16, 64, 224)}
    assert sizes == {16: 256, 64: 256, 224: 20}


def test_of_four_channels_networks_see_the_picture_over_white():
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 4), dtype=np.uint8)
    mean = extractors.Network(identity(16))
    np.testing.assert_array_equal(mean(images), mean(images[..., :3]))
    assert extractors.Pixels()(images).shape == (5, 16 * 16 * 4)
    hidden = images.copy()
    hidden[..., 3] = 0
    assert (RandomProjection()(images) != RandomProjection()(hidden)).any()


def identity(side):
    inputs = keras.Input((side, side, 3))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))


def test_altered_weights_are_refused(monkeypatch, tmp_path):
    altered = tmp_path / "weights.npz"
    altered.write_bytes(garments_and_digits.WEIGHTS.read_bytes()[:-1] + b"?")
    monkeypatch.setattr(garments_and_digits, "WEIGHTS", altered)
    garments_and_digits.network.cache_clear()
    with pytest.raises(metrics.MetricError, match="must have the SHA-256"):
        GarmentsAndDigits()
    garments_and_digits.network.cache_clear()


def read_idx(path, header):
    return np.frombuffer(gzip.decompress(path.read_bytes()), "uint8", offset=header)


@pytest.mark.skipif(not FILES.is_dir(), reason=f"needs the test images in {FILES}")
@pytest.mark.parametrize(("name", "least"), [("fashion_mnist", 0.91), ("mnist", 0.985)])
def test_the_network_knows_garments_and_digits(name, least):
    images = read_idx(FILES / name / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)
    labels = read_idx(FILES / name / "t10k-labels-idx1-ubyte.gz", 8)
    found = GarmentsAndDigits.classify(images[:2000], digits=name == "mnist")
    assert np.mean(found == labels[:2000]) > least


def test_features_of_the_network_are_the_same_everywhere():
    """The figures were computed on TensorFlow."""
    y, x = np.mgrid[:28, :28]
    images = np.stack([np.sin(y / (2 + i)) * np.cos(x / (3 + i)) for i in range(4)])
    found = GarmentsAndDigits()(images[..., None].astype("float32"))
    assert found.shape == (4, 64)
    np.testing.assert_allclose(found[:, ::16], EXPECTED, rtol=1e-4, atol=1e-4)


EXPECTED = np.array(
    [
        [-0.70604, -1.49220, -1.55129, 2.78532],
        [0.74625, -2.03952, -1.39187, 2.65006],
        [-0.19217, -1.95634, -1.33697, 3.37824],
        [0.56798, -1.88590, -1.46749, 2.88767],
    ]
)


# EfficientNet-Lite0.


@needs_efficientnet
def test_legacy_reader_equals_pytorchs():
    torch = pytest.importorskip("torch")
    import importlib.util
    from pathlib import Path

    found = importlib.util.find_spec(efficientnet_lite0.PACKAGE)
    path = Path(found.origin).parent / efficientnet_lite0.FILE
    tensors = torch_files.read_tensors(path)
    expected = torch.load(path, map_location="cpu", weights_only=True)
    assert set(tensors) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(tensors[name], value.numpy())


def test_the_legacy_reader_runs_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    path = tmp_path / "evil.pth"
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in (0, 0, {}, Evil(), [])))
    with pytest.raises(pickle.UnpicklingError, match=r"refused: \w+.print"):
        torch_files.read_tensors(path)
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in (0, 0, {}, {}, [])))
    with pytest.raises(pickle.UnpicklingError, match="not a legacy PyTorch file"):
        torch_files.read_tensors(path)


@needs_efficientnet
@pytest.mark.slow
def test_it_knows_photographs():
    """A cat and a cup of coffee, photographs that come with scikit-image."""
    pictures = pytest.importorskip("skimage.data")
    from kerasgan.metrics.extractors.base import resized

    _, classes = efficientnet_lite0.build()
    for name, expected in PHOTOGRAPHS.items():
        image = getattr(pictures, name)()
        side = min(image.shape[:2])
        top, left = ((n - side) // 2 for n in image.shape[:2])
        image = image[None, top : top + side, left : left + side] / np.float32(127.5) - 1
        image = (resized(image.astype("float32"), 224) + 1) * 127.5
        scores = np.asarray(classes.predict((image - 127) / 128, verbose=0))[0]
        assert set(np.argsort(scores)[-3:]) & expected, name


PHOTOGRAPHS = {"chelsea": {281, 282, 285}, "coffee": {967}}
