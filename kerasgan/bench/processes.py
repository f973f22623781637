"""Trainings in processes of their own, a few at a time."""

import concurrent.futures
import json
import os
import subprocess
import sys
import time

from kerasgan.bench.environment import cores
from kerasgan.callbacks.progress import duration


def run(module, jobs, workers=1, echo=print):
    """Run `python -m MODULE PAYLOAD PATH` for each job, and yield each as it is finished.

    Every process has its share of the cores; a training of small networks gains little from more
    than one, on JAX above all.

    Args:
        module: Name of a module that writes a file of results.
        jobs: `(name, backend, payload, path)`; the payload becomes JSON.
        workers: How many processes at a time.
        echo: What is called with a line of text as jobs begin and end, with an estimate of the
            rest.

    Raises:
        RuntimeError: If a job fails: no other is begun, those that are running are waited for, and
            those that succeed are yielded first.
    """
    workers = max(1, min(workers, len(jobs)))
    started, done, failure = time.monotonic(), 0, None
    if jobs:
        first = ", ".join(name for name, *_ in jobs[:workers])
        echo(f"training {first}{' ...' * (len(jobs) > workers)}")
    waiting, running = list(jobs), {}
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        while running or (waiting and failure is None):
            while waiting and failure is None and len(running) < workers:
                job = waiting.pop(0)
                running[pool.submit(_run, module, job, workers)] = job
            ended, _ = concurrent.futures.wait(running, return_when="FIRST_COMPLETED")
            for future in ended:
                job = running.pop(future)
                if future.exception() is not None:
                    failure = failure or future.exception()
                    continue
                done += 1
                seconds = time.monotonic() - started
                rest = duration(seconds / done * (len(jobs) - done))
                echo(f"{done}/{len(jobs)} {job[0]}: {duration(seconds)} so far, {rest} left")
                yield job
    if failure is not None:
        raise failure


def threads():
    """Return how many threads this process was told to compute with."""
    return int(os.environ.get("OMP_NUM_THREADS") or cores())


def _run(module, job, workers):
    name, backend, payload, path = job
    share = str(max(1, cores() // workers))
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": share,
        "TF_NUM_INTRAOP_THREADS": share,
        "TF_NUM_INTEROP_THREADS": share,
    }
    if share == "1":
        flags = environment.get("XLA_FLAGS", ""), "--xla_cpu_multi_thread_eigen=false"
        environment["XLA_FLAGS"] = " ".join((*flags, "intra_op_parallelism_threads=1")).strip()
    command = [sys.executable, "-m", module, json.dumps(payload), str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-500:]}")
