"""The files of a zip archive, read where they lie; nothing is unpacked to the disk."""

import contextlib
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from kerasgan.data.folder_files import LABELS, ignored
from kerasgan.data.pixels import DataError, Room
from kerasgan.files import check_archive, check_text
from kerasgan.text import short

RATIO = 200  # As many times its own size an archive of drawings may have, or a large member.
LARGEST = 256 << 20  # Bytes of a member: a picture of as many pixels as are read has fewer.
SMALL = 16 << 20  # Bytes of a member whose ratio says nothing.
ROOM = Room(LARGEST)  # Bytes of members in memory at a time.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"}
_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, struct.error,
               zipfile.BadZipFile, zlib.error)  # fmt: skip


class ZipFiles:
    """The files of a zip archive; see `kerasgan.data.folder_files.FolderFiles`.

    A folder that holds everything is left out of the paths, so that an archive of a folder has the
    paths of that folder. Members with a path that leaves the archive, links, encrypted ones and
    those that are far larger than what they are packed into are not opened.

    Args:
        path: The archive.

    Raises:
        DataError: If it is no zip archive, or unpacks to far more than its own size.
    """

    kind = "zip"

    def __init__(self, path):
        self.path = Path(path)
        try:
            check_archive(path, ratio=RATIO)
            self._archive = zipfile.ZipFile(path)
        except _UNREADABLE as error:
            raise DataError(
                "`name_or_path` must be a zip file that can be read. "
                f"Received: {path} ({short(error, named=False)})"
            ) from error
        self._members, self._refusals = self._listed()
        self.has_labels = LABELS in self._members
        self.files = [
            [path, member.file_size, 0]
            for path, member in sorted(self._members.items())
            if path != LABELS
        ]
        self.skipped = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._archive.close()

    def _listed(self):
        """Return the members by their paths, and why some of them are not opened."""
        members, refusals = {}, {}
        for member in self._archive.infolist():
            name = member.filename.replace("\\", "/")
            parts = [part for part in name.split("/") if part not in ("", ".")]
            # A later member of the same path replaces an earlier one, as where it is unpacked.
            if parts and not member.is_dir() and not any(map(ignored, set(parts) - {".."})):
                path = "/".join(parts)
                members[path] = member
                refusals[path] = _path_refusal(name, parts) or _refusal(member)
        firsts = {path.split("/")[0] if "/" in path else None for path in members}
        wrapper = firsts.pop() if len(firsts) == 1 else None
        inside = 0 if wrapper in (None, "..") else len(wrapper) + 1
        return (
            {path[inside:]: member for path, member in members.items()},
            {path[inside:]: refusal for path, refusal in refusals.items()},
        )

    def identity(self):
        """Return what the decoded images depend on, JSON values."""
        status = os.stat(self.path)
        return {"zip": str(self.path.resolve()), "is": [status.st_size, status.st_mtime_ns]}

    def refusal(self, file):
        """Return why one of `files` is not opened, or None."""
        return self._refusals[file[0]]

    @contextlib.contextmanager
    def opened(self, path):
        """Give what Pillow opens: the bytes of a member."""
        member = self._members[path]
        with ROOM.taken(member.file_size):
            yield io.BytesIO(self._archive.read(member))

    def head(self, path, size):
        """Return the first bytes of a member; raise OSError where that cannot be done."""
        try:
            with self._archive.open(self._members[path]) as file:
                return file.read(size)
        except _UNREADABLE as error:
            raise OSError(str(error)) from error

    def labels_text(self):
        """Return the text of dataset.json."""
        member = self._members[LABELS]
        try:
            if self._refusals[LABELS]:
                raise DataError(
                    f"`{LABELS}` in the archive must be readable. Received: it is "
                    f"{self._refusals[LABELS]}"
                )
            check_text(member.file_size)
            return self._archive.read(member).decode("utf-8")
        except _UNREADABLE as error:
            raise DataError(f"`{LABELS}` must be a text of JSON. Received: {error}") from error


def _path_refusal(name, parts):
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "has an absolute path"
    return "has a path that leaves the archive" if ".." in parts else None


def _refusal(member):
    """Return why a member is not opened, whatever its path, or None."""
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "a link"
    if member.flag_bits & 1:
        return "encrypted"
    if member.file_size == 0:
        return "empty file"
    if Path(member.filename).suffix.lower() in _ARCHIVES:
        return "an archive inside the archive, which is not opened"
    if member.compress_type not in _METHODS:
        return "packed by a method other than deflate"
    if member.file_size > LARGEST:
        return f"would unpack to more than {LARGEST >> 20} MiB"
    if member.file_size > max(SMALL, RATIO * member.compress_size):
        times = member.file_size // max(1, member.compress_size)
        return f"would unpack to {times:,} times its size"
    return None
