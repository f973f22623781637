"""TensorBoard: the logs and the grids of a training, for TensorBoard."""

from pathlib import Path

import numpy as np

from kerasgan import pictures
from kerasgan.callbacks.steps import Steps
from kerasgan.environment import require


class TensorBoard(Steps):
    """Writes the logs of each epoch, and the grid of generated images, for TensorBoard.

    `tensorboard --logdir FOLDER` shows them. It needs tensorboardX
    (`pip install 'kerasgan[tensorboard]'`), and neither TensorFlow nor PyTorch. Keras' own callback
    of this name works too where TensorFlow is installed, and writes no images.

    The steps of TensorBoard are epochs, counted from 1. If a resumed training repeats epochs,
    TensorBoard shows the new ones alone. An epoch that was cut short is not written; when it is
    whole, its losses are those of its second part.

    Place it behind the callbacks that add scores to the logs, and behind `SampleGrid`:
    `[Scores(images), SampleGrid("samples"), TensorBoard("board", grids="samples")]`.

    Args:
        folder: Where to write; it is made if it is missing.
        grids: The folder of a `SampleGrid`, or None for no images.

    Raises:
        kerasgan.environment.MissingPackage: If tensorboardX is not installed.
    """

    def __init__(self, folder, grids=None):
        super().__init__()
        require("TensorBoard", ["tensorboardX"], "tensorboard")
        self.folder = Path(folder)
        self.grids = None if grids is None else Path(grids)
        self._writer = None

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        if self._writer is None:
            from tensorboardX import SummaryWriter

            # Of epochs from this one on, an earlier part of the training may have written others.
            self._writer = SummaryWriter(
                str(self.folder), purge_step=epoch + 1, filename_suffix=f".{epoch + 1:06d}"
            )

    def on_epoch_end(self, epoch, logs=None):
        if self.cut:
            return
        for name, value in (logs or {}).items():
            self._writer.add_scalar(name, float(value), epoch + 1)
        grid = self.grids and self.grids / f"epoch_{epoch + 1:04d}.png"
        image = pictures.opened(grid) if grid and grid.exists() else None
        if image is not None:
            self._writer.add_image("samples", np.asarray(image), epoch + 1, dataformats="HWC")
        self._writer.flush()

    def on_train_end(self, logs=None):
        if self._writer is not None:
            self._writer.close()
            self._writer = None
