"""Networks of StyleGAN2's authors: what is read, and what is refused."""

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import written_networks as written
from keras import ops
from written_networks import Call, Name, Reference, dumped

import kerasgan
from kerasgan import convert, networks
from kerasgan.convert import ConversionError

SMALL = {"image_size": 8, "latent_dim": 4, "channel_base": 64, "channel_max": 5}
CASES = {
    "unconditional": {"mapping_layers": 2},
    "conditional": {
        "num_classes": 3,
        "style_dim": 6,
        "mapping_layers": 1,
        "critic_mapping_layers": 2,
    },
    "grey": {"channels": 1, "generator_architecture": "residual", "critic_architecture": "skip"},
    "plain": {
        "channels": 4,
        "generator_architecture": "plain",
        "critic_architecture": "plain",
        "clamp": None,
    },
}


def pair(**options):
    """Return networks whose every weight is drawn."""
    rng = np.random.default_rng(0)
    found = networks.stylegan2(**SMALL, **options)
    for network in found:
        for variable in network.variables:
            variable.assign(rng.standard_normal(tuple(variable.shape)).astype("float32"))
    return found


def assert_equal_weights(found, expected):
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def saved(tmp_path):
    generator, critic = pair(mapping_layers=1)
    parts = {"G_ema": written.generator(generator), "D": written.critic(critic)}
    return written.write(tmp_path / "network.pkl", **parts)


@pytest.mark.parametrize("name", CASES)
def test_networks_come_as_they_were_written(name, tmp_path):
    generator, critic = pair(**CASES[name], reduced=1)
    mean = networks.StyleGAN2Generator.from_config(generator.get_config())
    mean.set_weights([w + 1 for w in generator.get_weights()])
    file = written.write(
        tmp_path / "network.pkl",
        G=written.generator(generator),
        D=written.critic(critic, frozen=True),
        G_ema=written.generator(mean),
    )
    gan = convert.from_pickle(file)
    assert isinstance(gan, kerasgan.StyleGAN2)
    config = {**generator.get_config(), "style_dim": generator.mapping.width}
    assert gan.generator.get_config() | {"name": ""} == config | {"name": ""}
    for found, expected in (
        (gan.generator, generator),
        (gan.ema_generator, mean),
        (gan.critic, critic),
    ):
        for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert gan.critic.get_config()["critic_architecture"] == critic.arguments["critic_architecture"]
    labels = None if gan.num_classes is None else [0, 1, 2]
    assert np.isfinite(gan.sample(3, seed=0, labels=labels, truncation=0.5)).all()


def test_a_moving_average_alone_is_enough(tmp_path):
    generator, _ = pair()
    flat = {"synthesis_kwargs": None, "channel_base": 64, "channel_max": 5}  # As stylegan3 has it.
    alone = tmp_path / "alone.pkl"
    alone.write_bytes(dumped(written.generator(generator)))
    flat = written.write(tmp_path / "flat.pkl", G_ema=written.generator(generator, flat))
    for file in (alone, flat):
        gan = convert.from_pickle(file)
        for network in (gan.generator, gan.ema_generator):
            assert_equal_weights(network, generator)


def test_another_rate_of_the_mapping_is_another_scale(tmp_path):
    """As in files that the authors' legacy.py writes."""
    generator, critic = pair(num_classes=3, mapping_layers=2, critic_mapping_layers=2)
    mappings = generator.mapping, critic.get_layer("mapping")
    for layer in (*mappings[0].stack, *mappings[1].stack):
        layer.rate = 0.1
    parts = {"G_ema": written.generator(generator), "D": written.critic(critic)}
    gan = convert.from_pickle(written.write(tmp_path / "network.pkl", **parts))
    converted = gan.generator.mapping, gan.critic.get_layer("mapping")
    for ours, theirs in zip(converted, mappings, strict=True):
        for a, b in zip(ours.stack, theirs.stack, strict=True):
            for name in ("kernel", "bias"):
                found, given = (ops.convert_to_numpy(getattr(x, name)) for x in (a, b))
                np.testing.assert_allclose(found, 10 * given, rtol=1e-5)


@pytest.mark.parametrize("protocol", [2, 3])
def test_protocols_and_kinds_of_numbers(protocol, tmp_path):
    """Scalars and arrays of NumPy, old and new; tensors of other types are made float32."""
    generator, _ = pair()
    generator.set_weights([w.astype("float16") for w in generator.get_weights()])
    state = (3, "<", None, None, None, -1, -1, 0)
    size = Call(Name("numpy", "dtype"), ("i8", False, True), state)
    kinds = []
    for core in ("core", "_core"):
        scalar = Name(f"numpy.{core}.multiarray", "scalar")(size, np.int64(8).tobytes())
        kinds.append(written.generator(generator, {"img_resolution": scalar}))
    for kind in kinds:
        path = tmp_path / "network.pkl"
        path.write_bytes(dumped({"G_ema": kind}, protocol))
        found = convert.from_pickle(path).generator
        assert_equal_weights(found, generator)


def test_a_converted_network_trains_on(saved):
    gan = convert.from_pickle(saved)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 3)).astype("float32")
    before = gan.generator.get_weights()
    gan.fit(images, batch_size=8, verbose=0)
    assert any(
        not np.array_equal(*both) for both in zip(before, gan.generator.get_weights(), strict=True)
    )


class Evil:
    """A file that calls something."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def nested(value, times=3):
    """Return a pickle within the bytes of storages."""
    for _ in range(times):
        value = Name("torch.storage", "_load_from_bytes")(dumped(value, 2))
    return value


MARK = "KERASGAN_EVIL_RAN"
EVIL = {
    "os.system": pickle.dumps({"G_ema": Evil(os.putenv, (MARK, "1"))}),
    "builtins": dumped({"G_ema": Name("builtins", "eval")(f"__import__('os').putenv('{MARK}')")}),
    "nested": dumped({"G_ema": nested(Name("os", "system")("true"))}),
    "imitation": dumped({"G_ema": Name("torch.storage", "_load_from_bytes.__globals__")()}),
    "torch.load": dumped({"G_ema": Name("torch", "load")("x")}),
    "a class": dumped({"G_ema": Name("training.networks", "Generator")()}),
    "no state": dumped({"G_ema": written.NETWORK({"class_name": "G", "state": 3})}),
    "a reference": dumped({"G_ema": Reference(("storage", "x", "0", "cpu", 1))}),
}


@pytest.mark.parametrize("name", EVIL)
def test_nothing_in_a_file_is_run(name, tmp_path, monkeypatch):
    monkeypatch.delenv(MARK, raising=False)
    path = tmp_path / "network.pkl"
    path.write_bytes(EVIL[name])
    with pytest.raises(ConversionError, match=r"network\.pkl must"):
        convert.from_pickle(path)
    assert MARK not in os.environ


def test_names_cannot_be_changed():
    """A pickle may set the state of what it has named; these have none to set."""
    for (module, name), allowed in convert.pickles._KNOWN.items():
        if allowed is None:
            continue
        for state in ({"function": 1}, (None, {"function": 1, "__setstate__": 1})):
            file = io.BytesIO()
            pickler = written.Pickler(file, 3)
            pickler.write(pickle.PROTO + b"\x03")
            pickler.save(Name(module, name))
            pickler.save(state)
            pickler.write(pickle.BUILD + pickle.STOP)
            file.seek(0)
            with pytest.raises((pickle.UnpicklingError, TypeError, AttributeError)):
                convert.pickles._Reader(file.read()).load()
    assert not hasattr(collections.OrderedDict, "function")


def test_files_that_are_none(saved, tmp_path):
    whole = saved.read_bytes()
    path = tmp_path / "other.pkl"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("data.pkl", whole)
    older = dumped({"G_ema": Name("dnnlib.tflib.network", "Network")()})
    for data, message in (
        (b"", "breaks off"),
        (b"not a pickle", "cannot be read"),
        (whole[: len(whole) // 2], "breaks off"),
        (whole[:-1], "breaks off"),
        (archive.getvalue(), "cannot be read"),
        (older, "a network of the older TensorFlow code"),
        (dumped([1, 2]), "list in its place"),
        (dumped({"weights": 1}), "Received: weights"),
        (dumped({}), "Received: nothing"),
        (dumped({"G_ema": 3}), "Received: G_ema"),
        (dumped({"G_ema": np.float32}), "numpy.float32 in it"),
        (b"\x80\x02]" + b"q\x00" + b"(" * 100000 + b".", "cannot be read"),
        (b"\x80\x04\x8e" + b"\xff" * 8, "cannot be read"),
    ):
        path.write_bytes(data)
        with pytest.raises(ConversionError, match=message):
            convert.from_pickle(path)


@pytest.mark.parametrize(
    "nested", [b")" + b"\x85" * 10**5, b")" + b"2\x86" * 60], ids=["deep", "wide"]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"}", b"Ns."),  # An entry of a dictionary, one of many, and all of one.
        (b"}(", b"Nu."),
        (b"(", b"Nd."),
        (b"\x8f(", b"\x90."),  # Entries of a set, and of one that is frozen.
        (b"(", b"\x91."),
        (b"ccollections\nOrderedDict\n](", b"N\x86e\x85R."),
    ],
)
def test_keys_that_cannot_be_hashed_in_time(before, after, nested, tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(b"\x80\x04" + before + nested + after)
    with pytest.raises(ConversionError, match=r"a key that is no name|cannot be read \(Ordered"):
        convert.from_pickle(path)


def test_tensors_that_reach_beyond_their_storage(tmp_path):
    numbers = np.arange(8, dtype="float32")
    made = Name("torch.storage", "_load_from_bytes")(written.storage(numbers))
    for place, shape, strides in (
        (0, (2**34,), (0,)),  # The same number, again and again.
        (0, (8, 8), (0, 1)),
        (4, (5,), (1,)),
        (0, (3, 3), (3, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
    ):
        tensor = written.TENSOR(made, place, shape, strides, False, {})
        path = tmp_path / "network.pkl"
        path.write_bytes(dumped({"G_ema": tensor}))
        with pytest.raises(ConversionError, match="beyond its storage"):
            convert.from_pickle(path)


def test_files_that_ask_for_more_memory_than_they_have(tmp_path):
    numbers = np.zeros(1000, "float32")
    stored = written.storage(numbers)  # One object, which the file names again and again.
    load = Name("torch.storage", "_load_from_bytes")
    again = written.network("Generator", parts={str(i): load(stored) for i in range(50)})
    endless = ["x"]
    for _ in range(40):
        endless = [endless, endless]
    shown = written.network("Generator", {"activation": endless}, parts={
        "mapping": written.network("M"), "synthesis": written.network("S")})  # fmt: skip
    memo = b"\x80\x03]r" + (2**32 - 1).to_bytes(4, "little") + b"."
    path = tmp_path / "network.pkl"
    for data, message in (
        (dumped({"G_ema": again}), "more tensors than the file has bytes for"),
        (dumped({"G_ema": shown}), "Received: list"),
        (memo, "Received: list"),
    ):
        path.write_bytes(data)
        with pytest.raises(ConversionError, match=message):
            convert.from_pickle(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"img_resolution": 16}, "a part that is amiss.*b16"),
        ({"img_channels": 1}, "shape"),
        ({"mapping_kwargs": {"activation": "relu"}}, "`activation` of Generator must be 'lrelu'"),
        ({"synthesis_kwargs": {"channel_base": 2**20, "channel_max": 2**14}}, "of 16384 features"),
        ({"synthesis_kwargs": {"activation": "relu"}}, "`activation`"),
        ({"synthesis_kwargs": {"resample_filter": [1, 2, 1]}}, "`resample_filter`"),
        ({"synthesis_kwargs": {"architecture": "stair"}}, "`architecture` must be one of"),
        ({"img_resolution": 12}, "must be 4 times a power of 2. Received: 12"),
        ({"img_resolution": "many"}, "`image_size` must be"),
    ],
)
def test_other_generators_are_named(arguments, message, tmp_path):
    generator, _ = pair(mapping_layers=1)
    base = {"channel_base": 64, "channel_max": 5}
    if "synthesis_kwargs" in arguments:
        arguments = {"synthesis_kwargs": {**base, **arguments["synthesis_kwargs"]}}
    file = written.write(tmp_path / "n.pkl", G_ema=written.generator(generator, arguments))
    with pytest.raises(ConversionError, match=message):
        convert.from_pickle(file)


def test_other_kinds_are_named(tmp_path):
    generator, critic = pair(mapping_layers=1)
    other = written.network("StyleUNet", {}, {}, {}, {"body": written.network("Conv2dLayer")})
    synthesis = written.network("SynthesisNetwork", parts={"input": written.network("Input")})
    alias_free = written.network(
        "Generator", {}, {}, {}, {"synthesis": synthesis, "mapping": written.network("M")}
    )
    bigger = networks.StyleGAN2Critic(16, channel_base=64, channel_max=5)
    for parts, message in (
        ({"G_ema": other}, "Received: StyleUNet, with body"),
        ({"G_ema": alias_free}, "an alias-free StyleGAN3"),
        ({"D": written.critic(critic)}, "D alone"),
        (
            {"G_ema": written.generator(generator), "D": written.critic(bigger)},
            "another image_size",
        ),
        (
            {"G_ema": written.generator(generator), "G": written.critic(critic)},
            "a StyleGAN2's Generator",
        ),
    ):
        file = written.write(tmp_path / "n.pkl", **parts)
        with pytest.raises(ConversionError, match=message):
            convert.from_pickle(file)
