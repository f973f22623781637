"""Checkerboards and weaves: the energy at the highest frequencies that pixels have."""

import typing

import numpy as np

from kerasgan.metrics import checks

WINDOW = 16  # Side of the windows, in pixels.
_BLOCK = 64  # Images at a time.


class NyquistEnergy(typing.NamedTuple):
    """Mean squared amplitude of the patterns that alternate from one pixel to the next.

    Attributes:
        horizontal: From column to column: upright lines.
        vertical: From row to row: lines that lie.
        diagonal: In both directions: a checkerboard.
    """

    horizontal: float
    vertical: float
    diagonal: float


def nyquist_energy(images):
    """Return the `NyquistEnergy` of images: their energy at the highest spatial frequencies.

    A layer that enlarges feature maps by two, and treats even and odd pixels differently, leaves a
    lattice with a period of two pixels. Its energy lies at the Nyquist frequency. That is measured
    in windows of 16 by 16 pixels, every 8 pixels, each weighted by a Hann window, so neither the
    borders nor a single edge count for much. An alternation between -a and a, in values from -1 to
    1, has the energy `a**2`.

    Args:
        images: Integers in 0..255 or floats in [-1, 1], `(n, height, width, 1 or 3)`, at least 16
            pixels high and wide.

    Raises:
        MetricError: If the images have another form.

    Reference: Odena, Dumoulin and Olah 2016, doi:10.23915/distill.00003, for the artefact; Durall
        et al. 2020, https://arxiv.org/abs/2003.01826, for the frequencies in which generated images
        differ; Welch 1967, doi:10.1109/TAU.1967.1161901, for the estimate.
    """
    images = np.asarray(images)
    sums = np.zeros(3)
    for some in checks.blocks(images, _BLOCK) if len(images) else [images]:
        found = window_energies(some).reshape(-1, 3)
        sums += len(some) * found.mean(axis=0, dtype="float64")
    return NyquistEnergy(*(sums / len(images)).tolist())


def window_energies(images):
    """Return the energies of each window, `(n, rows, columns, channels, 3)`; see `nyquist_energy`.

    The last axis has the directions of `NyquistEnergy`.
    """
    shape = np.shape(images)
    if len(shape) == 4 and (min(shape[1:3]) < WINDOW or not shape[0]):
        raise checks.MetricError(
            f"`images` must be at least one, and at least {WINDOW} pixels high and wide. "
            f"Received: shape {shape}"
        )
    even, odd = _taps()
    found = checks.images("images", images)
    smooth, alternating = (_windows(found, 1) @ taps for taps in (even, odd))
    parts = (
        _windows(smooth, 2) @ odd,
        _windows(alternating, 2) @ even,
        _windows(alternating, 2) @ odd,
    )
    return np.square(np.stack(parts, axis=-1))


def checkerboard(real, generated):
    """Return the energy of generated images at the highest frequencies over that of real ones.

    It is the ratio of the sums of their `nyquist_energy`. 1 is as in real images, a lattice is
    above it, and blur below.

    Args:
        real: Real images, see `nyquist_energy`.
        generated: Generated images.

    Raises:
        MetricError: If the images have another form, or the real ones have no such energy.
    """
    return ratio(nyquist_energy(generated), nyquist_energy(real))


def ratio(generated, real):
    """Return the ratio of two `NyquistEnergy`, all directions together.

    Raises:
        MetricError: If the real images have none, as even areas have.
    """
    if not sum(real) > 0:
        raise checks.MetricError(
            "`real` must have energy at the highest frequency to compare with. Received: none"
        )
    return sum(generated) / sum(real)


def _taps():
    """Return the weights of a Hann window, and the same with alternating signs; each sums to 1."""
    window = np.hanning(WINDOW + 2)[1:-1]
    window = (window / window.sum()).astype("float32")
    return window, window * np.where(np.arange(WINDOW) % 2, -1, 1).astype("float32")


def _windows(x, axis):
    """Return the windows along an axis, every 8 pixels, as a last axis."""
    windows = np.lib.stride_tricks.sliding_window_view(x, WINDOW, axis)
    return windows[(slice(None),) * axis + (slice(None, None, WINDOW // 2),)]
