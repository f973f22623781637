"""A training as data: `Recipe`, what the shell's options change in it, and how a model is built.

Nothing here needs Keras until a recipe is loaded or built.
"""

from kerasgan.recipe.recipe import BESIDE, FORMAT, Recipe

__all__ = ["BESIDE", "FORMAT", "Recipe"]
