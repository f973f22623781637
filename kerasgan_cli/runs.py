"""The folder of a training run."""

import contextlib
import os
import re
import time
from pathlib import Path

from kerasgan.files import (
    check_own,
    expanded,
    read_json,
    read_rows,
    sweep,
    temporary_beside,
    write_json,
)
from kerasgan.recipe import FORMAT, Recipe, run_settings
from kerasgan.storage import critic_steps
from kerasgan.text import listed, short

try:
    import fcntl
except ImportError:
    fcntl = None

# What a run has unless it says otherwise, beside its recipe.
SETTINGS = {
    "start": None,
    "guard": "rescue",
    "guard_every": None,
    "grid_every": 1,
    "score": None,
    "score_every": None,
    "score_extractor": None,
    "keep_every": None,
    "animation": "webp",
    "tensorboard": False,
}
SECONDS_OF_CLAIM = 60
_NUMBERED = re.compile(r"(\d+)-")


class Damaged(ValueError):
    """A file of a run that cannot be used; what it should hold is named as the file names it."""


class Run:
    """A numbered folder that holds everything about one training.

    `options.json` holds the recipe and the settings of the run, the names of the classes, and what
    identifies the images (see `kerasgan.data.content`). `checkpoint.keras` is the whole state after
    the last good epoch, or at most ten minutes ago, and `model.keras` the same once training has
    ended. `best.keras` is the state with the best score, and `epochs/` has those after some epochs.
    `metrics.csv` has a row for each epoch, `metrics.part.json` the first part of one that was cut
    short. `samples/` holds the grids, `guard/` what the collapse guard measured and keeps,
    `report.html` is the page about it all, and `skipped.txt` lists the image files that could not
    be used. `tensorboard/` is there where it was asked for.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.options_file = self.folder / "options.json"
        self.metrics = self.folder / "metrics.csv"
        self.samples = self.folder / "samples"
        self.tensorboard = self.folder / "tensorboard"
        self.model = self.folder / "model.keras"
        self.checkpoint = self.folder / "checkpoint.keras"
        self.best = self.folder / "best.keras"
        self.epochs = self.folder / "epochs"
        self.skipped = self.folder / "skipped.txt"
        self.report = self.folder / "report.html"

    @classmethod
    def create(cls, parent, name, options):
        """Make the next numbered folder under `parent`, such as `runs/0003-wgan-avatars`.

        It appears with its `options.json`, so a run that is killed here leaves no folder that
        nothing can resume.
        """
        parent = Path(parent)
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent)
        hidden = temporary_beside(parent / name)
        hidden.mkdir()
        cls(hidden).write_options(options)
        number = _greatest_number(parent) + 1
        while True:
            # Other runs may start at the same moment. While a run holds the claim, no other makes
            # a folder of this number, whatever its name.
            claim = parent / f".{number:04d}"
            try:
                claim.mkdir()
            except FileExistsError:
                number += _is_held(claim)
                continue
            try:
                greatest = _greatest_number(parent)
                if greatest < number:
                    folder = parent / f"{number:04d}-{_shortened(name)}"
                    hidden.rename(folder)
                    return cls(folder)
            finally:
                claim.rmdir()
            number = greatest + 1

    def prepare(self):
        """Check that the folder's content is its own, and remove what a killed process left.

        Raises:
            ValueError: If there are links in it, or what is no regular file.
        """
        check_own(self.folder)
        for folder in (self.folder, self.samples, self.epochs, self.folder / "guard"):
            sweep(folder)

    def write_options(self, options):
        """Write the recipe and what stands beside it."""
        write_json(self.options_file, options)

    @classmethod
    def of(cls, source):
        """Return the run that a folder, a model's file or `RUN@STATE` belongs to, or None."""
        path = expanded(source)
        if not path.exists() and "@" in str(source):
            return cls.of(str(source).rpartition("@")[0])
        for folder in (path, *path.parents[:2]):
            if cls.is_run(folder):
                return cls(folder)
        return None

    @staticmethod
    def is_run(folder):
        """Return whether `folder` is a run's."""
        return (Path(folder) / "options.json").is_file()

    def options(self):
        """Return what options.json holds: a recipe's JSON, and what stands beside it.

        Raises:
            ValueError: If the file is missing or not readable.
        """
        if not self.is_run(self.folder):
            raise ValueError(
                f"{self.folder} is not a run folder: `kerasgan train` makes one, with a file "
                f"options.json in it. Found: {self.content()}"
            )
        try:
            options = read_json(self.options_file)
        except (OSError, ValueError) as error:
            raise Damaged(f"{self.options_file} is damaged: {short(error)}") from error
        if not isinstance(options, dict) or not isinstance(options.get("images"), int):
            raise Damaged(
                f"{self.options_file} is damaged: it must hold an object with a recipe and the "
                "number of images."
            )
        return options

    def content(self):
        """Return the first names in the folder, as text."""
        names = sorted(path.name for path in self.folder.iterdir())
        return listed(names, 4) if names else "an empty folder"

    def classes(self):
        """Return the names of the classes, or None; runs of earlier versions keep none."""
        return self.options().get("classes")

    def recipe(self):
        """Return the run's `Recipe`; runs of version 0.1 have one too.

        Raises:
            ValueError: If there is none.
        """
        try:
            recipe = Recipe.from_json(self.options())
        except (TypeError, KeyError, AttributeError) as error:
            raise Damaged(f"{self.options_file} is damaged: {short(error)}") from error
        if "name_or_path" not in recipe.data or "epochs" not in recipe.length:
            raise Damaged(f"{self.options_file} is damaged: it has no data or no epochs.")
        return recipe

    def settings(self):
        """Return the settings of the run beside its recipe. Early runs had no guard.

        Raises:
            ValueError: If one is unknown or out of range.
        """
        options = self.options()
        before = {} if options.get("format") == FORMAT else {"guard": "off"}
        try:
            return {**SETTINGS, **before, **run_settings(options)}
        except ValueError as error:
            raise Damaged(f"{self.options_file} is damaged: {error}") from error

    def seconds(self):
        """Return how long its finished epochs took, those of all its resumes together."""
        return sum(self._seconds())

    def finished(self):
        """Return how many epochs it has finished."""
        return len(self._seconds())

    def seconds_of_an_epoch(self):
        """Return how long an epoch of the later half of those took, or 0 if there is none."""
        found = self._seconds()
        recent = found[len(found) // 2 :]
        return sum(recent) / len(recent) if recent else 0.0

    def _seconds(self):
        if not self.metrics.exists():
            return []
        try:
            return [float(row.get("seconds") or 0) for row in read_rows(self.metrics)]
        except (OSError, ValueError) as error:
            raise Damaged(f"{self.metrics} is damaged: {short(error)}") from error

    def is_whole(self, animation, guarded):
        """Return whether all is there that a training writes at its end.

        Args:
            animation: Format of the animation, or None.
            guarded: Whether the run has a guard, and so a report.
        """
        if self.checkpoint.exists() and self.model_file() != self.model:
            return False
        parts = [(self.model, [])]
        if animation is not None:
            parts.append((self.samples / f"epochs.{animation}", self.samples.glob("epoch_*.png")))
        if guarded:
            parts.append((self.report, [self.folder / "guard" / "journal.json"]))
        return all(map(_follows, *zip(*parts, strict=True)))

    def has_model(self):
        """Return whether it holds a state: an epoch was finished."""
        return self.checkpoint.exists() or self.model.exists()

    def model_file(self):
        """Return the file with the newest state.

        Raises:
            ValueError: If no epoch was finished yet.
        """
        files = [path for path in (self.model, self.checkpoint) if path.exists()]
        if not files:
            raise ValueError(f"{self.folder} holds no model yet: no epoch was finished.")
        # Their times come second: a copy of the folder may not keep them.
        return max(files, key=lambda path: (critic_steps(path), path.stat().st_mtime_ns))

    def states(self):
        """Return the files of the states that `RUN@STATE` can name, by the name of the state.

        They are "best", and the numbers of the epochs after which a state was kept: by
        `--keep-every`, as the last one of the run, or by the guard, whose files end in `.npz`.
        """
        found = {"best": self.best} if self.best.exists() else {}
        numbered = {}
        for path in (self.folder / "guard").glob("snapshot-*.npz"):
            steps = path.stem.removeprefix("snapshot-")
            epoch = self._epoch_after(int(steps)) if steps.isdecimal() else None
            numbered |= {epoch: path} if epoch else {}
        with contextlib.suppress(ValueError):
            newest = self.model_file()
            epoch = self._epoch_after(critic_steps(newest))
            numbered |= {epoch: newest} if epoch else {}
        numbered |= {int(p.stem): p for p in self.epochs.glob("*.keras") if p.stem.isdecimal()}
        return found | {str(epoch): numbered[epoch] for epoch in sorted(numbered)}

    def _epoch_after(self, steps):
        """Return the epoch that ends after so many critic steps, or None."""
        recipe = self.recipe()
        passes = self.options()["images"] // recipe.batch_size
        of_an_epoch = recipe.length.get("steps_per_epoch", passes)
        whole = of_an_epoch and steps and steps % of_an_epoch == 0
        return steps // of_an_epoch if whole else None

    @contextlib.contextmanager
    def alone(self):
        """Keep others from training in this folder inside the block.

        Raises:
            ValueError: If another process does.
        """
        if fcntl is None:  # On Windows.
            yield
            return
        place = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(place)
            raise ValueError(f"another process is training in {self.folder}.") from None
        except OSError:  # Some file systems of networks have no locks.
            pass
        try:
            yield
        finally:
            os.close(place)


def _is_held(claim):
    """Return whether a claim is a running process's, which holds it for a moment only."""
    try:
        if time.time() - claim.stat().st_mtime < SECONDS_OF_CLAIM:
            return True
        claim.rmdir()
    except OSError:  # It has just ended, or somebody else removed it.
        pass
    return False


def _shortened(name):
    """Return a name of at most 200 bytes, so that a number fits before it.

    Those of data may have colons, which not every system takes.
    """
    return os.fsdecode(os.fsencode(name.replace(":", "-"))[:200])


def _follows(path, sources):
    """Return whether a file was written after those it is made from, if there are any."""
    times = [source.stat().st_mtime_ns for source in sources if source.exists()]
    if not path.exists():
        return not times
    return path.stat().st_mtime_ns >= max(times, default=0)


def _greatest_number(parent):
    """Return the greatest number of a run in a folder, or 0."""
    return max((int(m[1]) for m in map(_NUMBERED.match, os.listdir(parent)) if m), default=0)
