"""Walk: the images on the way through the latent vectors of several seeds."""

import collections.abc

import numpy as np

from kerasgan import validation
from kerasgan.adversarial import checks, latent


class Walk(collections.abc.Sequence):
    """The steps of a walk, each of which is computed when it is asked for.

    An item is what a model generates at one step, a float32 array `(n, height, width, channels)` in
    [-1, 1]. The k-th image of a step lies between the k-th images of two seeds.

    Args:
        model: An adversarial model.
        seeds: At least two seeds. At each of them the step shows the images of
            `model.sample(n, seed)`.
        steps: Steps from one seed to the next.
        n: Images at each step.
        loop: Whether the walk goes back from the last seed to the first one. It then ends a step
            before it, so that it can be repeated.
        labels: Of a conditional model: one class number for all images, or `n` of them.
        **sampling: The variant's sampling options.

    Raises:
        ValueError: If there are fewer than two seeds, an argument is out of range, or a conditional
            model is given no labels.
    """

    def __init__(self, model, seeds, steps, n=1, loop=True, labels=None, **sampling):
        seeds = list(seeds)
        if len(seeds) < 2:
            raise ValueError(f"`seeds` must be at least two numbers. Received: seeds={seeds}")
        for name, value in (("steps", steps), ("n", n)):
            validation.positive_integer(name, value)
        model.checked_sampling(n, **sampling)
        if labels is None and model.num_classes is not None:
            raise ValueError(
                f"`labels` must be given: a walk of a conditional {type(model).__name__} goes "
                f"through the images of one class, 0..{model.num_classes - 1}. Received: "
                "labels=None"
            )
        if labels is not None and model.num_classes is not None:
            labels = checks.labels(labels, n, model.num_classes)
        self.model = model
        self.seeds = seeds
        self.steps = steps
        self.labels = labels
        self.sampling = sampling
        self._ends = [model.latent_vectors(n, seed) for seed in seeds]
        self._legs = len(seeds) if loop else len(seeds) - 1
        self._last = not loop
        self._leg = None, None

    def __len__(self):
        return self._legs * self.steps + self._last

    def latents(self, step):
        """Return the latent vectors of a step, `(n, latent_dim)`; those of a seed are its own."""
        leg, place = divmod(range(len(self))[step], self.steps)
        if place == 0:
            return self._ends[leg % len(self._ends)]
        return self._way(leg)[place]

    def _way(self, leg):
        """Return the latent vectors from one seed to the next, `(steps + 1, n, latent_dim)`."""
        if self._leg[0] != leg:
            ends = self._ends[leg], self._ends[(leg + 1) % len(self._ends)]
            ways = [
                latent.interpolated(self.steps + 1, a, b, self.model.prior)
                for a, b in zip(*ends, strict=True)
            ]
            self._leg = leg, np.stack(ways, axis=1)
        return self._leg[1]

    def __getitem__(self, step):
        # One step at a time: a batch of another size may round other sums, and noise that a
        # generator draws by itself stays the same.
        return self.model.decode_latents(
            self.latents(step), self.labels, noise_seed=self.seeds[0], **self.sampling
        )
