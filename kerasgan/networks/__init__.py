"""Builders of generators and critics; resolution, channels and width are arguments."""

from kerasgan.networks.dcgan import DCGANCritic, DCGANGenerator, dcgan
from kerasgan.networks.fastgan import FastGANCritic, FastGANGenerator, fastgan
from kerasgan.networks.flow import FlowGenerator, bits_per_dimension, flow
from kerasgan.networks.mlp import MLPCritic, MLPGenerator, mlp
from kerasgan.networks.r3gan import R3GANCritic, R3GANGenerator, r3gan
from kerasgan.networks.resnet import ResNetCritic, ResNetGenerator, resnet
from kerasgan.networks.stylegan2 import StyleGAN2Critic, StyleGAN2Generator, stylegan2

# The names that the command line uses.
ARCHITECTURES = {"dcgan": dcgan, "mlp": mlp, "resnet": resnet}
FLOWS = ("nice", "realnvp")

__all__ = [
    "ARCHITECTURES",
    "FLOWS",
    "DCGANCritic",
    "DCGANGenerator",
    "FastGANCritic",
    "FastGANGenerator",
    "FlowGenerator",
    "MLPCritic",
    "MLPGenerator",
    "R3GANCritic",
    "R3GANGenerator",
    "ResNetCritic",
    "ResNetGenerator",
    "StyleGAN2Critic",
    "StyleGAN2Generator",
    "bits_per_dimension",
    "dcgan",
    "fastgan",
    "flow",
    "mlp",
    "r3gan",
    "resnet",
    "stylegan2",
]
