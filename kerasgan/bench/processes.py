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

    Every process has its share of the cores; a training of small networks does not get faster with
    more than one.

    Args:
        module: Name of a module that writes a file of results.
        jobs: `(name, backend, payload, path)`; the payload becomes JSON.
        workers: How many processes at a time.
        echo: What is called with a line of text as each job ends, with an estimate of the rest.

    Raises:
        RuntimeError: If a job fails; no other is begun, and those that are running are waited for.
    """
    started, done = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(_run, module, job, workers): job for job in jobs}
        try:
            for future in concurrent.futures.as_completed(waiting):
                future.result()
                done += 1
                seconds = time.monotonic() - started
                so_far, left = duration(seconds), duration(seconds / done * (len(jobs) - done))
                job = waiting[future]
                echo(f"{done}/{len(jobs)} {job[0]}: {so_far} so far, {left} left")
                yield job
        finally:
            pool.shutdown(cancel_futures=True)


def _run(module, job, workers):
    name, backend, payload, path = job
    threads = str(max(1, cores() // workers))
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
    }
    if threads == "1":
        flags = environment.get("XLA_FLAGS", ""), "--xla_cpu_multi_thread_eigen=false"
        environment["XLA_FLAGS"] = " ".join((*flags, "intra_op_parallelism_threads=1")).strip()
    command = [sys.executable, "-m", module, json.dumps(payload), str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-500:]}")
