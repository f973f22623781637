"""The folder of a training run."""

import csv
import json
import os
import re
from pathlib import Path

REQUIRED = {"model", "data", "epochs", "backend", "batch_size", "seed", "images"}
_NUMBERED = re.compile(r"(\d+)-")


class Run:
    """A numbered folder that holds everything about one training.

    `options.json` is what was asked for, `checkpoint.keras` the whole state after the last good
    epoch, `model.keras` the same once training has ended, `metrics.csv` one row an epoch,
    `samples/` the grids, `guard/` what the collapse guard saw and keeps, `report.html` the page
    about it all, `skipped.txt` the image files that could not be used.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.options_file = self.folder / "options.json"
        self.metrics = self.folder / "metrics.csv"
        self.samples = self.folder / "samples"
        self.model = self.folder / "model.keras"
        self.checkpoint = self.folder / "checkpoint.keras"
        self.skipped = self.folder / "skipped.txt"
        self.report = self.folder / "report.html"

    @classmethod
    def create(cls, parent, name, options):
        """Make the next numbered folder under `parent`, such as `runs/0003-wgan-avatars`."""
        parent = Path(parent)
        parent.mkdir(parents=True, exist_ok=True)
        taken = [int(m[1]) for m in map(_NUMBERED.match, os.listdir(parent)) if m]
        number = max(taken, default=0) + 1
        while True:
            folder = parent / f"{number:04d}-{name}"
            try:
                folder.mkdir()
                break
            except FileExistsError:  # Another run started at the same moment.
                number += 1
        run = cls(folder)
        run.write_options(options)
        return run

    def write_options(self, options):
        """Write what the run is asked for."""
        from kerasgan.files import write_json  # Imports Keras, which reading must not.

        write_json(self.options_file, options)

    @staticmethod
    def is_run(folder):
        """Return whether `folder` is a run's."""
        return (Path(folder) / "options.json").is_file()

    def options(self):
        """Return what the run was asked for.

        Raises:
            ValueError: If the file is missing or not readable.
        """
        try:
            options = json.loads(self.options_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{self.folder} is not a run folder: {error}") from error
        missing = REQUIRED - set(options) if isinstance(options, dict) else REQUIRED
        if missing:
            raise ValueError(
                f"{self.options_file} is damaged: it must hold an object with the entries "
                f"{', '.join(sorted(REQUIRED))}. Missing: {', '.join(sorted(missing))}"
            )
        return options

    def seconds(self):
        """Return how long its finished epochs took, those of all its resumes together."""
        with open(self.metrics, newline="", encoding="utf-8") as file:
            return sum(float(row.get("seconds") or 0) for row in csv.DictReader(file))

    def model_file(self):
        """Return the file with the newest state.

        Raises:
            ValueError: If no epoch was finished yet.
        """
        files = [path for path in (self.model, self.checkpoint) if path.exists()]
        if not files:
            raise ValueError(f"{self.folder} holds no model yet: no epoch was finished.")
        return max(files, key=lambda path: path.stat().st_mtime_ns)
