"""The functions that Keras' `fit` calls for its steps: one program for each kind of step."""

import itertools

from kerasgan import backend
from kerasgan.adversarial import checks
from kerasgan.adversarial.state import COUNTERS
from kerasgan.penalties import PLAYERS


class Programs:
    """The part of an adversarial model that compiles its steps, and chooses the next one."""

    def make_train_function(self, force=False):
        """Return the function that takes the next step; the schedule on the host chooses it.

        There is one program for each combination of the generator's turn and the penalties that
        are due, compiled at its first call. All are made here: in the middle of an epoch on several
        devices, Keras' JAX trainer cannot tell where the variables lie.
        """
        trainable = {id(v) for v in self.trainable_variables}
        if self.train_function is not None and not force and trainable == self._trained_weights:
            return self.train_function
        checks.known_to_optimizers(self)
        object.__setattr__(self, "_trained_weights", trainable)

        measured = {}  # What each kind of step logs, known once it was traced.

        def kind_of_step(turn, due, watched, means=True):
            penalties = {
                player: tuple(pair for pair in self._penalties_of(player) if pair[0] in due)
                for player in PLAYERS
            }

            def take(data):
                self._names.logged.clear()
                logs = self._train_on(data, turn, penalties, watched, means)
                measured[turn, due, watched] = frozenset(self._names.logged)
                return logs

            return take

        names = self._penalty_names()
        choices = [(True,) if p.every == 1 else (True, False) for p in self.penalties]
        kinds = [
            (turn, due, watched)
            for turn in (False, True)
            for chosen in itertools.product(*choices)
            for due in [tuple(itertools.compress(names, chosen))]
            for watched in (False, True)
        ]
        programs = {
            kind: self._compile_step(kind_of_step(*kind, backend.MEANS_IN_STEPS)) for kind in kinds
        }

        several = None  # Takes the steps of an execution, where they are one program.
        if self.steps_per_execution > 1:
            looked_at = [kind for kind in kinds if not kind[2]]
            several = self._compile_several([kind_of_step(*kind, False) for kind in looked_at])

        def take(*args):
            kind = self._next_kind()
            result = programs[kind](*args)
            self._count(kind, measured)
            return _with_logs(result, lambda logs: _unseen(logs, self._watch))

        def take_all(*args):
            if self.steps_per_execution == 1 or self._reads is None:  # Or outside of `fit`.
                return take(*args)
            if several is None or self._watch is not None:  # Each batch is looked at.
                return self._one_by_one(take, *args)
            batches, args = self._next_batches(*args)
            planned = self._planned(batches)
            result = several([looked_at.index(kind) for kind in planned], *args)
            for kind in planned:
                self._count(kind, measured)
            return result

        def step(*args):
            return _with_logs(take_all(*args), self._logs_to_read)

        def train_function(*args):
            if self._leader is None:
                return step(*args)
            return self._leader.step(step, self._fetched(*args))

        self.train_function = train_function
        return train_function

    def _next_kind(self):
        """Return the kind of the next step: whose turn, the penalties, whether it is watched."""
        needed = self.critic_steps_per_round(self.generator_steps)
        turn = self.critic_steps_this_round + 1 >= needed
        return turn, self._due(), self._watch is not None

    def _count(self, kind, measured):
        """Count a step that was taken."""
        self._names.measured = measured[kind].union(self._names.measured or ())
        self._advance(kind[0])

    def _advance(self, turn):
        this_round = 0 if turn else self.critic_steps_this_round + 1
        self._stand_at(self.critic_steps + 1, self.generator_steps + int(turn), this_round)

    def _stand_at(self, *counters):
        for name, value in zip(COUNTERS, counters, strict=True):
            object.__setattr__(self, name, value)  # Keras would look at it in each step.

    def _planned(self, count):
        """Return the kinds of the next steps."""
        before = [getattr(self, name) for name in COUNTERS]
        kinds = []
        for _ in range(count):
            kinds.append(self._next_kind())
            self._advance(kinds[-1][0])
        self._stand_at(*before)
        return kinds

    def _logs_to_read(self, logs):
        """Return what of the logs Keras is to read after this step."""
        if self._reads is not None and not self._reads.due():
            return {}
        return self._measured(logs or self._means())

    def _get_metrics_result_or_logs(self, logs):
        """Return the logs of an epoch, for which Keras would take those of its last step."""
        return self.get_metrics_result()

    def make_test_function(self, force=False):
        """Return the function that measures the losses on a batch; see `make_train_function`."""
        if self.test_function is not None and not force:
            return self.test_function
        super().make_test_function(force=True)
        program = self.test_function

        def test_function(*args):
            return _with_logs(program(*args), lambda logs: _unseen(logs, self._watch))

        self.test_function = test_function
        return test_function

    def _due(self):
        """Return the names of the penalties that the next steps have, lazy ones now and then."""
        steps = {"critic": self.critic_steps, "generator": self.generator_steps}
        pairs = zip(self._penalty_names(), self.penalties, strict=True)
        return tuple(name for name, p in pairs if steps[p.player] % p.every == 0)


def _with_logs(result, change):
    """Return what a step returned with its logs changed; on JAX the new state follows the logs."""
    if isinstance(result, tuple):
        return change(result[0]), *result[1:]
    return change(result)


def _unseen(logs, watch):
    """Return the logs alone, and hand what was measured of the batch to the watch, if any."""
    logs = dict(logs)
    seen = logs.pop("seen", None)
    if watch is not None and seen is not None:
        watch.add(seen)
    return logs
