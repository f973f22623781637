"""Other processes that train along with `kerasgan train`.

    python -m kerasgan_cli.follower FOLDER RANK COUNT

On PyTorch `following` starts them for the devices of one machine. Where the environment names
several processes, each is a `kerasgan train` of its own, and those of a rank above 0 do the same.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import click

from kerasgan.environment import cores
from kerasgan.recipe import Recipe
from kerasgan.text import clipped, printable

SECONDS = 300  # Until the others have loaded Keras and the images.


@contextlib.contextmanager
def following(recipe, resume, count, last_good):
    """Have other processes follow this one inside the block, so that there are `count`.

    Args:
        recipe: The `Recipe` of the training.
        resume: The folder of the run that it goes on with, or None.
        count: How many processes are to train, where they are not there yet.
        last_good: A callable that says which state is left where one of them is lost.

    Raises:
        click.ClickException: If one of them does not start, or is lost.
    """
    from kerasgan import backend
    from kerasgan.backend.group import ProcessLost

    if backend.GROUP.size() > 1:
        try:
            yield
            backend.dismiss()
        except ProcessLost as error:
            raise click.ClickException(f"{error}. {last_good()}") from error
        return
    with tempfile.TemporaryDirectory(prefix="kerasgan-") as folder, contextlib.ExitStack() as stack:
        folder = Path(folder)
        told = {
            "recipe": recipe.to_json(),
            "resume": None if resume is None else str(resume),
            "leader": os.getpid(),
        }
        (folder / "training.json").write_text(json.dumps(told))
        others = [stack.enter_context(_started(folder, i, count)) for i in range(1, count)]
        _wait(folder, others)
        try:
            with backend.GROUP.joined(0, count, f"file://{folder}/meeting"):
                yield
                backend.dismiss()
        except ProcessLost as error:
            words = [_last_words(folder, i) for i in range(1, count)]
            # The others lost each other, or this process.
            said = "; ".join(w for w in words if "Error" in w and "ProcessLost" not in w)
            why = f" It said: {said}." if said else ""
            raise click.ClickException(f"{error}.{why} {last_good()}") from error
        for other in others:
            with contextlib.suppress(subprocess.TimeoutExpired):
                other.wait(10)


@contextlib.contextmanager
def _started(folder, rank, count):
    command = [sys.executable, "-m", "kerasgan_cli.follower", folder, str(rank), str(count)]
    threads = str(max(1, cores() // count))
    with open(folder / f"said-{rank}", "w") as said:
        # In a session of its own, so that Ctrl-C reaches the one that leads alone.
        other = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={"OMP_NUM_THREADS": threads, **os.environ},
            start_new_session=True,
        )
    try:
        yield other
    finally:
        other.kill()  # It has ended, or waits for one that will not come back.
        other.wait()


def _wait(folder, others):
    """Wait until all others are ready to meet."""
    end = time.monotonic() + SECONDS
    for rank, other in enumerate(others, 1):
        while not (folder / f"ready-{rank}").exists():
            if other.poll() is not None or time.monotonic() > end:
                raise click.ClickException(
                    f"process {rank} of --devices {len(others) + 1} did not start. It said: "
                    f"{_last_words(folder, rank) or 'nothing'}"
                )
            time.sleep(0.05)


def _last_words(folder, rank):
    """Return the last line that another process has said, or ""."""
    lines = (folder / f"said-{rank}").read_text(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return clipped(printable(last), 400)


def follow(recipe, resume, meeting=contextlib.nullcontext):
    """Take the steps of a training that another process leads.

    Args:
        recipe: Its `Recipe`.
        resume: The folder of the run that it goes on with, or None.
        meeting: A callable that returns a context with the other processes, called when this one
            is ready.

    Raises:
        click.ClickException: If the process that leads has ended.
    """
    from kerasgan import backend
    from kerasgan.backend.group import ProcessLost
    from kerasgan.data.ahead import Ahead
    from kerasgan_cli import images, machine
    from kerasgan_cli.runs import Run

    machine.prepare(recipe)
    dataset = images.load(recipe, resume)
    if resume:
        images.check_same_data(Run(resume), recipe, dataset)
    for number in (signal.SIGINT, signal.SIGTERM):  # The process that leads says when to end.
        signal.signal(number, signal.SIG_IGN)
    batches = Ahead(dataset, backend.send, as_stored=backend.accelerated())
    with contextlib.closing(batches), meeting():
        try:
            while backend.follow(batches)[0]:  # One `fit` after the other.
                pass
        except ProcessLost as error:
            raise click.ClickException(str(error)) from error


def main(folder, rank, count):
    """Follow the process that started this one."""
    from kerasgan_cli.common import choose_backend

    folder, rank, count = Path(folder), int(rank), int(count)
    told = json.loads((folder / "training.json").read_text())
    threading.Thread(target=_end_without, args=(told["leader"], folder), daemon=True).start()
    recipe = Recipe.from_json(told["recipe"])
    choose_backend("torch")

    def meeting():
        from kerasgan import backend

        (folder / f"ready-{rank}").touch()
        return backend.GROUP.joined(rank, count, f"file://{folder}/meeting")

    follow(recipe, told["resume"], meeting)


def _end_without(leader, folder):
    """End this process, and remove what the leader would have removed, when the leader is gone."""
    while os.getppid() == leader:
        time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
