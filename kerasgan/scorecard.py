"""The figures on a preset's card: measured once, written down, and measured again by anyone."""

import contextlib
import dataclasses
import math

import numpy as np

from kerasgan.data import DataError, from_uint8, load
from kerasgan.metrics import Evaluator, Provenance, Result, code_agreement
from kerasgan.metrics.features import content_hash
from kerasgan.storage import PresetError

LOADING = ("name_or_path", "image_size", "channels", "split", "limit", "upscale")
NOISE = (0.05, 0.1, 0.2, 0.3)
SEEDS = (0, 1, 2)


def measure(model, data, samples=10_000):
    """Return the card of a model, a dict of JSON values.

    Args:
        model: An adversarial model.
        data: Arguments of `kerasgan.data.load` that give the training images.
        samples: Generated images, and real ones in each of two sets.

    Returns:
        `data` and `samples` as given; `results`, each a `Result.as_dict()` of the first seed;
        `errors`, how far each result lies from itself with other seeds of the samples; and where
        the Fréchet distance is among them, `noise`: the same distance of real images with Gaussian
        noise of so many standard deviations, in [-1, 1].
    """
    judge = _Judge(model, _loading(data), samples)
    runs = [judge(seed) for seed in SEEDS]
    errors = {}
    for results in zip(*runs, strict=True):
        values = [result.value for result in results]
        spread = float(np.std(values, ddof=1)) if np.isfinite(values).all() else math.nan
        if len(set(values)) == 1:  # Where the mean of equal values rounds.
            spread = 0.0
        errors[results[0].name] = spread
    return {
        "data": data,
        "samples": samples,
        "results": [result.as_dict() for result in runs[0]],
        "errors": {name: error for name, error in errors.items() if math.isfinite(error)},
        "noise": judge.noise(),
    }


@dataclasses.dataclass(frozen=True)
class Check:
    """A figure on a card and the same figure now.

    Args:
        name: Of the figure.
        published: What the card says.
        error: Within which it must be.
        now: What was measured, or None where it was not.
    """

    name: str
    published: float
    error: float
    now: float | None

    @property
    def passed(self):
        """Whether the two agree; two that are no numbers do."""
        if self.now is None:
            return False
        if not (math.isfinite(self.published) and math.isfinite(self.now)):
            return str(self.published) == str(self.now)
        return abs(self.now - self.published) <= self.error


def check(model, card):
    """Measure the figures of a card again and return a `Check` for each.

    Scores, what real images score, the shares of the classes and the distances of noisy real
    images. A score may differ by its error on the card, or by a thousandth of itself where that is
    more: other backends and processors round differently. What real images score may differ by a
    thousandth, and where it rests on clusters, which end elsewhere then, by the score's error.

    Raises:
        PresetError: If it is no card.
    """
    try:
        published = [Result.from_dict(result) for result in card["results"]]
        errors = {name: float(error) for name, error in card["errors"].items()}
        noise = {name: float(value) for name, value in card["noise"].items()}
        data, samples = _loading(card["data"]), int(card["samples"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PresetError(f"the card holds no figures that can be checked: {error!r}") from error
    judge = _Judge(model, data, samples)
    again = {result.name: result for result in judge(SEEDS[0])}
    found = []
    for old in published:
        new = again.get(old.name)
        if new is None or new.provenance != old.provenance:
            found.append(Check(old.name, old.value, 0.0, None))
            continue
        moves = errors.get(old.name, 0.0)
        error = max(moves, _rounding(old.value))
        found.append(Check(old.name, old.value, error, new.value))
        clustered = moves if old.name in _CLUSTERED else 0.0
        for name, within in (("baseline", clustered), ("floor", 0.0)):
            then, now = getattr(old, name), getattr(new, name)
            if then is not None or now is not None:
                then, now = (math.nan if value is None else value for value in (then, now))
                error = max(within, _rounding(then))
                found.append(Check(f"{old.name}, {_WORDS[name]}", then, error, now))
        shares, now = old.details.get("shares", {}), new.details.get("shares", {})
        if shares.keys() == now.keys() and shares:
            apart = max(abs(shares[k] - now[k]) for k in shares)
            found.append(Check(f"{old.name}, shares of classes: apart", 0.0, 0.005, apart))
        elif shares or now:
            found.append(Check(f"{old.name}, shares of classes: apart", 0.0, 0.005, None))
    now = judge.noise() if noise else {}
    for sd, value in noise.items():
        name = f"frechet_distance of real images with noise {sd}"
        found.append(Check(name, value, _rounding(value), now.get(sd)))
    return found


_CLUSTERED = ("ndb", "ndb_js")
_WORDS = {"baseline": "real images", "floor": "floor"}


def _rounding(value):
    return 1e-3 * abs(value) if math.isfinite(value) else 0.0


def _loading(data):
    """Return arguments for `load` that read images and nothing else, whoever wrote them.

    Raises:
        PresetError: If there is another one.
    """
    if not isinstance(data, dict) or "name_or_path" not in data or data.keys() - set(LOADING):
        raise PresetError(
            f"a card's data must be given by {', '.join(LOADING)}. Received: {data!r}"
        )
    return dict(data)


class _Judge:
    """Scores a model with samples of any seed."""

    def __init__(self, model, data, samples):
        self.model = model
        self.samples = samples
        self.stacked = data["name_or_path"] == "stacked_mnist"
        if self.stacked:
            from kerasgan.bench.modes.tasks import TASKS  # Reads MNIST.

            self.task = TASKS["stacked-mnist"]
            return
        self.real = load(**data)
        self.evaluator = Evaluator(self.real, samples=samples)
        # Of test images, and the same whatever the samples are.
        kinds = {"read_codes": _codes, "log_prob": _likelihood}
        own = [score for name, score in kinds.items() if hasattr(model, name)]
        self.own = []
        if own:
            with contextlib.suppress(DataError):  # There are sets without a test split.
                test = load(**{**data, "split": "test"})
                self.own = [score(model, test) for score in own]

    def __call__(self, seed):
        images = self.model.sample(self.samples, seed=seed)
        if self.stacked:
            found = self.task.score(images)
            return [result for result in found if result.name != "high_quality"]
        return [*self.evaluator(images), *self.own]

    def noise(self):
        """Return the Fréchet distance of noisy real images for each standard deviation."""
        if self.stacked:
            return {}
        distance = Evaluator(self.real, metrics=["frechet_distance"], samples=self.samples)
        real = distance.held_out.images
        real = from_uint8(real) if real.dtype == np.uint8 else real
        draw = np.random.default_rng(0)
        found = {}
        for sd in NOISE:
            noisy = real + sd * draw.standard_normal(real.shape, dtype="float32")
            found[str(sd)] = distance(np.clip(noisy, -1, 1))[0].value
        return found


def _codes(model, test):
    """Return how well an InfoGAN's first categorical code tells the classes of test images."""
    codes = model.read_codes(test.take(test.num_examples))["categorical_0"]
    value = code_agreement(codes, test.labels)
    n, classes = test.num_examples, len(np.unique(test.labels))
    return Result(
        "code_agreement",
        value,
        _of_test("code_agreement", test),
        better="higher",
        error=math.sqrt(value * (1 - value) / (n - n // 2)),  # Of the half that is told.
        remark=f"the code of test images against their labels; chance is {1 / classes:.2f}",
    )


def _likelihood(model, test):
    """Return the bits per dimension of test images."""
    bits = model.log_prob(test.take(test.num_examples))["bits_per_dimension"]
    return Result(
        "bits_per_dimension",
        float(np.mean(bits)),
        _of_test("bits_per_dimension", test),
        error=float(np.std(bits) / math.sqrt(len(bits))),
        remark="of test images; 8 are those of uniform noise",
    )


def _of_test(name, test):
    n = test.num_examples
    return Provenance(name, content_hash(test.images), "none", "none", n, n, 0, f"{test.name} test")
