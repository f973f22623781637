"""The architectures: pairs of a generator and a critic that a builder makes."""

import dataclasses

from kerasgan.catalogue.option import choice, given, integer, positive


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A pair of networks.

    Args:
        name: Its name in the shell and in recipes.
        path: The module and the name of its builder.
        title: What it is called.
        summary: What it is, in a few words.
        papers: Numbers at arXiv.
        doubled: Whether it makes images of the sizes that `kerasgan.sizes.pyramid` has alone.
        options: The arguments of the builder, beside `image_size` and `channels`.
        fixed: Arguments of the builder that the name stands for.
        flow: Whether the generator is invertible, as `FlowGAN` needs it.
    """

    name: str
    path: str
    title: str
    summary: str
    papers: tuple
    doubled: bool = False
    options: tuple = ()
    fixed: tuple = ()
    flow: bool = False


_LATENT_DIM = integer(
    "latent_dim", "how many numbers a latent vector has", maximum=2**16, default=128
)
_WIDTH = integer(
    "width",
    "feature maps or units of a layer; each architecture has its own default",
    maximum=2**14,
)
_DEPTH = integer(
    "depth", "number of layers or blocks; each architecture has its own default", maximum=100
)
_LABELS = given("num_classes", "classes of a conditional pair")
_CONDITIONING = choice(
    "conditioning", ("projection", "concat"), "how labels enter the critic; projection by default"
)
_PACKING = integer("packing", "images that the critic scores at once", maximum=64, shell=False)


def _minibatch(*layers):
    help = "layer in the critic that compares the images of a batch; none by default"
    return choice("minibatch", layers, help, none="none")


def _norm(*norms):
    help = (
        "normalisation in the critic; by default the variant's, but none instead of batch under a "
        "penalty on each sample's own gradient"
    )
    return choice("critic_norm", norms, help, none="none")


_OF_STYLEGAN2 = ("skip", "residual", "plain")

_COMMON = (_LATENT_DIM, _WIDTH, _LABELS, _CONDITIONING, _PACKING)
_FLOW = (
    _WIDTH,
    _DEPTH,
    integer("hidden_layers", "number of hidden layers in each coupling", maximum=100),
    integer("critic_width", "feature maps or units of the critic", maximum=2**14),
    given("critic_norm", "None, since a flow's critic is under a gradient penalty"),
)

ARCHITECTURES = {
    entry.name: entry
    for entry in (
        Architecture(
            "dcgan",
            "kerasgan.networks.dcgan.dcgan",
            "DCGAN",
            "convolutions of stride 2",
            ("1511.06434",),
            doubled=True,
            options=(
                *_COMMON,
                _minibatch("discrimination", "stddev"),
                integer("kernel_size", "side of the convolution kernels, in pixels", maximum=64),
                choice(
                    "upsampling",
                    ("transposed", "nearest"),
                    "how the generator enlarges maps; transposed convolutions by default",
                ),
                _norm("batch", "spectral"),
            ),
        ),
        Architecture(
            "mlp",
            "kerasgan.networks.mlp.mlp",
            "MLP",
            "fully connected layers",
            ("1701.07875",),
            options=(
                *_COMMON,
                _minibatch("discrimination"),
                _DEPTH,
                _norm("batch", "spectral"),
            ),
        ),
        Architecture(
            "resnet",
            "kerasgan.networks.resnet.resnet",
            "ResNet",
            "residual blocks, SNGAN's or R3GAN's",
            ("1802.05957", "2501.05441"),
            doubled=True,
            options=(
                *_COMMON,
                _minibatch("discrimination", "stddev"),
                _DEPTH,
                choice(
                    "style",
                    ("sngan", "r3gan"),
                    "whose residual blocks it has; by default sngan, and r3gan for r3gan",
                ),
                _norm("spectral"),
            ),
        ),
        Architecture(
            "stylegan2",
            "kerasgan.networks.stylegan2.stylegan2",
            "StyleGAN2",
            "a mapping network, and convolutions that styles modulate",
            ("1912.04958", "2006.06676"),
            doubled=True,
            options=(
                dataclasses.replace(_LATENT_DIM, default=512),
                integer("style_dim", "size of the style vectors; as many as latent numbers by "
                        "default", maximum=2**14),
                integer("mapping_layers", "layers from latent vectors to styles", maximum=100),
                integer("channel_base", "maps with a side of 4 x 2^i have a 2^(i+2)th of it as "
                        "features", maximum=2**20),
                integer("channel_max", "most features of a map", maximum=2**14),
                choice("generator_architecture", _OF_STYLEGAN2, "how the image is put together: "
                       "skip by default"),
                choice("critic_architecture", _OF_STYLEGAN2, "how the critic's blocks are joined: "
                       "residual by default"),
                integer("critic_mapping_layers", "layers that a conditional critic's label passes",
                        maximum=100, shell=False),
                integer("reduced", "levels of reduced precision under a mixed one", minimum=0,
                        maximum=100, shell=False),
                positive("clamp", "bound of what convolutions return", none="none", shell=False),
                integer("group_size", "images that the critic compares", maximum=2**16,
                        shell=False),
                integer("group_channels", "maps of what it finds", minimum=0, maximum=2**10,
                        shell=False),
                _LABELS,
                _PACKING,
            ),
        ),
        Architecture(
            "r3gan",
            "kerasgan.networks.r3gan.r3gan",
            "R3GAN",
            "residual blocks without normalisation, as R3GAN's authors have them",
            ("2501.05441",),
            doubled=True,
            options=(
                dataclasses.replace(_LATENT_DIM, default=64),
                _WIDTH,
                _DEPTH,
                integer("full_side", "largest side of maps that have all features; beyond, they "
                        "halve with each doubling", maximum=2**12, shell=False),
                integer("group_width", "maps in each group of a block's 3x3 convolution",
                        maximum=2**14, shell=False),
                _LABELS,
                _PACKING,
            ),
        ),
        Architecture(
            "fastgan",
            "kerasgan.networks.fastgan.fastgan",
            "FastGAN",
            "upsampling and gated convolutions, whose small maps excite large ones",
            ("2101.04775",),
            doubled=True,
            options=(dataclasses.replace(_LATENT_DIM, default=256), _WIDTH),
        ),
        Architecture(
            "nice",
            "kerasgan.networks.flow.flow",
            "NICE",
            "an invertible generator of additive couplings",
            ("1410.8516",),
            options=_FLOW,
            fixed=(("kind", "nice"),),
            flow=True,
        ),
        Architecture(
            "realnvp",
            "kerasgan.networks.flow.flow",
            "RealNVP",
            "an invertible generator of affine couplings",
            ("1605.08803",),
            options=_FLOW,
            fixed=(("kind", "realnvp"),),
            flow=True,
        ),
    )
}  # fmt: skip
FLOWS = tuple(name for name, entry in ARCHITECTURES.items() if entry.flow)
PLAIN = ("dcgan", "mlp", "resnet")  # Those that most variants take.
