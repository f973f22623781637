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
        data="photos", image_size=32, limit=100, lr=1e-3, critic_learning_rate=2e-4, final_lr=1e-5,
        beta_1=0.0, r1=2.0, gradient_penalty=1.0, augment="ada", loss="hinge", epochs=3, ema=0,
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
    assert stored["arguments"] == {"loss": "hinge", "ema": None}
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
        ({"penalties": [{"kind": "r3", "weight": 1}]}, "`penalties.kind` must be one of"),
        ({"penalties": [{"kind": "r1", "player": "generator"}]}, "`player` must be one of"),
        ({"augment": {"kind": "distortion"}}, r"`augment.kind` must be .*'diffaugment', 'ada'\]"),
        ({"arguments": {"packing": {"share": 0.5}}}, "`packing` must be an integer"),
        ({"data": {"limit": {"share": 0.5}}}, "`limit` must be an integer"),
        ({"length": {"years": 1}}, "`length` must be"),
        ({"optimizers": {"critic": {"learning_rate": -1}}}, "`learning_rate` must be"),
        ({"optimizers": {"critic": {"beta_1": "x"}}}, "`beta_1` must be a number of at least 0"),
        (rate_of({"cosine": "ab"}), "`learning_rate` must be a number, "),
        (rate_of({"cosine": [1e-3]}), "`learning_rate` must be a number, "),
        (rate_of({"cosine": [1e-3, -1]}), "`learning_rate` must be a number of at least 0"),
        (rate_of({"linear": [1e-3, 1e-4]}), "`learning_rate` must be a number, "),
        (rate_of({"boundaries": [9], "values": [1e-3]}), "one value more than boundaries"),
        (
            rate_of({"boundaries": [0], "values": [1e-3, 1e-4]}),
            "`boundaries` must be an integer of at least 1",
        ),
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
        (
            {"variant": "r3gan", "arguments": {"burn_in": {"share": "x"}}},
            "`burn_in.share` must be a number above 0",
        ),
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
        ("r3gan", {"final_critic_lr": 1e-4}, "--final-critic-learning-rate is no option of r3gan"),
        ("wgan", {"beta_1": 0.5}, "--beta-1 is no option of wgan: it has no Adam"),
        ("wgan", {"warmup": True, "lr": 1e-3, "final_lr": 1e-4}, "do not go together"),
        ("flow_gan", {"conditional": True}, "--conditional is no option of flow_gan"),
        ("flow_gan", {"minibatch": "stddev"}, "--minibatch is no option of flow_gan"),
        ("gan", {"final_lr": 1e-4}, "--final-learning-rate goes with --learning-rate"),
        ("flow_gan", {"critic_norm": "batch"}, "--critic-norm is no option of flow_gan"),
        ("gan", {"clip": 0.1}, "--clip is no option of gan; its own are"),
        ("gan", {"nonsense": 1}, "no option of this name; nearest: .*nonsense"),
    ],
)
def test_rules_stand_with_the_variant(variant, options, words):
    with pytest.raises(ValueError, match=words):
        Recipe(variant).with_options(**options)


BATCH = {"network": "mlp", "critic_norm": "batch"}
CONTRADICTIONS = [
    ("flow_gan", {"adversarial_weight": 0.0, "nll_weight": 0.0}, "must not both be zero"),
    ("wgan", {"augment": "ada"}, "`augment` ada reads .* Received: loss='wasserstein'"),
    ("gan", {"augment": "ada", "loss": "relativistic"}, "`augment` ada reads"),
    ("gan", {"loss": "hinge", "real_label": 0.9}, "`real_label` below 1 goes with"),
    ("wgan_gp", BATCH, "`critic_norm` must not be batch under gradient_penalty"),
    ("gan", {**BATCH, "gradient_penalty": 1.0}, "`critic_norm` must not be batch under"),
    ("sngan", {"critic_norm": "none"}, "`critic_norm` of sngan must be spectral"),
    ("sngan", {"network": "resnet", "style": "r3gan"}, "`style` r3gan has no normalisation"),
    ("gan", {"network": "resnet", "depth": 2}, "`depth` goes with `style` r3gan"),
    ("gan", {"image_size": 30}, "b x 2.* with dcgan, and may be any with mlp"),
    ("gan", {"image_size": [64, 100], "network": "resnet"}, "same k.* with resnet"),
    ("gan", {"data": "avatars", "conditional": True}, "`conditional` needs labels, and avatars"),
    ("gan", {"data": "avatars:moods", "conditional": True}, "several styles, as in avatars:moods,"),
    ("gan", {"data": "avatars:mood"}, "of the styles moods"),
    ("gan", {"limit": 63}, "`limit` must leave a batch"),
    ("pacgan", {"batch_size": 63}, "divisible by packing=2"),
    ("infogan", {"categorical": [1]}, "a list of integers of at least 2"),
    ("infogan", {"categorical": [], "continuous": 0}, "must be at least one code"),
    ("infogan", {"latent_dim": 12}, "leave numbers for noise .* 12 numbers of codes"),
    ("infogan", {"categorical": [], "view_weight": 1.0}, "`view_weight` needs a categorical"),
    ("r3gan", {"lr": 1e-3, "final_lr": 1e-2}, "`final_learning_rate` must not be above"),
]


@pytest.mark.parametrize(("variant", "options", "words"), CONTRADICTIONS)
def test_options_that_contradict_each_other(variant, options, words):
    with pytest.raises(ValueError, match=words):
        Recipe(variant).with_options(**options)


def test_a_contradiction_may_wait_for_options():
    stored = {**Recipe("wgan").to_json(), "augment": {"kind": "ada"}}
    with pytest.raises(ValueError, match="`augment` ada"):
        Recipe.from_json(stored)
    recipe = Recipe.from_json(stored, together=False).with_options(augment="diffaugment")
    assert recipe.augment == {"kind": "diffaugment"}


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        ("flow_gan", {"nll_weight": 0.0, "width": 4, "depth": 1, "image_size": 30}),
        ("wgan", {**SMALL, "augment": "ada", "loss": "hinge"}),
        ("infogan", {**SMALL, "latent_dim": 13}),
        ("infogan", {**SMALL, "categorical": []}),
        ("gan", {**SMALL, "real_label": 0.9, "augment": "ada", "image_size": 30}),
        ("sngan", {**SMALL, "critic_norm": "spectral"}),
        ("gan", {"network": "resnet", "style": "r3gan", "width": 8, "depth": 1, "image_size": 32}),
    ],
)
def test_what_is_no_contradiction_is_built(variant, options):
    recipe = Recipe(variant)
    if "loss" in options:  # The shell has no such option of this variant.
        recipe.arguments["loss"] = options["loss"]
    recipe = recipe.with_options(**{k: v for k, v in options.items() if k != "loss"})
    size = options.get("image_size", 8)
    assert recipe.build((size, size, 1)).image_shape == (size, size, 1)


def test_another_weight_leaves_the_rest_of_a_penalty():
    penalties = [{"kind": "r1", "weight": 1.0, "every": 16, "name": "mine"}]
    lazy = Recipe("gan", penalties=penalties, augment={"kind": "ada", "target": 0.5})
    changed = lazy.with_options(r1=5.0, r2=1.0, augment="ada")
    assert changed.penalties == [{**penalties[0], "weight": 5.0}, {"kind": "r2", "weight": 1.0}]
    assert changed.augment == {"kind": "ada", "target": 0.5}
    assert lazy.penalties[0]["weight"] == 1.0
    assert lazy.with_options(augment="diffaugment").augment == {"kind": "diffaugment"}


@pytest.mark.parametrize(
    ("recipe", "given", "words"),
    [
        (
            Recipe("gan").with_options(**SMALL, lr=1e-3, final_lr=1e-4),
            {"image_shape": (8, 8, 1)},
            "`steps` must be given: .*the learning rate's cosine",
        ),
        (
            Recipe("r3gan", arguments={"burn_in": {"share": 0.5}}),
            {"image_shape": (8, 8, 1)},
            "`steps` must be given: .*burn_in",
        ),
        (Recipe("gan"), {}, "`image_shape` must be given"),
        (Recipe("gan", conditional=True), {"image_shape": (28, 28, 1)}, "`num_classes` must be"),
    ],
)
def test_building_says_what_it_needs(recipe, given, words):
    with pytest.raises(ValueError, match=words):
        recipe.build(**given)


@pytest.mark.parametrize(
    ("weights", "steps"),
    [({}, 6), ({"adversarial_weight": 0.0}, 12)],  # Likelihood alone has no critic steps.
)
def test_the_generators_rate_falls_over_its_own_steps(weights, steps):
    size = {"network": "nice", "width": 8, "depth": 1, "hidden_layers": 1}
    rates = {"learning_rate": 1e-3, "final_learning_rate": 1e-5, "n_critic": 2}
    gan = Recipe("flow_gan").with_options(**size, **rates, **weights).build((8, 8, 1), steps=12)
    schedule = gan.optimizer.generator_optimizer.get_config()["learning_rate"]
    assert schedule["config"]["decay_steps"] == steps


def test_the_final_rate_of_r3gan_is_what_was_asked_for():
    recipe = Recipe("r3gan").with_options(**SMALL, lr=1e-3, final_lr=5e-4)
    assert recipe.arguments == {"final_learning_rate": 5e-4}
    optimizers = recipe.build((8, 8, 1)).optimizer
    for own in (optimizers.generator_optimizer, optimizers.critic_optimizer):
        assert own.get_config()["final_factor"] == 0.5
        assert own.get_config()["learning_rate"] == pytest.approx(1e-3)


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
    recipe = Recipe("gan").with_options(network="mlp", width=8, depth=2)
    plain, penalised = recipe.build((8, 8, 1)), recipe.with_options(r1=1.0)
    kept = penalised.with_options(critic_norm="batch")

    def norms(gan):
        kinds = [type(layer).__name__ for layer in gan.critic.layers]
        return sum("BatchNormalization" in kind for kind in kinds)

    assert (norms(plain), norms(penalised.build((8, 8, 1)))) == (1, 0)
    assert norms(recipe.with_options(gradient_penalty=1.0).build((8, 8, 1))) == 0
    assert norms(recipe.with_options(dragan_penalty=1.0).build((8, 8, 1))) == 1
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
