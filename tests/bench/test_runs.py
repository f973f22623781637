"""The trainings of the detector's exam."""

import numpy as np
import pytest

from kerasgan.bench.collapse import exam, runs

BY_NAME = {(recipe["name"], recipe["seed"]): recipe for recipe in runs.recipes()}


@pytest.mark.numpy
def test_every_recipe_has_a_history_and_can_be_read():
    assert [history["recipe"] for history in exam.histories()] == runs.recipes()
    for recipe in runs.recipes():
        training = runs.training_of(recipe)
        assert training.critic_steps() % recipe["every"] == 0
        assert training.seed == recipe["seed"]


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
    dataset, truths = runs.real_data(BY_NAME["ring-relativistic", 1])
    points, truth = dataset.images, truths["modes"]
    assert points.shape == (20_000, 1, 1, 2) and truth(points) == 1.0
    right = points[points[:, 0, 0, 0] > 0.1]
    assert truth(right) == 3 / 8
    assert truth(np.full((100, 1, 1, 2), np.nan, "float32")) == 0.0
