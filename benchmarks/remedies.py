"""What each remedy of a rescue is worth, on trainings that collapse.

    python benchmarks/remedies.py [--only grid]

The trainings are eleven of the exam's design half that collapse (see `kerasgan bench collapse`):
mixtures, digits and garments, one seed each. Every training is rescued
with one remedy in all attempts, and with what `kerasgan.collapse.remedies` does. The script writes
`remedies.json`. It runs on JAX, on which the recipes were made.
"""

import json
import os
import statistics

import experiment

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

from kerasgan.bench.collapse import exam, runs
from kerasgan.collapse import remedies
from kerasgan.environment import describe

TAKES = "40 minutes"
CHOSEN = (
    "ring-generator-runs-ahead-7",
    "grid-critic-stops-8",
    "ring-high-rates-9",
    "grid-rates-jump-10",
    "grid-unconstrained-11",
    "grid-plain-fast-53",
    "digits-generator-runs-ahead-19",
    "garments-critic-stops-20",
    "digits-critic-stops-21",
    "garments-rates-jump-22",
    "garments-weak-critic-24",
)


def seeds_alone(model, attempt, collapsed_at=None, evidence=()):
    """Change nothing but the seeds."""
    remedies._new_seeds(model, attempt)
    return ["new seeds"]


def without_undoing(model, attempt, collapsed_at=None, evidence=()):
    """Halve both rates, whatever a schedule does to them."""
    remedies._new_seeds(model, attempt)
    for optimizer in (model.optimizer.generator_optimizer, model.optimizer.critic_optimizer):
        remedies.scale_rate(optimizer, 0.5)
    model.make_train_function(force=True)
    return ["rates halved"]


def rates_alone(model, attempt, collapsed_at=None, evidence=()):
    """Undo a schedule, or halve the rates."""
    changes, _ = remedies._change_rates(model, collapsed_at, attempt)
    remedies._new_seeds(model, attempt)
    model.make_train_function(force=True)
    return changes


def and_then(further):
    """Return the remedy of the rates, and in the first attempt another one."""

    def remedy(model, attempt, collapsed_at=None, evidence=()):
        if attempt == 1:
            further(model)
        return rates_alone(model, attempt, collapsed_at)

    return remedy


REMEDIES = {
    "new seeds alone": seeds_alone,
    "rates halved, schedules go on": without_undoing,
    "schedule undone, or rates halved": rates_alone,
    "the same, and R1": and_then(remedies._penalise),
    "the same, and twice the critic steps": and_then(
        lambda model: remedies._more_critic_steps(model, 2 * model.n_critic)
    ),
    "the same, and DiffAugment": and_then(remedies._augment),
    "what a rescue does": remedies.apply,
}


def chosen(only=""):
    """Return the histories without a guard of the chosen trainings."""
    named = {f"{h['recipe']['name']}-{h['recipe']['seed']}": h for h in exam.histories("design")}
    return {name: named[name] for name in CHOSEN if only in name}


def run(only="", out=experiment.RESULTS):
    """Train every recipe with every remedy, and write how each training ended."""
    plain = chosen(only)
    found = {"environment": describe(keras.backend.backend())}
    found["no rescue"] = {name: exam.ends(history) for name, history in plain.items()}
    for remedy, apply in REMEDIES.items():
        remedies.apply = apply
        ended = {}
        for name, history in plain.items():
            ended[name] = exam.ends(runs.train(history["recipe"], "rescue"))
            print(remedy, name, ended[name], flush=True)
        found[remedy] = ended
    out.mkdir(parents=True, exist_ok=True)
    (out / "remedies.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def table(folder=experiment.RESULTS):
    """Return how the trainings ended with each remedy."""
    [found] = experiment.stored("remedies.json", folder)
    rows = []
    for remedy in ("no rescue", *REMEDIES):
        ended = found[remedy].values()
        saved = sum(end["kept"] >= exam.KEPT for end in ended)
        means = [statistics.fmean(end[key] for end in ended) for key in ("modes", "coverage")]
        rescues = statistics.fmean(end["rescues"] for end in ended)
        rows.append(
            [remedy, f"{saved} of {len(ended)}", *(f"{m:.2f}" for m in means), f"{rescues:.1f}"]
        )
    head = ["Remedy", f"End with {exam.KEPT:.0%} of their best modes", "Modes", "Coverage"]
    return experiment.markdown([*head, "Rescues"], rows)


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--only", default="", help="only trainings whose name contains this")
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
