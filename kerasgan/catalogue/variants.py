"""The variants: for each what it is, what it cures, its papers and its own options."""

import dataclasses

from kerasgan.catalogue.ingredients import AUGMENTS, LOSSES
from kerasgan.catalogue.networks import FLOWS, PLAIN
from kerasgan.catalogue.option import (
    Option,
    choice,
    flag,
    given,
    integer,
    positive,
    weight,
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """A variant.

    Args:
        name: Its name in the shell, in recipes and of its file.
        class_name: The name of its class in `kerasgan`.
        title: What its paper calls it.
        summary: What it is, in a line.
        cures: What it is against, in a line.
        papers: Numbers at arXiv.
        options: The arguments of its constructor that are its own.
        architectures: Those that it takes; the first is the default.
        sampling: The options of its `sample`.
        refuses: Options of a training that it cannot have, and why.
        module: The module of its class; by default the file of its name in `kerasgan.gans`.
    """

    name: str
    class_name: str
    title: str
    summary: str
    cures: str
    papers: tuple
    options: tuple = ()
    architectures: tuple = PLAIN
    sampling: tuple = ()
    refuses: dict = dataclasses.field(default_factory=dict)
    module: str | None = None

    @property
    def path(self):
        """The module and the name of its class."""
        return f"{self.module or f'kerasgan.gans.{self.name}'}.{self.class_name}"


# Arguments of `AdversarialModel`, which all variants have.
SHARED = (
    integer("n_critic", "critic steps for each generator step"),
    Option("ema", "number", "decay of the generator's moving average; 0 for none", 0, 1,
           below=True, none=0),
    integer("packing", "images that the critic scores at once"),
    choice("prior", ("normal", "uniform"), "distribution of the latent vectors"),
    positive("historical_averaging", "weight of the distance to past weights"),
    Option("loss", "choice", "the adversarial loss", choices=tuple(LOSSES), shell=False),
    choice("augment", AUGMENTS, "augment what the critic sees", shell=False),
    given("penalties", "penalties of either player"),
    given("num_classes", "classes of conditional networks"),
    positive("learning_rate", "learning rate of both optimizers", shell=False),
    positive("critic_learning_rate", "the critic's, where it differs", shell=False),
    integer("seed", "seed of every random draw", 0, shell=False),
)  # fmt: skip

_LOSS = choice("loss", LOSSES, "the adversarial loss")
_REAL_LABEL = Option("real_label", "number", "0.9 is one-sided label smoothing", 0, 1, above=True)
_GP_WEIGHT = weight("gp_weight", "weight of the gradient penalty, the papers' lambda")
_CODES = Option("codes", "mapping", "values of codes, as categorical_0=3,continuous_0=-0.5")


VARIANTS = {
    entry.name: entry
    for entry in (
        Variant(
            "gan",
            "GAN",
            "GAN",
            "`loss=` non-saturating, minimax, least squares, hinge, Wasserstein, relativistic, "
            "feature matching; `real_label=0.9` smooths the labels",
            "nothing (the baseline)",
            ("1406.2661", "1606.03498"),
            (_LOSS, _REAL_LABEL),
        ),
        Variant(
            "wgan",
            "WGAN",
            "WGAN",
            "Wasserstein loss, weights clipped",
            "vanishing gradients",
            ("1701.07875",),
            (
                positive("clip", "every weight of the critic stays in [-clip, clip]"),
                flag("warmup", "100 critic steps a round at the start, as the authors' code does"),
            ),
            refuses={
                "beta_1": "it has no Adam",
                "beta_2": "it has no Adam",
            },
        ),
        Variant(
            "wgan_gp",
            "WGANGP",
            "WGAN-GP",
            "Wasserstein loss, gradient penalty",
            "vanishing gradients",
            ("1704.00028",),
            (_GP_WEIGHT, flag("one_sided", "penalise only gradients above 1")),
        ),
        Variant(
            "dragan",
            "DRAGAN",
            "DRAGAN",
            "gradient penalty around the real images",
            "a critic that is steep around real images",
            ("1705.07215",),
            (
                _GP_WEIGHT,
                positive("spread", "how far the penalty reaches, in standard deviations"),
            ),
        ),
        Variant(
            "sngan",
            "SNGAN",
            "SNGAN",
            "hinge loss, spectral normalisation",
            "a steep critic, by construction",
            ("1802.05957",),
            (_LOSS,),
        ),
        Variant(
            "unrolled_gan",
            "UnrolledGAN",
            "Unrolled GAN",
            "generator's gradient through K critic updates",
            "a generator that does not look ahead",
            ("1611.02163",),
            (
                _LOSS,
                _REAL_LABEL,
                integer("unrolled_steps", "steps that the critic is unrolled, the paper's K", 0),
                choice("inner", ("adam", "sgd"), "optimizer of the unrolled steps"),
            ),
        ),
        Variant(
            "infogan",
            "InfoGAN",
            "InfoGAN",
            "codes that can be read back: `sample(codes=...)`, `traverse(code, steps)`",
            "codes without meaning",
            ("1606.03657",),
            (
                Option("categorical", "integers", "values of each categorical code, as 10 or 10,4",
                       1),
                integer("continuous", "how many continuous codes there are", 0),
                weight("info_weight", "weight of the categorical codes' information"),
                weight("continuous_weight", "weight of the continuous codes' information"),
                weight("view_weight", "1 asks for categories that distortions do not change"),
                given("views", "what distorts an image, a layer of kerasgan.augment"),
            ),
            sampling=(_CODES,),
        ),
        Variant(
            "pacgan",
            "PacGAN",
            "PacGAN",
            "the critic scores m images at once",
            "a critic that cannot see repetition",
            ("1712.04086",),
            (_LOSS, _REAL_LABEL),
        ),
        Variant(
            "flow_gan",
            "FlowGAN",
            "Flow-GAN",
            "an invertible generator (NICE, RealNVP): `log_prob(x)` in nats and bits per dimension",
            "dropped modes, by likelihood",
            ("1705.08868",),
            (
                weight("adversarial_weight", "0 is likelihood alone"),
                weight("nll_weight", "weight of the likelihood; 0 is adversarial alone"),
                _GP_WEIGHT,
            ),
            FLOWS,
            refuses={
                "conditional": "a flow takes no labels",
                "minibatch": "its critic has no such layer",
                "packing": "its critic scores one image at a time",
                "latent_dim": "a flow has as many latent numbers as an image has values",
                "prior": "the prior is the flow's",
            },
        ),
        Variant(
            "r3gan",
            "R3GAN",
            "R3GAN",
            "relativistic pairing, R1 and R2, burn-in",
            "dropped modes and cycling",
            ("2501.05441",),
            (
                weight("gamma", "weight of R1 and R2 at the start"),
                weight("final_gamma", "weight of R1 and R2 after the burn-in"),
                integer("burn_in", "steps in which gamma and the learning rate fall"),
                positive("final_learning_rate", "learning rate after the burn-in; a quarter of "
                         "the first by default"),
            ),
            refuses={
                "final_lr": "its learning rates fall by themselves",
                "beta_2": "its beta_2 moves by itself",
            },
        ),
    )
}  # fmt: skip
