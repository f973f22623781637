"""`benchmarks/gpu.py`: its plan, its tables, and all of it on a CPU."""

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def gpu():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import gpu
    finally:
        sys.path.remove(str(BENCHMARKS))
    return gpu


@pytest.mark.numpy
def test_the_essential_rows_come_first(gpu):
    tasks = gpu.plan(["jax", "torch"], tiny=False)
    assert [task["task"] for task in tasks[:2]] == ["environment"] * 2
    left, done = 6 * 60, []
    for task in tasks:
        if task["takes"] <= left:
            left -= task["takes"]
            done.append(task)
    measured = {(task["task"], task["backend"]) for task in done}
    kinds = ("environment", "agreement", "contest")
    assert measured >= {(kind, backend) for kind in kinds for backend in ("jax", "torch")}


@pytest.mark.numpy
def test_rows_that_failed_or_were_left_out_are_told(gpu):
    row = {"task": "speed", "backend": "jax", "arguments": {"model": "gan", "size": 64}}
    found = {"milliseconds": 2.0, "images a second": 32000, "waiting": 0.01, "peak MB": 900}
    rows = [
        {**row, "result": found},
        {**row, "backend": "torch", "error": "Traceback\nOutOfMemoryError: no room"},
        {**row, "backend": "torch", "left out": "3 s were left"},
    ]
    text = gpu._tables(rows)
    assert "| jax | gan | 64 | 2.00 | 32,000 | 1.0% | 900 |" in text
    assert "speed torch gan 64: OutOfMemoryError: no room" in text
    assert "speed torch gan 64: 3 s were left" in text


@pytest.mark.slow
def test_all_of_it_on_a_cpu(gpu, backend_name, tmp_path):
    if backend_name == "tensorflow":
        pytest.skip("it measures JAX and PyTorch")
    rows = gpu.run(10, tmp_path, [backend_name], tiny=True)
    assert [row for row in rows if "result" not in row] == []
    kinds = {"environment", "agreement", "contest", "speed", "deterministic", "training"}
    assert {row["task"] for row in rows} == kinds
    agreed = [row["result"] for row in rows if row["task"] == "agreement"]
    assert all(found == {"losses": 0.0, "samples": 0.0} for found in agreed)
    assert json.loads((tmp_path / "gpu.json").read_text()) == rows
    again = gpu.training(backend_name, tmp_path, 60, tiny=True)
    assert "nothing to do" in " ".join(again["result"]["ended"])
