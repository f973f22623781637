"""Processes of their own: `worker.py`, and commands on a small file system."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "worker.py"


def run_worker(command, backend, *arguments, **environment):
    """Run one command of `worker.py` in a process of its own and return what it reports."""
    env = {**os.environ, "KERAS_BACKEND": backend, **environment}
    done = subprocess.run(
        [sys.executable, str(WORKER), command, *map(str, arguments)],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


MOUNT = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'


def run_on_a_small_disk(size, folder, command):
    """Run a command where `folder` is an empty file system of `size`, such as "200k".

    The command alone sees it, in a namespace of its own, so it is gone when the command ends. The
    test is skipped where the system gives a process none.
    """
    refusals = []
    for unshare in (["unshare", "-m"], ["unshare", "-rm"]):  # As root; as anybody.
        inside = [*unshare, "sh", "-c", MOUNT, size, str(folder)]
        try:
            probe = subprocess.run([*inside, "true"], capture_output=True, text=True)
        except FileNotFoundError as error:
            pytest.skip(f"needs a small file system, and there is no {error.filename}")
        if probe.returncode == 0:
            return subprocess.run(
                [*inside, *map(str, command)], capture_output=True, text=True, timeout=600
            )
        refusals.append(probe.stderr.strip())
    pytest.skip("needs a small file system, and may not mount one: " + "; ".join(refusals))
