"""Runs `worker.py` in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
