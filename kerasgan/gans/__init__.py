"""The variants, one file each."""

from kerasgan.gans.base import AdversarialModel
from kerasgan.gans.gan import GAN
from kerasgan.gans.wgan import WGAN
from kerasgan.gans.wgan_gp import WGANGP

# The names that the command line and presets use.
VARIANTS = {"gan": GAN, "wgan": WGAN, "wgan_gp": WGANGP}

__all__ = ["GAN", "VARIANTS", "WGAN", "WGANGP", "AdversarialModel"]
