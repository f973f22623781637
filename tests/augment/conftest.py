"""One augmentation of each kind."""

import pytest
from augmented import ada

from kerasgan.augment import DiffAugment, Distortion

# The gradient test needs what is affine in the images: no thicker strokes.
LAYERS = {
    "DiffAugment": DiffAugment,
    "ADA": lambda: ada(0.9),
    "Distortion": lambda: Distortion(thickness=0.0),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    return LAYERS[request.param]()
