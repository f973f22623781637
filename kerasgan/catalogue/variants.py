"""The variants: for each what it is, what it cures, its papers and its own options."""

import dataclasses

from kerasgan.catalogue import rules
from kerasgan.catalogue.ingredients import AUGMENTS, LOSSES, REAL_LABEL
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
        refuses: Options of a training that it cannot have, and why; "cosine" stands for learning
            rates that fall along one.
        loss: Its adversarial loss by default.
        penalties: Its own penalties.
        critic_norm: What normalises its critic by default: "batch", "spectral" or None.
        resnet_style: Whose residual blocks it has by default.
        packs: How many images its critic scores at once by default.
        rules: What must hold in a recipe of it beside the ranges of its options: callables that
            take the recipe and raise ValueError.
        usual: Options of a training that the shell gives where nobody does, by name.
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
    loss: str = "non_saturating"
    penalties: tuple = ()
    critic_norm: str | None = "batch"
    resnet_style: str = "sngan"
    packs: int = 1
    rules: tuple = ()
    usual: dict = dataclasses.field(default_factory=dict)
    module: str | None = None

    @property
    def path(self):
        """The module and the name of its class."""
        return f"{self.module or f'kerasgan.gans.{self.name}'}.{self.class_name}"


# Arguments of `AdversarialModel`, which all variants have.
SHARED = (
    integer("n_critic", "critic steps for each generator step", maximum=1000),
    Option("ema", "number", "decay of the moving average of the generator's weights; 0 for none",
           0, 1, below=True, none=0),
    integer("packing", "images that the critic scores at once", maximum=64),
    choice("prior", ("normal", "uniform", "logistic"), "distribution of the latent vectors; by "
           "default the variant's"),
    positive("historical_averaging", "weight of the distance between a network's weights and the "
             "mean of its past ones; none by default"),
    Option("loss", "choice", "adversarial loss", choices=tuple(LOSSES), shell=False),
    choice("augment", AUGMENTS, "augmentation of all that the critic sees; by default none, and "
           "diffaugment for fastgan", shell=False, none="none"),
    given("penalties", "penalties of either player"),
    given("num_classes", "classes of conditional networks"),
    positive("learning_rate", "learning rate of both optimizers", 1, shell=False),
    positive("critic_learning_rate", "the critic's, where it differs", 1, shell=False),
    integer("freeze", "sizes of maps in the critic, from the largest on, whose layers keep their "
            "weights, for fine-tuning; 0 by default", 0, 20),
    integer("seed", "seed of every random draw", 0, 2**32 - 1, shell=False),
)  # fmt: skip

_LOSS = choice("loss", LOSSES, "adversarial loss")
_GP_WEIGHT = weight("gp_weight", "weight of the variant's gradient penalty, the papers' lambda")
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
            (_LOSS, REAL_LABEL),
        ),
        Variant(
            "wgan",
            "WGAN",
            "WGAN",
            "Wasserstein loss, weights clipped",
            "vanishing gradients",
            ("1701.07875",),
            (
                positive("clip", "bound of the critic's weights, which stay in [-clip, clip]"),
                flag("warmup", "take 100 critic steps in each of the first 25 rounds and in every "
                     "500th, as the authors' code does"),
            ),
            refuses={
                "beta_1": "it has no Adam",
                "beta_2": "it has no Adam",
            },
            loss="wasserstein",
            rules=(rules.warmup_has_constant_rates,),
        ),
        Variant(
            "wgan_gp",
            "WGANGP",
            "WGAN-GP",
            "Wasserstein loss, gradient penalty",
            "vanishing gradients",
            ("1704.00028",),
            (_GP_WEIGHT, flag("one_sided", "penalise only gradients above 1")),
            loss="wasserstein",
            penalties=("gradient_penalty",),
            critic_norm=None,
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
                positive("spread", "how far from real images the penalty reaches, in standard "
                         "deviations"),
            ),
            penalties=("dragan_penalty",),
            critic_norm=None,
        ),
        Variant(
            "sngan",
            "SNGAN",
            "SNGAN",
            "hinge loss, spectral normalisation",
            "a steep critic, by construction",
            ("1802.05957",),
            (_LOSS,),
            loss="hinge",
            critic_norm="spectral",
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
                REAL_LABEL,
                integer("unrolled_steps", "number of unrolled critic steps, the paper's K", 0, 100),
                choice("inner", ("adam", "sgd"), "optimizer of the unrolled steps"),
            ),
            loss="minimax",
        ),
        Variant(
            "infogan",
            "InfoGAN",
            "InfoGAN",
            "codes that can be read back: `sample(codes=...)`, `traverse(code, steps)`",
            "codes without meaning",
            ("1606.03657",),
            (
                Option("categorical", "integers", "number of values of each categorical code, as "
                       "10 or 10,4; none for no such code", 2, 1000, default=(10,)),
                integer("continuous", "number of continuous codes", 0, 1000, default=2),
                weight("info_weight", "weight of the categorical codes' information"),
                weight("continuous_weight", "weight of the continuous codes' information"),
                weight("view_weight", "weight of the mutual information between the categories of "
                       "two distorted views of an image; 0 for no views"),
                given("views", "what distorts an image, a layer of kerasgan.augment"),
            ),
            sampling=(_CODES,),
            rules=(rules.codes_leave_noise,),
        ),
        Variant(
            "pacgan",
            "PacGAN",
            "PacGAN",
            "the critic scores m images at once",
            "a critic that cannot see repetition",
            ("1712.04086",),
            (_LOSS, REAL_LABEL),
            packs=2,
        ),
        Variant(
            "flow_gan",
            "FlowGAN",
            "Flow-GAN",
            "an invertible generator (NICE, RealNVP): `log_prob(x)` in nats and bits per dimension",
            "dropped modes, by likelihood",
            ("1705.08868",),
            (
                weight("adversarial_weight", "weight of the adversarial loss; 0 for the likelihood "
                       "alone"),
                weight("nll_weight", "weight of the likelihood; 0 for the adversarial loss alone"),
                _GP_WEIGHT,
            ),
            FLOWS,
            refuses={
                "conditional": "a flow takes no labels",
                "minibatch": "its critic has no such layer",
                "packing": "its critic scores one image at a time",
                "latent_dim": "a flow has as many latent numbers as an image has values",
                "prior": "the prior is the flow's",
                "critic_norm": "its gradient penalty needs a critic without normalisation",
            },
            loss="wasserstein",
            penalties=("gradient_penalty",),
            critic_norm=None,
            rules=(rules.some_loss_has_weight,),
        ),
        Variant(
            "r3gan",
            "R3GAN",
            "R3GAN",
            "relativistic pairing, R1 and R2, burn-in",
            "dropped modes and cycling",
            ("2501.05441",),
            (
                weight("gamma", "weight of the variant's R1, and of r3gan's R2, at the start"),
                weight("final_gamma", "weight of the variant's R1 and R2 after the burn-in"),
                integer("burn_in", "number of critic steps over which gamma and the learning "
                        "rates fall", steps=True),
                positive("final_learning_rate", "learning rate after the burn-in; a quarter of "
                         "the first by default", 1),
            ),
            (*PLAIN, "r3gan"),
            refuses={
                "cosine": "its learning rates fall by themselves",
                "final_critic_learning_rate": "both its learning rates fall by one factor",
                "beta_2": "its beta_2 moves by itself",
            },
            loss="relativistic",
            penalties=("r1", "r2"),
            critic_norm=None,
            resnet_style="r3gan",
            rules=(rules.final_rate_is_lower,),
        ),
        Variant(
            "stylegan2",
            "StyleGAN2",
            "StyleGAN2",
            "styles for each layer: `sample(truncation=0.7)`",
            "large images that lack detail",
            ("1912.04958", "2006.06676"),
            (
                weight("gamma", "weight of R1; by default the authors' for the size of the images"),
                integer("r1_every", "critic steps from one with R1 to the next", maximum=1000),
                weight("path_weight", "weight of the penalty on path lengths; 0 for none"),
                integer("path_every", "generator steps from one with that penalty to the next",
                        maximum=1000),
                Option("mixing", "number", "probability that two styles are mixed", 0, 1),
                positive("ema_ramp", "the moving average's half-life is at most this share of the "
                         "steps so far", none="none", shell=False),
            ),
            ("stylegan2",),
            sampling=(
                weight("truncation", "how far styles are from their average: 1 for the styles "
                       "themselves"),
                choice("noise", ("constant", "random", "none"), "noise in the feature maps"),
            ),
            refuses={"conditioning": "its critic has the authors' own"},
            penalties=("r1", "path_length"),
            critic_norm=None,
            usual={"batch_size": 32},  # Of which the default of `gamma` is, up to 128 pixels.
        ),
        Variant(
            "fastgan",
            "FastGAN",
            "FastGAN",
            "a critic from whose maps an image can be made again",
            "few images: a critic that knows each by heart",
            ("2101.04775",),
            (weight("reconstruction_weight", "weight of the critic's reconstruction of images"),),
            ("fastgan",),
            refuses={
                "conditional": "its networks take no labels",
                "packing": "its critic makes each image again",
            },
            loss="hinge",
            critic_norm="spectral",
            usual={"batch_size": 8, "augment": "diffaugment"},
        ),
    )
}  # fmt: skip
