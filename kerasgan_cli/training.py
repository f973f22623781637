"""What `kerasgan train` does once the options are known and the backend is chosen."""

import contextlib
import shlex
import shutil
import signal
import sys
from pathlib import Path

import click
import keras

from kerasgan import augment, backend, callbacks, data, gans, networks, penalties
from kerasgan.adversarial.optimizer import falling
from kerasgan.environment import describe
from kerasgan.files import atomic
from kerasgan_cli.memory import keep_freed_memory
from kerasgan_cli.runs import Run
from kerasgan_cli.sources import load_file
from kerasgan_cli.train import VARIANT_OPTIONS

DIVERGED, COLLAPSED, INTERRUPTED = 1, 3, 130


def run(options, parent, resume):
    """Train as `options` say, in a new folder under `parent` or in the run `resume`.

    Returns:
        The exit code: 0, 1 if the training diverged, 3 if it ended collapsed, or 130 if it was
        interrupted.
    """
    keep_freed_memory()
    if options["deterministic"]:
        backend.make_deterministic()
    keras.utils.set_random_seed(options["seed"])
    keras.config.set_dtype_policy(options["precision"])
    _check_size(options)
    dataset = _load(options)
    folder, model = _resumed(resume, options, dataset) if resume else (None, None)
    if model is None:
        model = build(options, dataset, _classes(options, dataset))
    if folder is None:
        name = f"{options['model']}-{Path(dataset.name).stem or 'images'}"
        made = {"images": dataset.num_examples, "environment": describe(options["backend"])}
        folder = Run.create(parent, name, {**options, **made})
        _list_skipped(folder, dataset)
    else:
        folder.write_options(options)  # Its end may have been moved.
    _introduce(folder, options, dataset, model)
    return _fit(folder, options, dataset, model)


def build(options, dataset, num_classes=None):
    """Return the compiled model that `options` describe, for the images of `dataset`."""
    # Runs of earlier versions do not hold the options that came since.
    chosen = {name: value for name, value in options.items() if value is not None}
    variant = gans.VARIANTS[options["model"]]
    height, width, channels = dataset.image_shape
    if height != width:
        raise ValueError(
            f"`image_size` must be given, since the images are not square. Received: {height}x"
            f"{width}"
        )
    size = {"image_size": height, "channels": channels, "latent_dim": options["latent_dim"]}
    size |= {name: chosen[name] for name in ("width", "packing", "minibatch") if name in chosen}
    if chosen.get("conditional"):
        size["num_classes"] = num_classes
        if "conditioning" in chosen:
            size["conditioning"] = chosen["conditioning"]
    if variant.critic_norm == "batch" and chosen.keys() & {"r1", "r2"}:
        size["critic_norm"] = None  # It mixes the samples whose gradients are penalised.
    if "critic_norm" in chosen:
        norm = chosen["critic_norm"]
        size["critic_norm"] = None if norm == "none" else norm
    named = {"architecture": chosen["network"]} if "network" in chosen else {}
    pair = variant.default_networks(**named, **size)
    arguments = {name: chosen[name] for name in VARIANT_OPTIONS if name in chosen}
    if arguments.get("ema") == 0:
        arguments["ema"] = None
    if "lr" in chosen:
        arguments["alpha"] = chosen["lr"]
    arguments["penalties"] = [
        penalty(chosen[name])
        for name, penalty in (("r1", penalties.R1), ("r2", penalties.R2))
        if name in chosen
    ]
    if "augment" in chosen:
        arguments["augment"] = {"diffaugment": augment.DiffAugment, "ada": augment.ADA}[
            chosen["augment"]
        ]()
    model = variant(*pair, seed=options["seed"], **arguments)
    model.compile(*_optimizers(model, chosen, chosen["epochs"] * dataset.batches_per_epoch))
    return model


def _optimizers(model, chosen, steps):
    """Return the generator's and the critic's, for so many critic steps."""
    pair = model.default_optimizers()
    rates = chosen.get("lr"), chosen.get("critic_lr", chosen.get("lr"))
    if "final_lr" in chosen:
        in_proportion = chosen["final_lr"] * rates[1] / rates[0]
        finals = chosen["final_lr"], chosen.get("final_critic_lr", in_proportion)
        lengths = steps // model.n_critic, steps
        rates = [falling(*ends) for ends in zip(rates, finals, lengths, strict=True)]
    for optimizer, rate in zip(pair, rates, strict=True):
        if rate is not None:
            optimizer.learning_rate = rate
        for name in ("beta_1", "beta_2"):
            if name in chosen:
                setattr(optimizer, name, chosen[name])
    return pair


def _check_size(options):
    # Before the data is read, which may take long.
    size = options["image_size"]
    dcgan = options["network"] in (None, "dcgan") and options["model"] != "flow_gan"
    if dcgan and size is not None and size not in networks.SIZES:
        raise click.BadParameter(
            f"dcgan draws {', '.join(map(str, sorted(networks.SIZES)))} pixels; --network mlp "
            f"draws any size. Received: {size}",
            param_hint="--image-size",
        )


def _classes(options, dataset):
    if not options.get("conditional"):
        return None
    if dataset.labels is None:
        raise ValueError(
            f"`--conditional` needs labels, and {dataset.name} has none: TFDS sets have them, and "
            "an .npz with an array `labels`."
        )
    return int(dataset.labels.max()) + 1


def _load(options):
    chosen = {name: options[name] for name in ("image_size", "batch_size", "split", "seed",
                                               "limit", "upscale", "max_bad")}  # fmt: skip
    if options["channels"] is not None:
        chosen["channels"] = int(options["channels"])
    shown = sys.stderr.isatty()

    def progress(done, total):
        if shown:
            end = "\n" if done == total else ""
            print(f"\rreading images {done}/{total}\033[K", end=end, file=sys.stderr, flush=True)

    try:
        return data.load(options["data"], progress=progress, **chosen)
    except data.UnknownDataError as error:
        raise click.BadParameter(str(error), param_hint="--data") from error


def _resumed(resume, options, dataset):
    """Return the run and its model, or no model where no epoch was finished."""
    folder = Run(resume)
    if dataset.num_examples != options["images"]:
        raise ValueError(
            f"The run began with {options['images']} images, and resuming must see the same. "
            f"Received: {dataset.num_examples} from {options['data']}"
        )
    if not (folder.checkpoint.exists() or folder.model.exists()):
        return folder, None
    return folder, load_file(folder.model_file())


def _list_skipped(folder, dataset):
    if not dataset.skipped:
        return
    lines = [f"{path}\t{reason}\n" for path, reason in dataset.skipped]
    with atomic(folder.skipped) as temporary:
        # A file's name may be no text at all.
        temporary.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
    click.echo(f"skipped {len(lines)} unusable files, listed in {folder.skipped}", err=True)


def _introduce(folder, options, dataset, model):
    height, width, channels = dataset.image_shape
    click.echo(f"run       {folder.folder}")
    click.echo(
        f"data      {dataset.name}: {dataset.num_examples:,} images of "
        f"{height}x{width}x{channels}, {dataset.batches_per_epoch} critic steps an epoch"
    )
    click.echo(
        f"model     {options['model']} on {keras.backend.backend()}: generator "
        f"{model.generator.count_params():,} parameters, critic {model.critic.count_params():,}"
    )


def _fit(folder, options, dataset, model):
    epochs = options["epochs"]
    first, batch = divmod(model.critic_steps, dataset.batches_per_epoch)
    if first >= epochs:
        click.echo(f"nothing to do: the run has its {first} epochs; --epochs asks for more.")
        return 0
    if first or batch:
        click.echo(f"resuming  in epoch {first + 1}, after {batch} of its critic steps")
    animation = None if options["animation"] == "none" else options["animation"]
    checkpoint = callbacks.Checkpoint(folder.checkpoint)
    interrupt = _Interrupt()
    guard = _guard(folder, options)
    watchers = [
        interrupt,
        *([guard] if guard else []),  # Before those that keep and print what it found.
        checkpoint,
        callbacks.MetricsFile(folder.metrics),
        callbacks.SampleGrid(
            folder.samples, every=options["grid_every"], seed=options["seed"], animation=animation
        ),
        callbacks.Progress(dataset, epochs=epochs),
    ]
    # The rest of a half-finished epoch is shorter, so it is a fit of its own.
    spans = [(first, first + 1, batch)] if batch else []
    spans.append((first + len(spans), epochs, 0))
    try:
        with interrupt.listening():
            for start, end, skip in spans:
                stopped = checkpoint.diverged or interrupt.requested or _stopped(guard)
                if start < end and not stopped:
                    dataset.seek(start, skip)
                    model.fit(
                        dataset, initial_epoch=start, epochs=end, verbose=0, callbacks=watchers
                    )
    except OSError as error:
        raise click.ClickException(f"{error}. {_last_good(folder)}") from error
    if folder.checkpoint.exists():
        with atomic(folder.model) as temporary:
            shutil.copyfile(folder.checkpoint, temporary)
    return _conclude(folder, checkpoint, interrupt, guard)


def _guard(folder, options):
    # Runs of earlier versions had none, and go on without.
    policy = options.get("guard", "off")
    if policy == "off":
        return None
    return callbacks.CollapseGuard(
        policy,
        every=options.get("guard_every"),
        folder=folder.folder,
        seed=options["seed"],
        epochs=options["epochs"],
    )


def _stopped(guard):
    return guard is not None and guard.collapsed is not None and guard.policy != "warn"


def _conclude(folder, checkpoint, interrupt, guard):
    if guard and guard.collapsed:
        click.echo(f"Error: training ended collapsed: {guard.collapsed}.", err=True)
        if _stopped(guard):
            click.echo(_last_good(folder), err=True)
        click.echo(f"see {folder.report}", err=True)
        return COLLAPSED
    if checkpoint.diverged:
        click.echo(
            f"Error: training diverged: {checkpoint.diverged}. {_last_good(folder)}", err=True
        )
        return DIVERGED
    if interrupt.requested:
        click.echo("stopped; the work is saved. Go on with:")
        click.echo(f"  kerasgan train --resume {shlex.quote(str(folder.folder))}")
        return INTERRUPTED
    click.echo(f"done: {folder.model}")
    click.echo(f"  kerasgan sample {shlex.quote(str(folder.folder))} --out samples.png")
    return 0


def _last_good(folder):
    if folder.checkpoint.exists():
        return f"The last good state is kept in {folder.checkpoint}"
    return "No epoch was finished, so there is no good state to keep"


class _Interrupt(keras.callbacks.Callback):
    """Ends the training after the step that a Ctrl-C (or a termination) falls into."""

    def __init__(self):
        super().__init__()
        self.requested = False

    @contextlib.contextmanager
    def listening(self):
        """Take over SIGINT and SIGTERM inside the block; a second Ctrl-C stops at once."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._request) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _request(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        click.echo("\nstopping after this step (Ctrl-C again stops at once) ...", err=True)

    def on_train_batch_begin(self, batch, logs=None):
        if self.requested:
            self.model.stop_training = True
