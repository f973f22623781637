"""Two optimizers behind the interface of one."""

import keras

from kerasgan.backend import private


class AdversarialOptimizer(keras.optimizers.MultiOptimizer):
    """The critic's and the generator's optimizers behind one `model.optimizer`.

    Keras' trainers carry the variables of `model.optimizer` alone, so the two must look like one
    for state, saving and callbacks. The steps call the inner optimizers themselves.

    Args:
        generator_optimizer: A `keras.optimizers.Optimizer`.
        critic_optimizer: Another one.
        is_critic_variable: A callable from a variable to a bool.
    """

    def __init__(self, generator_optimizer, critic_optimizer, is_critic_variable):
        super().__init__(
            lambda variable: (
                critic_optimizer if is_critic_variable(variable) else generator_optimizer
            ),
            name="adversarial_optimizer",
        )
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    @property
    def iterations(self):
        """How many steps the critic's optimizer has taken: one for each batch."""
        return self.critic_optimizer.iterations

    @property
    def learning_rate(self):
        """The generator's learning rate; assigning keeps the ratio of the critic's to it."""
        return self.generator_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        now = rate_of(self.generator_optimizer)
        factor = float(value) / now if now else 1.0
        scale_rate(self.critic_optimizer, factor)
        self.generator_optimizer.learning_rate = value

    def save_own_variables(self, store):
        """Store only what is not stored with the inner optimizers."""
        for i, variable in enumerate(private.own_optimizer_variables(self)):
            store[str(i)] = variable

    def load_own_variables(self, store):
        for i, variable in enumerate(private.own_optimizer_variables(self)):
            variable.assign(store[str(i)])


@keras.saving.register_keras_serializable(package="kerasgan")
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, times a factor.

    Args:
        schedule: A `LearningRateSchedule`.
        factor: What its rates are multiplied by.
    """

    def __init__(self, schedule, factor):
        super().__init__()
        self.schedule = schedule
        self.factor = factor

    def __call__(self, step):
        return self.factor * self.schedule(step)

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        """Return the schedule that `get_config` describes."""
        return cls(keras.optimizers.schedules.deserialize(config["schedule"]), config["factor"])


def rate_of(optimizer):
    """Return an optimizer's learning rate at this moment, also under `tf.distribute`."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def scale_rate(optimizer, factor):
    """Multiply an optimizer's learning rate, also one that follows a schedule.

    Steps that were compiled keep an old schedule: `make_train_function(force=True)` compiles anew.
    """
    rate = private.learning_rate_setting(optimizer)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        optimizer.learning_rate = ScaledSchedule(rate, factor)
    elif callable(rate) and not isinstance(rate, keras.Variable):
        optimizer.learning_rate = lambda: factor * rate()
    else:
        optimizer.learning_rate = rate_of(optimizer) * factor


def hold_rate(optimizer, value):
    """Give an optimizer a constant learning rate, also in place of a schedule; see `scale_rate`."""
    if not isinstance(private.learning_rate_setting(optimizer), keras.Variable):
        value = keras.optimizers.schedules.PolynomialDecay(value, 1, end_learning_rate=value)
    optimizer.learning_rate = value


def falling(first, last, steps):
    """Return a learning rate that falls along half a cosine.

    Args:
        first: Rate at the start.
        last: At the end and after it.
        steps: Optimizer's steps until then.
    """
    return keras.optimizers.schedules.CosineDecay(first, max(1, steps), alpha=last / first)


def adam_pair(generator_rate, critic_rate=None, beta_1=0.5, beta_2=0.999):
    """Return Adam for the generator and for the critic, with PyTorch's epsilon of 1e-8.

    Args:
        generator_rate: Learning rate of the generator's.
        critic_rate: Of the critic's; None for the same.
        beta_1: Of both.
        beta_2: Of both.
    """
    rates = (generator_rate, generator_rate if critic_rate is None else critic_rate)
    return tuple(
        keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=1e-8) for rate in rates
    )
