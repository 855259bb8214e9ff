"""What arms do while the rest of the body stands, sits or kneels: gestures as shoulder and elbow angles."""

from dataclasses import dataclass

import numpy as np

from minilift.poses.people.keyposes import limb_rows

# Right arm, left arm (flex, abduct, rotate, elbow), weight, looseness (times the usual spread), name. Found
# by a search through the tree for angles that bring the wrist where it belongs: hip, ear, chin, other arm.
_GESTURES = """
   2   9 -10  16    2   9 -10  16   22  1.0  hanging
 -11  39 -58  90    2   9 -10  16    5  1.0  one hand on hip
 -11  39 -58  90  -11  39 -58  90    7  1.0  hands on hips
  17 -17 -64  90   22  -8 -66 102    8  0.5  crossed
  62  30 -22 147    2   9 -10  16    5  0.7  phone at the ear
  42 -13 -46 142   12   2 -60  98    4  0.6  hand at the chin
  13   3 -58  42   13   3 -58  42    6  0.6  clasped low
  10  12 -50  93   10  12 -50  93    5  0.6  clasped at the belly
 -28  10 -64  62  -28  10 -64  62    4  0.5  behind the back
  -7  24 -52  58   -7  24 -52  58    5  0.6  in pockets
  22  18 -14  76   22  18 -14  76   10  2.2  explaining
  34  16 -10  84    2   9 -10  16    8  2.0  explaining with one hand
  84  16  -5  12    2   9 -10  16    4  1.8  pointing
  20   8 -10  82   20   8 -10  82    3  1.0  holding a box
   8   6 -16  88    2   9 -10  16    3  1.0  carrying a tray or bag
  52   8 -42 136   16   6 -24  74    4  1.0  eating or drinking
  24  52  14  46   24  52  14  46    4  1.8  open arms
 155  26 -52 142  155  26 -52 142    2  0.6  hands on head
  44  82  36 118   44  82  36 118    2  1.5  hands up
 162  16   0  24  162  16   0  24    2  1.3  arms overhead
   4  86   0  12    4  86   0  12    2  1.3  arms out
  56   8 -36 128   56   8 -36 128    2  1.0  taking a picture
"""


@dataclass(frozen=True)
class Gesture:
    """What two arms do: their rows (8,) of the angles, and how often and how loosely they do it."""

    name: str
    arms: np.ndarray
    weight: float
    loose: float


def _parse(line: str) -> Gesture:
    words = line.split(maxsplit=10)
    arms = np.array(limb_rows([float(word) for word in words[:8]]))
    return Gesture(words[10], arms, float(words[8]), float(words[9]))


GESTURES = tuple(_parse(line) for line in _GESTURES.strip().splitlines())
