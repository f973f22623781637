"""Two optimizers that look like one."""

import keras


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
    def learning_rate(self):
        """The generator's learning rate; assigning keeps the ratio of the critic's to it."""
        return self.generator_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        now = float(self.generator_optimizer.learning_rate)
        factor = float(value) / now if now else 1.0
        self.critic_optimizer.learning_rate = float(self.critic_optimizer.learning_rate) * factor
        self.generator_optimizer.learning_rate = value

    def save_own_variables(self, store):
        """Store only what is not stored with the inner optimizers."""
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable

    def load_own_variables(self, store):
        for i, variable in enumerate(self._variables):
            variable.assign(store[str(i)])
