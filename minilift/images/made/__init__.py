"""Synthetic pictures, drawn by a seeded generator: stand-ins for real sets, so that every example runs.

Accuracies on them say that the programs work; they say nothing about the sets that they stand in for.
"""

from minilift.images.made.digits import made_digits, made_digits_of_sizes
from minilift.images.made.faces import made_faces
from minilift.images.made.garments import made_garments
from minilift.images.made.things import made_things

__all__ = ["made_digits", "made_digits_of_sizes", "made_faces", "made_garments", "made_things"]
