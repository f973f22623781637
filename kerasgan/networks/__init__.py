"""Builders of generators and critics; resolution, channels and width are arguments."""

from kerasgan.networks.dcgan import SIZES, DCGANCritic, DCGANGenerator, dcgan
from kerasgan.networks.mlp import MLPCritic, MLPGenerator, mlp

# The names that the command line uses.
ARCHITECTURES = {"dcgan": dcgan, "mlp": mlp}

__all__ = [
    "ARCHITECTURES",
    "SIZES",
    "DCGANCritic",
    "DCGANGenerator",
    "MLPCritic",
    "MLPGenerator",
    "dcgan",
    "mlp",
]
