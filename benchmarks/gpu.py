"""What an accelerator does with kerasgan: agreement with the CPU, times, memory, a training.

    python benchmarks/gpu.py --minutes 8 --out FOLDER [--backend jax torch] [--tiny]

It needs Keras and JAX or PyTorch, and no network. It writes `gpu.json` and `gpu.md` into the folder
after each measurement, so a run that is cut keeps what it has. What matters most comes first, and
what would not end in time is left out. With the minutes that are left it trains a model on drawn
shapes in FOLDER/runs; the same command goes on with it. `--tiny` does all of it in a minute or two
on a CPU, with figures that mean nothing.

- `agreement`: five rounds of each variant and 16 samples, on the device and on the CPU of the same
  machine, from the same weights and noise. The figures are the greatest differences, those of the
  losses relative to them.
- `contest`: `fit` against two loops written by hand, interleaved; see `step_overhead.py`.
- `speed`: `fit` on uint8 images in memory: milliseconds a step, images a second, the share of
  waiting for data, and the peak of the memory.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from on_device.plan import Workers, plan, training

TAKES = "as long as it is given"
STORED = Path(__file__).resolve().parent / "results" / "gpu"
SAID = "Nobody has run it on an accelerator yet, so there are no figures."


def run(minutes, out, backends=("jax", "torch"), tiny=False):
    """Measure what fits into so many minutes, and write it.

    Args:
        minutes: How long it may take.
        out: The folder.
        backends: Names of backends; those that are not installed are left out.
        tiny: Whether everything is as small as it can be.
    """
    end = time.monotonic() + 60 * minutes
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    workers = Workers(backends, out)
    rows = []
    for task in plan(workers.backends, tiny):
        left = end - time.monotonic()
        if task["takes"] > left:
            row = {**task, "left out": f"{left:.0f} s were left"}
        else:
            began = time.monotonic()
            row = {**task, **workers.do(task, timeout=left)}
            row["seconds"] = time.monotonic() - began
        rows.append(row)
        print(_line(row), flush=True)
        _write(rows, out)
    workers.close()
    for backend in workers.backends[:1]:  # One training; PyTorch's and JAX's would share the time.
        left = end - time.monotonic()
        if left > (5 if tiny else 60):
            rows.append(training(backend, out, left, tiny))
            print(_line(rows[-1]), flush=True)
            _write(rows, out)
    return rows


def _write(rows, out):
    (out / "gpu.json").write_text(json.dumps(rows, indent=1) + "\n")
    (out / "gpu.md").write_text(_tables(rows) + "\n")


def _line(row):
    found = row.get("result", row.get("error", row.get("left out")))
    return f"{_name(row)}: {json.dumps(found)[:300]}"


def _name(row):
    return " ".join([row["task"], row["backend"], *map(str, row.get("arguments", {}).values())])


def table(folder=STORED):
    """Return the stored tables of each device, or that there are none."""
    paths = sorted(Path(folder).glob("*.json"))
    return "\n\n".join(_tables(json.loads(path.read_text())) for path in paths) or SAID


def _tables(rows):
    """Return a table of each kind of measurement, and a list of what failed or was left out."""
    parts = []
    places = [r["result"] for r in rows if r["task"] == "environment" and "result" in r]
    for place in places:
        device = place["accelerator"] or place["machine"]
        versions = ", ".join(f"{k} {v}" for k, v in place["versions"].items())
        parts.append(f"{device}, {place['date']}: {versions}.")
    for task, head, cells in TABLES:
        found = [r for r in rows if r["task"] == task and "result" in r]
        if found:
            lines = [[r["backend"], *map(str, r["arguments"].values()), *cells(r)] for r in found]
            names = ["Backend", *(name.capitalize() for name in found[0]["arguments"]), *head]
            parts.append(f"**{task.capitalize()}**\n\n{_markdown(names, lines)}")
    others = [r for r in rows if "result" not in r]
    parts += [f"- {_name(r)}: {r.get('left out') or _last(r['error'])}" for r in others]
    return "\n\n".join(parts)


def _last(error):
    return (error.strip().splitlines() or ["no message"])[-1][:300]


def _markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _agreement(row):
    return [f"{row['result'][name]:.1e}" for name in ("losses", "samples")]


def _contest(row):
    found = row["result"]
    times = [np.median(found["milliseconds"][name]) for name in ("fit", "keras", "native")]
    shares = [np.median(found["ratios"][name]) for name in ("keras", "native")]
    return [*(f"{t:.2f}" for t in times), *(f"{r:.2f}" for r in shares)]


def _speed(row):
    found = row["result"]
    return [
        f"{found['milliseconds']:.2f}",
        f"{found['images a second']:,.0f}",
        f"{found['waiting']:.1%}",
        f"{found['peak MB']:,.0f}",
    ]


TABLES = (
    ("agreement", ["Losses", "Samples"], _agreement),
    (
        "contest",
        ["fit, ms", "Keras loop, ms", "Native loop, ms", "fit / Keras", "fit / native"],
        _contest,
    ),
    ("speed", ["Step, ms", "Images a second", "Waiting for data", "Peak, MB"], _speed),
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backend", nargs="+", choices=("jax", "torch"), default=["jax", "torch"])
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    run(options.minutes, options.out, options.backend, options.tiny)
