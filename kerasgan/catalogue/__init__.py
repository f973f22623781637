"""What the package holds, without Keras: variants, their ingredients, networks, data, metrics.

The command line makes its options from it, recipes are checked by it, and the documentation's
tables are written from it. A test holds it equal to the classes.

- `VARIANTS`, `SHARED`: the variants and their own options, and the options that all have.
- `LOSSES`, `PENALTIES`, `AUGMENTATIONS`: what they combine with.
- `ARCHITECTURES`: the networks.
- `CONFIGURATIONS`: the constants of R3GAN's authors, by data set.
- `SOURCES`: where images come from; `source_of` tells which one a name or a path means.
- `STYLES`: the styles of the drawn heads, their creators and licences; `styles` reads a name.
- `LOADING`, `OPTIMIZERS`, `LENGTH`, `PLAIN`: what a training has whatever its variant.
- `RUN`: what a run of the shell has beside its training.
- `METRICS`, `EXTRACTORS`: how images are measured.
- `EXPORTS`: the formats that a generator is written in for other programs.
"""

import importlib
import math

from kerasgan.catalogue.avatars import FIRST_STYLE, STYLES, is_avatars, styles
from kerasgan.catalogue.configurations import CONFIGURATIONS, Configuration
from kerasgan.catalogue.data import SOURCES, Source, source_of
from kerasgan.catalogue.exports import EXPORTS, Export
from kerasgan.catalogue.ingredients import AUGMENTATIONS, AUGMENTS, LOSSES, PENALTIES, Ingredient
from kerasgan.catalogue.metrics import EXTRACTORS, METRICS, Metric
from kerasgan.catalogue.networks import ARCHITECTURES, FLOWS, Architecture
from kerasgan.catalogue.option import Option, by_name, joined
from kerasgan.catalogue.training import LENGTH, LOADING, OPTIMIZERS, PLAIN, RUN
from kerasgan.catalogue.variants import SHARED, VARIANTS, Variant

__all__ = [
    "ARCHITECTURES",
    "AUGMENTATIONS",
    "AUGMENTS",
    "CONFIGURATIONS",
    "EXPORTS",
    "EXTRACTORS",
    "FIRST_STYLE",
    "FLOWS",
    "LENGTH",
    "LOADING",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "PENALTIES",
    "PLAIN",
    "RUN",
    "SHARED",
    "SOURCES",
    "STYLES",
    "VARIANTS",
    "Architecture",
    "Configuration",
    "Export",
    "Ingredient",
    "Metric",
    "Option",
    "Source",
    "Variant",
    "bound",
    "by_name",
    "is_avatars",
    "joined",
    "options",
    "resolve",
    "source_of",
    "styles",
]


def options(variant):
    """Return the options of a variant, its own and those that all have, by name.

    Args:
        variant: A key of `VARIANTS`.
    """
    own = {option.name: option for option in VARIANTS[variant].options}
    return {**{option.name: option for option in SHARED}, **own}


def bound(name):
    """Return the greatest value that a number of this name may have in any variant.

    Args:
        name: The name of an option; one that is unknown has no bound.
    """
    found = [options(variant).get(name) for variant in VARIANTS]
    most = [option.maximum for option in found if option and option.maximum is not None]
    return max(most, default=math.inf)


def resolve(path):
    """Return the class or the builder that an entry's `path` names; this imports Keras."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
