"""Networks of R3GAN's authors: what is read, that it computes the same, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import written_r3gan as written
from keras import ops
from written_networks import Instance, Name, dumped

import kerasgan
from kerasgan import convert, networks
from kerasgan.convert import ConversionError

SMALL = {"image_size": 16, "latent_dim": 6, "width": 8, "group_width": 8, "full_side": 8}
CASES = {
    "unconditional": {},
    "conditional": {"num_classes": 3},
    "deeper and grey": {"depth": 3, "channels": 1},
    "of one width": {"full_side": 16, "depth": 1},
}


def pair(**options):
    return networks.r3gan(**{**SMALL, "depth": 2, **options})


def drawn(**options):
    """Return both networks as the authors' code has them, with weights that names draw."""
    generator, critic = pair(**options)
    return written.generator(generator).drawn(), written.critic(critic).drawn()


@pytest.mark.parametrize("name", CASES)
def test_networks_come_as_they_were_written(name, tmp_path):
    rng = np.random.default_rng(0)
    generator, critic = pair(**CASES[name])
    for network in (generator, critic):
        for variable in network.variables:
            variable.assign(rng.standard_normal(tuple(variable.shape)).astype("float32"))
    mean = networks.R3GANGenerator.from_config(generator.get_config())
    mean.set_weights([w + 1 for w in generator.get_weights()])
    file = written.write(
        tmp_path / "network.pkl",
        G=written.generator(generator),
        D=written.critic(critic),
        G_ema=written.generator(mean),
    )
    gan = convert.from_pickle(file)
    assert isinstance(gan, kerasgan.R3GAN)
    pairs = ((gan.generator, generator), (gan.ema_generator, mean), (gan.critic, critic))
    for found, expected in pairs:
        assert found.get_config() | {"name": ""} == expected.get_config() | {"name": ""}
        for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["unconditional", "conditional"])
def test_images_and_scores_are_the_authors(name, tmp_path):
    """The arrays are what brownvc/R3GAN's code computes, in float32, from the same weights."""
    with np.load(Path(__file__).with_name("r3gan_golden.npz")) as file:
        golden = {key: file[f"{name} {key}"] for key in ("images", "scores")}
    generator, critic = drawn(**CASES[name])
    file = written.write(tmp_path / "network.pkl", G_ema=generator, D=critic)
    gan = convert.from_pickle(file)
    z = np.random.default_rng(0).standard_normal((4, 6)).astype("float32")
    labels = None if gan.num_classes is None else np.arange(4, dtype="int32") % 3
    images = gan.decode_latents(z, labels, raw=True)
    np.testing.assert_allclose(images, golden["images"], atol=1e-4 * golden["images"].std())
    x = golden["images"]
    scores = gan.critic(x if labels is None else [x, labels])
    far = np.abs(ops.convert_to_numpy(scores)[:, 0] - golden["scores"]).max()
    assert far < 1e-4 * np.abs(golden["scores"]).max()


def test_a_file_without_a_critic_has_a_new_one(tmp_path):
    generator, _ = drawn()
    gan = convert.from_pickle(written.write(tmp_path / "network.pkl", G_ema=generator))
    for a, b in zip(gan.generator.get_weights(), gan.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert gan.critic.get_config()["width"] == 8


def _renamed(module, kind):
    module.kind = kind
    return module


def _first_stage(network):
    return network.parts["Model"].parts["MainLayers"].parts["0"].parts["Layers"]


def test_others_are_refused(tmp_path):
    path = tmp_path / "network.pkl"
    generator, critic = drawn()
    wider = drawn(width=16)[1]
    deeper = drawn()[0]
    stage = _first_stage(deeper)
    stage.parts["3"] = stage.parts["2"]
    filtered = drawn()[0]
    second = filtered.parts["Model"].parts["MainLayers"].parts["1"].parts["Layers"].parts["0"]
    second.parts["Resampler"].buffers["Kernel"] = np.ones((4, 4), "float32") / 16
    headless = drawn()[0]
    del headless.parts["Model"].parts["AggregationLayer"]
    for modules, message in (
        ({"G_ema": generator, "D": wider}, "`D` must be the counterpart"),
        ({"G_ema": generator, "G": drawn(depth=1)[0]}, "of one kind"),
        ({"G_ema": deeper}, "as many blocks as the others"),
        ({"G_ema": filtered}, "another filter"),
        ({"G_ema": headless}, "a whole R3GAN.*AggregationLayer"),
        ({"D": critic}, "D alone"),
        ({"G_ema": critic}, "a whole R3GAN"),
    ):
        written.write(path, **modules)
        with pytest.raises(ConversionError, match=message):
            convert.from_pickle(path)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Name("R3GAN.Networks", "Trainer"), {}),
        (Name("R3GAN.Networks", "Convolution"), [("kind", "x")]),
        (Name("R3GAN.Networks", "Convolution"), (None, {"kind": "x"})),
        (Name("torch", "bfloat16"), {"_modules": {}}),
        (Name("torch.nn.modules.module", "Module"), {}),
    ],
)
def test_nothing_else_is_made(kind, state, tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(dumped({"G_ema": Instance(kind, state)}))
    with pytest.raises(ConversionError, match=r"network\.pkl must"):
        convert.from_pickle(path)
