"""What scripts share that measure something: their arguments, and processes of their own."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

# Scripts import Keras before kerasgan, which would turn it on.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def arguments(doc, **defaults):
    """Return the arguments of a script that writes into a folder, `out`, which is made.

    Args:
        doc: The script's docstring.
        **defaults: Other numbers that it takes, as `epochs=40`.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def measuring(doc):
    """Return a parser for a script that measures in processes of its own.

    It takes `--out`, a JSON file, and `--one`, with which `apart` calls the script.

    Args:
        doc: The script's docstring.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    return parser


def apart(script, benchmark, threads, **variables):
    """Return the JSON lines that `script --one benchmark` prints, in a process of its own.

    Args:
        script: Path of the script.
        benchmark: Its argument.
        threads: Of every library; with one the process is held on one core.
        **variables: More of its environment.
    """
    environment = {**os.environ, **variables}
    for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        environment[variable] = str(threads)
    command = [sys.executable, script, "--one", benchmark]
    if threads == 1:  # JAX asks the operating system how many cores it may use.
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-1000:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("[", "{"))]
