"""Networks that other programs saved, as models of this library."""

from kerasgan.convert.pickles import ConversionError, Saved, read
from kerasgan.convert.r3gan import r3gan
from kerasgan.convert.stylegan2 import stylegan2
from kerasgan.text import short


def from_pickle(path):
    """Return the model of a network file, a `.pkl` of the authors' StyleGAN2 or R3GAN code.

    Such files are written by stylegan2-ada-pytorch, by stylegan3 for its StyleGAN2 configurations,
    and by R3GAN. The file is read without PyTorch, and nothing in it is run: some hold source text,
    which is skipped.

    Args:
        path: The file.

    Returns:
        A `kerasgan.StyleGAN2` or a `kerasgan.R3GAN`, not compiled. `sample` uses the file's moving
        average. Where the file holds no critic, the model's is new.

    Raises:
        ConversionError: A ValueError, if the file holds something else; it says what.
    """
    return model_of(read(path))


def model_of(saved):
    """Return the model of networks that were saved.

    Args:
        saved: What `read` returns.

    Raises:
        ConversionError: If they are of another kind, or have parts that ours have not.
    """
    best = saved.get("G_ema", saved.get("G"))
    if best is None:
        raise ConversionError("the file must hold a generator, as G_ema. Received: D alone")
    kind, make = ("R3GAN", r3gan) if "Model" in best.parts else ("StyleGAN2", stylegan2)
    try:
        return make(saved)
    except ConversionError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        said = f"{type(error).__name__}: {short(error, most=200, named=False)}"
        raise ConversionError(
            f"the file must hold a whole {kind}. Received: a part that is amiss ({said})"
        ) from error


__all__ = ["ConversionError", "Saved", "from_pickle", "model_of", "r3gan", "read", "stylegan2"]
