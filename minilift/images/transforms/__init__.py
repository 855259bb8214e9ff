"""What changes pictures in training, whole batches at once.

A transform is called with pictures (N, channels, height, width), float32 from 0 to 1, and a generator; it
returns pictures of the same shape and never writes into those that it is given. Each picture gets draws of
its own.
"""

from minilift.images.transforms.compose import Augment, Compose, Normalize, RandomChoice, ToTensor
from minilift.images.transforms.noise import GaussianBlur, RandomErasing, RandomSpeckle, SaltAndPepper
from minilift.images.transforms.policy import AutoAugment
from minilift.images.transforms.turns import RandomHorizontalFlip, RandomQuarterTurn, RandomTranslation
from minilift.images.transforms.warps import RandomAffine, RandomPerspective, RandomRotation

__all__ = [
    "Augment",
    "AutoAugment",
    "Compose",
    "GaussianBlur",
    "Normalize",
    "RandomAffine",
    "RandomChoice",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomQuarterTurn",
    "RandomRotation",
    "RandomSpeckle",
    "RandomTranslation",
    "SaltAndPepper",
    "ToTensor",
]
