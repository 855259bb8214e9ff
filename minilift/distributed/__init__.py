"""Training by several processes at once, each of which computes its rows of every batch."""

from minilift.distributed.group import Alone, Group, Lost
from minilift.distributed.share import share

__all__ = ["Alone", "Group", "Lost", "share"]
