"""What an attack got through, each mended as a kind."""

import os
import signal
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest
from PIL import Image

from kerasgan import files, foreign, storage
from kerasgan.callbacks import MetricsFile
from kerasgan.data import DataError, load, picture_files
from kerasgan.pictures import opened
from kerasgan.watch.files import Pictures
from kerasgan_cli.runs import Run

pytestmark = pytest.mark.numpy
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"


@pytest.fixture
def no_programs(monkeypatch):
    def popen(*args, **kwargs):
        raise AssertionError(f"started {args}")

    monkeypatch.setattr(subprocess, "Popen", popen)


def test_no_picture_starts_a_program(no_programs, tmp_path):
    path = tmp_path / "epoch_0001.png"
    path.write_bytes(EPS)
    assert opened(path) is None
    pictures = Pictures(tmp_path, (8, 8, 3))
    assert list(pictures.new(last=True)) == [] and pictures.skipped[0][0] == path


def test_pictures_of_a_run_and_of_others_are_bounded(monkeypatch, tmp_path):
    path = tmp_path / "fake1.png"
    Image.new("L", (64, 64)).save(path)
    monkeypatch.setattr(picture_files, "MOST", 64 * 64 - 1)
    assert opened(path) is None
    pictures = Pictures(tmp_path, (8, 8, 1))
    assert list(pictures.new(last=True)) == []
    assert "more than 4095 pixels" in pictures.skipped[0][1]


def test_progressive_jpegs_count_whole(monkeypatch, tmp_path):
    from kerasgan.data import folder
    from kerasgan.data.folder_files import FolderFiles

    taken = []
    usual = folder.ROOM.taken
    monkeypatch.setattr(folder.ROOM, "taken", lambda n: taken.append(n) or usual(n))
    for name, progressive in (("a.jpg", True), ("b.jpg", False)):
        Image.new("RGB", (640, 640)).save(tmp_path / name, progressive=progressive)
        options = {"image_size": 8, "channels": 3, "upscale": False}
        folder.read_image(FolderFiles(tmp_path), [name, 1, 0], options)
    assert taken[0] == 640 * 640 and taken[1] < taken[0]


@pytest.mark.parametrize("kind", ["folder", "file", "pipe"])
def test_a_run_with_links_is_not_written_into(kind, tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    run.mkdir()
    other.mkdir()
    if kind == "pipe":
        os.mkfifo(run / "report.html")
    else:
        (run / "samples").symlink_to(other if kind == "folder" else other / "a.png")
    with pytest.raises(ValueError, match="files and folders of its own alone"):
        files.check_own(run)


def test_a_model_file_is_what_is_checked(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"")
    with pytest.raises(storage.PresetError, match=r"must end in \.keras"):
        storage.load_model(path)


def test_arrays_of_text_are_refused(tmp_path):
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("vars", (100,), h5py.string_dtype(), fillvalue="x" * 1000)
    with pytest.raises(ValueError, match="vars holds no numbers"):
        foreign.check_arrays(path, path.stat().st_size)


def test_sizes_that_wrap_around_are_counted(tmp_path):
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("vars", (2**32, 2**32), "f4", chunks=(1, 1024))
    with pytest.raises(ValueError, match="would unpack"):
        foreign.check_arrays(path, path.stat().st_size)


def test_a_configuration_of_many_values_is_read_in_little_memory():
    import tracemalloc

    config = {"class_name": "a>__lambda__", "more": [[] for _ in range(100_000)]}
    tracemalloc.start()
    assert foreign.unsafe_classes(config)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_archives_of_images_are_bounded(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "UNPACKED", 1 << 20)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, images=np.zeros((400, 128, 128), "uint8"))
    with pytest.raises(DataError, match="would unpack to"):
        load(path, batch_size=1)


def test_files_are_measured_before_they_are_read(monkeypatch, tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"{}")
    monkeypatch.setattr(storage, "sha256", lambda path: pytest.fail("was read"))
    with pytest.raises(storage.PresetError, match="must have 3 bytes"):
        storage._verify(path, {"sha256": "0", "bytes": 3})
    monkeypatch.setattr(storage, "LARGEST_FILE", 1)
    with pytest.raises(storage.PresetError, match="at most 1"):
        storage._verify(path, {"sha256": "0", "bytes": 2})


def test_temporary_files_of_another_container_stay(tmp_path):
    ours = files.temporary_beside(tmp_path / "a.png")
    number, place = ours.name.split("-")[1:3]
    gone = tmp_path / ours.name.replace(number, "4000000")
    other = tmp_path / gone.name.replace(place, "0" * 8)
    for path in (ours, gone, other):
        path.touch()
    files.sweep(tmp_path)
    assert ours.exists() and other.exists() and not gone.exists()
    old = time.time() - 2 * files.STALE_SECONDS
    os.utime(other, (old, old))
    files.sweep(tmp_path)
    assert not other.exists()


class Model:
    critic_steps = 0
    stop_training = False


def test_an_epoch_in_two_parts_that_is_repeated_has_the_same_row(tmp_path):
    def part(model, epoch, steps, loss, cut):
        """Train a part of an epoch, and return the callback as it is behind it."""
        rows = MetricsFile(tmp_path / "metrics.csv")
        rows.set_model(model)
        rows.set_params({"steps": 10 if cut else steps})
        rows.on_train_begin()
        rows.on_epoch_begin(epoch)
        for batch in range(steps):
            rows.on_train_batch_begin(batch)
        model.critic_steps += steps
        model.stop_training = cut
        rows.on_epoch_end(epoch, {"critic_loss": loss})
        return rows

    model = Model()
    part(model, 0, 4, 1.0, cut=True).on_train_end()
    part(model, 0, 6, 2.0, cut=False)  # Killed before the state is saved,
    first = (tmp_path / "metrics.csv").read_text().split(",")[-2]
    model.critic_steps = 4  # so it goes back to the end of the first part.
    part(model, 0, 6, 2.0, cut=False).on_train_end()
    assert (tmp_path / "metrics.csv").read_text().split(",")[-2] == first
    assert "1.6" in first and not (tmp_path / "metrics.part.json").exists()


STREAMS = {
    "stderr on a full disk": "2>/dev/full",
    "both on a full disk": ">/dev/full 2>&1",
    "no stdout": ">&-",
    "no stderr": "2>&-",
}
SMALL = "--network mlp --width 4 --latent-dim 4 --epochs 1 --data pixels.npy"


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_trainings_end_well_without_streams(name, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype="uint8")
    np.save(tmp_path / "pixels.npy", pixels)
    command = f"{sys.executable} -m kerasgan_cli train gan {SMALL} {STREAMS[name]}"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=300).returncode == 0
    assert list(tmp_path.glob("runs/*/model.keras"))


@pytest.mark.slow
def test_a_termination_while_keras_loads_is_an_interrupt(tmp_path):
    np.save(tmp_path / "pixels.npy", np.zeros((80, 12, 12), "uint8"))
    command = [sys.executable, "-m", "kerasgan_cli", "train", "gan", *SMALL.split()]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert "loading Keras" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=300)[1]
    assert process.returncode == 130 and "Interrupted." in error and "Traceback" not in error


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    run = Run(tmp_path)
    refused = pytest.raises(ValueError, match="another process is training in")
    with run.alone(), refused, run.alone():
        pass
    with run.alone():
        pass


def test_the_newest_state_is_not_chosen_by_times(tmp_path):
    run = Run(tmp_path)
    for path, steps in ((run.checkpoint, 8), (run.model, 4)):  # As a copy may have them.
        weights = tmp_path / "weights.h5"
        with h5py.File(weights, "w") as file:
            file.create_dataset("vars/schedule", data=[steps, steps, 0])
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(weights, "model.weights.h5")
    os.utime(run.checkpoint, (0, 0))
    assert run.model_file() == run.checkpoint and not run.is_whole(None, False)
