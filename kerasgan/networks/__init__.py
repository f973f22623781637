"""Builders of generators and critics; resolution, channels and width are arguments."""

from kerasgan.networks.dcgan import SIZES, DCGANCritic, DCGANGenerator, dcgan
from kerasgan.networks.flow import FlowGenerator, bits_per_dimension, flow
from kerasgan.networks.mlp import MLPCritic, MLPGenerator, mlp
from kerasgan.networks.resnet import ResNetCritic, ResNetGenerator, resnet
from kerasgan.networks.stylegan2 import StyleGAN2Critic, StyleGAN2Generator, stylegan2

# The names that the command line uses.
ARCHITECTURES = {"dcgan": dcgan, "mlp": mlp, "resnet": resnet}
FLOWS = ("nice", "realnvp")

__all__ = [
    "ARCHITECTURES",
    "FLOWS",
    "SIZES",
    "DCGANCritic",
    "DCGANGenerator",
    "FlowGenerator",
    "MLPCritic",
    "MLPGenerator",
    "ResNetCritic",
    "ResNetGenerator",
    "StyleGAN2Critic",
    "StyleGAN2Generator",
    "bits_per_dimension",
    "dcgan",
    "flow",
    "mlp",
    "resnet",
    "stylegan2",
]
