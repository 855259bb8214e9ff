"""What `minilift predict` says of a clip: what it found and assumed, and how far to trust the answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minilift.errors import counted
from minilift.lift.lifter import Lifter
from minilift.lift.trust import MANY_UNLIKE, trust_path
from minilift.lift.weights.starting import STARTING, is_starting
from minilift.poses.keypoints import Keypoints
from minilift.poses.lifted import LiftedPeople


def found_line(found: Keypoints, whole: bool = True) -> str:
    """What was found, in a line: format, layout, frames, people, size. Of a large clip, what begins it."""
    parts = [found.format, f"{found.layout.name} ({counted(len(found.layout), 'joint')})"]
    if whole:
        parts.append(counted(len(found.frames), "picture" if found.stills else "frame"))
    parts.append(counted(found.people, "person") + ("" if not found.stills else " in one at most"))
    if found.size is not None:
        parts.append("{}x{} pixels".format(*found.size))
    return ", ".join(parts)


class Told:
    """What is to be told of people, gathered block by block."""

    def __init__(self) -> None:
        self._first: LiftedPeople | None = None
        self._rows = self._empty = self._unlike = self._judged = 0
        self._expected = 0.0
        self._checks: list[np.ndarray] = []

    def add(self, people: LiftedPeople) -> None:
        """The next of them."""
        self._first = self._first or people
        self._rows += len(people)
        self._empty += int(np.isnan(people.joint_3d).all(axis=(1, 2)).sum())
        if people.expected_error is not None and people.unlike is not None:
            known = np.isfinite(people.expected_error).all(axis=1)
            self._judged += int(known.sum())
            self._expected += float(people.expected_error[known].mean(axis=1).sum())
            self._unlike += int(people.unlike.sum())
        if people.check is not None:
            self._checks.append(people.check[np.isfinite(people.check)])

    def assumed(self) -> None:
        """Print what was assumed, in a line."""
        notes = () if self._first is None else self._first.notes
        print(f"  {'; '.join(notes) or 'nothing had to be assumed'}")

    def figures(self, lifter: Lifter, check: bool) -> None:
        """Print how far off the answer is expected to be, and with `check` how far it projects."""
        if self._first is None:
            return
        if check and self._checks:
            unit = "units" if self._first.rays else "px"
            off = np.concatenate(self._checks)
            if len(off):
                lie = f"{off.mean():.3g} {unit} from the 2D ones on average"
                most = f"of one person at most {off.max():.3g} {unit}"
                print(f"check: the 3D joints, projected, lie {lie}; {most}")
        if not self._judged:
            return
        expected, share = self._expected / self._judged, self._unlike / self._rows
        metres = self._first.unit == "m"
        size = f"{expected * 1000:.0f} mm" if metres else f"{expected:.4f} of the distance"
        print(f"expected error {size}; {share:.1%} of the poses are unlike the training data")
        if share > MANY_UNLIKE and not is_starting(lifter.weights):
            print(f"for people and cameras of all kinds: --weights {STARTING}")

    def warnings(self, name: str) -> Iterator[str]:
        """What is no reason to stop, and yet to be known, a line each."""
        if self._first is None:
            return
        yield from (f"{name}: {line}" for line in self._first.warnings)
        if self._empty:
            have, few = "has" if self._empty == 1 else "have", "too few joints to be lifted"
            who = f"{self._empty:,} of {counted(self._rows, 'person')}"
            yield f"{name}: {who} {have} {few}: their joints are NaN"


def trust_warning(lifter: Lifter, weights: str) -> str:
    """Why there is no expected error though a file for it is there; empty where there is none, or it
    is used."""
    if lifter.has_trust or not trust_path(weights).exists():
        return ""
    problem = "is not of these weights, so there is no expected error"
    return f"{trust_path(weights)} {problem}; make one with: minilift trust"
