"""Layers for images (n, channels, height, width), each with a hand-written forward and backward pass."""

from minilift.images.layers.batchnorm2d import BatchNorm2d
from minilift.images.layers.conv2d import Conv2d
from minilift.images.layers.dropout2d import Dropout2d
from minilift.images.layers.flatten import Flatten
from minilift.images.layers.global_pool import GlobalAvgPool2d, GlobalMaxPool2d
from minilift.images.layers.pool import AvgPool2d, MaxPool2d
from minilift.images.layers.sizes import output_shape
from minilift.images.layers.softmax import Softmax
from minilift.images.layers.squeeze import Squeeze
from minilift.images.layers.unfold import fold, unfold

__all__ = [
    "AvgPool2d",
    "BatchNorm2d",
    "Conv2d",
    "Dropout2d",
    "Flatten",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "MaxPool2d",
    "Softmax",
    "Squeeze",
    "fold",
    "output_shape",
    "unfold",
]
