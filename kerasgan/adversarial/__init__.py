"""What all variants share: the model of two networks, its parts, and its optimizers."""

from kerasgan.adversarial.base import AdversarialModel
from kerasgan.adversarial.scorer import Batch

__all__ = ["AdversarialModel", "Batch"]
