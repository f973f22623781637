"""Running a SavedModel, which needs TensorFlow whatever the backend is."""

import numpy as np


def run(folder, inputs):
    """Return what the signature `serving_default` of a SavedModel makes of arrays.

    Args:
        folder: The folder of the SavedModel.
        inputs: Arrays by name.
    """
    import tensorflow as tf

    with tf.device("CPU"):
        served = tf.saved_model.load(str(folder)).signatures["serving_default"]
        found = served(**{name: tf.convert_to_tensor(value) for name, value in inputs.items()})
    return np.asarray(next(iter(found.values())))
