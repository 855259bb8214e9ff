"""How long a clip's unit is: files do not say, so it is guessed from the legs."""

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts import COURSE15

UNITS = {
    "metres": 1.0,
    "centimetres": 0.01,
    "millimetres": 0.001,
    "inches": 0.0254,
    "CMU units": 0.0254 / 0.45,
}
"""Metres per unit. CMU's is that of its own .asf files (mocap.cs.cmu.edu/faqs.php), which BVH files made from
them keep."""

LEGS = (0.6, 1.1)
"""Metres from hip to knee to ankle that are taken for an adult's; no leg is so long in two of the UNITS."""

_LEG_BONES = [i for i, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]


def guess_unit(path: PathLike, joints: np.ndarray) -> str:
    """The name in UNITS of the unit in which these joints (F, 15, 3) have an adult's legs.

    Raises InputError where none gives LEGS, with their length.
    """
    legs = float(COURSE15.bone_lengths(joints)[:, _LEG_BONES].sum(axis=1).mean()) / 2
    for name, metres in UNITS.items():
        if LEGS[0] <= legs * metres <= LEGS[1]:
            return name
    example = f", for example {0.8 / legs:.3g}" if legs > 1e-6 else ""
    problem = f"legs of {legs:.3g} units are no adult's in {', '.join(UNITS)}"
    raise file_error(path, f"{problem}; give the unit in metres{example}")
