"""Labels, recipes, runs and presets of somebody else whose values are far out of range."""

import json
import math
import shutil
from pathlib import Path

import nonsense
import numpy as np
import pytest

import kerasgan
from kerasgan import catalogue, report, validation
from kerasgan.catalogue import source_of
from kerasgan.collapse import Journal
from kerasgan.data import DataError, load
from kerasgan.data.labels import checked
from kerasgan.recipe import Recipe
from kerasgan.report.charts import line_chart
from kerasgan.storage import PresetError
from kerasgan.text import listed, quoted, told

STORED = Path(__file__).parents[1] / "collapse" / "stored_run"
numpy_alone = pytest.mark.numpy


# Labels.


@numpy_alone
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([2**62, 2**32 + 3]), "from 4294967299 to 4611686018427387904"),
        (np.array([1, 2**64 - 1], "uint64"), "from 1 to 18446744073709551615"),
        (np.array([2**31, 0], "uint32"), "from 0 to 2147483648"),
        (np.array([-(2**31) - 1, 0]), "from -2147483649 to 0"),
        (np.array([np.nan, 1.0]), "from nan to nan"),
        (np.array([np.inf, 1.0]), "from 1.0 to inf"),
        (np.array([1e30, 0.0]), r"from 0.0 to 1e\+30"),
    ],
)
def test_labels_that_32_bits_cannot_hold(labels, words, tmp_path):
    rule = "`labels` must be finite, and as numbers of classes whole, from 0 to 2,147,483,647"
    with pytest.raises(DataError, match=f"{rule}. Received: labels {words}"):
        checked(labels, 2)
    path = tmp_path / "a.npz"
    np.savez(path, images=np.zeros((2, 8, 8), "uint8"), labels=labels)
    with pytest.raises(DataError, match=f"{words} in .*a.npz"):
        load(path, batch_size=2, cache_dir=tmp_path)


@numpy_alone
@pytest.mark.parametrize("dtype", ["int64", "uint64", "uint8", "float16", "float64", "bool"])
def test_labels_of_any_width(dtype):
    assert checked(np.array([0, 1], dtype), 2).tolist() == [0, 1]
    assert checked(np.zeros(0, dtype), 0).dtype == np.int32


@numpy_alone
def test_the_outermost_labels():
    assert checked(np.array([2**31 - 1, -(2**31)]), 2).tolist() == [2**31 - 1, -(2**31)]


# Recipes.


def rate_of(rate):
    return {"optimizers": {"critic": {"learning_rate": rate}}}


@numpy_alone
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rate_of({"cosine": [1e300, 1e300]}), "`learning_rate` must be .* of at most 1. R"),
        (rate_of({"cosine": [0, 1e-4]}), "`learning_rate` must be a number above 0"),
        (
            rate_of({"boundaries": [10**30], "values": [1e-3, 1e-4]}),
            "`boundaries` must be .* at most 1,000,000,000",
        ),
        (
            rate_of({"boundaries": [9], "values": [1e-3, 1e308]}),
            "`learning_rate` must be .* most 1",
        ),
        (rate_of(10**400), "`learning_rate` must be"),
        ({"length": {"epochs": 10**30}}, "`epochs` must be .* of at most 1,000,000. R"),
        ({"length": {"steps": 10**400}}, "`steps` must be"),
        ({"arguments": {"n_critic": 10**400}}, "`n_critic` must be"),
        ({"penalties": [{"kind": "r1", "weight": 10**400}]}, "`weight` must be"),
        (
            {"variant": "r3gan", "arguments": {"burn_in": {"share": 1e300}}},
            "`burn_in.share` must be a number above 0 and of at most 1. R",
        ),
        ({"data": {"name_or_path": "a\0b"}}, "`name_or_path` must be text without a NUL"),
        ({"data": {"split": "a\0b"}}, "`split` must be text without a NUL"),
    ],
)
def test_recipes_keep_to_the_bounds_of_the_command_line(change, words):
    with pytest.raises(ValueError, match=words) as raised:
        Recipe.from_json({**Recipe("gan").to_json(), **change})
    assert len(str(raised.value)) < 500


@numpy_alone
@pytest.mark.parametrize("text", ["x\n\n\n\ny", "\x1b[31m\n" * 3000, "x" * 5000])
@pytest.mark.parametrize("nested", [False, True])
def test_text_in_recipes_stays_one_short_line(text, nested, tmp_path):
    value = {text: [text] * 9} if nested else text
    for name in Recipe("gan").to_json():
        for change in ({name: value}, {name: {text: value}}, {name: [value]}):
            told_about(tmp_path, {**Recipe("gan").to_json(), **change})
    for change in (
        {text: 1},
        {"data": {text: 1}},
        {"data": {"image_size": value}},
        {"arguments": {"loss": value}},
        {"penalties": [{"kind": value}]},
        {"optimizers": {text: {}}},
        {"optimizers": {text: 3}},
        {"optimizers": {"critic": {text: 1}}},
        rate_of({text: [value]}),
    ):
        told_about(tmp_path, {**Recipe("gan").to_json(), **change})
    told_about(tmp_path, {"model": value})
    told_about(tmp_path, {"model": "gan", text: value})


@numpy_alone
@pytest.mark.parametrize("field", ["data", "networks", "batch_size"])
def test_recipes_that_are_nested_deeply(field, tmp_path):
    path, depth = tmp_path / "recipe.json", 900  # JSON of this depth can be read, and not copied.
    nested = "[" * depth + "]" * depth
    path.write_text(f'{{"format": 2, "variant": "gan", "{field}": {{"limit": {nested}}}}}')
    with pytest.raises(ValueError, match=r"recipe\.json: "):
        Recipe.read(path)


def told_about(folder, stored):
    path = folder / "recipe.json"
    path.write_text(json.dumps(stored))
    with_error = None
    try:
        Recipe.read(path)
    except ValueError as error:
        with_error = str(error)
        assert with_error.startswith(str(path)) and len(with_error) < 1300
        assert with_error.isprintable()
    return with_error


@numpy_alone
@pytest.mark.parametrize("seed", range(3))
def test_damaged_recipes(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(
        nonsense, "STRANGE", (*nonsense.STRANGE, 10**400, math.nan, math.inf, "a\0", "x" * 5000)
    )
    rng = np.random.default_rng(seed)
    sources = [Recipe("gan").with_options(data="mnist", r1=1.0, augment="ada", lr=1e-3)]
    sources += [Recipe("infogan").with_options(lr=1e-3, final_lr=1e-4, view_weight=1.0)]
    sources += [Recipe("r3gan", arguments={"burn_in": {"share": 0.5}}).with_options(beta_1=0.1)]
    refused = 0
    for _ in range(200):
        stored = sources[rng.integers(3)].to_json()
        for _ in range(rng.integers(1, 4)):
            stored = nonsense.changed(rng, stored)
        refused += told_about(tmp_path, stored) is not None
    assert refused > 100


@numpy_alone
def test_a_name_that_no_file_can_have():
    assert source_of("x" * 5000) == source_of("a\0b") == "tfds"


@numpy_alone
def test_foreign_text_in_messages():
    assert told("a\n\x1b[31m") == "a\\n\\x1b[31m" and len(told("x" * 9000)) <= 200
    assert quoted("a\n") == "'a\\n'" and len(quoted(["x" * 9000])) <= 200
    assert quoted(10**5000) == "a value of the type int that is too large to show"
    assert len(listed(["x" * 9000] * 3)) < 700


# Arguments in Python.


@pytest.fixture(scope="module")
def pair():
    return kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=4, width=4, depth=1)


@pytest.mark.parametrize("name", ["learning_rate", "critic_learning_rate", "historical_averaging"])
@pytest.mark.parametrize("value", [1e300, 10**400, -(10**400), math.inf, math.nan])
def test_numbers_keep_to_the_bounds_of_the_catalogue(name, value, pair):
    with pytest.raises(ValueError, match=f"`{name}` must be a positive number") as raised:
        kerasgan.GAN(*pair, **{name: value})
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("value", [10**22, 10**400, 1001, 1e300])
def test_integers_keep_to_the_bounds_of_the_catalogue(value, pair):
    words = "`n_critic` must be a positive integer of at most 1,000. Received: n_critic=1"
    with pytest.raises(ValueError, match=words):
        kerasgan.GAN(*pair, n_critic=value)
    assert kerasgan.GAN(*pair, n_critic=1000).n_critic == 1000


def test_bounds_of_a_variants_own_numbers(pair):
    with pytest.raises(ValueError, match="`gamma` must be a non-negative number of at most"):
        kerasgan.R3GAN(*pair, gamma=1e300)
    with pytest.raises(ValueError, match="`burn_in` must be a positive integer of at most"):
        kerasgan.R3GAN(*pair, burn_in=10**10)


@numpy_alone
def test_the_bound_of_a_name_is_the_greatest_of_all_variants():
    assert catalogue.bound("learning_rate") == 1 and catalogue.bound("burn_in") == 10**9
    assert catalogue.bound("nothing") == math.inf


# Run folders.


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(STORED, tmp_path / "run"))


def change(run, **fields):
    """Change fields of the first check, of its measurement, or of the first decision."""
    path = run / "guard" / "journal.json"
    stored = json.loads(path.read_text())
    entry, decision = stored["entries"][0], stored["decisions"][0]
    measured = entry["look" if "look" in entry else "measurement"]
    for name, value in fields.items():
        where, _, field = name.partition("__")
        {"entry": entry, "measured": measured, "decision": decision}[where][field] = value
    path.write_text(json.dumps(stored))


@numpy_alone
@pytest.mark.parametrize(
    "metrics",
    [
        "²,1\n1,2",
        f"{'9' * 3000},1\n1,2",
        "1,1e308\n2,-1e308\n3,1",
        "1,0\n2,5e-324",
        "1,1e17\n2,1e17",
        "1,1e38\n2,-1e38",
        "999999999999999999,1",
        "1e3,1\n-1,2\n,3\n1_0,4",
    ],
)
def test_rows_of_metrics_that_cannot_be_drawn(run, metrics):
    (run / "metrics.csv").write_text(f"epoch,critic_loss\n{metrics}\n", encoding="utf-8")
    assert "Losses" in report.write(run).read_text()


@numpy_alone
@pytest.mark.parametrize(
    "fields",
    [
        {"entry__step": 10**400},
        {"entry__step": 2**63},
        {"entry__step": -1},
        {"entry__epoch": 10**400},
        {"decision__step": 10**400},
        {"decision__epoch": 2**63},
        {"decision__back_to": 10**400},
        {"entry__evidence": ["class <b>1"]},
        {"entry__evidence": ["class "]},
        {"entry__evidence": ["class ²"]},
        {"entry__evidence": ["class " + "9" * 3000]},
        {"measured__diversity": 10**400},
        {"measured__diversity": None},
        {"measured__vendi": [1.0]},
        {"measured__surface": -1.0},
        {"measured__detail": 1.0},
        {"measured__detail": [None]},
        {"measured__finite": 1},
    ],
)
def test_fields_of_a_journal_that_are_out_of_range(run, fields):
    change(run, **fields)
    with pytest.raises(
        ValueError, match=r"must hold guard/journal\.json.*that it cannot"
    ) as raised:
        report.write(run)
    assert len(str(raised.value)) < 700 and str(raised.value).isprintable()


@numpy_alone
def test_a_measurement_that_is_none(run):
    path = run / "guard" / "journal.json"
    stored = json.loads(path.read_text())
    entry = stored["entries"][0]
    entry["look" if "look" in entry else "measurement"] = [1]
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="`measurement` has a value that it cannot have"):
        Journal.read(path)


@numpy_alone
def test_measurements_that_are_huge_or_not_finite(run):
    change(run, measured__diversity=1e308, measured__cells=math.inf, measured__vendi=math.nan)
    assert "Diversity" in report.write(run).read_text()


@numpy_alone
@pytest.mark.parametrize("images", [math.inf, math.nan, 1e300, 10**400, -64, 0, "x", [1], None])
@pytest.mark.parametrize("name", ["images", "batch_size"])
def test_options_that_are_no_counts(run, images, name):
    stored = {"images": 640, "batch_size": 64, name: images}
    (run / "options.json").write_text(json.dumps(stored))
    assert "Diversity" in report.write(run).read_text()


@numpy_alone
@pytest.mark.parametrize(
    "ys", [(1e17, 1e17), (0.0, 5e-324), (1.0, math.nextafter(1, 2)), (1e39, -1e39), (-1e17, -1e17)]
)
def test_charts_of_values_that_are_hardly_apart(ys):
    chart = line_chart({"a": list(enumerate(ys))})
    assert chart.count("<text") > 2 and "nan" not in chart and "inf" not in chart
    assert "<svg" in line_chart({"a": [(y, 1.0) for y in ys]})


# Presets.


@pytest.mark.parametrize("preset", ["x" * 5000, "a\n" * 3000, "\x1b[31m"])
def test_names_of_presets_are_told_in_one_short_line(preset):
    with pytest.raises(PresetError, match="`preset` must be one of the zoo's names") as raised:
        kerasgan.from_preset(preset)
    assert len(str(raised.value)) < 700 and str(raised.value).isprintable()


def test_verify_tells_of_a_preset_in_short_lines(pair, tmp_path, capsys, monkeypatch, backend_name):
    from kerasgan_cli import main

    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    folder = tmp_path / "preset"
    kerasgan.GAN(*pair).save_to_preset(folder)
    path = folder / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["files"]["config.json"]["sha256"] = "A\x1b[31m\n" * 3000
    path.write_text(json.dumps(metadata))
    for name in (str(folder), "x\n" * 2000):
        with pytest.raises(SystemExit) as stop:
            main(["zoo", "verify", name])
        out, err = capsys.readouterr()
        assert stop.value.code == 1
        assert len((out + err).splitlines()) <= 2 and len(out + err) < 1500


@pytest.mark.parametrize("value", [10**400, -(10**400), "x" * 5000])
def test_numbers_that_no_float_holds_and_long_words(value):
    for check in (validation.positive, validation.positive_integer, validation.fraction):
        if check is validation.positive_integer and value == 10**400:
            continue
        with pytest.raises(ValueError, match="`rate` must be") as raised:
            check("rate", value)
        assert len(str(raised.value)) < 400
    with pytest.raises(ValueError, match="`rate` must be one of") as raised:
        validation.choice("rate", value, ["a"])
    assert len(str(raised.value)) < 400
