import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state

import kerasgan
from kerasgan import networks, presets, storage
from kerasgan.presets import PresetError


@pytest.fixture
def gan():
    return kerasgan.WGANGP(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1), gp_weight=7.0)


@pytest.fixture
def folder(gan, tmp_path):
    gan.ema_generator.set_weights([w + 0.1 for w in gan.ema_generator.get_weights()])
    gan.save_to_preset(tmp_path / "preset", {"data": "nothing"})
    return tmp_path / "preset"


def test_round_trip(gan, folder):
    loaded = kerasgan.from_preset(folder)
    assert type(loaded) is kerasgan.WGANGP and loaded.gp_weight == 7.0
    np.testing.assert_array_equal(loaded.sample(5, seed=1), gan.sample(5, seed=1))
    for a, b in zip(loaded.critic.get_weights(), gan.critic.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["data"] == "nothing"
    assert set(metadata["files"]) == {"config.json", "model.weights.h5", "golden.npz"}


def test_without_weights_the_networks_are_new(gan, folder):
    (folder / "model.weights.h5").unlink()
    fresh = kerasgan.from_preset(folder, load_weights=False)
    assert not np.array_equal(fresh.sample(2, seed=0), gan.sample(2, seed=0))


def test_a_loaded_preset_goes_on_training(folder, images):
    gan = kerasgan.from_preset(folder)
    gan.compile()
    before = gan.critic.get_weights()[0].copy()
    gan.fit(images, verbose=0)
    assert not np.array_equal(before, gan.critic.get_weights()[0])


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["model.weights.h5", "config.json"])
def test_damaged_files_are_refused(folder, name):
    damage(folder / name)
    with pytest.raises(PresetError, match="damaged or was altered"):
        kerasgan.from_preset(folder)


def test_truncated_and_missing_files_are_refused(folder):
    weights = folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(PresetError, match="damaged"):
        kerasgan.from_preset(folder)
    weights.unlink()
    with pytest.raises(PresetError, match="lacks a file"):
        kerasgan.from_preset(folder)
    (folder / "metadata.json").unlink()
    with pytest.raises(PresetError, match=r"no metadata\.json"):
        kerasgan.from_preset(folder)


def edit_metadata(folder, **changes):
    path = folder / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_newer_and_foreign_metadata_are_refused(folder):
    edit_metadata(folder, format=99)
    with pytest.raises(PresetError, match="pip install --upgrade"):
        kerasgan.from_preset(folder)
    (folder / "metadata.json").write_text("[]")
    with pytest.raises(PresetError, match="not the metadata"):
        kerasgan.from_preset(folder)


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize(
    "name", ["__lambda__", "TorchModuleWrapper", "layers.TorchModuleWrapper", "x>TFSMLayer"]
)
def test_code_in_a_config_is_refused(folder, unsafe, name, monkeypatch):
    config = json.loads((folder / "config.json").read_text())
    config["config"]["generator"] = {
        "class_name": "Lambda",
        "module": "keras.layers",
        "config": {"function": {"class_name": name, "config": {"code": "x"}}},
        "registered_name": None,
    }
    (folder / "config.json").write_text(json.dumps(config))
    files = json.loads((folder / "metadata.json").read_text())["files"]
    files["config.json"] = storage.described(folder / "config.json")
    edit_metadata(folder, files=files)
    if unsafe:
        keras.config.enable_unsafe_deserialization()
    monkeypatch.setattr(keras.layers.Lambda, "from_config", lambda *_, **__: pytest.fail("ran"))
    try:
        with pytest.raises(PresetError, match=r"safe to load"):
            kerasgan.from_preset(folder)
    finally:
        global_state.set_global_attribute("safe_mode_saving", None)


def test_a_preset_of_something_else_is_refused(folder, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    config = keras.saving.serialize_keras_object(model)
    (folder / "config.json").write_text(json.dumps(config))
    files = json.loads((folder / "metadata.json").read_text())["files"]
    files["config.json"] = storage.described(folder / "config.json")
    edit_metadata(folder, files=files)
    for load_weights in (False, True):
        with pytest.raises(PresetError, match="holds a Sequential"):
            kerasgan.from_preset(folder, load_weights=load_weights)


def test_unknown_names_list_the_nearest():
    with pytest.raises(PresetError, match=r"`preset` must be.*Received: 'wgan_gp_fashion_minst'"):
        kerasgan.from_preset("wgan_gp_fashion_minst")


def test_classes_know_their_presets():
    every = kerasgan.AdversarialModel.presets
    assert set(every) == set(presets.presets())
    assert "wgan_gp_fashion_mnist" in kerasgan.WGANGP.presets
    assert "wgan_gp_fashion_mnist" not in kerasgan.InfoGAN.presets
    assert every["wgan_gp_fashion_mnist"]["license"] == "apache-2.0"


def test_a_class_opens_its_own_presets_alone(folder):
    assert isinstance(kerasgan.WGANGP.from_preset(folder), kerasgan.WGANGP)
    with pytest.raises(PresetError, match=r"of the class InfoGAN.*holds a WGANGP"):
        kerasgan.InfoGAN.from_preset(folder)


def test_half_the_size(tmp_path):
    gan = kerasgan.WGANGP(*networks.mlp(28, 1, latent_dim=4, width=96, depth=1))
    sizes = []
    for name in ("half", "whole"):
        gan.save_to_preset(tmp_path / name, half=name == "half")
        sizes.append((tmp_path / name / "model.weights.h5").stat().st_size)
    assert sizes[0] < 0.6 * sizes[1]
    halved = kerasgan.from_preset(tmp_path / "half")
    images, seed = storage.golden_samples(tmp_path / "half")
    np.testing.assert_allclose(halved.sample(len(images), seed=seed), images, atol=5e-4)
    for a, b in zip(halved.get_weights(), gan.get_weights(), strict=True):
        if a.dtype == "float32":
            np.testing.assert_array_equal(a, b.astype("float16").astype("float32"))


@pytest.mark.parametrize("bad", ["weights", "values", "reserved"])
def test_a_save_that_fails_leaves_the_older_preset_as_it_was(gan, folder, bad):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    gan.critic.set_weights([w + 1e6 for w in gan.critic.get_weights()])
    metadata, half, match = {
        "weights": ({}, True, "half=False"),
        "values": ({"x": np.float32(1)}, False, "must hold JSON values"),
        "reserved": ({"format": "png"}, False, "must not have the entries format"),
    }[bad]
    with pytest.raises(PresetError, match=match):
        gan.save_to_preset(folder, metadata, half=half)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    kerasgan.from_preset(folder)


def test_a_disk_that_fills_up_leaves_the_older_preset_as_it_was(gan, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write = storage.write_json

    def full(path, value):
        if path.name == "metadata.json":
            raise OSError(28, "No space left on device")
        write(path, value)

    monkeypatch.setattr(storage, "write_json", full)
    gan.critic.set_weights([w + 1 for w in gan.critic.get_weights()])
    with pytest.raises(PresetError, match=r"cannot be written.*No space left"):
        gan.save_to_preset(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_preset_that_cannot_be_written_says_so(gan, tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(PresetError, match="cannot be written"):
            gan.save_to_preset(folder)
    assert (tmp_path / "file").read_text() == "x" and len(list(tmp_path.iterdir())) == 1


def test_a_preset_may_be_a_link_to_another_folder(gan, folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    gan.save_to_preset(tmp_path / "link", {"data": "anew"})
    assert storage.read_metadata(folder)["data"] == "anew" and (tmp_path / "link").is_symlink()


def test_a_lambda_of_a_known_function_is_kept_and_code_is_not(tmp_path):
    for function in (keras.ops.tanh, lambda x: x):
        generator, critic = networks.mlp(8, 1, latent_dim=4, width=8, depth=1)
        layer = keras.layers.Lambda(function, output_shape=(8, 8, 1))
        generator = keras.Sequential([keras.Input((4,)), generator, layer])
        gan = kerasgan.WGANGP(generator, critic, ema=None)
        if function is keras.ops.tanh:
            gan.save_to_preset(tmp_path / "p")
            kerasgan.from_preset(tmp_path / "p")
        else:
            with pytest.raises(PresetError, match=r"cannot be written|safe to load"):
                gan.save_to_preset(tmp_path / "q")
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_name_of_the_zoo_comes_before_a_folder(gan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "wgan_gp_fashion_mnist"
    gan.save_to_preset(name)
    assert kerasgan.from_preset(name).latent_dim != gan.latent_dim
    for own in (f"./{name}", Path(name)):
        assert kerasgan.from_preset(own).latent_dim == gan.latent_dim


@keras.saving.register_keras_serializable(package="tests")
class Scaled(kerasgan.WGANGP):
    """A variant with a weight of its own, which scales its samples."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.scale = self.add_weight(shape=(), initializer="ones", trainable=False, name="scale")

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["scale"] = self.scale

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.scale.assign(store["scale"])


def test_a_weight_of_the_model_itself_is_in_the_preset(images, tmp_path):
    gan = Scaled(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1))
    gan.compile()
    gan.fit(images, verbose=0)
    gan.scale.assign(0.5)
    gan.save_to_preset(tmp_path / "p")
    loaded = kerasgan.from_preset(tmp_path / "p")
    for a, b in zip(loaded.get_weights(), gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(loaded.scale) == 0.5


def test_presets_are_listed_and_verified_without_keras():
    # The package itself is a bare one here: its own imports are no part of this.
    code = """
import sys, types
package = sys.modules["kerasgan"] = types.ModuleType("kerasgan")
package.__path__ = [sys.argv[1]]
import kerasgan.files, kerasgan.hub, kerasgan.validation
from kerasgan import presets, storage
for folder in presets.presets().values():
    storage.read_metadata(folder), storage.read_config(folder), storage.verify_files(folder)
print({"keras", "numpy", "h5py", "huggingface_hub"} & set(sys.modules))
"""
    package = str(Path(kerasgan.__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, package], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr[-2000:]


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-of-this-name/x", "a\0b"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(PresetError, match="`preset` must be"):
        kerasgan.from_preset(name)


def test_a_damaged_preset_hides_no_other(folder, monkeypatch):
    good = presets.presets()["wgan_gp_fashion_mnist"]
    monkeypatch.setattr(presets, "presets", lambda: {"bad": folder, "good": good})
    for text in ("{", "[]", '{"class_name": 1}', "[" * 100_000):
        (folder / "config.json").write_text(text)
        assert list(kerasgan.WGANGP.presets) == ["good"]


def test_a_preset_is_float32_whatever_the_policy(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        gan = kerasgan.WGANGP(*networks.mlp(8, 1, latent_dim=4, width=8, depth=1))
        gan.save_to_preset(tmp_path / "p")
    finally:
        keras.config.set_dtype_policy("float32")
    images, seed = storage.golden_samples(tmp_path / "p")
    loaded = kerasgan.from_preset(tmp_path / "p")
    np.testing.assert_allclose(loaded.sample(len(images), seed=seed), images, atol=5e-4)


@pytest.mark.parametrize("config", ["[]", '"x"', "null"])
def test_configs_that_describe_nothing_are_refused(folder, config):
    (folder / "config.json").write_text(config)
    files = json.loads((folder / "metadata.json").read_text())["files"]
    files["config.json"] = storage.described(folder / "config.json")
    edit_metadata(folder, files=files)
    with pytest.raises(PresetError, match=r"describes no model|must hold a model"):
        kerasgan.from_preset(folder)


def test_a_golden_file_that_was_cut_off_is_refused(folder):
    golden = folder / "golden.npz"
    for size in (0, 100, golden.stat().st_size - 1):
        golden.write_bytes(golden.read_bytes()[:size])
        with pytest.raises(PresetError, match="no golden samples"):
            storage.golden_samples(folder)


@pytest.mark.parametrize("arrays", [{"x": np.zeros(3)}, {"images": np.zeros(3), "seed": 1}])
def test_golden_files_that_hold_none_are_refused(folder, arrays):
    np.savez(folder / "golden.npz", **arrays)
    with pytest.raises(PresetError, match="no golden samples"):
        storage.golden_samples(folder)


def test_foreign_weights_are_refused(folder, tmp_path):
    other = kerasgan.WGANGP(*networks.mlp(28, 1, latent_dim=4, width=9, depth=1))
    other.save_to_preset(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.weights.h5", folder)
    files = json.loads((folder / "metadata.json").read_text())["files"]
    files["model.weights.h5"] = storage.described(folder / "model.weights.h5")
    edit_metadata(folder, files=files)
    with pytest.raises(PresetError, match="does not fit"):
        kerasgan.from_preset(folder)


FAST = ("wgan_gp_fashion_mnist", "conditional_gan_fashion_mnist")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in FAST else pytest.mark.slow)
        for name in presets.presets()
    ],
)
def test_every_preset_of_the_zoo_loads_and_gives_its_golden_samples(name, tmp_path):
    source = presets.presets()[name]
    copied = shutil.copytree(source, tmp_path / name)
    gan = kerasgan.from_preset(copied)
    golden = np.load(source / "golden.npz")
    images = gan.sample(len(golden["images"]), seed=int(golden["seed"]))
    np.testing.assert_allclose(images, golden["images"].astype("float32"), atol=1e-3)
    metadata = storage.read_metadata(source)
    assert {"data", "license", "command"} <= set(metadata)
    assert (source / "README.md").exists() and (source / "samples.png").exists()
