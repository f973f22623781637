"""Metrics of generated images; each score has a baseline, a floor and a provenance.

The baseline is the score of real images, the floor is the mean score of a perfect generator, and
the provenance lists everything that the score depends on.
"""

from kerasgan.metrics import clusters, divergences, extractors
from kerasgan.metrics.catalogue import CHEAP, METRICS
from kerasgan.metrics.checkerboard import NyquistEnergy, checkerboard, nyquist_energy
from kerasgan.metrics.checks import MetricError
from kerasgan.metrics.duplicates import Support, duplicate_rate, support_size
from kerasgan.metrics.evaluation import Evaluator, check_samples, evaluate
from kerasgan.metrics.features import cached_features
from kerasgan.metrics.frechet import frechet_distance
from kerasgan.metrics.kernel import kernel_distance
from kerasgan.metrics.modes import (
    Modes,
    code_agreement,
    expected_kl,
    mode_results,
    modes_of_labels,
    modes_of_mixture,
)
from kerasgan.metrics.ms_ssim import mean_ms_ssim, ms_ssim
from kerasgan.metrics.ndb import NDB, ndb
from kerasgan.metrics.prdc import PRDC, coverage, prdc
from kerasgan.metrics.result import Provenance, ProvenanceError, Result, rank, table
from kerasgan.metrics.vendi import vendi_score

__all__ = [
    "CHEAP",
    "METRICS",
    "NDB",
    "PRDC",
    "Evaluator",
    "MetricError",
    "Modes",
    "NyquistEnergy",
    "Provenance",
    "ProvenanceError",
    "Result",
    "Support",
    "cached_features",
    "check_samples",
    "checkerboard",
    "clusters",
    "code_agreement",
    "coverage",
    "divergences",
    "duplicate_rate",
    "evaluate",
    "expected_kl",
    "extractors",
    "frechet_distance",
    "kernel_distance",
    "mean_ms_ssim",
    "mode_results",
    "modes_of_labels",
    "modes_of_mixture",
    "ms_ssim",
    "ndb",
    "nyquist_energy",
    "prdc",
    "rank",
    "support_size",
    "table",
    "vendi_score",
]
