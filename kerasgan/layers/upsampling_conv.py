"""A convolution that enlarges maps without leaving a checkerboard."""

import keras
from keras import ops

from kerasgan.backend import Conv2DTranspose


@keras.saving.register_keras_serializable(package="kerasgan")
class UpsamplingConv2D(Conv2DTranspose):
    """A convolution after nearest-neighbour upsampling by two, computed in one step.

    Each pixel of the enlarged maps stands there twice, so neighbouring taps that fall on one pixel
    are added, and a single transposed convolution of stride 2 remains. With a kernel of 3 it takes
    four ninths of the multiplications. All output pixels thus get the same weight from an even
    input, and what alternates from pixel to pixel is suppressed.

    Args:
        filters: Feature maps of the output.
        kernel_size: Side of the kernel on the enlarged maps, an odd number.
        **options: Those of `keras.layers.Conv2DTranspose` but `strides` and `padding`. The weight
            has shape `(kernel_size, kernel_size, filters, channels)`; it is the convolution's
            kernel, turned by half a turn.

    Raises:
        ValueError: If the kernel has an even side, or for other strides or another padding.

    Reference: Odena, Dumoulin and Olah 2016, doi:10.23915/distill.00003.
    """

    def __init__(self, filters, kernel_size=3, **options):
        super().__init__(filters, kernel_size, **{"strides": 2, "padding": "same", **options})
        if not all(size % 2 for size in self.kernel_size):
            raise ValueError(f"`kernel_size` must be odd. Received: {kernel_size}")
        if (self.strides, self.padding) != ((2, 2), "same"):
            raise ValueError(
                "`strides` must be 2, and `padding` 'same'. Received: "
                f"strides={self.strides}, padding={self.padding!r}"
            )

    @property
    def kernel(self):
        """The kernel of the transposed convolution, one tap larger than the weight."""
        kernel = ops.convert_to_tensor(self.taps)
        for axis in (0, 1):
            before, after = ([(0, 0)] * 4 for _ in range(2))
            before[axis], after[axis] = (1, 0), (0, 1)
            kernel = ops.pad(kernel, before) + ops.pad(kernel, after)
        return kernel

    @kernel.setter
    def kernel(self, variable):  # Keras' `build` makes it.
        self.taps = variable
