"""Kills a training at random moments with SIGKILL, resumes it, and compares how it ends."""

import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
from written_pictures import patterns

from kerasgan.data import to_uint8
from kerasgan.files import read_rows

EPOCHS = 24
BREAKS_AT = 130  # The critic step from which the rates are absurd, so that a rescue follows.
# A process that has imported Keras, and done nothing more, forks one for each training.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["keras", "kerasgan_cli", "kerasgan_cli.training"])
OPTIONS = (
    "gan --network mlp --width 16 --latent-dim 4 --batch-size 50 --guard-every 30 --grid-every 2 "
    f"--epochs {EPOCHS}"
).split()


def prepare(folder, backend):
    """Write the images and the recipe of a training that is rescued once, and return its options.

    Args:
        folder: Where the images and the recipe go.
        backend: Name of the backend.
    """
    np.save(folder / "images.npy", to_uint8(patterns(600, seed=1000)))
    given = [*OPTIONS, "--data", str(folder / "images.npy"), "--backend", backend]
    recipe = json.loads(train([*given, "--dry-run"], folder / "recipe.log"))
    rates = {"boundaries": [BREAKS_AT], "values": [1e-3, 1e12]}
    for player in ("generator", "critic"):
        recipe["optimizers"].setdefault(player, {})["learning_rate"] = rates
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return ["--recipe", str(folder / "recipe.json"), "--run-dir"]


def _train(options, log):
    from kerasgan_cli import main

    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    main(["train", *options])


def start(options, log):
    """Start a training in a process of its own.

    Args:
        options: Words that follow `kerasgan train`.
        log: The file for what it prints.
    """
    process = _FORKS.Process(target=_train, args=([str(word) for word in options], log))
    process.start()
    return process


def train(options, log):
    """Run a training to its end, and return what it printed."""
    process = start(options, log)
    process.join(600)
    printed = log.read_text()
    assert process.exitcode == 0, f"{options}: {process.exitcode}, {printed[-4000:]}"
    return printed


def kill(process):
    """Kill a process, if it has not ended, and wait until it is gone."""
    process.kill()
    process.join()


def killed(options, folder, rng):
    """Train into a folder, kill the process at a random moment, and return the run or None."""
    process = start([*options, folder], folder.with_suffix(".log"))
    rows = int(rng.integers(0, EPOCHS))
    end = time.time() + 300
    while process.is_alive() and time.time() < end and _rows(folder) < rows:
        time.sleep(0.01)
    time.sleep(float(rng.uniform(0, 0.3)))
    kill(process)
    runs = list(folder.glob("[0-9]*"))
    return runs[0] if runs else None


def _rows(folder):
    paths = list(folder.glob("*/metrics.csv"))
    return paths[0].read_text().count("\n") - 1 if paths else 0


def state(run):
    """Return all that must be equal of two runs: weights, rows, journal and names of files."""
    from kerasgan.storage import load_model

    model = load_model(run / "model.keras")
    variables = [*model.variables, *model.optimizer.variables]
    rows = [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in read_rows(run / "metrics.csv")
    ]
    journal = json.loads((run / "guard" / "journal.json").read_text())
    return {
        "steps": (model.critic_steps, model.generator_steps),
        "weights": [np.array(variable) for variable in map(_numbers, variables)],
        "rows": rows,
        "journal": journal,
        "files": sorted(str(path.relative_to(run)) for path in run.rglob("*")),
    }


def _numbers(variable):
    from keras import ops

    return ops.convert_to_numpy(variable)


def differences(found, expected, exact=True):
    """Return in which parts two states differ.

    Args:
        found: What `state` returned of one run.
        expected: And of another.
        exact: Whether they must be equal bit for bit; PyTorch's kernels are not.
    """
    wrong = [part for part in ("steps", "files") if found[part] != expected[part]]
    decisions = [part["journal"]["decisions"] for part in (found, expected)]
    if exact:
        wrong += [part for part in ("rows", "journal") if found[part] != expected[part]]
    elif [d["action"] for d in decisions[0]] != [d["action"] for d in decisions[1]]:
        wrong.append("decisions")
    pairs = zip(found["weights"], expected["weights"], strict=True)
    equal = np.array_equal if exact else lambda a, b: np.allclose(a, b, atol=1e-5)
    if not all(equal(a, b) for a, b in pairs):
        wrong.append("weights")
    return wrong


def rounds(backend, folder, seeds):
    """Yield for each seed which parts of a run that was killed and resumed differ from a whole one.

    Args:
        backend: Name of the backend, which must be that of this process.
        folder: An empty folder.
        seeds: Seeds of the moments.
    """
    folder = Path(folder)
    log = folder / "train.log"
    options = prepare(folder, backend)
    train([*options, folder / "whole"], log)
    (whole,) = (folder / "whole").iterdir()
    expected = state(whole)
    assert [d["action"] for d in expected["journal"]["decisions"]][:1] == ["rescue"]
    for seed in seeds:
        rng = np.random.default_rng(seed)
        place = folder / f"killed-{seed}"
        run = killed(options, place, rng)
        if run is not None and rng.random() < 0.3:  # And once more, while it is resumed.
            process = start(["--resume", run], log)
            time.sleep(float(rng.uniform(0, 5)))
            kill(process)
        train(["--resume", run] if run else [*options, place], log)
        found = state(run or next(place.glob("[0-9]*")))
        wrong = differences(found, expected, backend != "torch")
        wrong += [path.name for path in place.rglob(".tmp-*")]
        yield seed, wrong
