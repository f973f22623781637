"""The labels of StyleGAN's data sets: `{"labels": [["00000/img00000000.png", 6], ...]}` or null.

`dataset_tool.py` in NVlabs/stylegan3 on GitHub writes the file `dataset.json`, into a zip archive
or a folder of images.
"""

import json
import warnings

import numpy as np

from kerasgan.data.pixels import DataError
from kerasgan.text import counted, listed, quoted

NONE = "dataset.json has no labels"


def read(text):
    """Return the labels by path; an empty dict where there are none, and None in another's file.

    Args:
        text: The text of the file.

    Raises:
        DataError: If it is no JSON, or its labels have another form.
    """
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"`dataset.json` must be a text of JSON. Received: {error}") from error
    if not isinstance(stored, dict) or "labels" not in stored:
        return None
    labels = stored["labels"]
    if labels is None:
        return {}
    pairs = isinstance(labels, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in labels
    )
    if not pairs:
        raise DataError(
            "`labels` in dataset.json must be null or a list of pairs of a path and a label. "
            f"Received: {quoted(labels, 80)}"
        )
    return {path: _number(path, label) for path, label in labels}


def _number(path, label):
    """Return a class's number, which a list of one 1 among zeros has too."""
    if isinstance(label, list) and label.count(1) == 1 and label.count(0) == len(label) - 1:
        return label.index(1)
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < 2**31:
        raise DataError(
            "a label in dataset.json must be the number of a class, from 0. Received: "
            f"{quoted(label, 80)} for {quoted(path, 80)}"
        )
    return label


def of(labels, paths, known):
    """Return the labels of some paths, int32 `(n,)`.

    A warning says which labels have no file.

    Args:
        labels: What `read` returns.
        paths: Of the images that can be used.
        known: Paths of all files.

    Raises:
        DataError: If some have none.
    """
    paths = [path.replace("\\", "/") for path in paths]
    without = [path for path in paths if path not in labels]
    if without:
        raise DataError(
            "dataset.json must have a label for each image. Received: none for "
            f"{len(without):,} of {len(paths):,} images, as {listed(without, 3)}"
        )
    gone = sorted(labels.keys() - {path.replace("\\", "/") for path in known})
    if gone:
        warnings.warn(
            f"dataset.json has labels of {counted(len(gone), 'file')} that cannot be found, as "
            f"{listed(gone, 3)}",
            stacklevel=2,
        )
    return np.array([labels[path] for path in paths], np.int32)
