"""Files on disk: written whole, and read only where they are what they seem. Imports no backend."""

import contextlib
import csv
import errno
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import stat
import tempfile
import time
import zipfile
from pathlib import Path

LARGEST_TEXT = 64 << 20  # Bytes of a text file that is read.
UNPACKED = 64 << 20  # Bytes that an archive may unpack to in any case,
RATIO = 8  # or as many times its own size: arrays of weights hardly shrink.
STALE_SECONDS = 24 * 3600  # Age of temporary files whose process cannot be asked for.
_TEMPORARY = re.compile(r"\.tmp-(\d+)-")
_numbers = itertools.count()


@contextlib.contextmanager
def atomic(path):
    """Give a temporary path beside `path`; rename it to `path` when the block ends.

    If the block fails, the temporary file is removed. A reader sees either the old file or the new
    one, even after a crash or on a full disk. What is no regular file, such as /dev/null or a
    pipe, is not replaced: the content is written into it.

    Args:
        path: The file to write. The temporary path has the same suffix.

    Raises:
        IsADirectoryError: If `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            temporary = Path(folder) / f"file{path.suffix}"
            yield temporary
            with open(temporary, "rb") as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target)
        return
    temporary = temporary_beside(path)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def expanded(path):
    """Return a path with `~` replaced by the home folder, or as it is where there is none."""
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def temporary_beside(path):
    """Return an unused path in the same folder, which `sweep` removes once this process is gone."""
    # Not the whole name: it may be as long as names can be.
    return path.with_name(f".tmp-{os.getpid()}-{next(_numbers)}{path.suffix[-16:]}")


def sweep(folder):
    """Remove what `atomic` and `temporary_beside` left in a folder when a process was killed.

    Files of processes that are alive stay, unless they are older than a day.
    """
    with contextlib.suppress(OSError):
        for path in Path(folder).iterdir():
            found = _TEMPORARY.match(path.name)
            if found and _is_left(path, int(found[1])):
                _remove(path)


def _is_left(path, process):
    with contextlib.suppress(OSError):
        if time.time() - path.lstat().st_mtime > STALE_SECONDS:
            return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # It belongs to another user.
        return False
    return False


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_json(path, value):
    """Write `value` as indented JSON, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def regular(path):
    """Return a path if it is a regular file, or a link to one.

    Reading a pipe or a device may never end.

    Raises:
        OSError: If there is no such file, or it is something else.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return path


def read_text(path):
    """Return the text of a regular file of at most 64 MiB.

    Raises:
        OSError: If it cannot be read, or is too large.
        ValueError: If it is no UTF-8.
    """
    if os.stat(regular(path)).st_size > LARGEST_TEXT:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST_TEXT >> 20} MiB", str(path))
    return Path(path).read_text(encoding="utf-8")


def read_json(path):
    """Return what a JSON file holds.

    Raises:
        OSError: See `read_text`.
        ValueError: If it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(read_text(path))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_rows(path):
    """Return the rows of a CSV file with a header, dictionaries of text.

    Raises:
        OSError: See `read_text`.
        ValueError: If it is no CSV.
    """
    try:
        return list(csv.DictReader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise ValueError(f"it is no CSV file: {error}") from error


def check_archive(path):
    """Check a zip archive, such as .npz and .keras files, before it is unpacked.

    Returns:
        The path.

    Raises:
        OSError: If it is no regular file.
        ValueError: If it is no zip archive, or would unpack to far more than its own size.
    """
    try:
        with zipfile.ZipFile(regular(path)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ValueError(f"it is no zip archive: {error}") from error
    check_unpacked(unpacked, os.stat(path).st_size)
    return path


def check_unpacked(unpacked, size):
    """Raise ValueError if so many bytes cannot have been written into a file of this size."""
    if unpacked > max(UNPACKED, RATIO * size):
        raise ValueError(
            f"it would unpack to {unpacked / 1e6:,.0f} MB, and has {size / 1e6:,.1f} MB itself"
        )


def sha256(path):
    """Return the SHA-256 of a regular file as hexadecimal digits."""
    with open(regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
