"""The catalogue says what the classes are: every argument has an entry, every entry an argument."""

import dataclasses
import inspect
import subprocess
import sys

import pytest

from kerasgan import augment, catalogue, data, losses, metrics, networks, penalties, recipe
from kerasgan.adversarial import latent
from kerasgan.data import sources

# What is no option: the networks, the name, and what a variant hands to its base class.
STRUCTURE = {"self", "generator", "critic", "discriminator", "name", "own_penalties"}


def arguments(function):
    """Return the names of a callable's arguments, those of **shared left out."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def own_arguments(variant):
    """Return the arguments of a variant and of the variants that it derives from."""
    from kerasgan import AdversarialModel

    classes = [c for c in variant.__mro__ if issubclass(c, AdversarialModel)]
    named = [arguments(c.__init__) for c in classes[:-1] if "__init__" in vars(c)]
    return set().union(*named) - STRUCTURE, arguments(classes[-1].__init__) - STRUCTURE


@pytest.mark.parametrize("name", catalogue.VARIANTS)
def test_variants_in_both_directions(name):
    entry = catalogue.VARIANTS[name]
    variant = catalogue.resolve(entry.path)
    own, shared = own_arguments(variant)
    assert variant.__name__ == entry.class_name
    assert {option.name for option in catalogue.SHARED} == shared
    listed = {option.name for option in entry.options}
    # An argument of all variants may be an option of one alone, as `loss`.
    assert own - shared <= listed, "an argument without an entry"
    assert listed <= own | shared, "an entry without an argument"
    assert tuple(option.name for option in entry.sampling) == variant.sampling_options
    first = inspect.signature(variant.default_networks).parameters["architecture"].default
    assert first == entry.architectures[0]


@pytest.mark.parametrize("name", catalogue.VARIANTS)
def test_what_checks_know_of_a_variant_is_so(name):
    entry = catalogue.VARIANTS[name]
    variant = catalogue.resolve(entry.path)
    architecture = "mlp" if "mlp" in entry.architectures else entry.architectures[0]
    taken = {option.name for option in catalogue.ARCHITECTURES[architecture].options}
    small = {"latent_dim": 16, "width": 4, "channel_max": 4}
    size = {name: n for name, n in small.items() if name in taken - entry.refuses.keys()}
    pair = variant.default_networks(architecture, image_size=16, channels=1, **size)
    model = variant(*pair)
    assert model.adversarial_loss.name == entry.loss
    assert tuple(penalty.name for penalty in model.penalties) == entry.penalties
    assert model.packing == entry.packs
    facts = (variant.critic_norm, variant.resnet_style, variant.packs)
    assert facts == (entry.critic_norm, entry.resnet_style, entry.packs)


def test_the_flow_gans_critic_norm_would_be_refused():
    flow = catalogue.VARIANTS["flow_gan"]
    variant = catalogue.resolve(flow.path)
    pair = variant.default_networks(image_size=16, channels=1, width=4, critic_norm="batch")
    with pytest.raises(ValueError, match="must not hold batch normalisation"):
        variant(*pair)
    assert "critic_norm" in flow.refuses


@pytest.mark.parametrize("name", catalogue.ARCHITECTURES)
def test_architectures_in_both_directions(name):
    entry = catalogue.ARCHITECTURES[name]
    builder = catalogue.resolve(entry.path)
    listed = {option.name for option in entry.options}
    fixed = {key for key, _ in entry.fixed}
    assert listed | fixed | {"image_size", "channels"} == arguments(builder)
    assert entry.papers[0] in builder.__doc__
    for option in entry.options:
        default = inspect.signature(builder).parameters[option.name].default
        assert option.default in (None, default)


@pytest.mark.parametrize("name", list(catalogue.ARCHITECTURES))
def test_sizes_are_those_that_the_builders_take(name):
    entry = catalogue.ARCHITECTURES[name]
    build, fixed = catalogue.resolve(entry.path), dict(entry.fixed)
    if not entry.doubled:
        assert build((9, 5), **fixed)[0].output_shape == (None, 9, 5, 1)
        return
    with pytest.raises(ValueError, match="must be b x 2"):
        build((9, 5), **fixed)


def test_the_architectures_of_the_catalogue_are_those_of_the_networks():
    assert tuple(networks.ARCHITECTURES) == catalogue.networks.PLAIN
    assert catalogue.FLOWS == networks.FLOWS


@pytest.mark.parametrize(
    ("entries", "classes"),
    [
        (catalogue.LOSSES, losses.LOSSES),
        (catalogue.PENALTIES, penalties.PENALTIES),
        (
            catalogue.AUGMENTATIONS,
            {name.lower(): getattr(augment, name) for name in augment.__all__},
        ),
    ],
    ids=["losses", "penalties", "augmentations"],
)
def test_ingredients_in_both_directions(entries, classes):
    assert {name: catalogue.resolve(e.path) for name, e in entries.items()} == classes


@pytest.mark.parametrize(
    "entry",
    [*catalogue.LOSSES.values(), *catalogue.PENALTIES.values(), *catalogue.AUGMENTATIONS.values()],
    ids=lambda entry: entry.name,
)
def test_ingredients_have_the_options_that_are_listed(entry):
    kind = catalogue.resolve(entry.path)
    common = set()
    if issubclass(kind, penalties.Penalty):
        common = arguments(penalties.Penalty.__init__) - {"self"}
    own = arguments(kind.__init__) if "__init__" in dir(kind) else set()
    own = own - {"self", "args", "kwargs"}
    assert {option.name for option in entry.options} == own | common
    if issubclass(kind, losses.Loss):
        assert (entry.name, entry.has_zero) == (kind.name, kind.has_zero)
    if issubclass(kind, penalties.Penalty):
        assert (entry.name, entry.batch_norm) == (kind.name, kind.batch_norm)


def test_a_prior_is_one_that_the_models_take():
    (prior,) = (option for option in catalogue.SHARED if option.name == "prior")
    assert prior.choices == tuple(latent.PRIORS)


def test_options_of_one_name_are_joined_and_checked_by_variant(monkeypatch):
    choice = catalogue.Option("inner", "choice", "optimizer", choices=("rmsprop",))
    odd = catalogue.Option("prior", "choice", "prior", choices=("cauchy",))
    wide = catalogue.Option("clip", "number", "bound", minimum=-1.0, maximum=2.0)
    entry = dataclasses.replace(catalogue.VARIANTS["gan"], options=(choice, odd, wide))
    monkeypatch.setitem(catalogue.VARIANTS, "odd", entry)
    found = recipe.options.variant_options()
    assert found["inner"][0].choices == ("adam", "sgd", "rmsprop")
    assert found["inner"][1] == ["unrolled_gan", "odd"] and found["prior"][1] == []
    clip = found["clip"][0]
    assert (clip.minimum, clip.above, clip.maximum) == (-1.0, False, 1e6)
    for variant, good, bad in (("gan", "uniform", "cauchy"), ("odd", "cauchy", "uniform")):
        assert recipe.Recipe(variant).with_options(prior=good).arguments == {"prior": good}
        with pytest.raises(ValueError, match="`prior` must be one of"):
            recipe.Recipe(variant).with_options(prior=bad)
    with pytest.raises(ValueError, match=r"of one kind.*clip: number, text"):
        catalogue.joined([wide, catalogue.Option("clip", "text", "")])


def test_a_default_is_in_the_range_of_its_option():
    for entry in catalogue.VARIANTS.values():
        variant = catalogue.resolve(entry.path)
        for c in variant.__mro__:
            if "__init__" not in vars(c) or not hasattr(c, "default_networks"):
                continue
            defaults = inspect.signature(c.__init__).parameters
            for option in catalogue.options(entry.name).values():
                default = defaults[option.name].default if option.name in defaults else None
                if default is not None and default is not inspect.Parameter.empty:
                    assert option.default in (None, default)
                    option.check(list(default) if isinstance(default, tuple) else default)


def test_sources_metrics_and_extractors():
    assert catalogue.SOURCES.keys() == sources.SOURCES.keys()
    for name, entry in catalogue.SOURCES.items():
        assert entry.named == (name in sources.named())
        assert entry.splits == ("split" in sources.own_options(name))
    taken = set(inspect.signature(data.load).parameters)
    taken |= {option for name in sources.SOURCES for option in sources.own_options(name)}
    by_recipe = {"batch_size", "seed", "progress"}  # From its other fields.
    python = {"shuffle", "drop_remainder", "cache_dir", "data_dir", "options"}
    assert {o.name for o in catalogue.LOADING} - {"mixture"} == taken - by_recipe - python
    assert list(catalogue.METRICS) == list(metrics.METRICS)
    for name, entry in catalogue.METRICS.items():
        assert entry.scores == tuple(metrics.METRICS[name].better)
        assert entry.labels == metrics.METRICS[name].labels
    assert set(catalogue.EXTRACTORS) == set(metrics.extractors.EXTRACTORS)


def test_settings_of_a_run_are_those_that_the_callbacks_take():
    from kerasgan.callbacks import collapse_guard, sample_grid
    from kerasgan_cli.runs import SETTINGS

    options = {option.name: option for option in catalogue.RUN}
    assert options.keys() == SETTINGS.keys()
    assert options["guard"].choices == (*collapse_guard.POLICIES, "off")
    assert options["animation"].choices == tuple(a or "none" for a in sample_grid.ANIMATIONS)
    for name, value in SETTINGS.items():
        assert value is None or options[name].check(value) is None


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("integer", 0, "an integer of at least 1"),
        ("integer", True, "an integer"),
        ("integer", 2.5, "an integer"),
        ("number", float("nan"), "a number"),
        ("number", 0, "a number above 0"),
        ("flag", 1, "true or false"),
        ("choice", "c", r"one of \['a', 'b'\]"),
        ("integers", [0], "a list of integers of at least 1"),
    ],
)
def test_options_refuse(kind, value, words):
    range_ = {"minimum": 1} if kind.startswith("integer") else {"minimum": 0, "above": True}
    option = catalogue.Option("it", kind, "", choices=("a", "b"), **range_)
    with pytest.raises(ValueError, match=f"`it` must be {words}.*Received: it="):
        option.check(value)


def test_what_needs_no_keras_does_not_import_it():
    code = (
        "import sys, kerasgan\n"
        "from kerasgan import catalogue, recipe, files, validation, environment, text\n"
        "from kerasgan import hub, presets, storage\n"
        "recipe.Recipe('gan').with_options(lr=1e-3, width=8).to_json()\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
