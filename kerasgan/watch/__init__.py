"""Watch a training of any program, by the pictures that it writes."""

from kerasgan.watch.files import Pictures, PicturesError
from kerasgan.watch.watcher import Watcher

__all__ = ["Pictures", "PicturesError", "Watcher"]
