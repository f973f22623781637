"""A training as data: `Recipe`, what must hold in one, and what the shell's options change in it.

Nothing here needs Keras until a recipe is loaded or built.
"""

from kerasgan.recipe.recipe import BESIDE, FORMAT, Recipe, run_settings

__all__ = ["BESIDE", "FORMAT", "Recipe", "run_settings"]
