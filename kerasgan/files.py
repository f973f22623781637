"""Files on disk: written whole, and read only where they are what they seem. Imports no backend."""

import contextlib
import csv
import errno
import functools
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import socket
import stat
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

from kerasgan.text import printable, short

LARGEST_TEXT = 16 << 20  # Bytes of a text file that is read; as JSON it takes thirty times that.
UNPACKED = 64 << 20  # Bytes that an archive may unpack to in any case,
RATIO = 8  # or as many times its own size: arrays of weights hardly shrink.
STALE_SECONDS = 24 * 3600  # Age of temporary files whose process cannot be asked for.
_TEMPORARY = re.compile(r"\.tmp-(\d+)-(?:([0-9a-f]{8})-)?")
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


@contextlib.contextmanager
def atomic_folder(path):
    """Give a temporary path beside `path` for a folder; rename it to `path` when the block ends.

    If the block fails, what was written is removed, and a folder that was there stays.

    Args:
        path: The folder to write. One that is there is replaced.

    Raises:
        NotADirectoryError: If `path` is something else than a folder.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    temporary = temporary_beside(path)
    before = temporary_beside(path)
    try:
        yield temporary
        if path.exists():  # No system call puts a folder in the place of another one.
            os.rename(path, before)
        try:
            os.rename(temporary, path)
        except OSError:
            if before.exists():
                os.rename(before, path)
            raise
    finally:
        for left in (temporary, before):
            shutil.rmtree(left, ignore_errors=True)


def expanded(path):
    """Return a path with `~` replaced by the home folder, or as it is where there is none."""
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def temporary_beside(path):
    """Return an unused path in the same folder, which `sweep` removes once this process is gone."""
    # Not the whole name: it may be as long as names can be.
    name = f".tmp-{os.getpid()}-{_processes()}-{next(_numbers)}{path.suffix[-16:]}"
    return path.with_name(name)


@functools.cache
def _processes():
    """Return a name of where the numbers of processes count: this machine, or this container."""
    place = socket.gethostname()
    with contextlib.suppress(OSError):
        place += os.readlink("/proc/self/ns/pid")
    return f"{zlib.crc32(place.encode(errors='replace')):08x}"


def sweep(folder):
    """Remove what `atomic` and `temporary_beside` left in a folder when a process was killed.

    Files of processes that are alive stay, unless they are older than a day. Of another machine or
    container nobody knows which processes are alive.
    """
    with contextlib.suppress(OSError):
        for path in Path(folder).iterdir():
            found = _TEMPORARY.match(path.name)
            if found and _is_left(path, int(found[1]), found[2] in (None, _processes())):
                _remove(path)


def _is_left(path, process, known):
    with contextlib.suppress(OSError):
        if time.time() - path.lstat().st_mtime > STALE_SECONDS:
            return True
    if not known:
        return False
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


def check_own(folder):
    """Raise ValueError if a folder holds more than files and folders of its own.

    What is written through a link lands elsewhere, and a pipe or a device may never end.
    """
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            mode = path.lstat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise ValueError(
                    f"{printable(folder)} must hold files and folders of its own alone. Received: "
                    f"{printable(path.relative_to(folder))}, which is a link or no regular file"
                )


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
    """Return the text of a regular file of at most 16 MiB.

    Raises:
        OSError: If it cannot be read, or is too large.
        ValueError: If it is no UTF-8.
    """
    try:
        check_text(os.stat(regular(path)).st_size)
    except ValueError as error:
        raise OSError(errno.EFBIG, str(error), str(path)) from None
    return Path(path).read_text(encoding="utf-8")


def check_text(size):
    """Raise ValueError if a text of so many bytes is too large to be read."""
    if size > LARGEST_TEXT:
        raise ValueError(f"it is larger than {LARGEST_TEXT >> 20} MiB")


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


def read_json_member(path, name):
    """Return what a JSON file in a zip archive holds.

    Args:
        path: The archive.
        name: The name of the file in it.

    Raises:
        OSError: If the archive cannot be read.
        ValueError: If it is no archive, or holds no such file.
    """
    try:
        with zipfile.ZipFile(check_archive(path)) as archive:
            check_text(archive.getinfo(name).file_size)
            return json.loads(archive.read(name))
    except (KeyError, RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"it holds no {name} that can be read: {short(error)}") from error


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


def check_archive(path, ratio=RATIO):
    """Check a zip archive, such as .npz and .keras files, before it is unpacked.

    Args:
        path: The archive.
        ratio: As many times its own size it may unpack to.

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
    check_unpacked(unpacked, os.stat(path).st_size, ratio)
    return path


def check_unpacked(unpacked, size, ratio=RATIO):
    """Raise ValueError if so many bytes cannot have been written into a file of this size."""
    if unpacked > max(UNPACKED, ratio * size):
        raise ValueError(
            f"it would unpack to {unpacked / 1e6:,.0f} MB, and has {size / 1e6:,.1f} MB itself"
        )


def sha256(path):
    """Return the SHA-256 of a regular file as hexadecimal digits."""
    with open(regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
