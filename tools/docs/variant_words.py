"""What each variant is and cures, and its papers."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Variant:
    """A variant in words.

    Args:
        title: Its name in the literature.
        summary: What it is.
        cures: Which failure it is made against.
        papers: Numbers on arXiv.
    """

    title: str
    summary: str
    cures: str
    papers: tuple


VARIANTS = {
    "gan": Variant(
        "GAN",
        "`loss=` non-saturating, minimax, least squares, hinge, Wasserstein, relativistic, "
        "feature matching; `real_label=0.9` smooths the labels",
        "nothing (the baseline)",
        ("1406.2661", "1606.03498"),
    ),
    "wgan": Variant(
        "WGAN", "Wasserstein loss, weights clipped", "vanishing gradients", ("1701.07875",)
    ),
    "wgan_gp": Variant(
        "WGAN-GP", "Wasserstein loss, gradient penalty", "vanishing gradients", ("1704.00028",)
    ),
    "dragan": Variant(
        "DRAGAN",
        "gradient penalty around the real images",
        "a critic that is steep around real images",
        ("1705.07215",),
    ),
    "sngan": Variant(
        "SNGAN",
        "hinge loss, spectral normalisation",
        "a steep critic, by construction",
        ("1802.05957",),
    ),
    "unrolled_gan": Variant(
        "Unrolled GAN",
        "generator's gradient through K critic updates",
        "a generator that does not look ahead",
        ("1611.02163",),
    ),
    "infogan": Variant(
        "InfoGAN",
        "codes that can be read back: `sample(codes=...)`, `traverse(code, steps)`",
        "codes without meaning",
        ("1606.03657",),
    ),
    "pacgan": Variant(
        "PacGAN",
        "the critic scores m images at once",
        "a critic that cannot see repetition",
        ("1712.04086",),
    ),
    "flow_gan": Variant(
        "Flow-GAN",
        "an invertible generator (NICE, RealNVP): `log_prob(x)` in nats and bits per dimension",
        "dropped modes, by likelihood",
        ("1705.08868",),
    ),
    "r3gan": Variant(
        "R3GAN",
        "relativistic pairing, R1 and R2, burn-in",
        "dropped modes and cycling",
        ("2501.05441",),
    ),
}
