"""Tools for the vectors that images are made of: mixing, directions, editing."""

import numpy as np
from keras import layers, ops

from kerasgan import validation
from kerasgan.backend import private
from kerasgan.text import clipped

# Layers from the smallest maps on.
LEVELS = {"coarse": (0, 4), "middle": (4, 8), "fine": (8, None)}


class Styles:
    """The part of an adversarial model that works on the vectors its images are made of.

    These are the latent vectors, or a vector for each layer where the generator has styles.
    """

    style_layers = None  # How many vectors of the style space an image has, if it has any.

    def styles(self, n, seed=None, labels=None, **sampling):
        """Return the vectors of the images that `sample(n, seed, labels)` returns.

        Args:
            n: How many images.
            seed: Their seed.
            labels: Class numbers of a conditional StyleGAN2, as `sample` takes them. Latent vectors
                do not hold the class.
            **sampling: Sampling options that act on styles, as `truncation`.

        Returns:
            A float32 array: latent vectors `(n, latent_dim)`, or of a generator of styles
            `(n, layers, style_dim)`.
        """
        return self.latent_vectors(n, seed)

    def decode_styles(self, styles, labels=None, batch_size=256, noise_seed=0, **sampling):
        """Return the images of such vectors; see `decode_latents`.

        Args:
            styles: What `styles` returns, as it is or changed.
            labels: Class numbers of a conditional model whose vectors do not hold the class.
            batch_size: Images computed at a time.
            noise_seed: Seed of noise that layers draw.
            **sampling: The variant's sampling options.
        """
        return self.decode_latents(styles, labels, batch_size, noise_seed=noise_seed, **sampling)

    def mix(self, rows, columns, levels="coarse", labels=None, **sampling):
        """Return images that have some layers' styles of one image and the rest of another.

        Args:
            rows: Seeds of the images that most comes from; each is that of `sample(1, seed)`.
            columns: Seeds of the images that the styles of `levels` come from.
            levels: "coarse", "middle" or "fine", or the numbers of layers. Coarse styles are
                those of the first four layers, on which pose and shape depend. Middle ones are
                the next four. Fine ones are all others, on which colours depend.
            labels: Of a conditional model: one class number for all images.
            **sampling: The variant's sampling options.

        Returns:
            A float32 array `(rows, columns, height, width, channels)` in [-1, 1].

        Raises:
            ValueError: If the generator has no styles, or not these levels.

        Reference: Karras et al. 2019, https://arxiv.org/abs/1812.04948, section 3.1.
        """
        chosen = self._chosen_layers(levels)
        options = self.checked_sampling(1, **sampling)
        ends = [self._of_seeds(seeds, labels, options) for seeds in (rows, columns)]
        mixed = np.repeat(ends[0][:, None], len(ends[1]), axis=1)
        mixed[:, :, chosen] = ends[1][None][:, :, chosen]
        options.pop("truncation", None)  # The styles have it.
        images = self.decode_styles(mixed.reshape(-1, *mixed.shape[2:]), **options)
        return images.reshape(*mixed.shape[:2], *images.shape[1:])

    def _of_seeds(self, seeds, labels, options):
        seeds = [int(seed) for seed in np.ravel(seeds)]
        if not seeds:
            raise ValueError("`rows` and `columns` must each be at least one seed. Received: none")
        return np.concatenate([self.styles(1, seed, labels, **options) for seed in seeds])

    def _chosen_layers(self, levels):
        """Return the numbers of the layers that `levels` names, a list."""
        if self.style_layers is None:
            raise ValueError(
                "`levels` goes with a generator of styles, as a StyleGAN2 has one. Received: "
                f"{type(self).__name__} {self.name!r}"
            )
        there = range(self.style_layers)
        if isinstance(levels, str):
            validation.choice("levels", levels, LEVELS)
            found = list(there[slice(*LEVELS[levels])])
            levels = repr(levels)
        else:
            found = [int(number) for number in np.ravel(levels)]
        if not found or min(found) < 0 or max(found) >= len(there):
            raise ValueError(
                f"`levels` must name some of the layers 0..{len(there) - 1} that have a style: "
                "coarse are 0 to 3, middle 4 to 7, fine the others. Received: "
                f"levels={clipped(str(levels), 100)}"
            )
        return found

    def directions(self, k=None, levels=None):
        """Return directions along which the generator's weights change images most.

        They are the eigenvectors of the weights that take the vectors: no images are looked at,
        and nothing is trained. What a direction changes is seen by `edit`.

        Args:
            k: How many, the strongest first; None for all.
            levels: Of a generator of styles: the layers whose weights count, as for `mix`; None
                for all.

        Returns:
            A float32 array `(k, size)` of vectors of length 1, with the size of a latent vector or
            of a style.

        Raises:
            ValueError: If the generator has no weights that take the vectors, or not so many
                directions or these levels.

        Reference: Shen and Zhou 2021, https://arxiv.org/abs/2007.06600.
        """
        kernels = self._style_kernels(None if levels is None else self._chosen_layers(levels))
        if not kernels:
            raise ValueError(
                "`directions` needs a generator whose first layer is fully connected. Received: "
                f"{self.generator.name!r}"
            )
        columns = np.concatenate([ops.convert_to_numpy(kernel) for kernel in kernels], axis=1)
        columns = columns / np.maximum(np.linalg.norm(columns, axis=0, keepdims=True), 1e-12)
        _, vectors = np.linalg.eigh(columns @ columns.T)
        found = vectors.T[::-1]
        if k is not None:
            validation.positive_integer("k", k)
            if k > len(found):
                raise ValueError(f"`k` must be at most {len(found)}. Received: k={k}")
        # An eigenvector has no sign of its own.
        largest = found[np.arange(len(found)), np.abs(found).argmax(axis=1)]
        return (found * np.sign(largest)[:, None]).astype("float32")[:k]

    def _style_kernels(self, chosen):
        """Return kernels `(size, units)` of layers that take the vectors.

        Args:
            chosen: The numbers of layers whose style they take, or None for all.
        """
        size = self.latent_dim + (self.num_classes or 0)
        network = self.sampling_generator
        for layer in private.flat_layers(network):
            if isinstance(layer, layers.Dense) and layer.kernel.shape[0] == size:
                return [ops.convert_to_numpy(layer.kernel)[: self.latent_dim]]
        return []

    def project(self, images, steps=500, distance=None, labels=None, seed=0, progress=None):
        """Return the vectors whose images look most like some pictures.

        `kerasgan.adversarial.projection.project` describes the arguments and the `Projection` that
        is returned.
        """
        from kerasgan.adversarial import projection  # It loads what measures images.

        return projection.project(self, images, steps, distance, labels, seed, progress)

    def edit(self, styles, direction, amounts, levels=None, labels=None, **sampling):
        """Return the images of vectors that are moved along a direction.

        Args:
            styles: What `styles` returns, `n` vectors.
            direction: One of `directions`, or any vector of that size.
            amounts: How far they are moved, numbers.
            levels: Of a generator of styles: the layers whose style is moved, as for `mix`; None
                for all.
            labels: See `decode_styles`.
            **sampling: The variant's sampling options.

        Returns:
            A float32 array `(n, amounts, height, width, channels)` in [-1, 1].
        """
        styles = np.asarray(styles, "float32")
        direction = np.asarray(direction, "float32")
        amounts = np.atleast_1d(np.asarray(amounts, "float32"))
        if direction.shape != styles.shape[-1:]:
            raise ValueError(
                f"`direction` must have the shape {styles.shape[-1:]} of a vector of `styles`. "
                f"Received: shape {direction.shape}"
            )
        step = np.zeros_like(styles[0])
        if levels is None:
            step[:] = direction
        else:
            step[self._chosen_layers(levels)] = direction
        moves = amounts.reshape(-1, *[1] * step.ndim) * step
        moved = styles[:, None] + moves[None]
        if labels is None and self.num_classes is not None and self.style_layers is None:
            labels = np.arange(len(styles)) % self.num_classes  # As `decode_latents` has it.
        if labels is not None and np.ndim(labels):
            labels = np.repeat(labels, len(amounts))
        images = self.decode_styles(moved.reshape(-1, *step.shape), labels, **sampling)
        return images.reshape(*moved.shape[:2], *images.shape[1:])
