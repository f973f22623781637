"""Modes covered, for labelled samples and for mixtures with known centres."""

import math
import typing

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, divergences
from kerasgan.metrics.result import Provenance, Result
from kerasgan.text import extent


class Modes(typing.NamedTuple):
    """How a set of samples covers the modes of its data.

    Attributes:
        covered: Number of modes with at least one sample.
        kl: `KL(found || expected)` in nats, over the samples that belong to a mode; for mixtures it
            is called reverse KL. Its floor is `expected_kl` of as many samples.
        high_quality: Share of the samples that are near a mode; 1 for labelled samples.
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
        num_modes: Number of modes.
        expected: The true shares of the modes, `(num_modes,)`; uniform by default.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise checks.MetricError(
            "`labels` must be integers, one for each sample. "
            f"Received: {labels.dtype} {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= num_modes:
        raise checks.MetricError(
            f"`labels` must lie in 0..{num_modes - 1}. "
            f"Received: labels {extent(labels.min(), labels.max())}"
        )
    counts = np.bincount(labels, minlength=num_modes)
    expected = np.full(num_modes, 1 / num_modes) if expected is None else expected
    shares = tuple((counts / counts.sum()).tolist())
    return Modes(int(np.count_nonzero(counts)), divergences.kl(counts, expected), 1.0, shares)


def code_agreement(codes, labels):
    """Return how often a code that was learned without labels predicts the class of an image.

    Each code is assigned the most common class among the images with this code in the first half.
    The score is the share of the second half whose class is predicted correctly, from 0 to 1. A
    code that is not in the first half counts as wrong.

    Args:
        codes: One categorical code for each image, integers `(n,)`.
        labels: The classes of the images, integers `(n,)`.
    """
    codes, labels = np.asarray(codes), np.asarray(labels)
    for name, values in (("codes", codes), ("labels", labels)):
        if values.ndim != 1 or values.dtype.kind not in "iu" or len(values) < 2:
            raise checks.MetricError(
                f"`{name}` must be integers, one for each image. "
                f"Received: {values.dtype} {values.shape}"
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
    predicted = {code: classes[counts.argmax()] for code, (classes, counts) in known.items()}
    second_half = zip(codes[half:], labels[half:], strict=True)
    return float(np.mean([predicted.get(code) == label for code, label in second_half]))


def modes_of_mixture(samples, centres, sigma, within=3.0):
    """Return the modes of a mixture of round Gaussians that samples cover.

    A sample belongs to the mode of its nearest centre, and is of high quality, if its distance to
    this centre is less than `within` standard deviations. In two dimensions with `within=3`, a
    perfect sampler has 98.89 % of high quality.

    Args:
        samples: Matrix `(n, d)`.
        centres: Matrix `(k, d)`; all have the same weight.
        sigma: Standard deviation of each Gaussian along each axis.
        within: The radius of a mode in standard deviations.

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
    """Return the mean `kl` of a perfect sampler, which is the floor of a model's `kl`.

    Args:
        num_modes: Number of modes.
        samples: Number of samples.
        expected: The shares of the modes in the sampled distribution, to which the divergence is
            taken; uniform by default.
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


def mode_results(found, real, samples, data, classifier, seed=0, expected=None, sampled=None):
    """Return the output of `modes_of_labels` or `modes_of_mixture` as results with provenance.

    Args:
        found: The `Modes` of generated samples.
        real: The `Modes` of as many real samples, for the baseline.
        samples: Number of samples in each set.
        data: Name of the data, as "ring (8 modes, radius 1, sigma 0.01)".
        classifier: Name and version of what assigned the samples to modes, as "nearest centre
            within 3 sigma".
        seed: Seed of the samples.
        expected: The shares of the modes to which the divergence is taken; uniform by default.
        sampled: The shares of the modes in the data, if they differ from `expected`. The floors are
            those of a model that samples the data perfectly.

    Returns:
        `Result`s named "modes_covered", "mode_kl" and "high_quality". The best value of
        "high_quality" is the baseline: a higher one means that the modes are too narrow.
    """
    validation.positive_integer("samples", samples)
    count = len(found.shares)
    shares = np.full(count, 1 / count) if expected is None else np.asarray(expected, "float64")
    true = shares if sampled is None else np.asarray(sampled, "float64")
    counted = max(1, round(samples * real.high_quality))
    least = expected_kl(count, counted, true) + divergences.kl(true, shares)
    rows = (
        ("modes_covered", "covered", "higher", float(np.sum(1 - (1 - true) ** counted))),
        ("mode_kl", "kl", "lower", least),
        ("high_quality", "high_quality", "baseline", None),
    )
    return [
        Result(
            name=name,
            value=float(getattr(found, field)),
            provenance=Provenance(name, data, classifier, "none", samples, samples, seed, data),
            better=better,
            baseline=float(getattr(real, field)),
            floor=floor,
        )
        for name, field, better, floor in rows
    ]
