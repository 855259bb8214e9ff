"""The people of one frame as a JSON value: what `minilift predict --stream` answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.poses.joint_state import ESTIMATED
from minilift.poses.lifted import LiftedPeople

_DIGITS = 5  # hundredths of a millimetre, and more than the network's float32 is sure of


def answer(people: LiftedPeople, frame: int) -> dict[str, Any]:
    """The n people of frame number `frame`.

    {"frame", "time" (seconds, where frames have it), "unit", "axes", "people": [{"id": text as it was given,
    or a number for who is followed, "joint_3d": 15 times [x, y, z], "root": [x, y, z], "expected_error": 15
    numbers, "unlike": bool, "seen": 15 bool}]}. Joints are those of COURSE15, unit and axes those of
    `LiftedPeople`; null stands for what is not known: all of a person with too few joints to be lifted.
    """
    seen = people.state <= ESTIMATED
    found = []
    for row, number in enumerate(people.person.tolist()):
        error = people.expected_error
        found.append(
            {
                "id": people.people.get(number, number),
                "joint_3d": _numbers(people.joint_3d[row]),
                "root": _numbers(people.root[row]),
                "expected_error": None if error is None else _numbers(error[row]),
                "unlike": None if people.unlike is None else bool(people.unlike[row]),
                "seen": seen[row].tolist(),
            }
        )
    time = None if people.times is None or not len(people.times) else round(float(people.times[0]), 6)
    about = {"frame": frame, "time": time, "unit": people.unit, "axes": people.axes}
    return {name: value for name, value in about.items() if value is not None} | {"people": found}


def _numbers(values: np.ndarray) -> Any:
    """Lists of numbers; None where not all are finite: a pose is known, or it is not."""
    if not np.isfinite(values).all():
        return None
    return np.round(values.astype(np.float64), _DIGITS).tolist()
