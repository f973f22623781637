"""TensorBoard: what it shows of a training, of one that was resumed too."""

import numpy as np
import pytest

import kerasgan
from kerasgan import environment, networks
from kerasgan.callbacks import SampleGrid, TensorBoard
from kerasgan_cli import main

pytest.importorskip("tensorboardX")
IMAGES = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1)).astype("float32")


def gan():
    found = kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=1))
    found.compile()
    return found


def shown(folder):
    """Return what TensorBoard reads: the scalars by step, and the steps of the images."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = events.EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    found.Reload()
    tags = found.Tags()
    scalars = {tag: {e.step: e.value for e in found.Scalars(tag)} for tag in tags["scalars"]}
    counts = {tag: len(found.Scalars(tag)) for tag in tags["scalars"]}
    assert all(counts[tag] == len(steps) for tag, steps in scalars.items())
    return scalars, [e.step for e in found.Images("samples")] if tags["images"] else []


def fit(model, folder, **more):
    grids = SampleGrid(folder / "samples", n=4, animation=None)
    board = TensorBoard(folder / "board", folder / "samples")
    return model.fit(IMAGES, batch_size=16, verbose=0, callbacks=[grids, board], **more)


def test_it_shows_the_logs_and_the_grids(tmp_path):
    history = fit(gan(), tmp_path, epochs=3).history
    scalars, images = shown(tmp_path / "board")
    assert scalars.keys() == history.keys() and images == [1, 2, 3]
    for name, values in history.items():
        np.testing.assert_allclose(list(scalars[name].values()), values, rtol=1e-5)
        assert list(scalars[name]) == [1, 2, 3]


def test_a_resumed_training_goes_on_and_repeats_nothing(tmp_path):
    model = gan()
    fit(model, tmp_path, epochs=3)
    later = fit(model, tmp_path, initial_epoch=2, epochs=4).history  # The third one once more.
    scalars, images = shown(tmp_path / "board")
    assert list(scalars["critic_loss"]) == [1, 2, 3, 4] and images == [1, 2, 3, 4]
    found = [scalars["critic_loss"][step] for step in (3, 4)]
    np.testing.assert_allclose(found, later["critic_loss"], rtol=1e-5)


def test_without_grids_it_shows_the_logs_alone(tmp_path):
    gan().fit(IMAGES, batch_size=16, verbose=0, callbacks=[TensorBoard(tmp_path)])
    scalars, images = shown(tmp_path)
    assert "generator_loss" in scalars and images == []


def test_without_tensorboardx_there_is_a_pip_line(tmp_path, monkeypatch):
    monkeypatch.setattr(environment.util, "find_spec", lambda name: None)
    with pytest.raises(environment.MissingPackage, match=r"pip install 'kerasgan\[tensorboard\]'"):
        TensorBoard(tmp_path)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code, capsys.readouterr().err


def test_the_shell_writes_it_into_the_run(tmp_path, monkeypatch, backend_name, capsys):
    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    np.save(tmp_path / "x.npy", ((IMAGES + 1) * 127.5).astype("uint8"))
    small = ["--network", "mlp", "--width", 4, "--latent-dim", 4, "--batch-size", 16]
    place = ["--data", tmp_path / "x.npy", "--run-dir", tmp_path / "r", "--guard", "off"]
    given = ["train", "gan", *place, *small, "--epochs", 2, "--tensorboard"]
    assert run(capsys, *given)[0] == 0
    (folder,) = (tmp_path / "r").glob("0*")
    assert run(capsys, "train", "--resume", folder, "--epochs", 3)[0] == 0  # It remembers.
    scalars, images = shown(folder / "tensorboard")
    assert list(scalars["critic_loss"]) == [1, 2, 3] and images == [1, 2, 3]
    assert run(capsys, "train", "--resume", folder, "--epochs", 4, "--no-tensorboard")[0] == 0
    assert list(shown(folder / "tensorboard")[0]["critic_loss"]) == [1, 2, 3]
    monkeypatch.setattr(environment.util, "find_spec", lambda name: None)
    code, err = run(capsys, *given)
    assert code == 1 and "--tensorboard needs tensorboardX" in err
    assert len(list((tmp_path / "r").glob("0*"))) == 1
