"""The options of `kerasgan train` and of the catalogue are the same, and each reaches the model."""

import json

import pytest
from click.testing import CliRunner

from kerasgan import catalogue
from kerasgan.backend import private
from kerasgan.recipe import Recipe
from kerasgan.recipe import options as flat
from kerasgan_cli.main import cli
from kerasgan_cli.train import train

SMALL = {"network": "mlp", "width": 8, "depth": 1, "latent_dim": 6, "critic_norm": "none"}
SMALL_OF = {
    "fastgan": {"width": 2, "latent_dim": 4},
    "flow_gan": {"width": 8, "depth": 1, "hidden_layers": 1},
    "sngan": {**SMALL, "critic_norm": "spectral"},
    "stylegan2": {"latent_dim": 6, "mapping_layers": 1, "channel_base": 32},
}
# A value of each option of a variant that is not its default.
VALUES = {
    "reconstruction_weight": 0.5,
    "n_critic": 3, "ema": 0.5, "packing": 2, "prior": "uniform", "historical_averaging": 0.5,
    "loss": "hinge", "real_label": 0.9, "clip": 0.02, "warmup": True, "gp_weight": 3.0,
    "one_sided": True, "spread": 0.25, "unrolled_steps": 2, "inner": "sgd", "categorical": [3],
    "continuous": 1, "info_weight": 0.5, "continuous_weight": 0.25, "view_weight": 0.75,
    "adversarial_weight": 0.5, "nll_weight": 0.25, "gamma": 2.0, "final_gamma": 0.5, "burn_in": 7,
    "final_learning_rate": 1e-5, "r1_every": 3, "path_weight": 0.5, "path_every": 3, "mixing": 0.25,
}  # fmt: skip
OPTIONS = [
    (variant, option.name)
    for variant in catalogue.VARIANTS
    for option in catalogue.options(variant).values()
    if option.shell and option.name not in catalogue.VARIANTS[variant].refuses
    # These networks have no maps; tests/cli/test_convert_command.py freezes those of others.
    if option.name != "freeze"
]
# Two values of each option of the networks, beside these small ones.
NETWORKS = {
    "latent_dim": (4, 5), "width": (4, 8), "depth": (1, 2), "kernel_size": (3, 5),
    "conditioning": ("projection", "concat"), "minibatch": ("none", "discrimination"),
    "critic_norm": ("none", "spectral"), "style": ("sngan", "r3gan"), "hidden_layers": (1, 2),
    "critic_width": (4, 12), "upsampling": ("transposed", "nearest"), "style_dim": (4, 6),
    "mapping_layers": (1, 2), "channel_base": (16, 32), "channel_max": (2, 3),
    "generator_architecture": ("skip", "plain"), "critic_architecture": ("skip", "plain"),
}  # fmt: skip
# What an option of an architecture needs beside it.
BESIDE = {
    "conditioning": {"conditional": True},
    ("mlp", "critic_norm"): {"depth": 2},
    ("resnet", "depth"): {"style": "r3gan"},
}
SLIM = {
    "dcgan": (28, {"width": 4, "latent_dim": 4}),
    "mlp": (8, {"width": 4, "latent_dim": 4, "depth": 1}),
    "resnet": (32, {"width": 4, "latent_dim": 4, "critic_norm": "none"}),
    "nice": (8, {"width": 4, "depth": 1, "hidden_layers": 1, "critic_width": 4}),
    "realnvp": (8, {"width": 4, "depth": 1, "hidden_layers": 1, "critic_width": 4}),
    "stylegan2": (8, {"latent_dim": 4, "mapping_layers": 1, "channel_base": 32}),
    "fastgan": (16, {"width": 2}),
    "r3gan": (8, {"latent_dim": 4, "width": 4, "depth": 1}),
}
NETWORK_OPTIONS = [
    (name, option.name)
    for name, entry in catalogue.ARCHITECTURES.items()
    for option in entry.options
    if option.shell
]


def shell(variant, **options):
    """Return the recipe that `kerasgan train --dry-run` prints."""
    arguments = ["train", variant, "--data", "mnist", "--dry-run"]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        words = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        arguments += [flag] if value is True else [flag, words]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    return Recipe.from_json(json.loads(done.stdout))


def test_the_shell_has_what_the_catalogue_has():
    given = {"recipe", "resume", "run_dir", "dry_run", "words", "on_collapse", "devices", "seconds"}
    found = {parameter.name for parameter in train.params}
    assert found == set(flat.names()) | given | {option.name for option in catalogue.RUN}
    assert {name for _, name in OPTIONS} | {name for _, name in NETWORK_OPTIONS} <= found


@pytest.mark.parametrize(("variant", "name"), OPTIONS)
def test_every_option_of_a_variant_reaches_the_model(variant, name):
    value = VALUES[name]
    options = {**SMALL_OF.get(variant, SMALL), name: value}
    if name == "real_label":
        options["loss"] = "minimax"
    if variant == "infogan":
        options = {"categorical": [2], "continuous": 2, **options}
    gan = shell(variant, **options).build((16, 16, 1))
    if name == "packing":
        assert gan.critic.input_shape[-1] == 2
    found = gan.get_config()[name]
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


def layers(architecture, **options):
    """Return the kinds of layers and the shapes of weights in networks that the shell asks for."""
    takers = (n for n, entry in catalogue.VARIANTS.items() if architecture in entry.architectures)
    variant = next(takers)
    size, slim = SLIM[architecture]
    recipe = shell(variant, network=architecture, **{**slim, **options})
    return [
        (type(layer).__name__, [tuple(w.shape) for w in layer.weights])
        for network in recipe.build_networks((size, size, 1), num_classes=3)
        for layer in private.flat_layers(network)
    ]


@pytest.mark.parametrize(("architecture", "name"), NETWORK_OPTIONS)
def test_every_option_of_an_architecture_reaches_the_networks(architecture, name):
    values = NETWORKS[name]
    beside = BESIDE.get(name) or BESIDE.get((architecture, name), {})
    first, second = (layers(architecture, **beside, **{name: value}) for value in values)
    assert first != second


@pytest.mark.parametrize("words", ["none", ""])
def test_an_infogan_may_have_no_categories(words):
    gan = shell("infogan", **SMALL, categorical=words).build((8, 8, 1))
    assert gan.code_names == ["continuous_0", "continuous_1"]


def test_rates_have_a_long_and_a_short_name():
    names = {"learning_rate": 1e-2, "critic_learning_rate": 1e-3, "final_learning_rate": 1e-4,
             "final_critic_learning_rate": 1e-6}  # fmt: skip
    short = {name.replace("learning_rate", "lr"): value for name, value in names.items()}
    assert shell("gan", **names) == shell("gan", **short)


@pytest.mark.parametrize("name", catalogue.PENALTIES)
def test_every_penalty_reaches_the_model(name):
    gan = shell("gan", **SMALL, **{name: 2.5}).build((8, 8, 1))
    (penalty,) = gan.added_penalties
    assert isinstance(penalty, catalogue.resolve(catalogue.PENALTIES[name].path))
    assert penalty.weight == 2.5


AUGMENTING = {"policy": "cutout,color", "target": 0.5, "fixed": 0.25, "antialias": True}


@pytest.mark.parametrize("kind", catalogue.AUGMENTS)
def test_every_option_of_an_augmentation_reaches_it(kind):
    own = [option.name for option in catalogue.AUGMENTATIONS[kind].options if option.shell]
    for name in own:
        recipe = shell("gan", **SMALL, augment=kind, **{f"augment_{name}": AUGMENTING[name]})
        assert recipe.build((8, 8, 1)).augment.get_config()[name] == AUGMENTING[name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--augment-target", "0.5"], "--augment-target goes with --augment ada."),
        (["--augment", "diffaugment", "--augment-fixed", "0"], "--augment-fixed goes with --aug"),
        (["--augment", "none", "--augment-policy", "color"], "goes with --augment diffaugment or"),
        (
            ["--augment", "ada", "--augment-policy", "flip"],
            "--augment-policy must be some of blit, geometry, color, filter, noise, cutout",
        ),
        (["--augment", "diffaugment", "--augment-policy", "blit"], "some of color, translation, c"),
        (["--augment", "ada", "--augment-policy", "color,color"], "--augment-policy must be"),
        (
            ["--augment", "ada", "--augment-fixed", "0.5", "--augment-target", "0.5"],
            "--augment-target goes with a probability that adapts.",
        ),
    ],
)
def test_options_of_an_augmentation_that_is_not_there(words, message):
    done = CliRunner().invoke(cli, ["train", "gan", "--data", "mnist", "--dry-run", *words])
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_an_augmentation_is_changed_with_what_goes_with_it():
    def augment(**options):
        return shell("r3gan", config="ffhq-64", **options).augment

    before = augment()
    assert {"fixed", "rise", "multipliers"} <= before.keys()
    parts = augment(augment_policy="blit, color")
    assert parts["policy"] == "blit,color" and set(parts["multipliers"]) == {"color"}
    assert "multipliers" not in augment(augment_policy="blit")
    rising = Recipe("gan", augment={"kind": "ada", "fixed": 0.5, "rise": 9})
    adaptive = rising.with_options(augment_fixed="none").augment
    assert adaptive == {"kind": "ada", "fixed": None}
    with pytest.raises(ValueError, match="`multipliers` must be of parts in `policy`, blit"):
        Recipe(
            "gan", augment={**rising.augment, "policy": "blit", "multipliers": {"color": 1}}
        ).with_options()


@pytest.mark.parametrize("name", catalogue.AUGMENTS)
def test_every_augmentation_reaches_the_model(name):
    gan = shell("gan", **SMALL, augment=name).build((8, 8, 1))
    assert isinstance(gan.augment, catalogue.resolve(catalogue.AUGMENTATIONS[name].path))
