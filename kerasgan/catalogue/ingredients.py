"""What any variant combines with: losses, penalties and augmentations."""

import dataclasses

from kerasgan.catalogue.option import Option, choice, flag, integer, positive, weight


@dataclasses.dataclass(frozen=True)
class Ingredient:
    """A class that models are given.

    Args:
        name: Its name in the shell and in recipes.
        path: The module and the name of its class.
        title: What it is called.
        summary: What it is, in a few words.
        papers: Numbers at arXiv.
        options: The arguments of its constructor.
        has_zero: Of a loss: whether a score of zero is the border between real and generated.
        batch_norm: Of a penalty: what happens to batch normalisation in the critic, "refused",
            "warned about" or "allowed".
    """

    name: str
    path: str
    title: str
    summary: str
    papers: tuple = ()
    options: tuple = ()
    has_zero: bool = True
    batch_norm: str = "warned about"

    def option(self, name):
        """Return the option of this name."""
        return next(option for option in self.options if option.name == name)


def _by_name(*entries):
    return {entry.name: entry for entry in entries}


REAL_LABEL = Option(
    "real_label", "number", "what the critic is to answer to real images; 0.9 is one-sided label "
    "smoothing", minimum=0, maximum=1, above=True,
)  # fmt: skip

LOSSES = _by_name(
    Ingredient(
        "non_saturating",
        "kerasgan.losses.NonSaturating",
        "non-saturating",
        "-E[log D(G(z))] for the generator",
        ("1406.2661",),
        (REAL_LABEL,),
    ),
    Ingredient(
        "minimax",
        "kerasgan.losses.Minimax",
        "minimax",
        "E[log(1 - D(G(z)))] for the generator",
        ("1406.2661",),
        (REAL_LABEL,),
    ),
    Ingredient(
        "least_squares",
        "kerasgan.losses.LeastSquares",
        "least squares",
        "squared distances of the scores to 0 and 1",
        ("1611.04076",),
        has_zero=False,
    ),
    Ingredient(
        "hinge",
        "kerasgan.losses.Hinge",
        "hinge",
        "scores beyond a margin of 1 count no more",
        ("1802.05957",),
    ),
    Ingredient(
        "wasserstein",
        "kerasgan.losses.Wasserstein",
        "Wasserstein",
        "the difference of the mean scores",
        ("1701.07875",),
        has_zero=False,
    ),
    Ingredient(
        "relativistic",
        "kerasgan.losses.Relativistic",
        "relativistic",
        "each generated image is scored against a real one",
        ("1807.00734", "2501.05441"),
        has_zero=False,
    ),
    Ingredient(
        "feature_matching",
        "kerasgan.losses.FeatureMatching",
        "feature matching",
        "the distance of the critic's mean features",
        ("1606.03498",),
        (REAL_LABEL,),
    ),
)

_COMMON = (
    choice("player", ("critic",), "whose loss it is added to", shell=False),
    integer("every", "apply it every k steps, scaled by k", shell=False),
    Option("name", "text", "the name under which it is logged", none="", shell=False),
)

PENALTIES = _by_name(
    Ingredient(
        "gradient_penalty",
        "kerasgan.penalties.GradientPenalty",
        "Gradient penalty",
        "a gradient of norm 1 between real and generated images",
        ("1704.00028",),
        (
            weight("weight", "weight of WGAN-GP's penalty, which pulls the critic's gradient "
                   "between real and generated images to a norm of 1"),
            weight("target", "the norm that is pulled to", shell=False),
            flag("one_sided", "only norms above the target are penalised", shell=False),
            *_COMMON,
        ),
        batch_norm="refused",
    ),
    Ingredient(
        "r1",
        "kerasgan.penalties.R1",
        "R1",
        "no gradient at real images",
        ("1801.04406",),
        (
            weight("weight", "weight of R1, which penalises the critic's gradient at real images"),
            *_COMMON,
        ),
    ),
    Ingredient(
        "r2",
        "kerasgan.penalties.R2",
        "R2",
        "no gradient at generated images",
        ("1801.04406",),
        (
            weight("weight", "weight of R2, which penalises the critic's gradient at generated "
                   "images"),
            *_COMMON,
        ),
    ),
    Ingredient(
        "dragan_penalty",
        "kerasgan.penalties.DRAGANPenalty",
        "DRAGAN's penalty",
        "a gradient of norm 1 around real images",
        ("1705.07215",),
        (
            weight("weight", "weight of DRAGAN's penalty, which pulls the critic's gradient around "
                   "real images to a norm of 1"),
            positive("spread", "how far it reaches, in standard deviations", shell=False),
            *_COMMON,
        ),
        batch_norm="allowed",
    ),
    Ingredient(
        "path_length",
        "kerasgan.penalties.PathLength",
        "Path length",
        "steps in the images as long as those in the styles",
        ("1912.04958",),
        (
            weight("weight", "weight of the penalty on path lengths, which has equal steps of the "
                   "styles make equal steps of the images"),
            Option("decay", "number", "share of a new mean in that of the lengths", 0, 1,
                   above=True, below=True, shell=False),
            integer("part", "it looks at one in so many images", shell=False),
            choice("player", ("generator",), "whose loss it is added to", shell=False),
            *_COMMON[1:],
        ),
        batch_norm="allowed",
    ),
)  # fmt: skip


def _policy(*parts):
    return Option("policy", "words", "parts of it, with commas between them", choices=parts)


AUGMENTATIONS = _by_name(
    Ingredient(
        "diffaugment",
        "kerasgan.augment.DiffAugment",
        "DiffAugment",
        "colour, translation and cutout on all that the critic sees",
        ("2006.10738",),
        (_policy("color", "translation", "cutout"),),
    ),
    Ingredient(
        "ada",
        "kerasgan.augment.ADA",
        "ADA",
        "as much augmentation as the critic's overfitting asks for",
        ("2006.06676",),
        (
            Option("target", "number", "the overfitting that is aimed at, 0.6 by default",
                   minimum=0, maximum=1, above=True, below=True),
            positive("speed", "images until the probability goes from 0 to 1", shell=False),
            integer("interval", "critic steps between two adjustments", shell=False),
            Option("max_probability", "number", "the probability's greatest value", minimum=0,
                   maximum=1, above=True, shell=False),
            Option("fixed", "number", "a probability that does not adapt", minimum=0, maximum=1,
                   none="none"),
            integer("rise", "critic steps in which it rises from 0", minimum=0, shell=False),
            flag("antialias", "filter geometric changes as the authors do, which takes many times "
                 "as long"),
            Option("multipliers", "mapping", "factors of the probability of single groups",
                   none="none", shell=False),
            _policy("blit", "geometry", "color", "filter", "noise", "cutout"),
        ),
    ),
    Ingredient(
        "distortion",
        "kerasgan.augment.Distortion",
        "Distortion",
        "slant, size, place and thickness of strokes, for the views of an InfoGAN",
        (),
        (
            weight("rotation", "greatest angle, in degrees", shell=False),
            weight("shear", "greatest shear", shell=False),
            weight("scale", "greatest change of the size", shell=False),
            weight("shift", "greatest shift, as a share of the side", shell=False),
            Option("thickness", "number", "greatest change of strokes", minimum=0, maximum=1,
                   shell=False),
        ),
    ),
)  # fmt: skip
# What a model's `augment` may be; a distortion is for views.
AUGMENTS = ("diffaugment", "ada")
