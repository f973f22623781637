"""The part of an adversarial model that Keras' users know: `compile`, `fit` and `evaluate`."""

import contextlib
import warnings

import keras

from kerasgan import backend, validation
from kerasgan.adversarial import checks, feed
from kerasgan.adversarial.optimizer import AdversarialOptimizer, rate_of
from kerasgan.adversarial.reads import Reads
from kerasgan.adversarial.watch import Watch, usable


class Training:
    """`compile`, `fit` and `evaluate` of an adversarial model, in Keras' order of arguments."""

    def compile(
        self,
        generator_optimizer="auto",
        critic_optimizer="auto",
        metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
        accumulate=1,
        **unknown,
    ):
        """Configure training; without arguments with the paper's optimizers.

        Args:
            generator_optimizer: A Keras optimizer, its name, or "auto" for the paper's.
            critic_optimizer: The same for the critic; not the same instance.
            metrics: Must be None, since there are no targets that images could be compared with:
                `kerasgan.callbacks.Scores` and `kerasgan.metrics.Evaluator` measure a generator.
            run_eagerly: Run every step uncompiled, for debugging.
            steps_per_execution: Critic steps, with the generator's among them, between two
                moments in which Keras calls its hooks. On JAX and TensorFlow they are one program,
                for accelerators that are faster than their host. The last ones of an epoch may be
                fewer. Steps on batches that nobody has looked at run one by one.
            jit_compile: As in `keras.Model.compile`; "auto" is XLA on JAX and on TensorFlow with
                a GPU, and tf.function alone on a CPU. On PyTorch "auto" traces a step after some
                and runs its tensor operations from then on, without the way through Keras'
                layers; True compiles these by `torch.compile`; False runs layer by layer.
            auto_scale_loss: As in `keras.Model.compile`. It has no effect, since `mixed_float16` is
                refused.
            accumulate: Parts in which each batch is taken, one after the other, for batches that do
                not fit into memory. It must divide the batch size. Each player moves once, by the
                mean of the parts' gradients, as it would by the whole batch's. What is computed
                over a batch, as by batch normalisation or in unrolled steps, is computed over a
                part.
            **unknown: Refused, with what to pass instead.
        """
        checks.compile_arguments(metrics, unknown)
        validation.positive_integer("accumulate", accumulate)
        self.accumulate = accumulate
        validation.positive_integer("steps_per_execution", steps_per_execution)
        checks.precision(self)
        resolved = backend.resolve_jit(jit_compile)
        given = {"generator": generator_optimizer, "critic": critic_optimizer}
        pair = self._optimizers(given)
        # By identity: `in` would compare values, and names change when a model is loaded.
        critic_ids = {id(v) for v in self.critic_variables()}
        optimizer = AdversarialOptimizer(*pair, lambda variable: id(variable) in critic_ids)
        self._compile_arguments = {
            "run_eagerly": run_eagerly,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=resolved,
        )
        checks.known_to_players(self)
        self.optimizer.build(self.trainable_variables)
        known = {id(v) for v in self.trainable_variables}
        object.__setattr__(self, "_optimized", known)
        backend.set_memory_layout([*self.variables, *self.optimizer.variables])
        if jit_compile is not True:  # A compiler fuses them by itself.
            for inner in pair:
                backend.fuse_steps(inner)

    def _optimizers(self, given):
        """Return the pair that `compile` was given, and note its learning rates."""
        pair, rates = [], {}
        for (player, one), default in zip(given.items(), self.default_optimizers(), strict=True):
            automatic = one is None or (isinstance(one, str) and one == "auto")
            pair.append(default if automatic else checks.optimizer(player, one))
            if not automatic and rate_of(pair[-1]) > 0:
                rates[player] = rate_of(pair[-1])
        if pair[0] is pair[1]:
            raise ValueError(
                "`generator_optimizer` and `critic_optimizer` must be two instances, since each "
                f"keeps the state of its own network. Received: {pair[0]!r} for both."
            )
        object.__setattr__(self, "_given_rates", rates)
        return pair

    def get_compile_config(self):
        """Return both optimizers and the flags of `compile`, for `compile_from_config`."""
        if not self.compiled:
            return {}
        return {
            "generator_optimizer": keras.optimizers.serialize(self.optimizer.generator_optimizer),
            "critic_optimizer": keras.optimizers.serialize(self.optimizer.critic_optimizer),
            "given": sorted(self._given_rates),
            **self._compile_arguments,
            "accumulate": self.accumulate,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        """Compile as `get_compile_config` describes; the optimizers' variables exist afterwards."""
        optimizers = {
            key: keras.optimizers.deserialize(config[key])
            for key in ("generator_optimizer", "critic_optimizer")
        }
        given = config.get("given", ())  # The others were the variant's own.
        self.compile(**{k: v for k, v in {**config, **optimizers}.items() if k != "given"})
        rates = {player: rate for player, rate in self._given_rates.items() if player in given}
        object.__setattr__(self, "_given_rates", rates)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Train on real images; see `keras.Model.fit` for what is not said here.

        Args:
            x: Images `(n, height, width, channels)` as an array, uint8 (0 to 255) or floats in
                [-1, 1], or batches of them as a `kerasgan.data.ImageDataset`, tf.data dataset,
                `PyDataset` or torch `DataLoader`, with or without labels in the tuple.
            y: Labels beside an array, or None.
            batch_size: Images of an array in one critic step; 64 by default, as in the WGAN papers.
            epochs: Number of passes over the images.
            verbose: As in Keras.
            callbacks: Keras callbacks.
            validation_split: Share of an array's images, the last ones, that are held out.
            validation_data: Held-out images, as `x` or as `(x, y)`.
            shuffle: Whether an array is shuffled anew each epoch, in the order of `seed`.
            class_weight: Must be None.
            sample_weight: Must be None.
            initial_epoch: As in Keras.
            steps_per_epoch: As in Keras.
            validation_steps: As in Keras.
            validation_batch_size: As in Keras.
            validation_freq: As in Keras.

        Returns:
            The `keras.callbacks.History`.

        Raises:
            ValueError: If the images do not fit the networks; if those of an array are not
                finite, lie outside [-1, 1], or are fewer than one batch.
        """
        checks.no_weights(class_weight=class_weight, sample_weight=sample_weight)
        held_out = {
            "validation_split": validation_split,
            "validation_data": validation_data,
            "validation_batch_size": validation_batch_size,
        }
        given = feed.Feed(self, x, y, batch_size, shuffle, held_out)
        steps = self.critic_steps, self.generator_steps
        callbacks = given.callbacks(callbacks)
        reads = Reads(callbacks, verbose)
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(given))
            if backend.follows():
                _, trained = backend.follow(given.batches, given.watch)
                if trained is not None:
                    backend.adopt(self, trained)
                return keras.callbacks.History()
            stack.enter_context(self._watching(given.watch, reads))
            self._leader = stack.enter_context(backend.leading(self, given.batches))
            stack.callback(setattr, self, "_leader", None)
            history = super().fit(
                given.batches,
                batch_size=given.batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=given.validation_data,
                shuffle=False,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation_steps=validation_steps,
                validation_batch_size=given.validation_batch_size,
                validation_freq=validation_freq,
            )
        taken = self.critic_steps - steps[0]
        if taken and self.generator_steps == steps[1]:
            needed = self.critic_steps_per_round(self.generator_steps)
            warnings.warn(
                f"the generator took no step: it moves after {needed} critic steps, one for each "
                f"batch. Received: {taken} batches",
                stacklevel=2,
            )
        return history

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=True,
        **kwargs,
    ):
        """Return both losses on held-out images by name; see `keras.Model.evaluate`.

        The latent vectors are drawn from the model's seeds, which go on: nothing else moves.
        `kerasgan.metrics.Evaluator` measures how good the images are.

        Args:
            x: Images, as `fit` takes them.
            y: Labels beside an array, or None.
            batch_size: Images of an array at a time; 64 by default.
            verbose: As in Keras.
            sample_weight: Must be None.
            steps: As in Keras.
            callbacks: As in Keras.
            return_dict: Whether the result has names. It has by default, unlike Keras', since the
                two losses mean different things.
            **kwargs: What Keras passes to itself.
        """
        checks.no_weights(sample_weight=sample_weight)
        if feed.is_array(x):
            x, y, batch_size = feed.held_out(self, x, y, batch_size), None, None
        else:
            feed.check_dataset(self, x, y=y)
            x = feed.in_tuples(x)
        watch = Watch("x")
        watch.set_model(self)
        if self.steps_per_execution > 1:  # `fit` has made a dataset that brings several at once.
            kwargs.pop("_use_cached_eval_dataset", None)
        with self._watching(watch), self._singly():
            found = super().evaluate(
                x, y, batch_size, verbose, None, steps, callbacks, return_dict, **kwargs
            )
        watch.check()
        return found

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Take the next step of the schedule on one batch; see `keras.Model.train_on_batch`.

        Returns:
            The losses by name, or in the order of `metrics_names`; there what this step did not
            measure, such as the generator's loss in a step of the critic alone, is NaN.

        Raises:
            ValueError: If the images or labels are not what `fit` takes.
        """
        checks.no_weights(class_weight=class_weight, sample_weight=sample_weight)
        self._look_at(x, y)
        return self._in_order(super().train_on_batch(x, y, return_dict=True), return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Return both losses on one batch of held-out images; see `train_on_batch`."""
        checks.no_weights(sample_weight=sample_weight)
        self._look_at(x, y)
        with self._singly():
            return self._in_order(super().test_on_batch(x, y, return_dict=True), return_dict)

    def _look_at(self, x, y):
        """Raise ValueError for a batch that no step can be taken on, before one is."""
        watch = Watch("x")
        watch.set_model(self)
        watch.add(usable(*checks.batch((x, y), self), self)[2])
        watch.check()

    def _in_order(self, found, by_name):
        if by_name:
            return found
        return [found.get(name, float("nan")) for name in self.metrics_names]

    @contextlib.contextmanager
    def _singly(self):
        """Take one batch at a time inside."""
        k, self.steps_per_execution = self.steps_per_execution, 1
        try:
            yield
        finally:
            self.steps_per_execution = k

    @contextlib.contextmanager
    def _watching(self, watch, reads=None):
        """Let a `Watch`, or None, look at the batches of the steps inside; `fit` evaluates too.

        The logs of the steps that `reads` chooses are read; by default those of all.
        """
        around = self._watch, self._reads
        self._watch, self._reads = watch, reads
        try:
            yield
        finally:
            self._watch, self._reads = around
