"""JS, KL and Wasserstein-1 between two distributions that move apart: a table and a picture.

    python benchmarks/divergences.py [--out DIR]

It writes `divergences.json` and `divergences.png`, by default into `benchmarks/results/`.

Why a critic should estimate a distance and not tell apart (Arjovsky et al. 2017,
https://arxiv.org/abs/1701.07875, section 2): once two distributions hardly overlap, the
Jensen-Shannon divergence stays at log 2 however far apart they are, the Kullback-Leibler divergence
grows without bound or is infinite, and the Wasserstein-1 distance is the distance moved.

- Two unit Gaussians with means 0 and d. KL is d^2/2 and W1 is d, exact. JS has no closed form: the
  trapezoidal rule in float64 on 20,001 points from 10 standard deviations below the lower mean to
  10 above the upper one. The JSON holds KL and W1 by the same rule too, W1 as the integral of the
  difference of the distribution functions, and how far they are from the exact ones.
- Two parallel lines, example 1 of the paper: (0, u) and (d, u) with u uniform on [0, 1]. All three
  are exact: the supports do not meet unless d = 0.

Divergences are in nats. There are no random numbers here and no backend computes.
"""

import argparse
import json
import math
import platform
from pathlib import Path

import numpy as np

LOG2 = math.log(2)
POINTS, TAILS = 20001, 10.0
GREATEST = 8.0


def line(*means):
    """Return the points of integration for unit Gaussians with these means."""
    return np.linspace(min(means) - TAILS, max(means) + TAILS, POINTS)


def gaussian(x, mean):
    """Return the density of a unit Gaussian."""
    return np.exp(_log_gaussian(x, mean))


def _log_gaussian(x, mean):
    return -0.5 * (x - mean) ** 2 - 0.5 * math.log(2 * math.pi)


def kl_of_gaussians(a, b):
    """Return KL(N(a, 1) || N(b, 1)) in nats, by the trapezoidal rule; exact it is (a - b)^2 / 2."""
    x = line(a, b)
    return float(np.trapezoid(gaussian(x, a) * (_log_gaussian(x, a) - _log_gaussian(x, b)), x))


def js_of_gaussians(a, b):
    """Return the Jensen-Shannon divergence of N(a, 1) and N(b, 1) in nats, by the trapezoidal rule.

    It is `(KL(p || m) + KL(q || m)) / 2` with m the mean of both densities; log 2 at most.
    """
    x = line(a, b)
    log_p, log_q = _log_gaussian(x, a), _log_gaussian(x, b)
    log_m = np.logaddexp(log_p, log_q) - LOG2
    integrand = 0.5 * (np.exp(log_p) * (log_p - log_m) + np.exp(log_q) * (log_q - log_m))
    return float(np.trapezoid(integrand, x))


def w1_of_gaussians(a, b):
    """Return the Wasserstein-1 distance of N(a, 1) and N(b, 1); exact it is |a - b|.

    On a line it is the integral of the difference of the two distribution functions, which here
    are running sums of the trapezoidal rule.
    """
    x = line(a, b)
    difference = gaussian(x, a) - gaussian(x, b)
    steps = 0.5 * (difference[1:] + difference[:-1]) * np.diff(x)
    return float(np.trapezoid(np.abs(np.concatenate([[0.0], np.cumsum(steps)])), x))


def parallel_lines(d):
    """Return JS, KL and W1 of example 1 at distance `d`, exact."""
    return {"js": 0.0, "kl": 0.0, "w1": 0.0} if d == 0 else {"js": LOG2, "kl": math.inf, "w1": d}


def table(distances):
    """Return the figures of both examples at these distances."""
    gaussians = {
        "js": [js_of_gaussians(0.0, d) for d in distances],
        "kl": [d**2 / 2 for d in distances],
        "w1": list(distances),
    }
    integrated = {
        "kl": [kl_of_gaussians(0.0, d) for d in distances],
        "w1": [w1_of_gaussians(0.0, d) for d in distances],
    }
    lines = [parallel_lines(d) for d in distances]
    return {
        "distances": list(distances),
        "unit Gaussians": gaussians,
        "unit Gaussians, KL and W1 by the rule of JS": integrated,
        "greatest error of that rule": {
            name: max(abs(a - b) for a, b in zip(values, gaussians[name], strict=True))
            for name, values in integrated.items()
        },
        "parallel lines": {name: [row[name] for row in lines] for name in ("js", "kl", "w1")},
    }


COLOURS = {"js": "tab:red", "kl": "tab:orange", "w1": "tab:blue"}


def draw(path):
    """Write the picture: both examples, and what a step apart changes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    d = np.linspace(0, GREATEST, 161)
    figures = table(d)["unit Gaussians"]
    figure, (gaussians, lines, slopes) = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")

    gaussians.plot(d, figures["w1"], color=COLOURS["w1"], lw=2.5)
    gaussians.plot(d, figures["kl"], color=COLOURS["kl"], lw=2.5)
    gaussians.plot(d, figures["js"], color=COLOURS["js"], lw=2.5)
    _label(gaussians, "w1", "Wasserstein-1 = d", 4.6, 3.95, rotation=42)
    _label(gaussians, "kl", "KL = d²/2", 1.15, 6.6)
    _label(gaussians, "js", "Jensen-Shannon: stays at log 2", 2.3, 0.9)
    gaussians.set_title("Two unit Gaussians,\nmeans d apart")
    gaussians.set_ylabel("divergence (KL and JS in nats)")

    lines.plot(d, d, color=COLOURS["w1"], lw=2.5)
    lines.plot(d[1:], np.full(len(d) - 1, LOG2), color=COLOURS["js"], lw=2.5)
    lines.plot([0], [LOG2], "o", mfc="white", mec=COLOURS["js"], zorder=3)
    lines.plot([0], [0], "o", color="black", zorder=4, clip_on=False)
    lines.plot(d[3:], np.full(len(d) - 3, 7.75), color=COLOURS["kl"], lw=2.5, ls=(0, (1, 1)))
    for x in (1.6, 4.0, 6.4):
        lines.annotate(
            "",
            (x, 8.35),
            (x, 7.7),
            arrowprops={"arrowstyle": "->", "color": "tab:orange"},
            annotation_clip=False,
        )
    _label(lines, "w1", "Wasserstein-1 = d", 4.6, 3.95, rotation=42)
    _label(lines, "kl", "KL: infinite for every d > 0", 0.3, 7.2)
    _label(lines, "js", "Jensen-Shannon: log 2 for every d > 0", 1.2, 0.9)
    lines.set_title("Two parallel lines of length 1,\nd apart (example 1 of the WGAN paper)")

    slopes.plot(d, np.gradient(figures["w1"], d), color=COLOURS["w1"], lw=2.5)
    slopes.plot(d, np.gradient(figures["js"], d), color=COLOURS["js"], lw=2.5)
    _label(slopes, "w1", "Wasserstein-1: always 1", 2.6, 1.03)
    _label(slopes, "js", "Jensen-Shannon:\nfades to nothing", 4.2, 0.12)
    slopes.set(
        title="Slopes for the Gaussians: what draws\na generator towards d = 0",
        ylabel="d divergence / dd",
        ylim=(0, 1.2),
    )
    for axes in (gaussians, lines):
        axes.set_ylim(0, 8.2)
    for axes in (gaussians, lines, slopes):
        axes.set(xlabel="distance d", xlim=(0, GREATEST))
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _label(axes, name, text, x, y, rotation=0):
    axes.text(
        x,
        y,
        text,
        color=COLOURS[name],
        fontsize=10,
        fontweight="bold",
        rotation=rotation,
        rotation_mode="anchor",
    )


def main():
    """Compute the table, write it and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    result = {
        "protocol": f"trapezoidal rule, {POINTS} points, {TAILS} standard deviations beyond the "
        "means, float64; nats",
        "log 2": LOG2,
        **table([0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    lines = result["parallel lines"]
    lines["kl"] = ["infinite" if math.isinf(v) else v for v in lines["kl"]]  # JSON has no infinity.
    print(json.dumps(result, indent=2))
    (out / "divergences.json").write_text(json.dumps(result, indent=2) + "\n")
    draw(out / "divergences.png")


if __name__ == "__main__":
    main()
