"""Generators as ONNX and as SavedModels: what they take, and that they give the same images."""

import importlib.util
import json

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import catalogue, environment, networks, serving


def needs(format, backend_name):
    packages = catalogue.EXPORTS[format].packages.get(backend_name)
    if packages is None:
        pytest.skip(f"Keras writes no {format} on {backend_name}")
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {missing}")


def conditional():
    return kerasgan.WGANGP(*networks.dcgan(28, 1, latent_dim=6, width=4, num_classes=3))


def infogan():
    return kerasgan.InfoGAN(*networks.mlp(8, 1, latent_dim=16, width=4, depth=1), continuous=1)


def flow():
    return kerasgan.FlowGAN(
        *kerasgan.FlowGAN.default_networks("realnvp", image_size=16, channels=1, width=4, depth=1)
    )


def resnet():
    return kerasgan.R3GAN(*networks.resnet(32, 3, latent_dim=6, width=8, style="r3gan"))


MODELS = {"conditional": conditional, "infogan": infogan, "flow": flow, "resnet": resnet}
FORMATS = list(catalogue.EXPORTS)


def place(tmp_path, format):
    return tmp_path / ("saved" if catalogue.EXPORTS[format].folder else "model.onnx")


def run(path, format, inputs):
    if format == "savedmodel":
        from kerasgan.backend import saved_model

        return saved_model.run(path, inputs)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    assert [output.name for output in session.get_outputs()] == ["images"]
    assert {given.name for given in session.get_inputs()} == inputs.keys()
    return session.run(None, inputs)[0]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_gives_the_same_images(name, format, tmp_path, backend_name):
    needs(format, backend_name)
    gan = MODELS[name]()
    path = place(tmp_path, format)
    written = serving.write(gan, path, format)
    assert written.difference <= 1e-4
    z = gan.latent_vectors(5, seed=3)
    labels = None if gan.num_classes is None else np.arange(5, dtype="int32") % 3
    inputs = gan.export_inputs(z, labels)
    assert written.inputs.keys() == inputs.keys()
    expected = gan.decode_latents(z, labels)
    np.testing.assert_allclose(run(path, format, inputs), expected, atol=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", FORMATS)
def test_a_code_can_be_kept(format, tmp_path, backend_name):
    needs(format, backend_name)
    gan, path = infogan(), place(tmp_path, format)
    codes = {"categorical_0": 3}
    written = serving.write(gan, path, format, codes=codes)
    assert written.inputs == {"latent": ((5,), "float32"), "continuous_0": ((), "float32")}
    z = gan.latent_vectors(5, seed=3)
    inputs = {"latent": z[:, :5], "continuous_0": z[:, -1]}
    expected = gan.decode_latents(z, codes=codes)
    np.testing.assert_allclose(run(path, format, inputs), expected, atol=1e-4)


@pytest.mark.parametrize("format", FORMATS)
def test_it_says_what_it_is(format, tmp_path, backend_name):
    needs(format, backend_name)
    path = place(tmp_path, format)
    serving.write(conditional(), path, format, classes=["ant", "bee", "cat"])
    if format == "onnx":
        import onnx

        about = {p.key: p.value for p in onnx.load(path).metadata_props}
    else:
        about = json.loads((path / "assets.extra" / "kerasgan.json").read_text())
    assert about["prior"] == "normal" and about["range"] == "[-1, 1]"
    assert json.loads(about["classes"]) == ["ant", "bee", "cat"]


@pytest.mark.parametrize("format", FORMATS)
def test_what_differs_is_not_kept(format, tmp_path, backend_name, monkeypatch):
    needs(format, backend_name)
    gan, path = infogan(), place(tmp_path, format)
    decode = gan.decode_latents
    monkeypatch.setattr(gan, "decode_latents", lambda *a, **k: decode(*a, **k) + 2e-3)
    with pytest.raises(serving.ExportError, match=r"at most 0\.001.*a difference of 0\.002"):
        serving.write(gan, path, format)
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    serving.write(gan, path, format)
    monkeypatch.setattr(gan, "decode_latents", lambda *a, **k: decode(*a, **k) + 2e-3)
    with pytest.raises(serving.ExportError):
        serving.write(gan, path, format)
    assert path.exists()  # That of before.


def test_a_network_that_cannot_be_converted_leaves_nothing(tmp_path, backend_name, monkeypatch):
    needs("onnx", backend_name)

    def broken(self, *arguments, **options):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(keras.Model, "export", broken)
    with pytest.raises(serving.ExportError, match=r"ONNX cannot be written.*no such operation"):
        serving.write(infogan(), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_has_its_pip_line(tmp_path, backend_name, monkeypatch):
    monkeypatch.setattr(environment.util, "find_spec", lambda name: None)
    with pytest.raises(environment.MissingPackage, match=r"ONNX on \w+ needs onnx.*pip install"):
        serving.write(infogan(), tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="`format` must be one of"):
        serving.write(infogan(), tmp_path / "m.tflite", "tflite")
