"""Networks that other programs saved, as models of this library."""

from kerasgan.convert.pickles import ConversionError, Saved, read
from kerasgan.convert.stylegan2 import stylegan2


def from_pickle(path):
    """Return the model of a network file, a `.pkl` of the authors' StyleGAN2 code.

    Such files are written by stylegan2-ada-pytorch, and by stylegan3 for its StyleGAN2
    configurations. The file is read without PyTorch, and nothing in it is run: it holds source
    text too, which is skipped.

    Args:
        path: The file.

    Returns:
        A `kerasgan.StyleGAN2`, not compiled. `sample` uses the file's moving average. Where the
        file holds no critic, the model's is new.

    Raises:
        ConversionError: A ValueError, if the file holds something else; it says what.
    """
    return stylegan2(read(path))


__all__ = ["ConversionError", "Saved", "from_pickle", "read", "stylegan2"]
