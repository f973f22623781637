"""The time of a train step of kerasgan, against training loops written by hand.

    python benchmarks/step_overhead.py [--backend all] [--models gan wgan wgan_gp]

It writes `step_overhead/BACKEND.json`, or `step_overhead/BACKEND-MODELS.json` for some of the
models.

Five models are measured: `gan`, `wgan` and `wgan_gp` with their defaults; `unrolled_gan` with the
minimax loss and five unrolled steps of the critic's Adam; and `r1_r2`, a GAN with the relativistic
loss and both zero-centred penalties. The critics of the last three have no batch normalisation.

Three contenders train the same DCGAN on the same batches in one process, and take turns:

- `fit`: `gan.fit` as a user calls it, with callbacks, logging and data feeding. One `fit` runs
  from end to end; a callback pauses it at the beginning of a step while the others take their turn.
  So the costs of every step are counted, and those of each call or epoch are not.
- `Keras loop`: the same Keras networks and optimizers in a loop of the backend's own.
- `native loop`: the same architecture in the backend's own layers (torch.nn in NCHW, jax.lax,
  tf.nn), with the backend's own optimizers or ones written out.

Each does the work of a whole round: fresh latent vectors and a fresh batch in every critic step,
the generator's forward pass without gradients, penalty or clipping, both optimizers, moving
statistics, and the generator's moving average. The hand-written loops do not keep the running means
of the losses that `fit` logs. All start with the same weights. Before the measurement, one short
training checks that they do the same work: equal numbers of parameters, and losses and distances
of the weights from their start that agree within the differences of their random numbers.

A turn consists of some rounds, and ends when its last computation has ended. The first rounds,
which compile, are not timed. A ratio compares two neighbouring turns. The tables show the median
with the smallest and the largest ratio, and the target applies to the median. `noise` is the median
change from one turn of the Keras loop to the next: ratios that differ by less are equal. The tables
are reliable only if the machine was idle otherwise; its load is stated.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import time

import experiment

TAKES = "10 minutes a backend"
FOLDER = experiment.RESULTS / "step_overhead"
MODELS = {
    "gan": "`GAN`",
    "wgan": "`WGAN`",
    "wgan_gp": "`WGANGP`",
    "unrolled_gan": "`UnrolledGAN`, 5 steps",
    "r1_r2": "relativistic, R1 + R2",
}
TARGETS = {"keras": 1.05, "native": 1.15}  # At most this, by the medians of the ratios.


def run(options):
    """Measure one backend in this process, or each in a process of its own, and write the report.

    Args:
        options: The parsed command line.
    """
    if options.backend == "all":
        for backend in experiment.BACKENDS:
            command = [sys.executable, __file__, *sys.argv[1:], "--backend", backend]
            subprocess.run(command, check=True)
        return
    report = measure(options)
    some = "" if list(options.models) == list(MODELS) else "-" + "-".join(options.models)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{options.backend}{some}.json"
    path.write_text(json.dumps([report], indent=2), encoding="utf-8")


def reports(backend, folder=FOLDER):
    """Return the stored reports of a backend, each model only in its newest report."""
    found = list(itertools.chain(*experiment.stored(f"{backend}*.json", folder)))
    found.sort(key=lambda report: report["environment"]["date"])
    newest = {model: report for report in found for model in report["models"]}
    for report in found:
        report["models"] = {m: r for m, r in report["models"].items() if newest[m] is report}
    order = list(MODELS)
    kept = [report for report in found if report["models"]]
    return sorted(kept, key=lambda report: order.index(next(iter(report["models"]))))


def _parse():
    parser = experiment.parser(__doc__, out=FOLDER)
    parser.add_argument("--backend", choices=(*experiment.BACKENDS, "all"), default="all")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--width", type=int, default=64, help="feature maps next to the image")
    parser.add_argument("--image-size", type=int, default=28, help="28, 32, 64 or 128")
    parser.add_argument("--channels", type=int, default=1, help="1 or 3")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--rounds",
        type=int,
        help="rounds in a turn; as many as make about 24 updates if not given",
    )
    parser.add_argument("--repeats", type=int, default=7, help="turns of each contender")
    parser.add_argument(
        "--threads", type=int, help="number of cores to run on (Linux); all if not given"
    )
    options = parser.parse_args()
    options.tolerance, options.at_once = 0.1, 1
    for name in ("width", "batch_size", "rounds", "repeats", "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1; received {value}")
    return options


def measure(options):
    """Return the report of one backend: environment and, for each model, times and ratios."""
    os.environ["KERAS_BACKEND"] = options.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if options.threads is not None:
        # The thread pools of all three backends are as large as the affinity that they find.
        cores = sorted(os.sched_getaffinity(0))
        if options.threads > len(cores):
            raise SystemExit(f"--threads: there are {len(cores)} cores; got {options.threads}")
        os.sched_setaffinity(0, cores[: options.threads])
    import keras
    from hand_written.contest import Contest

    from kerasgan import environment

    keras.utils.set_random_seed(0)
    settings = {name: value for name, value in vars(options).items() if name != "out"}
    report = {"environment": environment.describe(options.backend), "settings": settings}
    report["models"] = {}
    for model in options.models:
        started = time.perf_counter()
        report["models"][model] = Contest(options, model, TARGETS, options.tolerance).measure()
        seconds = time.perf_counter() - started
        print(f"{options.backend} {model}: done in {seconds:.0f} s", file=sys.stderr)
    report["environment"]["load at the end"] = environment.load()
    return report


def table(folder=FOLDER):
    """Return the medians: a row for each model, three columns for each backend."""
    by_backend = {backend: reports(backend, folder) for backend in experiment.BACKENDS}
    head, rows = ["Model"], {model: [words] for model, words in MODELS.items()}
    for backend, name in experiment.BACKENDS.items():
        of_backend = by_backend[backend]
        version = of_backend[0]["environment"]["versions"][backend].rpartition(".")[0]
        head += [f"{name} {version}: ms", "Keras loop", "own layers"]
        results = {k: v for report in of_backend for k, v in report["models"].items()}
        for model, row in rows.items():
            found = results[model]
            row.append(f"{statistics.median(found['milliseconds']['fit']):.0f}")
            row += [f"{statistics.median(found['ratios'][n]):.2f}" for n in ("keras", "native")]
    everything = list(itertools.chain(*by_backend.values()))
    noise = [m["noise"] for report in everything for m in report["models"].values()]
    settings, place = everything[0]["settings"], everything[0]["environment"]
    widths = ", ".join(
        f"{experiment.BACKENDS[backend]} {width}"
        for backend, found in by_backend.items()
        for width in {report["settings"]["width"] for report in found}
    )
    return (
        f"{experiment.markdown(head, rows.values())}\n\nDCGAN, {settings['image_size']} pixels, "
        f"batches of {settings['batch_size']}, width: {widths}; interleaved, medians of "
        f"{settings['repeats']} turns; {experiment.cores(place)} ({place['machine']}), "
        f"{experiment.day(place)}. Neighbouring turns of one loop differed by "
        f"{100 * min(noise):.0f} to {100 * max(noise):.0f} %, so differences of a few hundredths "
        "mean nothing."
    )


def reports_in_full(folder=FOLDER):
    """Return the reports of all backends as Markdown, each with the least and greatest ratios."""
    return "\n\n".join(_in_full(reports(backend, folder)) for backend in experiment.BACKENDS)


def _in_full(reports):
    """Return the reports of a backend: how it was measured, then one table."""
    first = reports[0]
    settings, where = first["settings"], first["environment"]
    versions = {k: v for report in reports for k, v in report["environment"]["versions"].items()}
    loads = [
        f"{e['load at the start']} to {e['load at the end']} ({e['backend']})"
        for e in (report["environment"] for report in reports)
    ]
    lines = [
        f"- Machine: {where['machine']}, {where['cores']} cores, "
        f"{where['accelerator'] or 'no accelerator'}; "
        f"{', '.join(report['environment']['date'] for report in reports)}",
        f"- Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"- Load average, start to end, itself included: {', '.join(loads)}",
        f"- DCGAN of width {settings['width']}, {settings['image_size']} pixels, "
        f"{settings['channels']} channel(s), batches of {settings['batch_size']}, seed 0; "
        f"N = {settings['repeats']} turns of each contender, interleaved",
        f"- Targets for the medians: fit / Keras loop <= {TARGETS['keras']}, fit / native loop "
        f"<= {TARGETS['native']}. Times are ms a critic step, with the generator's steps spread "
        "over them",
        "",
        "| backend | model | fit | Keras loop | native loop | fit / Keras loop | met | "
        "fit / native loop | met | noise |",
        "|---|---|---:|---:|---:|---:|---|---:|---|---:|",
    ]
    for report in reports:
        for model, result in report["models"].items():
            lines.append(_row(report["environment"]["backend"], model, result))
    return "\n".join(lines)


def _row(backend, model, result):
    cells = [backend, model]
    for name in ("fit", "keras", "native"):
        cells.append(f"{statistics.median(result['milliseconds'][name]):.1f}")
    for name in ("keras", "native"):
        ratios = result["ratios"][name]
        cells.append(f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})")
        cells.append("yes" if result["met"][name] else "no")
    cells.append("-" if result["noise"] is None else f"{100 * result['noise']:.1f} %")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    options = _parse()
    run(options)
    if options.backend == "all":
        print(reports_in_full(options.out))
    else:
        print(_in_full(reports(options.backend, options.out)))
