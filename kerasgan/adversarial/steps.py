"""One step of each network."""

import itertools

import keras
from keras import ops

from kerasgan import backend
from kerasgan.adversarial import checks, moving_average, state, watch
from kerasgan.adversarial.scorer import Batch
from kerasgan.backend import private
from kerasgan.penalties import PLAYERS, PenaltyInputs

STRENGTH = "augment_probability"  # What is logged of an augmentation whose probability moves.


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
        taken = {"loss", "critic_loss", "generator_loss", STRENGTH, *self.logged}
        for penalty in self.penalties:
            numbered = (f"{penalty.name}_{i}" for i in itertools.count(2))
            possible = itertools.chain([penalty.name], numbered)
            names.append(next(name for name in possible if name not in taken))
            taken.add(names[-1])
        return names

    def _penalties_of(self, player):
        pairs = zip(self._penalty_names(), self.penalties, strict=True)
        return tuple((name, penalty) for name, penalty in pairs if penalty.player == player)

    def stages(self, z, labels=None, training=True):
        """Return vectors on the way from latent vectors to images, and what makes images of them.

        Override it for a generator of styles.

        Args:
            z: What `draw_latents` returns.
            labels: Class numbers `(batch_size,)`, or None.
            training: Whether networks are called in training mode.

        Returns:
            A tensor `(batch_size, ...)`, and a callable from such tensors to images.
        """

        def images_of(z):
            return self.generator(self.generator_inputs(z, labels), training=training)

        return z, images_of

    def _generate(self, z, labels, training=True):
        vectors, images_of = self.stages(z, labels, training)
        return images_of(vectors)

    def _critic_step(self, real, labels, penalties):
        """Move the critic once, on real images `(batch_size, height, width, channels)`."""
        self.before_critic_step()
        z = self.draw_latents(ops.shape(real)[0])

        def loss_on(real, z, labels):
            with backend.no_gradients():
                fake = self._generate(z, labels)
            batch = Batch(real, fake, z, labels)
            return lambda: self.critic_objective(batch, penalties, observe=self.accumulate)

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
            generate=lambda z: self._generate(z, batch.labels, training),
            image_shape=self.image_shape,
            stages=lambda rows: self.stages(
                batch.z[:rows], None if batch.labels is None else batch.labels[:rows], training
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
        fake = self._generate(z, labels, training=False)
        batch = Batch(real, fake, z, labels)
        with backend.independent_seeds():
            for player in PLAYERS:
                objective = getattr(self, f"{player}_objective")
                penalties = self._penalties_of(player)
                self.log(f"{player}_loss", objective(batch, penalties, training=False), rows)
        return {**self._means(training=False), "seen": seen}

    def get_metrics_result(self):
        """Return the epoch's means so far; `loss` is the sum of both players' losses.

        Of an augmentation whose probability moves there is `augment_probability`, as it now is.

        What no step of the epoch has measured is left out, as the generator's loss in an epoch in
        which it took no step.
        """
        return self._measured(self._means(training=self._names.measured is not None))

    def reset_metrics(self):
        """Begin the means of another epoch."""
        super().reset_metrics()
        self._names.measured = None

    def _means(self, training=True):
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        for metric in state.own_metrics(self):
            results[metric.name] = metric.result()
        if training and getattr(self.augment, "moves", False):
            # A copy: on JAX the variable's own buffer is given to the next program.
            results[STRENGTH] = ops.copy(self.augment.probability)
        return {"loss": results["critic_loss"] + results["generator_loss"], **results}

    def _measured(self, means):
        """Return the means that steps of this epoch have measured; all of them outside `fit`."""
        if self._names.measured is None:
            return means
        missing = set(self.trackers) - self._names.measured
        if missing & {"critic_loss", "generator_loss"}:
            missing.add("loss")
        return {name: value for name, value in means.items() if name not in missing}
