"""`kerasgan train`: a run from nothing, or the rest of one."""

import json
from pathlib import Path

import click

from kerasgan_cli.common import (
    GroupedCommand,
    choose_backend,
    nearest,
    options_group,
)
from kerasgan_cli.runs import Run

# Names only: the classes would import Keras. A test holds them equal to the library's.
LOSSES = (
    "non_saturating", "minimax", "least_squares", "hinge", "wasserstein", "relativistic",
    "feature_matching",
)  # fmt: skip
MODELS = {
    "gan": ("loss", "real_label"),
    "wgan": ("clip", "warmup"),
    "wgan_gp": ("gp_weight", "one_sided"),
    "dragan": ("gp_weight",),
    "sngan": ("loss",),
    "unrolled_gan": ("loss", "real_label", "unrolled_steps"),
    "infogan": ("info_weight", "view_weight"),
    "pacgan": ("loss", "real_label"),
    "flow_gan": ("gp_weight", "nll_weight", "adversarial_weight"),
    "r3gan": ("gamma", "final_gamma", "burn_in"),
}
SHARED = ("n_critic", "ema", "packing", "prior", "historical_averaging")
VARIANT_OPTIONS = sorted({*SHARED, *(option for options in MODELS.values() for option in options)})
FLOWS = ("nice", "realnvp")
NETWORKS = ("dcgan", "mlp", "resnet", *FLOWS)


def _option(*names, **settings):
    # Unset options stay None in the run's options, so that the variant's own default applies.
    settings.setdefault("show_default", settings.get("default") is not None)
    return click.option(*names, **settings)


def _use_recipe(context, parameter, path):
    """Take the options in a file for those that the command line does not give."""
    if path is None:
        return
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}") from error
    if not isinstance(recipe, dict):
        raise click.BadParameter(f"{path} must hold a JSON object of options.")
    known = {parameter.name for parameter in context.command.params} - {"recipe", "resume"}
    chosen = {key: value for key, value in recipe.items() if key not in _NO_OPTIONS}
    for key in chosen:
        if key not in known:
            raise nearest(f"an option in {path}", key, sorted(known))
    chosen = {key: value for key, value in chosen.items() if value is not None}
    for parameter in context.command.params:
        if parameter.name in chosen and not _suits(chosen[parameter.name], parameter):
            raise click.BadParameter(
                f"{path}: {parameter.name} must be a JSON value of its kind. Received: "
                f"{json.dumps(chosen[parameter.name])}"
            )
    context.default_map = chosen


def _suits(value, parameter):
    """Return whether a JSON value is of the kind that an option takes."""
    if getattr(parameter, "is_flag", False):
        return isinstance(value, bool)
    if isinstance(parameter.type, click.types.IntParamType):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(parameter.type, click.types.FloatParamType):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str)


# Words of a preset's recipe, and what a run has counted and was made on.
_NO_OPTIONS = ("about", "images", "environment")


@click.command(cls=GroupedCommand)
@click.argument("model", required=False)
@options_group(
    "Recipe",
    _option("--recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), is_eager=True,
            expose_value=False, callback=_use_recipe, metavar="FILE",
            help="JSON with MODEL and options, as --dry-run prints and a run's options.json holds "
            "them; what the command line gives comes first."),
)  # fmt: skip
@options_group(
    "Data",
    _option("--data", metavar="NAME_OR_PATH",
            help="A TFDS name, `avatars`, `stacked_mnist`, a folder of images, an .npz or .npy."),
    _option("--image-size", type=click.IntRange(min=1), help="Pixels; images are cropped square."),
    _option("--channels", type=click.Choice(["1", "3"]), help="Grey or colour."),
    _option("--split", default="train", help="Split of a TFDS data set."),
    _option("--limit", type=click.IntRange(min=1), help="Use only the first so many images."),
    _option("--upscale", is_flag=True, help="Enlarge images that are smaller than asked."),
    _option("--max-bad", type=click.FloatRange(0, 1), default=0.1,
            help="Share of unusable files in a folder above which to stop."),
)  # fmt: skip
@options_group(
    "Networks",
    _option("--network", type=click.Choice(NETWORKS),
            help="Architecture.  [default: dcgan; nice for flow_gan]"),
    _option("--width", type=click.IntRange(min=1), help="Its width.  [default: its own]"),
    _option("--latent-dim", type=click.IntRange(min=1), default=128,
            help="Width of the latent vectors."),
    _option("--critic-norm", type=click.Choice(["batch", "spectral", "none"]),
            help="What normalises the critic.  [default: what the variant asks for; none with --r1 "
            "or --r2]"),
)  # fmt: skip
@options_group(
    "Training",
    _option("--epochs", type=click.IntRange(min=1), help="Passes over the data.  [default: 50]"),
    _option("--batch-size", type=click.IntRange(min=1), default=64,
            help="Images in one critic step."),
    _option("--lr", type=click.FloatRange(min=0, min_open=True),
            help="Learning rate of both optimizers.  [default: the paper's]"),
    _option("--critic-lr", type=click.FloatRange(min=0, min_open=True),
            help="The critic's, where it differs."),
    _option("--final-lr", type=click.FloatRange(min=0, min_open=True),
            help="The rates fall to this over the epochs that the run begins with, along half a "
            "cosine (the critic's, where it differs, in proportion)."),
    _option("--final-critic-lr", type=click.FloatRange(min=0, min_open=True),
            help="What the critic's falls to, where it is not in proportion."),
    _option("--beta-1", type=click.FloatRange(0, 1, max_open=True), help="Of Adam."),
    _option("--beta-2", type=click.FloatRange(0, 1, max_open=True), help="Of Adam."),
    _option("--seed", type=click.IntRange(min=0), default=0, help="Seed of everything."),
    _option("--precision", type=click.Choice(["float32", "mixed_bfloat16"]), default="float32",
            help="Precision policy."),
    _option("--deterministic/--no-deterministic", default=True,
            help="Reproducible kernels; resuming is exact with them."),
    _option("--backend", type=click.Choice(["tensorflow", "jax", "torch"]),
            help="Keras backend.  [default: $KERAS_BACKEND, else Keras' own setting]"),
)  # fmt: skip
@options_group(
    "Variant (the paper's defaults)",
    _option("--n-critic", type=click.IntRange(min=1),
            help="Critic steps for each generator step."),
    _option("--ema", type=click.FloatRange(0, 1, max_open=True),
            help="Decay of the generator's moving average; 0 for none."),
    _option("--loss", type=click.Choice(LOSSES), help="gan, pacgan, sngan, unrolled_gan."),
    _option("--real-label", type=click.FloatRange(0, 1, min_open=True),
            help="gan, pacgan, unrolled_gan: 0.9 is one-sided label smoothing."),
    _option("--clip", type=click.FloatRange(min=0, min_open=True), help="wgan: the clip value c."),
    _option("--warmup", is_flag=True, default=None,
            help="wgan: 100 critic steps a round at the start, as the authors' code does."),
    _option("--gp-weight", type=click.FloatRange(min=0),
            help="wgan_gp, dragan, flow_gan: the penalty's lambda."),
    _option("--nll-weight", type=click.FloatRange(min=0), help="flow_gan: 0 is adversarial alone."),
    _option("--adversarial-weight", type=click.FloatRange(min=0),
            help="flow_gan: 0 is likelihood alone."),
    _option("--one-sided", is_flag=True, default=None,
            help="wgan_gp: penalise only gradients above 1."),
    _option("--unrolled-steps", type=click.IntRange(min=0), help="unrolled_gan: the paper's K."),
    _option("--info-weight", type=click.FloatRange(min=0), help="infogan: the paper's lambda."),
    _option("--view-weight", type=click.FloatRange(min=0),
            help="infogan: 1 asks for categories that distortions leave; 0 is the paper's."),
    _option("--gamma", type=click.FloatRange(min=0), help="r3gan: weight of R1 and R2."),
    _option("--final-gamma", type=click.FloatRange(min=0), help="r3gan: the same at the end."),
    _option("--burn-in", type=click.IntRange(min=1), help="r3gan: steps until then."),
)  # fmt: skip
@options_group(
    "Ingredients (of any variant)",
    _option("--conditional", is_flag=True, help="Give both networks the labels of the data."),
    _option("--conditioning", type=click.Choice(["projection", "concat"]),
            help="How labels enter the critic.  [default: projection]"),
    _option("--packing", type=click.IntRange(min=1), help="Images that the critic judges at once."),
    _option("--r1", type=click.FloatRange(min=0), help="Weight of a zero-centred penalty, real."),
    _option("--r2", type=click.FloatRange(min=0), help="The same on generated images."),
    _option("--augment", type=click.Choice(["diffaugment", "ada"]),
            help="Augment what the critic sees."),
    _option("--minibatch", type=click.Choice(["discrimination", "stddev"]),
            help="A layer in the critic that compares the images of a batch."),
    _option("--historical-averaging", type=click.FloatRange(min=0, min_open=True),
            help="Weight of the distance to past weights."),
    _option("--prior", type=click.Choice(["normal", "uniform"]), help="Of the latent vectors."),
)  # fmt: skip
@options_group(
    "Collapse",
    _option("--guard", type=click.Choice(["rescue", "stop", "warn", "off"]), default="rescue",
            help="When the generator loses what it drew: put the last healthy state back, change "
            "something and go on; stop and keep the best; say so; or do not look."),
    _option("--guard-every", type=click.IntRange(min=1), metavar="STEPS",
            help="Critic steps from one look to the next.  [default: an epoch, or as many as make "
            "200]"),
)  # fmt: skip
@options_group(
    "Output",
    _option("--run-dir", type=click.Path(file_okay=False, path_type=Path), default="runs",
            help="Where the numbered run folders go."),
    _option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="RUN",
            help="Go on with this run where it stopped; --epochs may raise its end."),
    _option("--grid-every", type=click.IntRange(min=1), default=1,
            help="Epochs from one grid of samples to the next."),
    _option("--animation", type=click.Choice(["webp", "gif", "none"]), default="webp",
            help="Format of the animation of all grids."),
    _option("--dry-run", is_flag=True, help="Print the options and stop."),
)  # fmt: skip
@click.pass_context
def train(context, model, resume, run_dir, dry_run, **options):
    """Train MODEL into a numbered run folder, or resume one.

    MODEL is gan, wgan, wgan_gp, dragan, sngan, unrolled_gan, infogan,
    pacgan, flow_gan or r3gan.

    Exit code: 0 done, 1 diverged (without a guard) or failed, 3 ended collapsed, 130 interrupted.
    """
    if resume is not None and context.default_map:
        raise click.UsageError("--recipe and --resume do not go together.")
    if resume is None:
        options = {"model": _checked_model(model, options), **options}
        if options["epochs"] is None:
            options["epochs"] = 50
    else:
        options = _resumed_options(context, model, resume, options)
    if dry_run:
        click.echo(json.dumps(options, indent=2))
        return
    options["backend"] = choose_backend(options["backend"])
    from kerasgan_cli import training  # Imports Keras.

    context.exit(training.run(options, run_dir, resume))


def _checked_model(model, options):
    if model is None:
        raise click.UsageError("MODEL is needed: one of " + ", ".join(MODELS))
    if model not in MODELS:
        raise nearest("MODEL", model, list(MODELS))
    if options["data"] is None:
        raise click.UsageError("--data is needed: what to train on.")
    if (
        options["data"] not in ("avatars", "stacked_mnist")
        and Path(options["data"]).expanduser().exists()
    ):
        # The run may be resumed from another directory.
        options["data"] = str(Path(options["data"]).expanduser().resolve())
    networks = FLOWS if model == "flow_gan" else [n for n in NETWORKS if n not in FLOWS]
    if options["network"] not in (None, *networks):
        raise click.UsageError(
            f"--network of {model} is one of {', '.join(networks)}. Received: {options['network']}"
        )
    if model == "flow_gan" and (options["conditional"] or options["minibatch"]):
        raise click.UsageError("--conditional and --minibatch are no options of flow_gan.")
    if options["final_lr"] is not None and options["lr"] is None:
        raise click.UsageError("--final-lr goes with --lr.")
    if options["final_critic_lr"] is not None and options["final_lr"] is None:
        raise click.UsageError("--final-critic-lr goes with --final-lr.")
    if options["final_lr"] is not None and model == "r3gan":
        raise click.UsageError("--final-lr is no option of r3gan, whose rates fall by themselves.")
    if options["final_lr"] is not None and options["warmup"]:
        raise click.UsageError("--final-lr and --warmup do not go together.")
    if model == "r3gan" and options["beta_2"] is not None:
        raise click.UsageError("--beta-2 is no option of r3gan, which moves it by itself.")
    if model == "wgan" and not options["beta_1"] is options["beta_2"] is None:
        raise click.UsageError("--beta-1 and --beta-2 are no options of wgan, which has no Adam.")
    if options["conditioning"] is not None and not options["conditional"]:
        raise click.UsageError("--conditioning goes with --conditional.")
    for name in VARIANT_OPTIONS:
        if options[name] is not None and name not in (*SHARED, *MODELS[model]):
            raise click.UsageError(
                f"--{name.replace('_', '-')} is no option of {model}; its own are "
                + ", ".join(f"--{own.replace('_', '-')}" for own in (*MODELS[model], *SHARED))
            )
    return model


def _resumed_options(context, model, resume, options):
    """Return the run's own options; only the end and the grids may differ."""
    changed = [
        name
        for name in options
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    fixed = [name for name in changed if name not in ("epochs", "grid_every", "animation")]
    if model is not None or fixed:
        raise click.UsageError(
            "--resume goes on with the run's own options; only --epochs, --grid-every and "
            "--animation may change. Received: "
            + ", ".join((["MODEL"] if model else []) + [f"--{n.replace('_', '-')}" for n in fixed])
        )
    saved = Run(resume).options()
    if saved.get("final_lr") is not None and (options["epochs"] or 0) > saved["epochs"]:
        click.echo(
            "note: the learning rates stay at their last values in the added epochs.", err=True
        )
    return {**saved, **{name: options[name] for name in changed}}
