"""The layers, each with a hand-written forward and backward pass."""

from minilift.nn.affine import Affine
from minilift.nn.batchnorm import BatchNorm1d
from minilift.nn.containers import Residual, Sequential
from minilift.nn.dropout import Dropout
from minilift.nn.linear import Linear
from minilift.nn.module import Module
from minilift.nn.network import Network
from minilift.nn.relu import ReLU

__all__ = [
    "Affine", "BatchNorm1d", "Dropout", "Linear", "Module", "Network", "ReLU", "Residual", "Sequential",
]  # fmt: skip
