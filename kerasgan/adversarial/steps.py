"""One step of each network, and the schedule that chooses the next one."""

import itertools

import keras
from keras import ops

from kerasgan import backend
from kerasgan.adversarial import checks, moving_average, state, watch
from kerasgan.adversarial.scorer import Batch
from kerasgan.backend import private
from kerasgan.penalties import PLAYERS, PenaltyInputs


class Steps:
    """The part of an adversarial model that trains it, one batch at a time.

    The model's `critic_objective` and `generator_objective` say what is minimised.
    """

    def critic_steps_per_round(self, generator_steps):
        """Return how many critic steps come before generator step number `generator_steps`."""
        return self.n_critic

    def add_penalty(self, penalty):
        """Add a penalty to a compiled model.

        Steps that were compiled go on without it: `make_train_function(force=True)` compiles anew.

        Args:
            penalty: A `kerasgan.penalties.Penalty`.
        """
        (penalty,) = checks.penalties(penalty)
        checks.batch_norm(self.critic, penalty, type(self).__name__)
        self.added_penalties = (*self.added_penalties, penalty)
        self.penalties = (*self.penalties, penalty)
        name = self._penalty_names()[-1]
        self._build_penalty(name, penalty)
        self.trackers[name] = keras.metrics.Mean(name=name)

    def add_augment(self, augment):
        """Add an augmentation to a compiled model that has none.

        Steps that were compiled go on without it: `make_train_function(force=True)` compiles anew.

        Args:
            augment: A layer of `kerasgan.augment`.

        Raises:
            ValueError: If the model has an augmentation, or if this one does not go with its loss.
        """
        if self.augment is not None:
            raise ValueError(
                "`augment` can be added to a model that has none. Received: "
                f"{augment!r} for a model with {self.augment!r}"
            )
        checks.augment(augment, self.adversarial_loss)
        self.augment = self.scorer.augment = augment
        # Where the constructor puts it, so that a loaded model has its weights in the same order.
        private.place_after(self, augment, (self.critic, *self._spectral))

    def _build_penalty(self, name, penalty):
        """Let a penalty create its weights, which are stored under its name."""
        weights = self._penalty_weights[name] = []

        def add_weight(*args, **kwargs):
            weights.append(self.add_weight(*args, **{"trainable": False, **kwargs}))
            return weights[-1]

        penalty.build(add_weight)

    def _penalty_names(self):
        """Return the name under which each penalty is logged; a second one has a number."""
        names = []
        taken = {"loss", "critic_loss", "generator_loss", *self.logged}
        for penalty in self.penalties:
            numbered = (f"{penalty.name}_{i}" for i in itertools.count(2))
            possible = itertools.chain([penalty.name], numbered)
            names.append(next(name for name in possible if name not in taken))
            taken.add(names[-1])
        return names

    def _penalties_of(self, player):
        pairs = zip(self._penalty_names(), self.penalties, strict=True)
        return tuple((name, penalty) for name, penalty in pairs if penalty.player == player)

    def _generate(self, z, labels):
        return self.generator(self.generator_inputs(z, labels), training=True)

    def _critic_step(self, real, labels, penalties):
        """Move the critic once, on real images `(batch_size, height, width, channels)`."""
        self.before_critic_step()
        z = self.draw_latents(ops.shape(real)[0])

        def loss_on(real, z, labels):
            with backend.no_gradients():
                fake = self._generate(z, labels)
            batch = Batch(real, fake, z, labels)
            return lambda: self.critic_objective(batch, penalties, observe=True)

        self._move("critic", loss_on, self.critic_variables(), (real, z, labels))

    def _generator_step(self, real, labels, penalties):
        """Move the generator once, and its moving average after it."""
        z = self.draw_latents(ops.shape(real)[0])

        def loss_on(real, z, labels):
            def loss():
                fake = self._generate(z, labels)
                return self.generator_objective(Batch(real, fake, z, labels), penalties)

            return loss

        moved = self._move("generator", loss_on, self.generator_variables(), (real, z, labels))
        if self.ema is not None:
            steps = ops.cast(self.optimizer.generator_optimizer.iterations, "float32")
            decay = self.ema_decay(steps)
            if moved is not True:
                decay = ops.where(moved, decay, 1.0)
            moving_average.follow(self.ema_generator, self.generator, decay)

    def _move(self, player, loss_on, variables, batch):
        """Take a step of a player's optimizer; return whether it moved the variables.

        An optimizer that accumulates gradients moves them in every k-th step alone. Its
        `iterations` count these.

        Args:
            player: "critic" or "generator".
            loss_on: A callable from a batch, or a part of one, to a callable that returns the loss.
            variables: Those that move.
            batch: Arrays whose rows belong together, or None among them.
        """
        optimizer = getattr(self.optimizer, f"{player}_optimizer")
        rows = ops.shape(batch[0])[0]
        if not variables:  # The whole network is frozen.
            self.log(f"{player}_loss", loss_on(*batch)(), rows)
            return True
        past = self._past_of(player, variables)

        def with_distance(*batch):
            loss = loss_on(*batch)

            def summed():
                value = loss()  # Before what is added to it, as its noise is drawn in this order.
                distance = sum(ops.sum(ops.square(v - p)) for v, p in past)
                # Before the first step there is no past.
                weight = ops.where(optimizer.iterations > 0, self.historical_averaging, 0.0)
                return value + weight * distance

            return summed

        value, gradients = self._gradients(with_distance if past else loss_on, variables, batch)
        accumulates = optimizer.gradient_accumulation_steps
        before = optimizer.iterations if accumulates else None
        optimizer.apply(gradients, variables)
        moved = optimizer.iterations > before if accumulates else True
        self.log(f"{player}_loss", value, rows)
        if past:
            steps = ops.cast(optimizer.iterations, "float32")
            if accumulates:
                steps = ops.where(moved, steps, float("inf"))
            backend.assign([p for _, p in past], [p + (v - p) / steps for v, p in past])
        return moved

    def _gradients(self, loss_on, variables, batch):
        """Return the loss of a batch and its gradients, the means over its parts.

        One part is taken after the other, so that the memory is that of a part.
        """
        if self.accumulate == 1:
            return backend.value_and_grad(loss_on(*batch), variables)
        checks.divisible("batch_size", batch[0].shape[0], self.packing, self.accumulate)
        parts = keras.tree.map_structure(self._in_parts, batch)

        def of_part(i):
            part = keras.tree.map_structure(lambda x: None if x is None else x[i], parts)
            return keras.tree.flatten(backend.value_and_grad(loss_on(*part), variables))

        value, *gradients = [x / self.accumulate for x in backend.summed(of_part, self.accumulate)]
        return value, gradients

    def _in_parts(self, x):
        return None if x is None else ops.reshape(x, (self.accumulate, -1, *x.shape[1:]))

    def _past_of(self, player, variables):
        """Return pairs of a variable and the mean of its past values, where these are kept."""
        if player not in self._past:
            return []
        known = private.weights_that_can_train(getattr(self, player))
        moved = {id(v) for v in variables}
        return [p for p in zip(known, self._past[player], strict=True) if id(p[0]) in moved]

    def _penalised(self, loss, batch, scores, penalties, training=True, lazy=True):
        """Return a loss with penalties added, each of which is logged.

        Outside training a penalty has its own weight, without schedule: losses on held-out images
        compare from one epoch to the next.
        """
        if not penalties:
            return loss
        real, fake = self.scorer.pack(batch.real), self.scorer.pack(batch.fake)
        loss = ops.cast(loss, "float32")
        rows = ops.shape(real if penalties[0][1].player == "critic" else batch.z)[0]
        inputs = PenaltyInputs(
            real=real,
            fake=fake,
            z=batch.z,
            labels=batch.labels,
            training=training,
            scores=lambda x: self.scorer.scores_of_packed(x, batch.labels, training),
            generate=lambda z: self.generator(
                self.generator_inputs(z, batch.labels), training=training
            ),
            noise=lambda *shape: self.noise(rows, *shape),
        )
        for name, penalty in penalties:
            gradients = getattr(scores, f"{penalty.at}_gradients", None)
            value = penalty(inputs) if gradients is None else penalty.of(gradients)
            self.log(name, value, ops.shape(batch.real)[0])
            weight = self.penalty_weight(penalty) if training else penalty.weight
            times = penalty.every if training and lazy else 1
            loss = loss + times * weight * ops.cast(value, "float32")
        return loss

    def _train_on(self, data, generator_turn, penalties=None, watched=False, means=True):
        """Take one critic step and, if it is the generator's turn, one generator step.

        Return the logs, if `means` are asked for; if the batch is watched, with what `watch.usable`
        measures of it.
        """
        penalties = penalties or {player: self._penalties_of(player) for player in PLAYERS}
        real, labels = checks.batch(data, self)
        seen = {}
        if watched:
            real, labels, seen["seen"] = watch.usable(real, labels, self)
        with backend.independent_seeds():
            self._critic_step(real, labels, penalties["critic"])
            if generator_turn:
                self._generator_step(real, labels, penalties["generator"])
        return {**(self._means() if means else {}), **seen}

    def _evaluate_on(self, data):
        """Measure both losses on held-out images; nothing moves."""
        real, labels = checks.batch(data, self)
        real, labels, seen = watch.usable(real, labels, self)
        rows = ops.shape(real)[0]
        z = self.draw_latents(rows)
        fake = self.generator(self.generator_inputs(z, labels), training=False)
        batch = Batch(real, fake, z, labels)
        with backend.independent_seeds():
            for player in PLAYERS:
                objective = getattr(self, f"{player}_objective")
                penalties = self._penalties_of(player)
                self.log(f"{player}_loss", objective(batch, penalties, training=False), rows)
        return {**self._means(), "seen": seen}

    def get_metrics_result(self):
        """Return the epoch's means so far; `loss` is the sum of both players' losses.

        What no step of the epoch has measured is left out, as the generator's loss in an epoch in
        which it took no step.
        """
        return self._measured(self._means())

    def reset_metrics(self):
        """Begin the means of another epoch."""
        super().reset_metrics()
        self._names.measured = None

    def _means(self):
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        for metric in state.own_metrics(self):
            results[metric.name] = metric.result()
        return {"loss": results["critic_loss"] + results["generator_loss"], **results}

    def _measured(self, means):
        """Return the means that steps of this epoch have measured; all of them outside `fit`."""
        if self._names.measured is None:
            return means
        missing = set(self.trackers) - self._names.measured
        if missing & {"critic_loss", "generator_loss"}:
            missing.add("loss")
        return {name: value for name, value in means.items() if name not in missing}

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

        def program(turn, due, watched):
            penalties = {
                player: tuple(pair for pair in self._penalties_of(player) if pair[0] in due)
                for player in PLAYERS
            }
            means = backend.MEANS_IN_STEPS
            return self._compile_step(
                lambda data: self._train_on(data, turn, penalties, watched, means)
            )

        names = self._penalty_names()
        choices = [(True,) if p.every == 1 else (True, False) for p in self.penalties]
        programs = {
            (turn, due, watched): program(turn, due, watched)
            for turn in (False, True)
            for chosen in itertools.product(*choices)
            for due in [tuple(itertools.compress(names, chosen))]
            for watched in (False, True)
        }

        measured = {}  # What each program logs.

        def step(*args):
            needed = self.critic_steps_per_round(self.generator_steps)
            turn = self.critic_steps_this_round + 1 >= needed
            key = turn, self._due(), self._watch is not None
            self._names.logged.clear()
            result = programs[key](*args)
            measured.setdefault(key, frozenset(self._names.logged))  # Known once it was traced.
            self._names.measured = measured[key].union(self._names.measured or ())
            self.critic_steps += 1
            self.generator_steps += int(turn)
            self.critic_steps_this_round = 0 if turn else self.critic_steps_this_round + 1
            return _with_logs(result, self._logs_to_read)

        def train_function(*args):
            if self._leader is None:
                return step(*args)
            return self._leader.step(lambda: step(*args))

        self.train_function = train_function
        return train_function

    def _logs_to_read(self, logs):
        """Return what of the logs Keras is to read after this step."""
        logs = _unseen(logs, self._watch)
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
