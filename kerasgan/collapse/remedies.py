"""The changes of a rescue, so that the training does not collapse in the same way again."""

import keras
import numpy as np

from kerasgan.adversarial import checks, state
from kerasgan.adversarial.optimizer import hold_rate, rate_of, scale_rate
from kerasgan.backend import private
from kerasgan.penalties import R1

ATTEMPTS = 3
R1_WEIGHT = 1.0


def apply(model, attempt, collapsed_at=None):
    """Change something about a model's training, more with each attempt.

    1. New seeds and lower learning rates. If a schedule of learning rates led to the collapse, the
       rates from before it are kept constant instead, so that the schedule is not repeated.
       Otherwise the generator's rate is lowered to the critic's if it was above, and then both are
       halved.
    2. New seeds, halved rates, and R1 on the critic. If the critic has a penalty already, or has
       batch normalisation, which forbids one, it takes one more step a round instead.
    3. New seeds, halved rates, and twice as many critic steps a round.

    Args:
        model: A compiled adversarial model whose healthy state was restored.
        attempt: Number of the rescue, 1 to 3.
        collapsed_at: The learning rates at the collapse, as `rates` returned them before the state
            was restored. By default those of the present state.

    Returns:
        What was changed, a list of phrases.
    """
    changes = ["new seeds", *_change_rates(model, collapsed_at or rates(model), attempt)]
    _new_seeds(model, attempt)
    if attempt == 2:
        changes.append(_penalise(model) or _more_critic_steps(model, model.n_critic + 1))
    elif attempt > 2:
        changes.append(_more_critic_steps(model, 2 * model.n_critic))
    # Penalties and schedules of learning rates are compiled into the step.
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
    """Undo what a schedule did to the learning rates, or lower both, and return what was changed.

    A schedule is taken to be the cause of the collapse if it more than doubled a rate, or more than
    halved the critic's rate relative to the generator's. Any other schedule continues, with its
    rates halved. A callback that sets a rate in each epoch will set it again.
    """
    pair = model.optimizer.generator_optimizer, model.optimizer.critic_optimizer
    now, then = rates(model), collapsed_at
    # The critic's rate, relative to the generator's.
    starved = then[1] * now[0] < 0.5 * now[1] * then[0]
    to_blame = then[0] > 2 * now[0], starved or then[1] > 2 * now[1]
    base = [min(now[0], then[0]), now[1] if starved else min(now[1], then[1])]
    if attempt == 1 and any(to_blame):
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
    return changes


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
