"""The score of a run: what it is measured by, and the best state."""

import functools
import shlex

import click

from kerasgan import callbacks, catalogue, metrics
from kerasgan.adversarial.each_step import EachStep
from kerasgan.metrics.result import number, read_record
from kerasgan_cli import stages
from kerasgan_cli.common import echo, short_warnings
from kerasgan_cli.measuring import chosen_extractor

SAMPLES = 1000  # Or as many as the metric needs with these features.


def prepare(recipe, settings, dataset):
    """Return the `Scores` that the settings of a run ask for, or None.

    The real images are those of the training. The seed is that of the recipe.

    Args:
        recipe: The `kerasgan.recipe.Recipe`.
        settings: The settings of the run. Where they name no extractor, the one that is chosen is
            added, so that a run that goes on elsewhere has the same.
        dataset: The `kerasgan.data.ImageDataset`.

    Raises:
        click.ClickException: If the score cannot be computed with these images, or here.
    """
    if settings["score"] is None:
        return None
    stages.say("preparing the score", always=True)
    measures = (m for m in catalogue.METRICS.values() if settings["score"] in m.scores)
    metric = min(measures, key=lambda m: len(m.scores)).name
    try:
        extractor = _extractor(settings, dataset)
        width = extractor.width(dataset.image_shape) or 0
        samples = max(SAMPLES, metrics.METRICS[metric].fewest(width))
        metrics.check_samples([metric], samples, dataset.images.shape, extractor)
        with short_warnings():
            return callbacks.Scores(
                dataset,
                metrics=[metric],
                samples=samples,
                every=settings["score_every"],
                by=settings["score"],
                epochs=recipe.length["epochs"],
                extractor=extractor,
                seed=recipe.seed,
                progress=functools.partial(stages.progress, of="score: "),
            )
    except metrics.MetricError as error:
        raise click.ClickException(
            f"--score {settings['score']} cannot be computed: {error}"
        ) from error
    finally:
        stages.clear()


def _extractor(settings, dataset):
    kinds = metrics.extractors.EXTRACTORS
    asked = settings["score_extractor"] or "auto"
    extractor = chosen_extractor(metrics, asked, dataset.image_shape)
    settings["score_extractor"] = next(n for n, kind in kinds.items() if type(extractor) is kind)
    return extractor


def introduce(scores):
    """Print what a run is scored by; nothing without a score."""
    if scores is None:
        return
    about = scores.evaluator.provenance(scores.by)
    often = _often(scores) or "so often that it takes about 3 % of the time"
    echo(
        f"score     {scores.by} of {about.samples:,} images (seed {about.seed}), features by "
        f"{about.extractor}; {often}"
    )


def _often(scores):
    if scores.every is None:
        return ""
    after = "each epoch" if scores.every == 1 else f"every {scores.every} epochs and the last one"
    return f"after {after}"


def watchers(scores, folder):
    """Return the callbacks of a fit that score a run, and keep its best state."""
    if scores is None:
        return []
    scores.best = folder.best
    return [scores, _Remember(scores, folder)]


class _Remember(EachStep):
    """Writes into a run's settings how often it is scored, as soon as that is chosen.

    Args:
        scores: The `Scores`, which come before it.
        folder: The `kerasgan_cli.runs.Run`.
    """

    def __init__(self, scores, folder):
        super().__init__()
        self.scores = scores
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        options = self.folder.options()
        if options["run"]["score_every"] is None and self.scores.every is not None:
            options["run"]["score_every"] = self.scores.every
            self.folder.write_options(options)
            stages.clear()
            echo(f"score     {_often(self.scores)}; --score-every changes it")


def conclude(folder):
    """Print which state of a run is the best, and how to use it; nothing without one."""
    if not folder.best.exists():
        return
    epoch, result = read_record(folder.best)
    echo(f"best: {folder.best}, {result.name} {number(result.value)} after epoch {epoch}")
    state, out = (shlex.quote(f"{folder.folder}{end}") for end in ("@best", "/best.png"))
    echo(f"  kerasgan sample {state} --out {out} --overwrite")
