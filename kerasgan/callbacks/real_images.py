"""The real images that a `CollapseGuard` compares with."""

import numpy as np

from kerasgan.collapse import DiversityMetric
from kerasgan.data import DataError, some_images


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
    if conditional and labels is None:
        say("the data have no labels, so no class is watched by itself")
    metric = DiversityMetric(images, samples, seed=seed, labels=labels)
    if metric.unseen:
        say(metric.unseen)
    if labels is not None:
        labels = np.random.default_rng(seed).choice(labels, metric.samples)
    return metric, labels
