"""The metrics, and the feature extractors that they use."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that `kerasgan evaluate` knows.

    Args:
        name: Its name.
        title: What it is called.
        scores: The numbers that it gives.
        papers: Numbers at arXiv.
        labels: Whether it needs labels of the real images.
    """

    name: str
    title: str
    scores: tuple
    papers: tuple = ()
    labels: bool = False


METRICS = {
    entry.name: entry
    for entry in (
        Metric("frechet_distance", "Fréchet distance", ("frechet_distance",), ("1706.08500",)),
        Metric("kernel_distance", "kernel distance", ("kernel_distance",), ("1801.01401",)),
        Metric(
            "prdc",
            "precision, recall, density, coverage",
            ("precision", "recall", "density", "coverage"),
            ("2002.09797",),
        ),
        Metric("coverage", "coverage", ("coverage",), ("2002.09797",)),
        Metric("vendi_score", "Vendi score", ("vendi_score",), ("2210.02410",)),
        Metric("ndb", "statistically different bins", ("ndb", "ndb_js"), ("1805.12462",)),
        Metric("duplicate_rate", "duplicates", ("duplicate_rate",)),
        Metric("support_size", "size of the support", ("support_size",), ("1706.08224",)),
        Metric("ms_ssim", "MS-SSIM", ("ms_ssim",), ("1610.09585",)),
        Metric(
            "checkerboard",
            "energy at the highest frequency",
            ("checkerboard",),
            ("2003.01826",),
        ),
        Metric("classes", "classes", ("classes_covered", "class_kl"), labels=True),
    )
}
# The scores whose lowest or highest value is the best. Of the others that of real images is.
DIRECTED = tuple(
    dict.fromkeys(
        score
        for entry in METRICS.values()
        for score in entry.scores
        if score not in ("density", "vendi_score", "ms_ssim", "checkerboard")
    )
)
EXTRACTORS = ("garments_and_digits", "efficientnet_lite0", "random_projection", "pixels")
