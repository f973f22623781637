"""The changes of a rescue, so that the training does not collapse in the same way again."""

import keras
import numpy as np

from kerasgan.adversarial import checks, state
from kerasgan.adversarial.optimizer import hold_rate, rate_of, scale_rate
from kerasgan.augment import DiffAugment
from kerasgan.backend import private
from kerasgan.penalties import R1

ATTEMPTS = 3
R1_WEIGHT = 1.0
SMALLEST = 8  # Side of an image that is augmented, in pixels. Points of a mixture have one pixel.


def apply(model, attempt, collapsed_at=None, evidence=()):
    """Change something about a model's training.

    Every attempt changes the seeds and lowers the learning rates:

    - If a schedule of learning rates led to the collapse, the first attempt keeps the rates from
      before it constant, so that the schedule is not repeated, and changes nothing else.
    - Otherwise the generator's rate is lowered to the critic's if it was above, and then both are
      halved.

    What else changes follows the evidence:

    - If "copies" comes first, `DiffAugment` is added. The critic then sees each image in many
      versions and cannot memorise the real ones. If the model has an augmentation already, or its
      images are smaller than 8 pixels, the attempt does what it does without this evidence.
    - Without it the second attempt adds R1 on the critic. If the critic has a penalty already, or
      has batch normalisation, which forbids one, it takes one more step a round instead. The third
      attempt doubles the critic steps a round.

    `ADA` is not used. Its strength starts at 0 and rises by at most 0.1 in 50,000 images, whereas a
    rescue begins shortly before the collapse.

    Args:
        model: A compiled adversarial model whose healthy state was restored.
        attempt: Number of the rescue, 1 to 3.
        collapsed_at: The learning rates at the collapse, as `rates` returned them before the state
            was restored. By default those of the present state.
        evidence: What was lost, the greatest loss first; see `kerasgan.collapse.Verdict`.

    Returns:
        What was changed, a list of phrases.
    """
    changes, schedule_to_blame = _change_rates(model, collapsed_at or rates(model), attempt)
    changes.insert(0, "new seeds")
    _new_seeds(model, attempt)
    copies = tuple(evidence[:1]) == ("copies",) and not schedule_to_blame
    further = (_augment(model) if copies else None) or _change_the_critic(model, attempt)
    if further:
        changes.append(further)
    # Penalties, augmentations and schedules of learning rates are compiled into the step.
    model.make_train_function(force=True)
    return changes


def _new_seeds(model, attempt):
    rng = np.random.default_rng([model.seed or 0, model.critic_steps, attempt])
    for variable in state.seed_states(model):
        seed = rng.integers(2**31, size=tuple(variable.shape))
        variable.assign(seed.astype(keras.backend.standardize_dtype(variable.dtype)))


def rates(model):
    """Return the present learning rates of the generator and of the critic."""
    pair = model.optimizer.generator_optimizer, model.optimizer.critic_optimizer
    return tuple(rate_of(optimizer) for optimizer in pair)


def _change_rates(model, collapsed_at, attempt):
    """Undo what a schedule did to the learning rates, or lower both.

    A schedule is taken to be the cause of the collapse if it more than doubled a rate, or more than
    halved the critic's rate relative to the generator's. Any other schedule continues, with its
    rates halved. A callback that sets a rate in each epoch will set it again.

    Returns:
        What was changed, a list of phrases, and whether this is all that the attempt should change,
        since the cause of the collapse is undone.
    """
    pair = model.optimizer.generator_optimizer, model.optimizer.critic_optimizer
    now, then = rates(model), collapsed_at
    # The critic's rate, relative to the generator's.
    starved = then[1] * now[0] < 0.5 * now[1] * then[0]
    to_blame = then[0] > 2 * now[0], starved or then[1] > 2 * now[1]
    base = [min(now[0], then[0]), now[1] if starved else min(now[1], then[1])]
    undone = attempt == 1 and any(to_blame)
    if undone:
        factors = (1.0, 1.0)
    else:
        ratio = min(1.0, base[1] / base[0]) if base[0] > 0 else 1.0
        factors = (0.5 * ratio, 0.5)
    changes = []
    for i, player in enumerate(("generator", "critic")):
        follows = not isinstance(private.learning_rate_setting(pair[i]), keras.Variable)
        if follows and not to_blame[i]:
            scale_rate(pair[i], factors[i])
        else:
            hold_rate(pair[i], base[i] * factors[i])
        changes.append(f"the {player}'s learning rate {then[i]:.3g} -> {rate_of(pair[i]):.3g}")
        if follows and to_blame[i]:
            changes[-1] += ", constant from here on"
    return changes, undone


def _augment(model):
    """Add DiffAugment and return the change, or None if the model augments or cannot."""
    if model.augment is not None or min(model.image_shape[:2]) < SMALLEST:
        return None
    model.add_augment(DiffAugment())
    return "DiffAugment of colour, translation and cutout added"


def _change_the_critic(model, attempt):
    """Do what an attempt does whatever the evidence is; return the change, or None in the first."""
    if attempt == 1:
        return None
    if attempt == 2:
        return _penalise(model) or _more_critic_steps(model, model.n_critic + 1)
    return _more_critic_steps(model, 2 * model.n_critic)


def _penalise(model):
    """Add R1 and return the change, or None if the critic has a penalty or cannot have one."""
    penalised = any(penalty.player == "critic" for penalty in model.penalties)
    if penalised or checks.batch_norms(model.critic):
        return None
    model.add_penalty(R1(R1_WEIGHT))
    return f"R1 on the critic, weight {R1_WEIGHT:g}"


def _more_critic_steps(model, n_critic):
    before, model.n_critic = model.n_critic, n_critic
    return f"critic steps a round {before} -> {n_critic}"
