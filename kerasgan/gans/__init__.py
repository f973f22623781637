"""The variants, one file each."""

from kerasgan.gans.base import AdversarialModel
from kerasgan.gans.dragan import DRAGAN
from kerasgan.gans.flow_gan import FlowGAN
from kerasgan.gans.gan import GAN
from kerasgan.gans.infogan import InfoGAN
from kerasgan.gans.pacgan import PacGAN
from kerasgan.gans.r3gan import R3GAN
from kerasgan.gans.scoring import Batch
from kerasgan.gans.sngan import SNGAN
from kerasgan.gans.unrolled_gan import UnrolledGAN
from kerasgan.gans.wgan import WGAN
from kerasgan.gans.wgan_gp import WGANGP

# The names that the command line and presets use.
VARIANTS = {
    "gan": GAN,
    "wgan": WGAN,
    "wgan_gp": WGANGP,
    "dragan": DRAGAN,
    "sngan": SNGAN,
    "unrolled_gan": UnrolledGAN,
    "infogan": InfoGAN,
    "pacgan": PacGAN,
    "flow_gan": FlowGAN,
    "r3gan": R3GAN,
}

__all__ = [
    "DRAGAN",
    "GAN",
    "R3GAN",
    "SNGAN",
    "VARIANTS",
    "WGAN",
    "WGANGP",
    "AdversarialModel",
    "Batch",
    "FlowGAN",
    "InfoGAN",
    "PacGAN",
    "UnrolledGAN",
]
