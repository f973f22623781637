"""The files of a folder, as `kerasgan.data.folder` reads them."""

import contextlib
import os
import stat
from pathlib import Path

from kerasgan.data.pixels import DataError
from kerasgan.files import read_text, regular

REPEATED = "a link to a folder that is read already"
LABELS = "dataset.json"  # The labels of StyleGAN's data sets.
_DROPPINGS = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}


class FolderFiles:
    """The files of a folder, in its subfolders too.

    Args:
        root: The folder.

    Attributes:
        root: The folder.
        kind: "folder".
        files: `[path below root, size, mtime]` of every file that may be an image, by path.
        skipped: `[path, reason]` of what is left out though it is not hidden.
        has_labels: Whether there is a file dataset.json.
    """

    kind = "folder"

    def __init__(self, root):
        self.root = Path(root)
        files, repeated = list_files(root)
        self.has_labels = any(path == LABELS for path, _, _ in files)
        self.files = [file for file in files if file[0] != LABELS]
        self.skipped = [[path, REPEATED] for path in repeated]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass  # Nothing is kept open.

    def identity(self):
        """Return what the decoded images depend on, JSON values."""
        return {"root": str(self.root.resolve()), "files": self.files}

    def refusal(self, file):
        """Return why one of `files` is not opened, or None."""
        if file[1] == -1:
            return "cannot be read, or is not a regular file"
        return "empty file" if file[1] == 0 else None

    @contextlib.contextmanager
    def opened(self, path):
        """Give what Pillow opens: the path of a regular file."""
        yield regular(self.root / path)

    def head(self, path, size):
        """Return the first bytes of a file."""
        with open(self.root / path, "rb") as file:
            return file.read(size)

    def labels_text(self):
        """Return the text of dataset.json."""
        try:
            return read_text(self.root / LABELS)
        except (OSError, ValueError) as error:
            raise DataError(f"`{LABELS}` must be a text of JSON. Received: {error}") from error


def list_files(root):
    """Return the files in a folder, those behind links to other folders included.

    Returns:
        `[path below root, size, mtime]` of every file that is not hidden, sorted by path, and the
        sorted paths of the links that were not followed, because they lead to a folder that is
        read already.
    """
    found, repeated, seen = [], [], set()
    links = [os.fspath(root)]
    while links:  # Folders come before links to them, whose files would be read twice.
        later = []
        for path in sorted(links):
            if _identity(path) in seen:
                repeated.append(os.path.relpath(path, root))
            else:
                _walk(path, root, seen, found, later, repeated)
        links = later
    return sorted(found), sorted(repeated)


def _walk(top, root, seen, found, links, repeated):
    """Add the files below a folder to `found`, and the links to folders there to `links`."""

    def unreadable(error):
        found.append([os.path.relpath(error.filename, root), -1, 0])

    seen.add(_identity(top))
    for parent, folders, names in os.walk(top, onerror=unreadable):
        kept = []
        for name in sorted(name for name in folders if not ignored(name)):
            path = os.path.join(parent, name)
            identity = _identity(path)
            if os.path.islink(path):
                links.append(path)
            elif identity in seen:
                repeated.append(os.path.relpath(path, root))
            else:
                seen.add(identity)
                kept.append(name)
        folders[:] = kept
        for name in names:
            path = os.path.join(parent, name)
            if ignored(name):
                continue
            size = modified = 0
            try:
                status = os.stat(path)
                # Opening a pipe would wait for ever: anything but a regular file gets size -1.
                size = status.st_size if stat.S_ISREG(status.st_mode) else -1
                modified = status.st_mtime_ns
            except OSError:
                size = -1
            found.append([os.path.relpath(path, root), size, modified])


def _identity(path):
    """Return what tells a folder from others, whatever path leads to it."""
    with contextlib.suppress(OSError):
        status = os.stat(path)
        if status.st_ino:
            return status.st_dev, status.st_ino
    return os.path.realpath(path)


def ignored(name):
    """Return whether a file or a folder of this name is left out without a word."""
    return name.startswith(".") or name.lower() in _DROPPINGS or name == "__MACOSX"
