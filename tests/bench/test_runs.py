"""The trainings of the detector's exam."""

import numpy as np
import pytest

from kerasgan.bench.collapse import exam, pictures, runs
from kerasgan.files import write_json

BY_NAME = {(recipe["name"], recipe["seed"]): recipe for recipe in runs.recipes()}


@pytest.mark.numpy
def test_every_recipe_has_a_history_and_can_be_read():
    assert [history["recipe"] for history in exam.histories()] == runs.recipes()
    for recipe in runs.recipes():
        training = runs.training_of(recipe)
        assert training.critic_steps() % recipe["every"] == 0
        assert training.seed == recipe["seed"]


@pytest.mark.numpy
def test_the_stored_runs_on_pictures_are_those_of_the_recipes():
    recipes = runs.recipes(which="pictures")
    stored = exam.histories(which="pictures")
    assert stored and all(history["recipe"] in recipes for history in stored)
    for recipe in recipes:
        assert runs.training_of(recipe).critic_steps() % recipe["every"] == 0
    design = [exam.examine(h) for h in stored if h["recipe"]["half"] == "design"]
    found = exam.figures(design)
    assert found["auroc"] == 1 and found["false_alarms"] == 0
    assert found["caught"] == found["collapsed"] > 0
    later = [h for h in stored if h["recipe"]["half"] == "later"]
    assert [h["recipe"] for h in later] == runs.recipes("later", which="pictures")
    found = exam.figures([exam.examine(h) for h in later])
    assert found["auroc"] > 0.97 and found["caught"] >= 10 and found["false_alarms"] <= 3
    assert found["median_delay"] <= 1


@pytest.mark.parametrize(
    ("name", "seed", "shape"),
    [
        ("grid-pacgan", 105, (1, 1, 2)),
        ("digits-hinge", 58, (28, 28, 1)),
        ("avatars-wgan_gp", 125, (32, 32, 3)),
    ],
)
def test_models_are_built_as_their_recipes_say(name, seed, shape):
    recipe = runs.training_of(BY_NAME[name, seed])
    model = runs.build(recipe, shape)
    assert model.image_shape == shape and model.seed == seed
    assert model.packing == recipe.arguments.get("packing", 1)
    assert model.latent_dim == recipe.networks.get("latent_dim", 16)


def test_a_history_has_a_check_every_so_many_steps_and_the_guards_decisions():
    recipe = {**BY_NAME["ring-relativistic", 1], "every": 2, "length": {"steps": 6}}
    history = runs.train(recipe, policy="stop")
    assert [record["step"] for record in history["looks"]] == [2, 4, 6]
    assert all(0 <= record["modes"] <= 1 and record["finite"] for record in history["looks"])
    assert history["recipe"] == recipe and history["decisions"] == []
    assert set(history["final"]) == {"modes", "coverage", "diversity"}


@pytest.mark.numpy
def test_an_oracle_counts_the_modes_of_a_mixture():
    recipe = BY_NAME["ring-relativistic", 1]
    dataset = runs.real_data(recipe)
    points, truth = dataset.images, runs.oracles(recipe, dataset)["modes"]
    assert points.shape == (20_000, 1, 1, 2) and truth(points) == 1.0
    right = points[points[:, 0, 0, 0] > 0.1]
    assert truth(right) == 3 / 8
    assert truth.measure(points)["overlap"] == pytest.approx(1)
    assert truth.measure(right)["overlap"] == pytest.approx(3 / 8, abs=0.01)
    assert truth.measure(np.full((100, 1, 1, 2), np.nan, "float32"))["overlap"] == 0.0
    assert truth(np.full((100, 1, 1, 2), np.nan, "float32")) == 0.0


# Pictures from which something is taken away.

SIDE = 32


@pytest.fixture
def folder(tmp_path):
    """A folder with small pictures of six parts, which differ in their colour."""
    rng = np.random.default_rng(0)
    parts = rng.integers(6, size=240)
    images = rng.integers(0, 40, (240, 2 * SIDE, 2 * SIDE, 3)) + 35 * parts[:, None, None, None]
    np.savez(tmp_path / "emoji.npz", images=images.astype("uint8"), parts=parts)
    return tmp_path


def changing(folder, events, classes=None):
    images, parts, labels = pictures.load(folder, "emoji", SIDE, classes=classes)
    data = pictures.ChangingData(images, labels, parts, events, batch_size=60, seed=1)
    return data, images, parts


def an_epoch(data):
    batches = [data[i] for i in range(data.batches_per_epoch)]
    return np.concatenate([b[0] if isinstance(b, tuple) else b for b in batches])


def colours(images):
    return {round(float(x)) for x in (images.mean(axis=(1, 2, 3)) + 1) * 127.5 / 35 - 0.55}


@pytest.mark.numpy
def test_pictures_are_halved_by_their_parts_and_shrunk(folder):
    images, parts, classes = pictures.load(
        folder, "emoji", SIDE, sources="odd", classes=2, limit=50
    )
    assert images.shape == (50, SIDE, SIDE, 3) and images.dtype == np.uint8
    assert colours(images / 127.5 - 1) == {1, 3, 5} and set(parts) == {0, 1, 2}
    np.testing.assert_array_equal(classes, parts % 2)


@pytest.mark.numpy
def test_parts_images_and_sharpness_are_taken_away_when_it_is_time(folder):
    events = [{"at": 20, "images": 5}, {"at": 10, "parts": 0.5}, {"at": 30, "blur": 2.0}]
    data, _, _ = changing(folder, events)
    assert len(colours(an_epoch(data))) == 6
    data.advance(9)
    assert len(colours(an_epoch(data))) == 6
    data.advance(10)
    halved = colours(an_epoch(data))
    assert len(halved) == 3
    data.advance(20)
    left = an_epoch(data)
    assert len(np.unique(left.reshape(240, -1), axis=0)) == 5
    assert colours(left) <= halved  # They are of the parts that were left.
    sharp = an_epoch(data).std(axis=(1, 2)).mean()
    data.advance(35)
    assert an_epoch(data).std(axis=(1, 2)).mean() < 0.5 * sharp


@pytest.mark.numpy
def test_one_class_alone_loses_its_images(folder):
    data, images, _ = changing(folder, [{"at": 0, "class": 1, "images": 1}], classes=3)
    data.advance(0)
    batches = [data[i] for i in range(data.batches_per_epoch)]
    found, labels = (np.concatenate([b[i] for b in batches]) for i in (0, 1))
    kinds = [
        len(np.unique(found[labels == c].reshape(-1, images[0].size), axis=0)) for c in range(3)
    ]
    assert kinds[1] == 1 and min(kinds[0], kinds[2]) > 20


def test_a_run_on_pictures_has_its_oracle_and_can_be_measured_anew(folder, tmp_path):
    recipe = {
        "name": "made up",
        "half": "design",
        "every": 2,
        "pictures": {"kind": "emoji", "image_size": SIDE, "classes": 2},
        "events": [{"at": 2, "class": 0, "images": 5}],
        "before": {"pictures": {"kind": "emoji", "image_size": SIDE, "classes": 2}, "steps": 1},
        "format": 2,
        "variant": "gan",
        "conditional": True,
        "networks": {"architecture": "mlp", "width": 8, "depth": 1, "latent_dim": 4},
        "length": {"steps": 4},
        "batch_size": 20,
    }
    history = runs.train(recipe, images_file=tmp_path / "run.npy", folder=folder)
    assert [len(record["covered"]) for record in history["looks"]] == [2, 2]
    assert all(record["surface"] is not None for record in history["looks"])
    assert np.load(tmp_path / "run.npy").shape == (2, 80, SIDE, SIDE, 3)
    spoiled = [{**record, "diversity": 9.0, "surface": None} for record in history["looks"]]
    write_json(tmp_path / "run.json", {**history, "looks": spoiled})
    again = runs.remeasure(tmp_path / "run.json", folder)
    for first, second in zip(history["looks"], again["looks"], strict=True):
        assert second["diversity"] == pytest.approx(first["diversity"], abs=0.02)
        assert second["surface"] == pytest.approx(first["surface"], abs=0.02)
        assert second["covered"] == first["covered"]


@pytest.mark.numpy
def test_what_befalls_generated_images_is_imposed_from_its_step_on():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (90, SIDE, SIDE, 3)).astype("float32")
    labels = np.arange(90) % 3
    events = [
        {"at": 5, "parts": 0.5},
        {"at": 10, "generated": {"class": 1, "repeat": 1}},
        {"at": 20, "generated": {"repeat": 7, "collapse": True}},
        {"at": 30, "generated": {"blur": 2.0}},
    ]

    def kinds(found):
        return len(np.unique(found.reshape(len(found), -1), axis=0))

    np.testing.assert_array_equal(pictures.imposed(images, events, 9, labels), images)
    one = pictures.imposed(images, events, 10, labels)
    assert kinds(one[labels == 1]) == 1 and kinds(one[labels != 1]) == 60
    few = pictures.imposed(images, events, 25, labels)
    assert kinds(few) <= 7
    assert pictures.imposed(images, events, 30, labels).std() < 0.5 * few.std()
    # No oracle is needed to know that.
    looks = [{"step": step, "modes": 0.5, "finite": True} for step in range(6, 60, 6)]
    history = {"recipe": {"events": events}, "looks": looks}
    assert exam._truth(history) == 3
