"""What the README says of measurements, from what other scripts here have measured."""

import itertools
import re
import statistics

import docs_experiments
from docs_words import cores, figure, stored, table

# A part stands between these two lines.
PART = re.compile(r"(<!-- (\w+), by benchmarks/docs_tables.py -->\n).*?(<!-- end -->)", re.DOTALL)
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
MODELS = {
    "gan": "`GAN`",
    "wgan": "`WGAN`",
    "wgan_gp": "`WGANGP`",
    "unrolled_gan": "`UnrolledGAN`, 5 steps",
    "r1_r2": "relativistic, R1 + R2",
}
DATA = {"fashion_mnist": "Fashion-MNIST", "avatars": "avatars at 64 pixels"}


def filled(text, makers):
    """Return the README with its parts as the results say.

    Args:
        text: The README.
        makers: Functions that return a part, by name.

    Raises:
        ValueError: If the README does not have each part once.
    """
    found = [part[2] for part in PART.finditer(text)]
    if sorted(found) != sorted(makers) or text.count("<!-- end -->") != len(makers):
        raise ValueError(f"the README must have each of {sorted(makers)} once. Received: {found}")
    return PART.sub(lambda part: f"{part[1]}\n{makers[part[2]]()}\n\n{part[3]}", text)


def metrics():
    """Return how long metrics take, and how much longer the references."""
    [found] = stored("metrics.json")
    times = {(row["metric"], row["samples"]): row for row in found["rows"]}
    seconds = {
        metric: f"{figure('', times[metric, 50_000]['kerasgan']['seconds'])} s"
        for metric in ("vendi", "frechet", "prdc")
    }
    peak = max(r["kerasgan"].get("peak", 0) for r in found["rows"])
    ratio = {
        metric: times[metric, 20_000]["reference"]["seconds"]
        / times[metric, 20_000]["kerasgan"]["seconds"]
        for metric in ("frechet", "prdc", "coverage", "vendi", "kernel")
    }
    kernel = times["kernel", 20_000]
    memory = kernel["kerasgan"]["peak"] / kernel["reference"]["peak"]
    place = found["environment"]
    return (
        f"All work block by block: 50,000 samples of 2,048 features take {seconds['vendi']} "
        f"(Vendi score), {seconds['frechet']} (Fréchet distance) to {seconds['prdc']} (precision, "
        f"recall, density and coverage) and at most {peak:.2f} GiB on {cores(place)}. At 20,000 "
        f"samples the references take {ratio['frechet']:.1f} (Fréchet, scipy), "
        f"{ratio['prdc']:.1f} (PRDC) and {ratio['coverage']:.1f} times as long (coverage, both "
        f"`prdc`), {ratio['vendi']:.2f} times for the Vendi score (`vendi-score`'s dual form) and "
        f"{ratio['kernel']:.2f} times for the kernel distance (`torchmetrics`, in float32; "
        f"here it is in float64, and takes {memory:.1f} times as much memory). By "
        f"`benchmarks/metrics.py`, {BACKENDS[place['backend']]}, {day(place)}."
    )


def steps():
    """Return what a step costs, as ratios to loops written by hand."""
    reports = {backend: docs_experiments.step_reports(backend) for backend in BACKENDS}
    head, rows = ["Model"], {model: [words] for model, words in MODELS.items()}
    for backend, name in BACKENDS.items():
        of_backend = reports[backend]
        version = of_backend[0]["environment"]["versions"][backend].rpartition(".")[0]
        head += [f"{name} {version}: ms", "Keras loop", "own layers"]
        results = {k: v for report in of_backend for k, v in report["models"].items()}
        for model, row in rows.items():
            found = results[model]
            row.append(f"{statistics.median(found['milliseconds']['fit']):.0f}")
            row += [f"{statistics.median(found['ratios'][n]):.2f}" for n in ("keras", "native")]
    everything = list(itertools.chain(*reports.values()))
    noise = [m["noise"] for report in everything for m in report["models"].values()]
    settings, place = everything[0]["settings"], everything[0]["environment"]
    widths = ", ".join(
        f"{BACKENDS[backend]} {width}"
        for backend, found in reports.items()
        for width in {report["settings"]["width"] for report in found}
    )
    return (
        f"{table(head, rows.values())}\n\nDCGAN, {settings['image_size']} pixels, batches of "
        f"{settings['batch_size']}, width: {widths}; interleaved, medians of "
        f"{settings['repeats']} turns; {cores(place)} ({place['machine']}), {day(place)}. "
        f"Neighbouring turns of one loop differed by {100 * min(noise):.0f} to "
        f"{100 * max(noise):.0f} %, so that a few hundredths mean nothing."
    )


def overhead():
    """Return what the guard costs."""
    [found] = stored("guard_overhead.json")
    shares = " and ".join(
        f"{row['share of the training time']:.1%} on {DATA[row['data']]}" for row in found["rows"]
    )
    place = found["environment"]
    return (
        f"Of the training time the guard takes {shares} (`benchmarks/guard_overhead.py`, "
        f"{BACKENDS[place['backend']]}, {cores(place)}, {day(place)})."
    )


def day(environment):
    """Return the day of a measurement."""
    return environment["date"].partition(" ")[0]


PARTS = {
    "metrics": metrics,
    "exam": docs_experiments.guard,
    "overhead": overhead,
    "steps": steps,
}
