"""Run trainings in separate processes, several at a time."""

import concurrent.futures
import heapq
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from kerasgan.environment import cores
from kerasgan.text import duration


class Job(NamedTuple):
    """A training that runs as `python -m MODULE PAYLOAD PATH`.

    Attributes:
        name: Name of the training in messages.
        kind: Trainings of one kind take equally long, as those of one recipe do.
        backend: The Keras backend.
        payload: The argument of the process, which is passed as JSON.
        path: File that the process writes its results to.
    """

    name: str
    kind: str
    backend: str
    payload: Any
    path: Path


def run(module, jobs, workers=1, echo=print):
    """Run `python -m MODULE PAYLOAD PATH` for each job, and yield each job when it has finished.

    Every process gets an equal share of the cores. A training of small networks gains little from
    more than one core, least on JAX.

    Args:
        module: Name of a module that writes a file of results.
        jobs: A list of `Job`s.
        workers: How many processes run at a time.
        echo: A callable that is called with a line of text when jobs begin and end. The lines hold
            an estimate of the time that is left.

    Raises:
        RuntimeError: If a job fails. No other job is begun, and the jobs that are running are
            finished and yielded first.
    """
    workers = max(1, min(workers, len(jobs)))
    started, done, failure = time.monotonic(), 0, None
    took = {}
    if jobs:
        first = ", ".join(job.name for job in jobs[:workers])
        echo(f"training {first}{' ...' * (len(jobs) > workers)}")
    waiting, running = list(jobs), {}
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        while running or (waiting and failure is None):
            while waiting and failure is None and len(running) < workers:
                job = waiting.pop(0)
                running[pool.submit(_run, module, job, workers)] = job, time.monotonic()
            ended, _ = concurrent.futures.wait(running, return_when="FIRST_COMPLETED")
            for future in ended:
                job, begun = running.pop(future)
                if future.exception() is not None:
                    failure = failure or future.exception()
                    continue
                now = time.monotonic()
                done += 1
                took.setdefault(job.kind, []).append(now - begun)
                going = [(other, now - since) for other, since in running.values()]
                rest = left(took, [*going, *((other, 0.0) for other in waiting)], workers)
                so_far = f"{duration(now - started)} so far, about {duration(rest)} left"
                echo(f"{done}/{len(jobs)} {job.name}: {so_far}")
                yield job
    if failure is not None:
        raise failure


def left(took, jobs, workers=1):
    """Return the seconds that jobs will take.

    Args:
        took: Seconds of finished jobs, in a list for each kind. A job of another kind is expected
            to take the mean over these kinds.
        jobs: `(job, seconds that it has run)`, in the order in which the jobs begin.
        workers: How many jobs run at a time.
    """
    means = {kind: statistics.fmean(seconds) for kind, seconds in took.items()}
    unknown = statistics.fmean(means.values())
    free = [0.0] * workers
    for job, ran in jobs:
        ends = heapq.heappop(free) + max(0.0, means.get(job.kind, unknown) - ran)
        heapq.heappush(free, ends)
    return max(free)


def threads():
    """Return the number of threads that this process computes with."""
    return int(os.environ.get("OMP_NUM_THREADS") or cores())


def _run(module, job, workers):
    share = str(max(1, cores() // workers))
    environment = {
        **os.environ,
        "KERAS_BACKEND": job.backend,
        "OMP_NUM_THREADS": share,
        "TF_NUM_INTRAOP_THREADS": share,
        "TF_NUM_INTEROP_THREADS": share,
    }
    if share == "1":
        flags = environment.get("XLA_FLAGS", ""), "--xla_cpu_multi_thread_eigen=false"
        environment["XLA_FLAGS"] = " ".join((*flags, "intra_op_parallelism_threads=1")).strip()
    command = [sys.executable, "-m", module, json.dumps(job.payload), str(job.path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{job.name}: {done.stderr.strip()[-500:]}")
