"""Modes covered, for labelled samples and for mixtures with known centres."""

import math
import typing

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, divergences
from kerasgan.metrics.result import Provenance, Result


class Modes(typing.NamedTuple):
    """What a set of samples holds of the modes that there are.

    Attributes:
        covered: Modes with at least one sample.
        kl: `KL(found || expected)` in nats over the samples that count for a mode, called reverse
            KL for mixtures; its floor is `expected_kl` of as many samples.
        high_quality: Share of samples near a mode; 1 where samples come with labels.
        shares: Each mode's share of the samples, `(k,)`.
    """

    covered: int
    kl: float
    high_quality: float
    shares: tuple


def modes_of_labels(labels, num_modes, expected=None):
    """Return the modes that labelled samples cover.

    Args:
        labels: The mode of each sample, integers `(n,)` below `num_modes`.
        num_modes: How many modes there are.
        expected: Their true shares `(num_modes,)`; uniform by default.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise checks.MetricError(
            f"`labels` must be integers, one a sample. Received: {labels.dtype} {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= num_modes:
        raise checks.MetricError(
            f"`labels` must lie in 0..{num_modes - 1}. Received: {labels.min()} to {labels.max()}"
        )
    counts = np.bincount(labels, minlength=num_modes)
    expected = np.full(num_modes, 1 / num_modes) if expected is None else expected
    shares = tuple((counts / counts.sum()).tolist())
    return Modes(int(np.count_nonzero(counts)), divergences.kl(counts, expected), 1.0, shares)


def code_agreement(codes, labels):
    """Return how often the class of an image follows from a code that was learned without labels.

    Each code stands for the class that is commonest among the images with that code in the first
    half of them; the score is the share of the second half for which that is right, 0 to 1. A code
    that the first half lacks is wrong.

    Args:
        codes: One categorical code for each image, integers `(n,)`.
        labels: The classes of the images, integers `(n,)`.
    """
    codes, labels = np.asarray(codes), np.asarray(labels)
    for name, values in (("codes", codes), ("labels", labels)):
        if values.ndim != 1 or values.dtype.kind not in "iu" or len(values) < 2:
            raise checks.MetricError(
                f"`{name}` must be integers, one an image. Received: {values.dtype} {values.shape}"
            )
    if len(codes) != len(labels):
        raise checks.MetricError(
            f"`codes` must be as many as `labels`. Received: {len(codes)} and {len(labels)}"
        )
    half = len(codes) // 2
    known = {
        code: np.unique(labels[:half][codes[:half] == code], return_counts=True)
        for code in np.unique(codes[:half])
    }
    meant = {code: classes[counts.argmax()] for code, (classes, counts) in known.items()}
    told = [
        meant.get(code) == label for code, label in zip(codes[half:], labels[half:], strict=True)
    ]
    return float(np.mean(told))


def modes_of_mixture(samples, centres, sigma, within=3.0):
    """Return the modes of a mixture of round Gaussians that samples cover.

    A sample is of high quality, and counts for the nearest centre, if it lies within `within`
    standard deviations of it. With two dimensions and 3, a perfect sampler has 98.89 %.

    Args:
        samples: Matrix `(n, d)`.
        centres: Matrix `(k, d)`; all have the same weight.
        sigma: Standard deviation of each Gaussian along each axis.
        within: The reach of a mode in standard deviations.

    Reference: the protocol of Lin et al. 2018, https://arxiv.org/abs/1712.04086.
    """
    validation.positive("sigma", sigma)
    validation.positive("within", within)
    x = checks.features("samples", samples, at_least=1).astype("float64")
    c = checks.features("centres", centres, at_least=1).astype("float64")
    counts = np.zeros(len(c), "int64")
    for part in checks.blocks(x, max(1, 2**22 // c.size)):
        squares = np.square(part[:, None] - c).sum(axis=2)
        near = squares.min(axis=1) < (within * sigma) ** 2
        counts += np.bincount(squares.argmin(axis=1)[near], minlength=len(c))
    found = int(counts.sum())
    uniform = np.full(len(c), 1 / len(c))
    return Modes(
        covered=int(np.count_nonzero(counts)),
        kl=divergences.kl(counts, uniform) if found else math.inf,
        high_quality=found / len(x),
        shares=tuple((counts / max(found, 1)).tolist()),
    )


def expected_kl(num_modes, samples, expected=None):
    """Return the mean `kl` of a perfect sampler, the floor of what a model can score.

    Args:
        num_modes: How many modes there are.
        samples: How many samples are drawn.
        expected: The modes' shares in what is sampled; uniform by default. The divergence is
            always to these.
    """
    p = np.full(num_modes, 1 / num_modes) if expected is None else np.asarray(expected, "float64")
    total = 0.0
    for share, times in zip(*np.unique(p, return_counts=True), strict=True):
        if share > 0:
            total += times * _mean_term(samples, share)
    return float(total)


def _mean_term(n, p):
    """Return the mean of `x / n log (x / (n p))` over a binomial count x."""
    spread = 12 * math.sqrt(n * p * (1 - p)) + 40
    x = np.arange(max(1, int(n * p - spread)), min(n, int(n * p + spread)) + 1)
    if p == 1:
        return 0.0
    gamma = np.array([math.lgamma(i + 1) + math.lgamma(n - i + 1) for i in x.tolist()])
    log = math.lgamma(n + 1) - gamma + x * math.log(p) + (n - x) * math.log1p(-p)
    return float(np.sum(np.exp(log) * x / n * np.log(x / (n * p))))


def mode_results(found, real, samples, data, judge, seed=0, expected=None, sampled=None):
    """Return what `modes_of_labels` or `modes_of_mixture` found as results with provenance.

    Args:
        found: The `Modes` of generated samples.
        real: Those of as many real samples, the baseline.
        samples: How many samples there were in each.
        data: What the samples are compared with, as "ring (8 modes, radius 1, sigma 0.01)".
        judge: What said to which mode a sample belongs, as "nearest centre within 3 sigma" or a
            classifier's name and version.
        seed: Seed of the samples.
        expected: The shares that the divergence is to; uniform by default.
        sampled: The modes' shares in the data, where these are others: the floors are those of a
            model that draws the data perfectly.

    Returns:
        `Result`s named "modes_covered", "mode_kl" and "high_quality", whose best value is that of
        the real samples: more of it means shrunken modes.
    """
    validation.positive_integer("samples", samples)
    count = len(found.shares)
    shares = np.full(count, 1 / count) if expected is None else np.asarray(expected, "float64")
    drawn = shares if sampled is None else np.asarray(sampled, "float64")
    counted = max(1, round(samples * real.high_quality))
    least = expected_kl(count, counted, drawn) + divergences.kl(drawn, shares)
    rows = (
        ("modes_covered", "covered", "higher", float(np.sum(1 - (1 - drawn) ** counted))),
        ("mode_kl", "kl", "lower", least),
        ("high_quality", "high_quality", "baseline", None),
    )
    return [
        Result(
            name=name,
            value=float(getattr(found, field)),
            provenance=Provenance(name, data, judge, "none", samples, samples, seed, data),
            better=better,
            baseline=float(getattr(real, field)),
            floor=floor,
        )
        for name, field, better, floor in rows
    ]
