"""Layers for images (n, channels, height, width), each with a hand-written forward and backward pass."""

from minilift.images.layers.flatten import Flatten

__all__ = ["Flatten"]
