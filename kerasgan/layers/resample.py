"""StyleGAN2's resampling, with the filter [1, 3, 3, 1].

Maps are smoothed before they are halved and after they are doubled. Each function takes feature
maps of the layout `data_format`, with zeros beyond the border. The filter is a sum of shifted maps,
because depthwise convolutions are slow on CPUs.

Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958, whose code is upfirdn2d.py and
conv2d_resample.py in torch_utils/ops of NVlabs/stylegan2-ada-pytorch on GitHub.
"""

from keras import ops


def smoothed(x, border, data_format):
    """Return maps after the filter, whose sum is 1.

    Args:
        x: Feature maps.
        border: Zeros that are added before and after each axis. The filter shortens it by three.
        data_format: "channels_last" or "channels_first".
    """
    for axis in axes(data_format):
        x = _padded(x, axis, border)
        side = x.shape[axis] - 3
        a, b, c, d = (_along(x, axis, slice(i, i + side)) for i in range(4))
        x = 0.125 * (a + d) + 0.375 * (b + c)
    return x


def halved(x, data_format):
    """Return maps of half the side, which is even: every second pixel of the smoothed maps."""
    for axis in axes(data_format):
        x = _padded(x, axis, 1)
        side = x.shape[axis] - 2
        a, b, c, d = (_along(x, axis, slice(i, i + side, 2)) for i in range(4))
        x = 0.125 * (a + d) + 0.375 * (b + c)
    return x


def doubled(x, data_format):
    """Return maps of twice the side, which is bilinear interpolation between centres of pixels."""
    for axis in axes(data_format):
        side = x.shape[axis]
        wide = _padded(0.25 * x, axis, 1)
        before, after = (_along(wide, axis, slice(i, i + side)) for i in (0, 2))
        near = 0.75 * x
        x = ops.stack([before + near, near + after], axis=axis + 1)
        x = ops.reshape(x, (-1, *x.shape[1:axis], 2 * side, *x.shape[axis + 2 :]))
    return x


def axes(data_format):
    """Return the axes of height and width."""
    return (1, 2) if data_format == "channels_last" else (2, 3)


def channel_axis(data_format):
    """Return the axis of the features."""
    return -1 if data_format == "channels_last" else 1


def _padded(x, axis, border):
    padding = [(0, 0)] * 4
    padding[axis] = (border, border)
    return ops.pad(x, padding)


def _along(x, axis, part):
    return x[(slice(None),) * axis + (part,)]
