"""What is no regular file, leftovers of killed processes, and files that unpack to far more."""

import io
import os
import subprocess
import sys
import threading
import zipfile

import h5py
import numpy as np
import pytest

from kerasgan import files, foreign, storage
from kerasgan.data import DataError, fitting, pixels
from kerasgan.text import printable, short

pytestmark = pytest.mark.numpy


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")  # As long as names may be.
    files.write_json(path, [1])
    with pytest.raises(RuntimeError), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert files.read_json(path) == [1] and list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_into_and_stays_one():
    before = os.stat(os.devnull).st_mode
    files.write_json(os.devnull, [1])
    assert os.stat(os.devnull).st_mode == before


def test_a_pipe_is_written_into(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    files.write_json(pipe, [1])
    reader.join(10)
    assert read == ["[\n  1\n]\n"] and pipe.is_fifo()


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError), files.atomic(tmp_path) as temporary:
        temporary.write_text("")


@pytest.mark.parametrize(
    "read",
    [files.read_text, files.read_json, files.sha256, files.check_archive, storage.load_model],
)
def test_a_pipe_is_never_read(read, tmp_path):
    pipe = tmp_path / "pipe.keras"
    os.mkfifo(pipe)
    with pytest.raises((OSError, ValueError), match="it is no regular file"):
        read(pipe)


def test_json_that_is_nested_too_deeply(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        files.read_json(tmp_path / "a.json")


def test_a_text_that_is_too_large(tmp_path):
    with open(tmp_path / "a.json", "wb") as file:
        file.truncate(files.LARGEST_TEXT + 1)
    with pytest.raises(OSError, match="larger than 16 MiB"):
        files.read_text(tmp_path / "a.json")


def test_leftovers_of_processes_that_are_gone(tmp_path):
    command = "import os, sys; print(os.getpid())"
    gone = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    left = tmp_path / f".tmp-{gone.stdout.strip()}-0.json"
    left.write_text("")
    (tmp_path / f".tmp-{gone.stdout.strip()}-1").mkdir()
    (tmp_path / f".tmp-{gone.stdout.strip()}-1" / "images.npy").write_text("")
    old = tmp_path / f".tmp-{os.getpid()}-77.json"
    old.write_text("")
    os.utime(old, (0, 0))
    mine = files.temporary_beside(tmp_path / "a.json")
    mine.write_text("")
    (tmp_path / ".tmp-mine").write_text("")  # Somebody else's name.
    files.sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([mine.name, ".tmp-mine"])
    files.sweep(tmp_path / "nowhere")


def test_an_archive_that_unpacks_to_gigabytes(tmp_path):
    path = tmp_path / "golden.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(200):
            member.write(bytes(1 << 20))
    with pytest.raises(ValueError, match=r"would unpack to 210 MB, and has 0\.2 MB itself"):
        files.check_archive(path)
    with pytest.raises(storage.PresetError, match="would unpack"):
        storage.golden_samples(tmp_path)
    np.savez_compressed(path, images=np.zeros((16, 28, 28, 1), "float16"), seed=1)
    assert storage.golden_samples(tmp_path)[0].shape == (16, 28, 28, 1)


def arrays(make):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        make(file)
    return memory, len(memory.getvalue())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: f.create_dataset("vars/schedule", (10**9,), "int64", chunks=True), "unpack"),
        (lambda f: f.__setitem__("vars", h5py.ExternalLink("/etc/passwd", "/")), "another place"),
        (lambda f: f.__setitem__("vars", h5py.SoftLink("/other")), "another place"),
        (
            lambda f: f.create_dataset("vars/0", (8,), "u1", external=[("/etc/passwd", 0, 8)]),
            "another file",
        ),
    ],
)
def test_arrays_that_are_elsewhere_or_far_larger_than_their_file(make, words):
    with pytest.raises(ValueError, match=words):
        foreign.check_arrays(*arrays(make))


def test_arrays_of_their_own_size():
    foreign.check_arrays(*arrays(lambda f: f.create_dataset("vars/0", data=np.zeros((100, 100)))))


def test_a_huge_image_is_shrunk_first():
    from PIL import Image

    huge = Image.new("RGB", (5000, 4000), (10, 20, 30))
    small = fitting.without_excess(huge, 64)
    assert small.size == (334, 267) and small.getpixel((5, 5)) == (10, 20, 30)
    assert fitting.without_excess(huge, None) is huge
    assert fitting.without_excess(huge.resize((100, 80)), 64).size == (100, 80)


def test_pixels_in_flight_are_bounded():
    room, inside, most = pixels.Room(100), [0], [0]
    lock = threading.Lock()

    def work(count):
        with room.taken(count):
            with lock:
                inside[0] += min(count, 100)
                most[0] = max(most[0], inside[0])
            with lock:
                inside[0] -= min(count, 100)

    threads = [threading.Thread(target=work, args=(n,)) for n in [40, 500, 70, 30, 100, 1] * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most[0] <= 100 and not any(thread.is_alive() for thread in threads)


def test_names_that_would_move_the_cursor():
    assert printable("a\x1b[2Jb\n\tc\u202e\udcff") == "a\\x1b[2Jb\\n\\tc\\u202e\\udcff"
    assert printable("Größe 文 é") == "Größe 文 é"


def test_an_error_is_one_short_line():
    text = short(DataError("x" * 9000 + "\nthe end"))
    assert len(text) < 320 and text.startswith("DataError: xxx") and text.endswith("the end")
    assert short(ValueError("a\n  b")) == "ValueError: a b"
