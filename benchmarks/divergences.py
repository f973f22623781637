"""Jensen-Shannon, Kullback-Leibler and Wasserstein-1 between two distributions that move apart.

    python benchmarks/divergences.py

It writes `divergences.json` and `divergences.png`.

The experiment shows why a critic should estimate a distance (Arjovsky et al. 2017,
https://arxiv.org/abs/1701.07875, section 2). Once two distributions hardly overlap, the
Jensen-Shannon divergence stays at log 2 however far apart they are, and the Kullback-Leibler
divergence grows without bound or is infinite. The Wasserstein-1 distance is the distance between
them.

- Two unit Gaussians with means 0 and d. KL = d^2/2 and W1 = d are exact. JS has no closed form and
  is integrated by the trapezoidal rule in float64, on 20,001 points from 10 standard deviations
  below the lower mean to 10 above the upper one. The JSON also holds KL and W1 by this rule and
  their errors; W1 is then the integral of the difference of the distribution functions.
- Two parallel lines, example 1 of the paper: (0, u) and (d, u) with u uniform on [0, 1]. All three
  divergences are exact, since the supports do not meet unless d = 0.

Divergences are in nats. The experiment uses no random numbers and no backend.
"""

import json
import math
import platform

import numpy as np
from experiment import RESULTS, markdown, parser, stored

TAKES = "seconds"
LOG2 = math.log(2)
POINTS, TAILS = 20001, 10.0
GREATEST = 8.0


def line(*means):
    """Return the points at which unit Gaussians with these means are integrated."""
    return np.linspace(min(means) - TAILS, max(means) + TAILS, POINTS)


def gaussian(x, mean):
    """Return the density of a unit Gaussian."""
    return np.exp(_log_gaussian(x, mean))


def _log_gaussian(x, mean):
    return -0.5 * (x - mean) ** 2 - 0.5 * math.log(2 * math.pi)


def kl_of_gaussians(a, b):
    """Return KL(N(a, 1) || N(b, 1)) in nats, by the trapezoidal rule; exactly (a - b)^2 / 2."""
    x = line(a, b)
    return float(np.trapezoid(gaussian(x, a) * (_log_gaussian(x, a) - _log_gaussian(x, b)), x))


def js_of_gaussians(a, b):
    """Return the Jensen-Shannon divergence of N(a, 1) and N(b, 1) in nats, by the trapezoidal rule.

    It is `(KL(p || m) + KL(q || m)) / 2`, where m is the mean of both densities. It is at most
    log 2.
    """
    x = line(a, b)
    log_p, log_q = _log_gaussian(x, a), _log_gaussian(x, b)
    log_m = np.logaddexp(log_p, log_q) - LOG2
    integrand = 0.5 * (np.exp(log_p) * (log_p - log_m) + np.exp(log_q) * (log_q - log_m))
    return float(np.trapezoid(integrand, x))


def w1_of_gaussians(a, b):
    """Return the Wasserstein-1 distance of N(a, 1) and N(b, 1); exactly |a - b|.

    On a line it is the integral of the absolute difference of the two distribution functions. These
    are computed as running sums of the trapezoidal rule.
    """
    x = line(a, b)
    difference = gaussian(x, a) - gaussian(x, b)
    steps = 0.5 * (difference[1:] + difference[:-1]) * np.diff(x)
    return float(np.trapezoid(np.abs(np.concatenate([[0.0], np.cumsum(steps)])), x))


def parallel_lines(d):
    """Return JS, KL and W1 of example 1 at distance `d`, all exact."""
    return {"js": 0.0, "kl": 0.0, "w1": 0.0} if d == 0 else {"js": LOG2, "kl": math.inf, "w1": d}


def figures(distances):
    """Return the divergences of both examples at these distances."""
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


def plot(path):
    """Plot both examples, and the derivatives of the divergences of the Gaussians."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    d = np.linspace(0, GREATEST, 161)
    values = figures(d)["unit Gaussians"]
    figure, (gaussians, lines, derivatives) = plt.subplots(
        1, 3, figsize=(13, 4.4), layout="constrained"
    )

    gaussians.plot(d, values["w1"], color=COLOURS["w1"], lw=2.5)
    gaussians.plot(d, values["kl"], color=COLOURS["kl"], lw=2.5)
    gaussians.plot(d, values["js"], color=COLOURS["js"], lw=2.5)
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

    derivatives.plot(d, np.gradient(values["w1"], d), color=COLOURS["w1"], lw=2.5)
    derivatives.plot(d, np.gradient(values["js"], d), color=COLOURS["js"], lw=2.5)
    _label(derivatives, "w1", "Wasserstein-1: always 1", 2.6, 1.03)
    _label(derivatives, "js", "Jensen-Shannon:\nfades to nothing", 4.2, 0.12)
    derivatives.set(
        title="Derivatives for the Gaussians: the pull\non a generator towards d = 0",
        ylabel="d divergence / dd",
        ylim=(0, 1.2),
    )
    for axes in (gaussians, lines):
        axes.set_ylim(0, 8.2)
    for axes in (gaussians, lines, derivatives):
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


def run(out=RESULTS):
    """Compute the divergences, write them, and plot them."""
    result = {
        "protocol": f"trapezoidal rule, {POINTS} points, {TAILS} standard deviations beyond the "
        "means, float64; nats",
        "log 2": LOG2,
        **figures([0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    lines = result["parallel lines"]
    lines["kl"] = ["infinite" if math.isinf(v) else v for v in lines["kl"]]  # JSON has no infinity.
    out.mkdir(parents=True, exist_ok=True)
    (out / "divergences.json").write_text(json.dumps(result, indent=2) + "\n")
    plot(out / "divergences.png")


def table(folder=RESULTS):
    """Return the divergences of the two Gaussians, a row for each distance of their means."""
    [found] = stored("divergences.json", folder)
    gaussians = found["unit Gaussians"]
    rows = [
        [f"{d:g}", *(f"{gaussians[name][i]:.4f}" for name in ("js", "kl", "w1"))]
        for i, d in enumerate(found["distances"])
    ]
    head = ["Means apart", "Jensen-Shannon", "Kullback-Leibler", "Wasserstein-1"]
    note = f"Two unit Gaussians; log 2 = {found['log 2']:.4f}. Computed by: {found['protocol']}."
    return f"{markdown(head, rows)}\n\n{note}"


if __name__ == "__main__":
    out = parser(__doc__).parse_args().out
    run(out)
    print(table(out))
