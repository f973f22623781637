"""StyleGAN2's resampling, with the filter [1, 3, 3, 1].

Maps are smoothed before they are halved and after they are doubled. Each function takes feature
maps of the layout `data_format`, with zeros beyond the border.

Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958, whose code is upfirdn2d.py and
conv2d_resample.py in torch_utils/ops of NVlabs/stylegan2-ada-pytorch on GitHub.
"""

from kerasgan import filters

TAPS = (0.125, 0.375, 0.375, 0.125)
TAPS_BETWEEN = (0.25, 0.75, 0.75, 0.25)  # Of every two pixels one is not there before it.


def smoothed(x, border, data_format):
    """Return maps after the filter, whose sum is 1.

    Args:
        x: Feature maps.
        border: Zeros that are added before and after each axis. The filter shortens it by three.
        data_format: "channels_last" or "channels_first".
    """
    return filters.filtered(x, TAPS, border, data_format=data_format)


def halved(x, data_format):
    """Return maps of half the side, which is even: every second pixel of the smoothed maps."""
    return filters.filtered(x, TAPS, 1, step=2, data_format=data_format)


def doubled(x, data_format):
    """Return maps of twice the side, which is bilinear interpolation between centres of pixels."""
    return filters.doubled(x, TAPS_BETWEEN, data_format)


def channel_axis(data_format):
    """Return the axis of the features."""
    return -1 if data_format == "channels_last" else 1
