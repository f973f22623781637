"""The figures on a preset's card: `measure` measures them and `check` repeats the measurement."""

import contextlib
import dataclasses
import math

import numpy as np

from kerasgan.data import DataError, from_uint8, load
from kerasgan.metrics import Evaluator, Provenance, Result, code_agreement
from kerasgan.metrics.features import content_hash
from kerasgan.storage import PresetError

LOADING = (
    "name_or_path", "image_size", "channels", "split", "limit", "upscale", "bit_depth", "fit",
    "background",
)  # fmt: skip
NOISE = (0.05, 0.1, 0.2, 0.3)
SEEDS = (0, 1, 2)


def measure(model, data, samples=10_000):
    """Return the card of a model, a dict of JSON values.

    Args:
        model: An adversarial model.
        data: Arguments of `kerasgan.data.load` for the training images, a dict.
        samples: Number of generated images, and of real ones in each of two sets.

    Returns:
        A dict with these entries:

        - `data` and `samples`: as given.
        - `results`: a `Result.as_dict()` for each score, with the first seed of the samples.
        - `errors`: the standard deviation of each score over the seeds of the samples.
        - `noise`: the Fréchet distance of real images with Gaussian noise, for each standard
          deviation of the noise (images are in [-1, 1]). It is empty for stacked MNIST.
    """
    scorer = _Scorer(model, _loading(data), samples)
    runs = [scorer(seed) for seed in SEEDS]
    errors = {}
    for results in zip(*runs, strict=True):
        values = [result.value for result in results]
        spread = float(np.std(values, ddof=1)) if np.isfinite(values).all() else math.nan
        if len(set(values)) == 1:  # The mean of equal values may be rounded.
            spread = 0.0
        errors[results[0].name] = spread
    return {
        "data": data,
        "samples": samples,
        "results": [result.as_dict() for result in runs[0]],
        "errors": {name: error for name, error in errors.items() if math.isfinite(error)},
        "noise": scorer.noise(),
    }


@dataclasses.dataclass(frozen=True)
class Check:
    """A figure on a card, compared with a new measurement.

    Args:
        name: Name of the figure.
        published: The value on the card.
        error: Greatest difference that is allowed.
        now: The new value, or None if it could not be measured.
    """

    name: str
    published: float
    error: float
    now: float | None

    @property
    def passed(self):
        """Whether the two values agree. Two NaN agree, and so do two infinities of one sign."""
        if self.now is None:
            return False
        if not (math.isfinite(self.published) and math.isfinite(self.now)):
            return str(self.published) == str(self.now)
        return abs(self.now - self.published) <= self.error


def check(model, card):
    """Measure the figures of a card again and return a `Check` for each.

    The figures are the scores, their baselines and floors, the shares of the classes, and the
    distances of noisy real images. A score may differ by its error on the card or by a thousandth
    of itself, whichever is greater: backends and processors round differently. A baseline may
    differ by a thousandth of itself. The baselines of `ndb` and `ndb_js` may differ by the error of
    the score too, because rounding changes the clusters that k-means finds.

    Args:
        model: An adversarial model.
        card: What `measure` returned, as read from a preset's metadata.

    Raises:
        PresetError: If `card` is not a card.
    """
    try:
        published = [Result.from_dict(result) for result in card["results"]]
        errors = {name: float(error) for name, error in card["errors"].items()}
        noise = {name: float(value) for name, value in card["noise"].items()}
        data, samples = _loading(card["data"]), int(card["samples"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PresetError(f"the card has no figures that can be checked: {error!r}") from error
    scorer = _Scorer(model, data, samples)
    again = {result.name: result for result in scorer(SEEDS[0])}
    found = []
    for old in published:
        new = again.get(old.name)
        if new is None or new.provenance != old.provenance:
            found.append(Check(old.name, old.value, 0.0, None))
            continue
        spread = errors.get(old.name, 0.0)
        error = max(spread, _rounding(old.value))
        found.append(Check(old.name, old.value, error, new.value))
        clustered = spread if old.name in _CLUSTERED else 0.0
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
    now = scorer.noise() if noise else {}
    for sd, value in noise.items():
        name = f"frechet_distance of real images with noise {sd}"
        found.append(Check(name, value, _rounding(value), now.get(sd)))
    return found


_CLUSTERED = ("ndb", "ndb_js")
_WORDS = {"baseline": "real images", "floor": "floor"}


def _rounding(value):
    return 1e-3 * abs(value) if math.isfinite(value) else 0.0


def _loading(data):
    """Return the arguments for `load` on a card, which anybody may have written.

    Raises:
        PresetError: If there are arguments other than those in `LOADING`.
    """
    if not isinstance(data, dict) or "name_or_path" not in data or data.keys() - set(LOADING):
        raise PresetError(
            f"a card's data must be given by {', '.join(LOADING)}. Received: {data!r}"
        )
    return dict(data)


class _Scorer:
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
        # Scores of test images, which do not depend on the generated samples.
        kinds = {"read_codes": _codes, "log_prob": _likelihood}
        own = [score for name, score in kinds.items() if hasattr(model, name)]
        self.own = []
        if own:
            with contextlib.suppress(DataError):  # Some data sets have no test split.
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
        rng = np.random.default_rng(0)
        found = {}
        for sd in NOISE:
            noisy = real + sd * rng.standard_normal(real.shape, dtype="float32")
            found[str(sd)] = distance(np.clip(noisy, -1, 1))[0].value
        return found


def _codes(model, test):
    """Return how well an InfoGAN's first categorical code predicts the classes of test images."""
    codes = model.read_codes(test.take(test.num_examples))["categorical_0"]
    value = code_agreement(codes, test.labels)
    n, classes = test.num_examples, len(np.unique(test.labels))
    return Result(
        "code_agreement",
        value,
        _of_test("code_agreement", test),
        better="higher",
        error=math.sqrt(value * (1 - value) / (n - n // 2)),  # Over the second half.
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
