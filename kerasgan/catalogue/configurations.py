"""The constants with which R3GAN's authors trained, by data set."""

import dataclasses

# The authors' augmentations: each happens with one probability, those of colours with half of it.
POLICY, MULTIPLIERS = "blit,geometry,color,cutout", {"color": 0.5}


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What the authors have for a data set.

    Args:
        name: Its name in Python and in the shell.
        image_size: Side of the images, in pixels.
        width: See `kerasgan.networks.r3gan`.
        full_side: The same.
        group_width: The same.
        gamma: Weight of R1 and R2 at the start; a tenth of it at the end of the burn-in.
        augmented: Probability of augmentations at the end of the burn-in; it rises from 0.
        burn_in: Images of the burn-in.
        half_life: Images of the moving average's half-life at the end of the burn-in.
        batch_size: Images of a step.
        conditional: Whether the authors' networks take labels.
    """

    name: str
    image_size: int
    gamma: float
    augmented: float
    half_life: int
    batch_size: int
    width: int = 768
    full_side: int = 32
    group_width: int = 16
    burn_in: int = 20_000_000
    conditional: bool = False

    @property
    def networks(self):
        """Arguments of `kerasgan.networks.r3gan`."""
        names = ("image_size", "width", "full_side", "group_width")
        return {**{name: getattr(self, name) for name in names}, "latent_dim": 64, "depth": 2}

    def arguments(self, batch_size=None):
        """Return arguments of `kerasgan.R3GAN`, whose schedules count steps and not images.

        Args:
            batch_size: Images of a step; by default the authors'.
        """
        batch_size = batch_size or self.batch_size
        return {
            "gamma": self.gamma,
            "final_gamma": self.gamma / 10,
            "burn_in": max(1, round(self.burn_in / batch_size)),
            "learning_rate": 2e-4,
            "final_learning_rate": 5e-5,
            "ema": 0.5 ** (batch_size / self.half_life),
        }

    def augment(self, batch_size=None):
        """Return arguments of `kerasgan.augment.ADA`; see `arguments`."""
        return {
            "policy": POLICY,
            "multipliers": dict(MULTIPLIERS),
            "fixed": self.augmented,
            "rise": self.arguments(batch_size)["burn_in"],
            "antialias": True,
        }


_IMAGENET = {
    "width": 1536,
    "group_width": 32,
    "half_life": 50_000_000,
    "burn_in": 200_000_000,
    "batch_size": 4096,
    "conditional": True,
}

# Those of train.py in brownvc/R3GAN on GitHub; the batch sizes are those of its README.
CONFIGURATIONS = {
    one.name: one
    for one in (
        Configuration("cifar-10", 32, 0.05, 0.55, 5_000_000, 512, conditional=True),
        Configuration("ffhq-64", 64, 2.0, 0.3, 500_000, 256),
        Configuration("ffhq-256", 256, 150.0, 0.3, 500_000, 256),
        Configuration("imagenet-32", 32, 0.5, 0.5, **_IMAGENET),
        Configuration("imagenet-64", 64, 1.0, 0.4, full_side=64, **_IMAGENET),
    )
}
