"""A training that is killed at any moment goes on as if nothing had happened."""

import keras
import numpy as np
import pytest
from guarded_training import Sabotage, fit, guarded, healthy

from kerasgan.callbacks import Checkpoint, MetricsFile, SampleGrid
from kerasgan.files import read_rows

EPOCHS = 7
BROKEN_IN = (3, 5)
PLACES = ("before the guard", "after the guard", "before the checkpoint", "after the checkpoint")


class Killed(BaseException):
    """Stands for a process that ends here."""


class Kill(keras.callbacks.Callback):
    """Ends the process at the end of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Killed


def train(folder, every=4, place=None, epoch=None, policy="rescue"):
    """Train, or go on from the checkpoint in the folder, with the callbacks of the command line."""
    gan, real = healthy()
    if (folder / "checkpoint.keras").exists():
        gan = keras.saving.load_model(folder / "checkpoint.keras")
    guard = guarded(policy, folder=folder, every=every)
    watchers = [
        guard,
        MetricsFile(folder / "metrics.csv"),
        SampleGrid(folder / "samples", n=4, animation=None),
        Checkpoint(folder / "checkpoint.keras"),
    ]
    if place is not None:
        watchers.insert([0, 1, 3, 4][PLACES.index(place)], Kill(epoch))
    first = gan.critic_steps // 10
    gan.fit(
        real,
        batch_size=60,
        epochs=EPOCHS,
        initial_epoch=first,
        verbose=0,
        callbacks=[Sabotage(BROKEN_IN), *watchers],
    )
    return gan, guard


def rows(folder):
    found = read_rows(folder / "metrics.csv")
    for row in found:
        del row["seconds"]
    return found


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folders = {}

    def trained(every):
        if every not in folders:
            folder = tmp_path_factory.mktemp("straight")
            folders[every] = folder, *train(folder, every)
        return folders[every]

    return trained


@pytest.mark.parametrize("every", [4, 10])
@pytest.mark.parametrize("epoch", [2, 3, 4])
@pytest.mark.parametrize("place", PLACES)
def test_it_goes_the_same_way(place, epoch, every, straight, tmp_path, backend_name):
    folder, gan, guard = straight(every)
    assert guard.journal.rescues == 2
    with pytest.raises(Killed):
        train(tmp_path, every, place, epoch)
    again, resumed = train(tmp_path, every)
    assert files(tmp_path) == files(folder)
    assert [e.step for e in resumed.journal.entries] == [e.step for e in guard.journal.entries]
    assert [e.state for e in resumed.journal.entries] == [e.state for e in guard.journal.entries]
    assert resumed.journal.decisions == guard.journal.decisions
    assert resumed.store.steps == guard.store.steps
    np.testing.assert_allclose(resumed.journal.peaks, guard.journal.peaks)
    assert [row["epoch"] for row in rows(tmp_path)] == [str(e + 1) for e in range(EPOCHS)]
    if backend_name != "torch":
        assert resumed.journal.entries == guard.journal.entries
        assert rows(tmp_path) == rows(folder)
        for a, b in zip(gan.weights, again.weights, strict=True):
            np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


def test_a_collapse_that_was_told_is_not_told_again(tmp_path):
    for place in ("after the checkpoint", None):
        try:
            _, guard = train(tmp_path, 10, place, 4, policy="warn")
        except Killed:
            continue
    told = [d.epoch for d in guard.journal.decisions if d.action == "warn"]
    assert told == [4]


def test_data_that_cannot_be_read_again_leave_the_journal(tmp_path):
    train(tmp_path, 10)
    gan = keras.saving.load_model(tmp_path / "checkpoint.keras")
    guard = guarded(folder=tmp_path, data=iter([]))
    _, real = healthy()
    fit(gan, real, guard, epochs=EPOCHS + 1, initial_epoch=EPOCHS)
    assert guard.journal.rescues == 2 and len(guard.journal.entries) == EPOCHS
