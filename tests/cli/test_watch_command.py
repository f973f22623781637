"""`kerasgan watch`: exit codes, messages and the report, live and over what is there."""

import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
from guarded_training import Sabotage, fit, guarded, healthy
from written_pictures import COLLAPSING, HEALTHY, patterns, write_grids

from kerasgan import pictures
from kerasgan.data import to_uint8


@pytest.fixture
def real(tmp_path):
    np.save(tmp_path / "real.npy", to_uint8(patterns(600, seed=1000)))
    return tmp_path / "real.npy"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


def test_a_collapse_in_what_is_there(command, folder, real):
    write_grids(folder, COLLAPSING)
    code, out, err = command("watch", folder, "--real", real, "--once")
    lines = [line for line in out.splitlines() if line.startswith("fakes")]
    assert [line.split()[1] for line in lines][2:] == ["healthy:", "collapsed:", "collapsed:"]
    assert code == 3 and "Error: the training has collapsed: diversity 0." in err
    page = (folder.parent / "results-watch" / "report.html").read_text()
    assert "fakes000004.png" in page and "What it lost" in page
    assert sorted(path.name for path in folder.iterdir()) == [f"fakes{i:06d}.png" for i in range(5)]


def test_a_healthy_training_ends_with_0(command, folder, real, tmp_path):
    write_grids(folder, HEALTHY)
    code, out, _ = command("watch", folder, "--real", real, "--once", "--out", tmp_path / "o")
    assert code == 0 and "collapsed" not in out and (tmp_path / "o" / "report.html").exists()


def test_it_follows_a_training_and_ends_at_its_collapse(command, folder, real):
    write_grids(folder, COLLAPSING[:1])

    def train():
        for i in range(1, 5):
            time.sleep(0.3)
            write_grids(folder, COLLAPSING[i : i + 1], first=i)

    thread = threading.Thread(target=train)
    thread.start()
    code, out, _ = command("watch", folder, "--real", real, "--interval", 0.1)
    thread.join()
    assert code == 3 and out.count("collapsed: ") == 1 and "fakes000003.png  collapsed" in out


def test_a_command_is_run_and_the_watch_goes_on(command, folder, real, tmp_path):
    write_grids(folder, [*COLLAPSING, 12])
    code, out, _ = command(
        "watch", folder, "--real", real, "--interval", 0.1, "--idle", 0.5,
        "--on-collapse", f"echo $KERASGAN_ACTION >> {tmp_path / 'told'}",
    )  # fmt: skip
    assert code == 0 and "fakes000005.png  healthy" in out
    assert (tmp_path / "told").read_text() == "warn\n"


def test_the_grids_of_a_run_of_our_own(command, run_folder, data):
    code, out, err = command("watch", run_folder / "samples", "--real", data, "--once")
    assert code == 0 and "epoch_0001.png  learning: " in out, out + err


def test_it_raises_the_alarms_that_the_guard_raised(command, tmp_path):
    gan, real = healthy()
    (tmp_path / "grids").mkdir()
    np.save(tmp_path / "real.npy", to_uint8(real))

    def write(epoch, logs):
        images = gan.sample(guard.metric.samples, seed=guard.seed)
        pictures.save_grid(tmp_path / "grids" / f"{epoch}.png", images, columns=20)

    guard = guarded("warn", samples=200)
    writer = keras.callbacks.LambdaCallback(on_epoch_end=write)
    fit(gan, real, guard, epochs=8, others=[Sabotage([5]), writer])
    said = [entry.state for entry in guard.journal.entries]
    assert len(said) == 8 and "collapsed" not in said[:5] and said[5] == "collapsed"
    real_images = tmp_path / "real.npy"
    code, out, _ = command("watch", tmp_path / "grids", "--real", real_images, "--once")
    lines = [line for line in out.splitlines() if ".png" in line]
    assert [line.split()[1].rstrip(":") for line in lines] == said
    assert code == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--image-size", "9"], "images of 9x9 pixels, or grids of them"),
        (["--gap", "3"], "images of 8x8 pixels, or grids of them"),
        (["--real", "nowhere/"], "must be a path that exists"),
    ],
)
def test_what_does_not_fit(command, folder, real, options, words):
    write_grids(folder, HEALTHY)
    code, _, err = command("watch", folder, "--real", real, "--once", *options)
    assert code != 0 and words in err


def test_nothing_to_read(command, folder, real):
    folder.mkdir()
    code, _, err = command("watch", folder, "--real", real, "--once")
    assert code == 1 and "no pictures were found" in err


def test_too_few_real_images(command, folder, tmp_path):
    write_grids(folder, HEALTHY)
    np.save(tmp_path / "few.npy", to_uint8(patterns(30, 0)))
    code, _, err = command("watch", folder, "--real", tmp_path / "few.npy", "--once")
    assert code == 1 and "at least 40 real images" in err


def test_it_needs_no_tensorflow(folder, real, backend_name):
    write_grids(folder, COLLAPSING)
    blocked = "tensorflow" if backend_name != "tensorflow" else "torch"
    code = (
        "import sys, importlib.util\n"
        "class Hidden:\n"
        "    def find_spec(self, name, *rest):\n"
        f"        if name.split('.')[0] == {blocked!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "found = importlib.util.find_spec\n"
        "def find_spec(name, *rest):\n"
        f"    return None if name == {blocked!r} else found(name, *rest)\n"
        "importlib.util.find_spec = find_spec\n"
        "from kerasgan_cli import main\n"
        f"main(['watch', {str(folder)!r}, '--real', {str(real)!r}, '--once'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
