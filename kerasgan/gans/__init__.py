"""The variants, one file each; `kerasgan.catalogue.VARIANTS` lists them."""

from kerasgan import catalogue

# By the names that the command line and recipes use.
VARIANTS = {name: catalogue.resolve(entry.path) for name, entry in catalogue.VARIANTS.items()}
globals().update({variant.__name__: variant for variant in VARIANTS.values()})

__all__ = ["VARIANTS", *(variant.__name__ for variant in VARIANTS.values())]
