"""The best state by a score: what is kept, and that a resumed training goes on with it."""

import json
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import callbacks, networks, storage
from kerasgan.callbacks import scores as scores_module
from kerasgan.metrics import MetricError
from kerasgan.metrics.extractors import Pixels
from kerasgan.metrics.result import ProvenanceError, read_record

REAL = np.random.default_rng(0).uniform(-1, 1, (240, 8, 8, 1)).astype("float32")


class Planned:
    """Scores the epochs with numbers that were written down; MetricError stands for NaN."""

    def __init__(self, evaluator, values):
        self.evaluator = evaluator
        self.values = list(values)
        self.weights = []

    def __call__(self, model):
        model.synchronize()
        self.weights.append(weights(model))
        value = self.values.pop(0)
        if value is None:
            raise MetricError("not finite")
        found = self.evaluator(model)
        return [r.__class__(**{**vars(r), "value": value}) for r in found]

    def __getattr__(self, name):
        return getattr(self.evaluator, name)


def weights(model):
    return [np.array(ops.convert_to_numpy(w)) for w in model.weights]


def made():
    keras.utils.set_random_seed(3)
    gan = kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=1), seed=3)
    gan.compile()
    return gan


def scorer(values=None, metrics=("coverage",), **arguments):
    found = callbacks.Scores(REAL, metrics=metrics, samples=100, extractor=Pixels(), **arguments)
    if values is not None:
        found.evaluator = Planned(found.evaluator, values)
    return found


def fit(gan, epochs, *watchers, **arguments):
    gan.fit(REAL[:32], batch_size=8, epochs=epochs, verbose=0, callbacks=watchers, **arguments)


def assert_equal(some, others):
    for a, b in zip(some, others, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("metric", "values", "epoch"),
    [
        ("coverage", [0.5, 0.7, None, 0.6, 0.7], 2),
        ("frechet_distance", [0.5, 0.7, None, 0.4, 0.6], 4),
    ],
)
def test_the_state_with_the_best_score_is_kept(metric, values, epoch, tmp_path):
    best = tmp_path / "best.keras"
    scores = scorer(values, [metric], best=best)
    fit(made(), 5, scores)
    found, result = read_record(best)
    assert (found, result.name, result.value) == (epoch, metric, values[epoch - 1])
    assert scores.record == (found, result)
    assert_equal(weights(storage.load_model(best)), scores.evaluator.weights[epoch - 1])
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


def test_one_score_of_several_decides(tmp_path):
    scores = scorer(metrics=["prdc", "frechet_distance"], best=tmp_path / "b.keras", by="recall")
    logs = {}
    gan = made()
    fit(
        gan,
        1,
        scores,
        keras.callbacks.LambdaCallback(on_epoch_end=lambda _, found: logs.update(found)),
    )
    assert read_record(tmp_path / "b.keras")[1].name == "recall"
    assert {"precision", "recall", "density", "coverage", "frechet_distance"} <= logs.keys()


@pytest.mark.parametrize("by", ["density", "recall", "vendi_score", "nothing"])
def test_a_score_without_a_direction_is_refused(by, tmp_path):
    with pytest.raises(ValueError, match=r"`by` must be a score .* one of \['coverage'\]"):
        scorer(metrics=["coverage", "vendi_score"], best=tmp_path / "b.keras", by=by)
    with pytest.raises(ValueError, match="Received: 'vendi_score'"):
        scorer(metrics=["vendi_score"], best=tmp_path / "b.keras")
    scorer(metrics=["vendi_score"])


def resumed(gan, folder):
    storage.save_model(gan, folder / "state.keras")
    return storage.load_model(folder / "state.keras")


@pytest.mark.parametrize("values", [[0.5, 0.9, 0.7, 0.8], [0.5, 0.7, 0.6, 0.8]])
def test_a_resumed_training_has_the_same_best(values, tmp_path):
    straight, cut = tmp_path / "straight.keras", tmp_path / "cut.keras"
    fit(made(), 4, scorer(values, best=straight, epochs=4))
    fit(gan := made(), 3, scorer(values[:3], best=cut, epochs=4))
    scores = scorer(values[3:], best=cut)
    fit(resumed(gan, tmp_path), 4, scores, initial_epoch=3)
    assert scores.record == read_record(cut) == read_record(straight)
    assert read_record(cut)[0] == 1 + values.index(max(values))
    first, second = (weights(storage.load_model(path)) for path in (cut, straight))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_training_that_begins_replaces_what_another_left(tmp_path):
    best = tmp_path / "best.keras"
    fit(made(), 1, scorer([0.9], best=best))
    fit(made(), 1, scorer([0.1], best=best))
    assert read_record(best)[1].value == 0.1


def test_a_score_that_cannot_be_compared_is_refused_before_a_step(tmp_path):
    best = tmp_path / "best.keras"
    fit(gan := made(), 1, scorer([0.9], best=best))
    steps = gan.critic_steps
    with pytest.raises(ProvenanceError, match=r"move it away .* Received: .*seed 0; "):
        fit(gan, 2, scorer(best=best, seed=5), initial_epoch=1)
    assert gan.critic_steps == steps and read_record(best)[1].value == 0.9


def with_notes(path, text):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(storage.NOTES, text)


@pytest.mark.parametrize("damage", ["no archive", "no notes", "[]", '{"epoch": 1, "score": {}}'])
def test_a_damaged_best_state_is_kept_beside_a_new_one(damage, tmp_path):
    best = tmp_path / "best.keras"
    fit(gan := made(), 1, scorer([0.9], best=best))
    if damage == "no archive":
        best.write_text("x")
    elif damage == "no notes":
        storage.save_model(gan, best)
    else:
        with_notes(best, damage)
    with pytest.warns(UserWarning, match="holds no score that can be read.*kept as best.keras.dam"):
        fit(gan, 2, scorer([0.2], best=best), initial_epoch=1)
    assert read_record(best)[1].value == 0.2 and (tmp_path / "best.keras.damaged").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": 0},
        {"epoch": True},
        {"score": {"value": [1]}},
        {"score": {"name": 3}},
        {"score": {"value": 10**400}},
        {"score": {"baseline": {}}},
    ],
)
def test_a_record_of_somebody_else_is_checked(change, tmp_path):
    best = tmp_path / "best.keras"
    fit(made(), 1, scorer([0.9], best=best))
    with zipfile.ZipFile(best) as archive:
        notes = json.loads(archive.read(storage.NOTES))
    score = change.pop("score", {})
    with_notes(best, json.dumps({**notes, **change, "score": {**notes["score"], **score}}))
    with pytest.raises(ValueError, match=storage.NOTES.replace(".", "[.]")):
        read_record(best)


def test_a_state_that_is_not_finite_is_not_kept(tmp_path):
    gan = made()  # The images are those of the moving average, which is finite still.
    watcher = scorer([0.9], best=tmp_path / "best.keras")

    def broken(epoch, logs):
        gan.synchronize()
        gan.critic.weights[0].assign(gan.critic.weights[0] * np.nan)

    fit(gan, 1, keras.callbacks.LambdaCallback(on_epoch_end=broken), watcher)
    assert not list(tmp_path.iterdir()) and watcher.record is None


class Stop(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        self.model.stop_training = batch == 1


def test_an_epoch_that_was_cut_has_no_score(tmp_path):
    scores = scorer([0.9], best=tmp_path / "best.keras")
    fit(made(), 1, Stop(), scores)
    assert scores.results == [] and not list(tmp_path.iterdir())


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


def test_by_default_scores_take_three_percent_of_the_time(monkeypatch):
    clock, epochs = Clock(), []
    monkeypatch.setattr(scores_module, "time", clock)

    class Slow(Pixels):
        def extract(self, images):
            clock.now += 0.0299 * len(images)
            return super().extract(images)

    def step(batch, logs):
        clock.now += 1 if clock.now > started else 100  # The first one compiles.

    scores = callbacks.Scores(REAL, ["coverage"], samples=100, every=None, extractor=Slow())
    started = clock.now
    watchers = [
        keras.callbacks.LambdaCallback(on_train_batch_end=step),
        scores,
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: "coverage" in logs and epochs.append(epoch + 1)
        ),
    ]
    fit(made(), 60, *watchers)
    # A hundred images take three seconds, 3 % of a hundred: those of 25 epochs of four steps.
    assert scores.every == 25
    assert epochs == [25, 50, 60]
