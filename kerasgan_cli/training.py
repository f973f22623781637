"""What `kerasgan train` does once the recipe is known and the backend is chosen."""

import contextlib
import json
import shlex
import shutil
import signal
from pathlib import Path

import click
import keras

from kerasgan import backend, callbacks
from kerasgan.adversarial import feed
from kerasgan.adversarial.each_step import EachStep
from kerasgan.environment import describe, idle_gpu
from kerasgan.files import atomic
from kerasgan.text import counted, listed, printable, short
from kerasgan_cli import fine_tuning, images, machine, plan, scoring, stages
from kerasgan_cli.common import echo, lasting_output, short_warnings
from kerasgan_cli.follower import follow, following
from kerasgan_cli.memory import is_out_of_memory, on_devices, ways_out
from kerasgan_cli.runs import Run
from kerasgan_cli.sources import load_file

DIVERGED, COLLAPSED, INTERRUPTED = 1, 3, 130


def run(job):
    """Train as an `Asked` says, whose backend is chosen, in a new folder or in the run it names.

    Returns:
        The exit code: 0, 1 if the training diverged, 3 if it ended collapsed, or 130 if it was
        interrupted.
    """
    recipe = job.recipe
    if "steps" in recipe.length:  # The same in all processes.
        recipe.length = plan.in_epochs(recipe.length["steps"])
    number, count = backend.GROUP.launched()
    if count > 1 and job.planned:
        raise ValueError(
            "MODEL and one of --steps and --epochs must be given where several processes train "
            "together: each would choose for itself. Received: "
            + ("--time" if job.given is None else "no MODEL")
        )
    with contextlib.ExitStack() as stack:  # It ends with the training.
        if count > 1:  # Before the backend computes.
            stack.enter_context(backend.GROUP.joined(number, count))
        if number:
            if job.settings["start"] is not None:
                _, recipe = fine_tuning.open_source(job.settings["start"], recipe)
            follow(recipe, job.resume)
            return 0
        return _lead(job, stack)


def _lead(job, stack):
    """Train in this process, which others may follow."""
    recipe = job.recipe
    device, exact = machine.prepare(recipe)
    source = None
    if job.settings["start"] is not None and not (job.resume and Run(job.resume).has_model()):
        source, recipe = fine_tuning.open_source(job.settings["start"], recipe)
        job.recipe = recipe
    count = machine.devices(recipe, job.devices)
    if job.given is None:
        dataset = images.load(recipe, job.resume)
    else:
        job.recipe, dataset = plan.advised(recipe, job.given, images.load)
    machine.check_parts(job.recipe, count)
    stack.enter_context(backend.on_devices(count))
    device = f"{count} of {device or 'CPU'}" if count > 1 else device or "CPU"
    return _run(job, source, dataset, device, exact, count, stack)


def _run(job, source, dataset, device, exact, devices, stack):
    recipe, settings = job.recipe, job.settings
    classes = images.classes(recipe, dataset)
    if source is not None:
        fine_tuning.check_classes(source, classes)

    at_once = machine.steps_at_once(recipe, settings, devices)

    def build(recipe, steps):
        shape = dataset.image_shape
        if source is None:
            model = recipe.build(shape, classes, steps)
        else:
            model = fine_tuning.build(recipe, source, shape, classes, steps)
        model.steps_per_execution = at_once  # Its steps are timed as they are trained.
        return model

    settings = dict(settings)
    scores = scoring.prepare(recipe, settings, dataset)  # What cannot be scored is said at once.
    folder, model, speed = None, None, None
    if job.planned:
        recipe, dataset, speed = plan.settle(recipe, dataset, job.left, job.given, build)
    if scores is not None:
        scores.epochs = recipe.length["epochs"]
    if job.dry_run:
        if speed is not None:
            plan.describe(recipe, dataset, settings, speed, err=True)
        echo(json.dumps({**recipe.to_json(), "run": settings}, indent=2))
        return 0
    if job.resume:
        folder = Run(job.resume)
        stack.enter_context(folder.alone())
        model = _resumed(folder, recipe, dataset, at_once)
    if model is None:
        stages.say("building the networks")
        machine.seed(recipe)  # Networks may have been built to be timed.
        model = build(recipe, recipe.critic_steps(dataset.batches_per_epoch))
    stages.clear()
    feed.check_dataset(model, dataset)  # Before there is a folder.
    options = {
        **recipe.to_json(),
        "run": settings,
        "images": dataset.num_examples,
        "classes": dataset.class_names,
        "content": dataset.content,
    }
    if folder is None:
        name = f"{recipe.variant}-{Path(dataset.name).stem or 'images'}"
        options["environment"] = describe(recipe.backend)
        folder = Run.create(job.parent, name, options)
        stack.enter_context(folder.alone())
        images.list_skipped(folder, dataset)
    else:  # Its end may have been moved.
        folder.write_options({**options, "environment": folder.options().get("environment")})
    with lasting_output():
        _introduce(folder, recipe, dataset, model, device, exact)
        if speed is not None or "steps_per_epoch" in recipe.length:
            plan.describe(recipe, dataset, settings, speed)
        scoring.introduce(scores)
        guard = _guard(folder, recipe, settings, job.on_collapse)
        if backend.GROUP.size() > 1 or (devices > 1 and recipe.backend == "torch"):
            stages.say("waiting for the other processes", always=True)
            with following(recipe, job.resume, devices, lambda: _last_good(folder)):
                return _fit(folder, recipe, settings, dataset, model, guard, devices, scores)
        return _fit(folder, recipe, settings, dataset, model, guard, devices, scores)


def _resumed(folder, recipe, dataset, at_once):
    """Return the model of a run, or None where no epoch was finished."""
    folder.prepare()
    images.check_same_data(folder, recipe, dataset)
    if not folder.has_model():
        return None
    model = load_file(folder.model_file())
    model.accumulate = recipe.accumulate  # It may be another one now.
    model.steps_per_execution = at_once
    return model


def _introduce(folder, recipe, dataset, model, device, exact):
    height, width, channels = dataset.image_shape
    echo(f"run       {printable(folder.folder)}")
    echo(
        f"data      {printable(dataset.name)}: {counted(dataset.num_examples, 'image')} of "
        f"{height}x{width}x{channels}, {counted(dataset.batches_per_epoch, 'critic step')} an epoch"
    )
    if recipe.conditional and dataset.class_names:
        echo(f"classes   {listed(dataset.class_names)}")
    echo(
        f"model     {recipe.variant} on {keras.backend.backend()}: generator "
        f"{model.generator.count_params():,} parameters, critic {model.critic.count_params():,}"
    )
    echo(
        f"device    {device}, "
        + ("deterministic" if exact else "not deterministic: a resumed run may go another way")
    )
    idle = idle_gpu(keras.backend.backend())
    if idle:
        echo(f"note      there is an NVIDIA GPU, which is not used: {idle}")
    images.say_what_is_short(recipe, dataset)


def _fit(folder, recipe, settings, dataset, model, guard, devices, scores):
    epochs = recipe.length["epochs"]
    first, batch = divmod(model.critic_steps, dataset.batches_per_epoch)
    animation = None if settings["animation"] == "none" else settings["animation"]
    trained = first >= epochs
    if trained and folder.is_whole(animation, guard is not None):
        echo(
            f"nothing to do: the run has its {counted(first, 'epoch')}; --epochs, "
            "--steps or --time asks for more."
        )
        return 0
    if trained:
        echo(f"resuming  after all of {counted(first, 'epoch')}, to write what a run ends with")
    elif first or batch:
        echo(f"resuming  in epoch {first + 1}, after {batch} of its critic steps")
    checkpoint = callbacks.Checkpoint(folder.checkpoint, keep_every=settings["keep_every"])
    interrupt = _Interrupt()
    grids = callbacks.SampleGrid(
        folder.samples, every=settings["grid_every"], seed=recipe.seed, animation=None
    )
    watchers = [
        interrupt,
        _Started(),
        *([guard] if guard else []),  # Before those that keep and print what it found.
        *scoring.watchers(scores, folder),
        # The checkpoint comes after an epoch's row and grid: a run that is killed between them
        # makes the epoch again, and misses nothing.
        callbacks.MetricsFile(folder.metrics),
        grids,
        *_tensorboard(folder, settings),
        checkpoint,
        callbacks.Progress(dataset, epochs=epochs),
    ]
    # The rest of a half-finished epoch is shorter, so it is a fit of its own.
    spans = [(first, first + 1, batch)] if batch and not trained else []
    spans.append((first + len(spans), max(first, epochs), 0))
    watched = "" if guard is None else "preparing the guard and "
    stages.say(f"{watched}compiling the first step", always=True)
    try:
        with interrupt.listening(), short_warnings():
            for start, end, skip in spans:
                stopped = checkpoint.diverged or interrupt.requested or _stopped(guard)
                if (start < end or trained) and not stopped:
                    dataset.seek(start, skip)
                    model.fit(
                        dataset, initial_epoch=start, epochs=end, verbose=0, callbacks=watchers
                    )
    except OSError as error:
        raise click.ClickException(f"{short(error)}. {_last_good(folder)}") from error
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        run = shlex.quote(str(folder.folder))
        what = ways_out(recipe, dataset.image_shape, run, devices)
        raise click.ClickException(f"{what}. {_last_good(folder)}") from error
    if folder.checkpoint.exists():
        with atomic(folder.model) as temporary:
            shutil.copyfile(folder.checkpoint, temporary)
    if animation is not None:
        stages.say("joining the grids")
        with short_warnings():
            grids.animate(animation)
    stages.clear()
    cut = divmod(model.critic_steps, dataset.batches_per_epoch)
    where = f" in epoch {cut[0] + 1}, after {cut[1]} of its critic steps" if cut[1] else ""
    code = _conclude(folder, checkpoint, interrupt, guard, where, devices)
    if code != INTERRUPTED:
        scoring.conclude(folder)
    return code


def _tensorboard(folder, settings):
    if not settings["tensorboard"]:  # Its package may be missing.
        return []
    return [callbacks.TensorBoard(folder.tensorboard, folder.samples)]


def _guard(folder, recipe, settings, on_collapse):
    policy = settings["guard"]
    if policy == "off":
        return None
    return callbacks.CollapseGuard(
        policy,
        every=settings["guard_every"],
        folder=folder.folder,
        seed=recipe.seed,
        epochs=recipe.length["epochs"],
        on_collapse=on_collapse,
    )


def _stopped(guard):
    return guard is not None and guard.collapsed is not None and guard.policy != "warn"


def _conclude(folder, checkpoint, interrupt, guard, where, devices):
    if guard and guard.collapsed:
        echo(f"Error: training ended collapsed: {guard.collapsed}.", err=True)
        if _stopped(guard):
            echo(_last_good(folder), err=True)
        echo(f"see {folder.report}", err=True)
        return COLLAPSED
    if checkpoint.diverged:
        echo(f"Error: training diverged: {checkpoint.diverged}. {_last_good(folder)}", err=True)
        return DIVERGED
    if interrupt.requested:
        echo(f"stopped{where}; the work is saved. Go on with:")
        run = shlex.quote(str(folder.folder))
        echo(f"  kerasgan train --resume {run}{on_devices(devices)}")
        return INTERRUPTED
    echo(f"done: {folder.model}")
    run, out = (shlex.quote(str(path)) for path in (folder.folder, folder.folder / "samples.png"))
    echo(f"  kerasgan sample {run} --out {out} --overwrite")
    return 0


def _last_good(folder):
    if not Run.is_run(folder.folder):
        return (
            f"{folder.folder} is gone. If it was moved, go on with: kerasgan train --resume and "
            "its new place"
        )
    if folder.checkpoint.exists():
        return f"The last good state is kept in {folder.checkpoint}"
    return "No epoch was finished, so there is no good state to keep"


class _Started(EachStep):
    """Takes away the line that says what is prepared, once the first step is done."""

    def on_train_batch_begin(self, batch, logs=None):
        if 0 < batch <= self.unsynced.steps_per_execution:  # The second time.
            stages.clear()

    def on_epoch_end(self, epoch, logs=None):
        stages.clear()


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
        echo("\nstopping after this step (Ctrl-C again stops at once) ...", err=True)

    def on_train_batch_begin(self, batch, logs=None):
        if self.requested:
            self.model.stop_training = True
