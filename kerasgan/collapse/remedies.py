"""What a rescue changes, so that the training does not collapse the same way again."""

import keras
import numpy as np

from kerasgan.adversarial import checks, state
from kerasgan.adversarial.optimizer import hold_rate, rate_of, scale_rate
from kerasgan.penalties import R1

ATTEMPTS = 3
R1_WEIGHT = 1.0


def apply(model, attempt, collapsed_at=None):
    """Change something about a model's training, more with each attempt.

    1. New seeds. Where a schedule of learning rates led to the collapse, the rates from before,
       constant: it is not played again. Otherwise the generator's comes down to the critic's
       where it was above, and both are halved.
    2. New seeds, lower rates as above, and R1 on the critic; where it has a penalty, or batch
       normalisation forbids one, one more critic step a round.
    3. New seeds, lower rates, and twice the critic steps.

    Args:
        model: A compiled adversarial model whose state was put back.
        attempt: 1 to 3.
        collapsed_at: What `rates` gave before that, or None.

    Returns:
        What was changed, a list of words.
    """
    done = ["new seeds", *_change_rates(model, collapsed_at or rates(model), attempt)]
    _new_seeds(model, attempt)
    if attempt == 2:
        done.append(_penalise(model) or _more_critic_steps(model, model.n_critic + 1))
    elif attempt > 2:
        done.append(_more_critic_steps(model, 2 * model.n_critic))
    # A schedule of learning rates and a penalty are part of the compiled step.
    model.make_train_function(force=True)
    return done


def _new_seeds(model, attempt):
    draw = np.random.default_rng([model.seed or 0, model.critic_steps, attempt])
    for variable in state.seed_states(model):
        state = draw.integers(2**31, size=tuple(variable.shape))
        variable.assign(state.astype(keras.backend.standardize_dtype(variable.dtype)))


def rates(model):
    """Return the learning rates of the generator and of the critic at this moment."""
    pair = model.optimizer.generator_optimizer, model.optimizer.critic_optimizer
    return tuple(rate_of(optimizer) for optimizer in pair)


def _change_rates(model, collapsed_at, attempt):
    """Undo what a schedule did to the rates, or lower both; say how.

    A schedule that raised a rate twofold, or took the critic's from under the generator's, led to
    the collapse. Another one goes on from where it stood, halved. What a callback sets in every
    epoch it will set again.
    """
    pair = model.optimizer.generator_optimizer, model.optimizer.critic_optimizer
    now, then = rates(model), collapsed_at
    starved = then[1] * now[0] < 0.5 * now[1] * then[0]  # The critic, in its share of the two.
    to_blame = then[0] > 2 * now[0], starved or then[1] > 2 * now[1]
    base = [min(now[0], then[0]), now[1] if starved else min(now[1], then[1])]
    if attempt == 1 and any(to_blame):
        factors = (1.0, 1.0)
    else:
        ratio = min(1.0, base[1] / base[0]) if base[0] > 0 else 1.0
        factors = (0.5 * ratio, 0.5)
    words = []
    for i, player in enumerate(("generator", "critic")):
        follows = not isinstance(pair[i]._learning_rate, keras.Variable)
        if follows and not to_blame[i]:
            scale_rate(pair[i], factors[i])
        else:
            hold_rate(pair[i], base[i] * factors[i])
        words.append(f"the {player}'s learning rate {then[i]:.3g} -> {rate_of(pair[i]):.3g}")
        if follows and to_blame[i]:
            words[-1] += ", constant from here on"
    return words


def _penalise(model):
    """Add R1 and say so, or return None where there is a penalty or it must not be."""
    if model.penalties or checks.batch_norms(model.critic):
        return None
    model.add_penalty(R1(R1_WEIGHT))
    return f"R1 on the critic, weight {R1_WEIGHT:g}"


def _more_critic_steps(model, n_critic):
    before, model.n_critic = model.n_critic, n_critic
    return f"critic steps a round {before} -> {n_critic}"
