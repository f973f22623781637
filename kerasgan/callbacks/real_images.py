"""The real images that a `CollapseGuard` compares with."""

import numpy as np

from kerasgan.collapse import DiversityMetric, lost
from kerasgan.data import DataError, ImageDataset, some_images
from kerasgan.metrics import checks


def metric_of(data, conditional, samples, seed, say):
    """Return the metric of some data, and the labels to generate images for.

    Args:
        data: Real images, see `kerasgan.data.some_images`.
        conditional: Whether the model takes labels.
        samples: Number of images in a check.
        seed: Seed of the choice of real images and of labels.
        say: Called with a sentence on what cannot be watched.

    Returns:
        A `DiversityMetric`, and labels in the proportions of the data or None.

    Raises:
        DataError: If the images cannot be read twice.
        MetricError: If they are too few, or all are equal.
    """
    try:
        images = some_images(data)
    except DataError as error:
        raise DataError(f"{error}. Pass real images: CollapseGuard(data=...)") from None
    labels = getattr(data, "labels", None) if conditional else None
    # Only of an `ImageDataset` it is known which label belongs to which image.
    own = labels if isinstance(data, ImageDataset) else None
    if conditional and own is None:
        say("the data have no labels that the guard can read, so no class is watched by itself")
    metric = DiversityMetric(images, samples, seed=seed, labels=own)
    if not (isinstance(data, ImageDataset) or images is data):
        # A copy that was read from batches is kept for the report alone.
        metric.images = np.concatenate([lost.small(some) for some in checks.blocks(images, 64)])
    if metric.unseen:
        say(metric.unseen)
    return metric, None if labels is None else labels_like(labels, metric.samples, seed)


def labels_like(labels, samples, seed=0):
    """Return labels to generate images for, `(samples,)`, in about the proportions of some others.

    Args:
        labels: The labels of the real images, `(n,)`.
        samples: Number of labels.
        seed: Seed of the choice.
    """
    return np.random.default_rng(seed).choice(labels, samples)
