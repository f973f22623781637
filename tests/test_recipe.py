"""A training as data: JSON both ways, the shell's options, files of version 0.1, and the model."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasgan.recipe import FORMAT, Recipe

SMALL = {"network": "mlp", "width": 8, "depth": 1, "latent_dim": 6, "critic_norm": "none"}


def rate_of(rate):
    return {"optimizers": {"critic": {"learning_rate": rate}}}


def test_json_both_ways():
    recipe = Recipe("gan").with_options(
        data="photos", image_size=32, limit=10, lr=1e-3, critic_lr=2e-4, final_lr=1e-5, beta_1=0.0,
        r1=2.0, gradient_penalty=1.0, augment="ada", loss="relativistic", epochs=3, ema=0,
        minibatch="none", conditional=True, conditioning="concat",
    )  # fmt: skip
    stored = json.loads(json.dumps(recipe.to_json()))
    assert stored["format"] == FORMAT
    assert Recipe.from_json(stored) == recipe
    assert stored["penalties"] == [
        {"kind": "gradient_penalty", "weight": 1.0},
        {"kind": "r1", "weight": 2.0},
    ]
    assert stored["optimizers"]["critic"]["learning_rate"] == {
        "cosine": [2e-4, pytest.approx(2e-6)]
    }
    assert stored["arguments"] == {"loss": "relativistic", "ema": None}
    assert stored["networks"] == {"minibatch": None, "conditioning": "concat"}


def test_a_rate_changes_and_what_follows_it_too():
    recipe = Recipe("gan").with_options(lr=1e-3, final_lr=1e-4).with_options(lr=1e-2)
    rates = [recipe.optimizers[p]["learning_rate"]["cosine"] for p in ("generator", "critic")]
    assert rates == [pytest.approx([1e-2, 1e-4])] * 2
    apart = Recipe("gan").with_options(lr=1e-3, critic_lr=1e-4).with_options(lr=1e-2)
    assert apart.optimizers["critic"]["learning_rate"] == 1e-4


def test_files_of_version_0_1(tmp_path):
    flat = {
        "about": {"title": "x"}, "model": "infogan", "data": "mnist", "width": 32,
        "latent_dim": 74, "lr": 0.001, "critic_lr": 0.0004, "final_lr": 5e-05, "epochs": 8,
        "animation": "none", "guard": "warn", "backend": "tensorflow", "batch_size": 128,
        "view_weight": 1.0, "r2": None, "images": 60000,
    }  # fmt: skip
    path = tmp_path / "options.json"
    path.write_text(json.dumps(flat))
    recipe = Recipe.read(path)
    assert recipe.variant == "infogan" and recipe.length == {"epochs": 8}
    assert recipe.networks == {"width": 32, "latent_dim": 74}
    assert recipe.optimizers["critic"]["learning_rate"]["cosine"] == pytest.approx([4e-4, 2e-5])
    assert recipe.arguments == {"view_weight": 1.0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 3}, "`format` must be 2; a later kerasgan"),
        ({"variant": "gann"}, "`variant` must be one of"),
        ({"colour": 1}, "must have the entries.*Received: colour"),
        ({"arguments": {"clip": 0.1}}, "`clip` is no option of gan; its own are"),
        ({"arguments": {"n_critic": 0}}, "`n_critic` must be an integer of at least 1"),
        ({"networks": {"architecture": "nice"}}, "must be one of dcgan, mlp, resnet"),
        ({"networks": {"depth": 2}}, "`depth` is no option of dcgan"),
        (
            {"networks": {"architecture": "mlp", "minibatch": "stddev"}},
            r"`minibatch` must be one of \['discrimination'\]",
        ),
        ({"networks": {"conditioning": "concat"}}, "`conditioning` goes with `conditional`"),
        ({"arguments": {"packing": 3}}, "divisible by packing=3.*Received: 64"),
        ({"penalties": [{"kind": "r3", "weight": 1}]}, "`kind` must be one of"),
        ({"length": {"years": 1}}, "`length` must be"),
        ({"optimizers": {"critic": {"learning_rate": -1}}}, "`learning_rate` must be"),
        ({"optimizers": {"critic": {"beta_1": "x"}}}, "`beta_1` must be a number of at least 0"),
        (rate_of({"cosine": "ab"}), "`learning_rate` must be a number, "),
        (rate_of({"cosine": [1e-3]}), "`learning_rate` must be a number, "),
        (rate_of({"cosine": [1e-3, -1]}), "`learning_rate` must be a non-negative number"),
        (rate_of({"linear": [1e-3, 1e-4]}), "`learning_rate` must be a number, "),
        (rate_of({"boundaries": [9], "values": [1e-3]}), "one value more than boundaries"),
        (rate_of({"boundaries": [0], "values": [1e-3, 1e-4]}), "`boundaries` must be a positive"),
        ({"optimizers": [1]}, "`optimizers` must be a JSON object"),
        ({"optimizers": {"critic": 3}}, "`optimizers.critic` must be a JSON object"),
        ({"data": "mnist"}, "`data` must be a JSON object"),
        ({"networks": None}, "`networks` must be a JSON object"),
        ({"arguments": []}, "`arguments` must be a JSON object"),
        ({"penalties": {"kind": "r1"}}, "`penalties` must be a list"),
        ({"penalties": [3]}, r"`penalties\[0\]` must be a JSON object"),
        ({"augment": "ada"}, "`augment` must be a JSON object"),
        ({"arguments": {"seed": 3}}, "`seed` is no option of gan"),
        ({"arguments": {"penalties": []}}, "`penalties` is no option of gan"),
        ({"networks": {"num_classes": 3}}, "`num_classes` is no option of dcgan"),
        ({"arguments": {"n_critic": {"share": "x"}}}, "`n_critic.share` must be a positive"),
        ({"batch_size": 0}, "`batch_size` must be"),
    ],
)
def test_what_no_recipe_can_hold(change, words):
    with pytest.raises(ValueError, match=words):
        Recipe.from_json({**Recipe("gan").to_json(), **change})


def test_a_rate_may_end_at_zero():
    change = rate_of({"boundaries": [9], "values": [1e-3, 0.0]})
    recipe = Recipe.from_json({**Recipe("gan").to_json(), **change})
    assert recipe.optimizers == change["optimizers"]


@pytest.mark.parametrize(
    ("variant", "options", "words"),
    [
        ("r3gan", {"beta_2": 0.9}, "--beta-2 is no option of r3gan: its beta_2 moves by itself"),
        ("r3gan", {"lr": 1e-3, "final_lr": 1e-4}, "--final-lr is no option of r3gan"),
        ("wgan", {"beta_1": 0.5}, "--beta-1 is no option of wgan: it has no Adam"),
        ("wgan", {"warmup": True, "lr": 1e-3, "final_lr": 1e-4}, "do not go together"),
        ("flow_gan", {"conditional": True}, "--conditional is no option of flow_gan"),
        ("flow_gan", {"minibatch": "stddev"}, "--minibatch is no option of flow_gan"),
        ("gan", {"final_lr": 1e-4}, "--final-lr goes with --lr"),
        ("gan", {"clip": 0.1}, "--clip is no option of gan; its own are"),
        ("gan", {"nonsense": 1}, "no option of this name; nearest: .*nonsense"),
    ],
)
def test_rules_stand_with_the_variant(variant, options, words):
    with pytest.raises(ValueError, match=words):
        Recipe(variant).with_options(**options)


def test_schedules_fill_the_training():
    recipe = Recipe("gan").with_options(**SMALL, lr=1e-2, final_lr=1e-4, n_critic=2, steps=20)
    gan = recipe.build((8, 8, 1))
    rates = [o.learning_rate for o in (gan.optimizer.generator_optimizer,
                                       gan.optimizer.critic_optimizer)]  # fmt: skip
    assert [float(keras.ops.convert_to_numpy(r)) for r in rates] == pytest.approx([1e-2, 1e-2])
    images = np.zeros((20 * 4, 8, 8, 1), "float32")
    gan.fit(images, batch_size=4, verbose=0)
    now = [o.learning_rate for o in (gan.optimizer.generator_optimizer,
                                     gan.optimizer.critic_optimizer)]  # fmt: skip
    assert [float(keras.ops.convert_to_numpy(r)) for r in now] == pytest.approx([1e-4, 1e-4])
    shared = Recipe("r3gan", arguments={"burn_in": {"share": 0.5}}, length={"steps": 30})
    shared.networks = recipe.networks
    assert shared.build((8, 8, 1)).burn_in == 15


def test_penalties_take_batch_normalisation_out_of_the_critic():
    plain = Recipe("gan").with_options(network="mlp", width=8, depth=2).build((8, 8, 1))
    penalised = Recipe("gan").with_options(network="mlp", width=8, depth=2, r1=1.0)
    kept = penalised.with_options(critic_norm="batch")

    def norms(gan):
        kinds = [type(layer).__name__ for layer in gan.critic.layers]
        return sum("BatchNormalization" in kind for kind in kinds)

    assert (norms(plain), norms(penalised.build((8, 8, 1)))) == (1, 0)
    with pytest.warns(UserWarning, match="batch normalisation with r1"):
        assert norms(kept.build((8, 8, 1))) == 1


def test_the_recipes_of_the_zoo_are_read():
    root = Path(__file__).parents[1] / "zoo"
    found = sorted(root.glob("*/recipe.json"))
    if not found:
        pytest.skip("not a checkout")
    for path in found:
        recipe = Recipe.read(path)
        assert recipe.data["name_or_path"] and recipe.length["epochs"] > 0
