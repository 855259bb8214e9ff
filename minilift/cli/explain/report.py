"""What `minilift explain` says: as a table, and as JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minilift.lift.explain import Explained
from minilift.poses.layouts import COURSE15

WORDS = [name.replace("_", " ") for name in COURSE15.joints]
ROOT_WORDS = "hips' middle"
HEAD = "joint            error    90% between     depth  turned by  odds   own  moved most by"


class Units(NamedTuple):
    metres: float | None  # of a unit, the distance from the camera to the mid-hip
    focal: float  # pixels for a unit of the image
    pixels: bool  # whether those are the file's

    @property
    def length(self) -> float:
        """A unit in millimetres, or in thousandths of itself where it is not known."""
        return 1000 * (1.0 if self.metres is None else self.metres)


class Alike(NamedTuple):
    """A pose that looks alike."""

    row: int
    gap: float  # root mean square distance of 2D joints, units of the image
    apart: float | None  # mean distance of its 3D joints from the answer, units; None without 3D


def as_text(about: dict[str, Any], found: Explained, units: Units, alike: list[Alike]) -> str:
    weights = "the starting ones" if about["weights"] == "starting" else about["weights"]
    who = f"frame {about['frame']}, person {about['person']}"
    lines = [f"{about['file']}: {who}; weights: {weights}"]
    if about["filled"]:
        lines.append(f"note: {about['filled']} joints were not seen; a standing person's are in their place")
    lines += [_likeness(found), "", HEAD, _heading(units)]
    lines += [_row(joint, found, units) for joint in range(len(COURSE15))]
    lines += ["", *_doubts(found, units)]
    if alike:
        lines += ["", *(_neighbour(one, units) for one in alike)]
    return "\n".join(lines)


def _likeness(found: Explained) -> str:
    if found.trust is None:
        return "these weights come without a trust file, so nothing says how far off they are"
    if found.trust.unlike:
        return "unlike what the network learnt: the answer may be anywhere"
    share = f"{float(found.trust.percentile):.0f}"
    return f"like what the network learnt: of 100 usual poses, {share} have a smaller expected error"


def _heading(units: Units) -> str:
    unit = "mm" if units.metres is not None else "‰"
    return f"{'':14}{unit:>8}{unit:>15}{unit:>10}{'px':>11}{'%':>6}"


def _row(joint: int, found: Explained, units: Units) -> str:
    error = interval = ""
    if found.trust is not None:
        error = f"{units.length * found.trust.expected_error[joint]:.0f}"
        low, high = (units.length * float(end[joint]) for end in (found.trust.low, found.trust.high))
        interval = f"{low:.0f} to {high:.0f}"
    depth = units.length * float(found.depths.depth[joint])
    odds = found.depths.odds[joint]
    shown_odds = "" if np.isnan(odds) else f"{100 * odds:.0f}"
    by, gain = moved_most_by(found, joint)
    own = f"{found.gains[joint, joint]:.1f}"
    columns = f"{error:>8}{interval:>15}{depth:>+10.0f}{_turned(found, joint, units):>11}{shown_odds:>6}"
    return f"{WORDS[joint]:14}{columns}{own:>6}  {WORDS[by]} {gain:.1f}"


def moved_most_by(found: Explained, joint: int) -> tuple[int, float]:
    """The 2D joint, other than itself, that moves a 3D joint most, and by how much for each unit."""
    gains = found.gains[joint].copy()
    gains[joint] = -1
    by = int(gains.argmax())
    return by, float(gains[by])


def _turned(found: Explained, joint: int, units: Units) -> str:
    """Pixels. Where the search found no place where the sign turns, the linear estimate in brackets."""
    searched, linear = (units.focal * float(value[joint]) for value in (found.turned_by, found.depths.flip))
    return f"({linear:.1f})" if np.isnan(searched) else f"{searched:.1f}"


def _doubts(found: Explained, units: Units) -> list[str]:
    """The bones that could as well point the other way, in words."""
    what = "pixels of the picture" if units.pixels else "pixels of a camera with a focal length of 1000"
    unit = "" if units.metres is not None else "; ‰: thousandths of the distance to the person"
    lines = [f"depth: + nearer to the camera than the joint it hangs from; px: {what}{unit}"]
    doubtful = [j for j in range(len(COURSE15)) if found.depths.odds[j] >= 0.3]
    for joint in doubtful:
        parent = COURSE15.parents[joint]
        behind = ROOT_WORDS if parent < 0 else WORDS[parent]
        side = "nearer than" if found.depths.depth[joint] > 0 else "farther away than"
        odds = f"{100 * found.depths.odds[joint]:.0f} in 100"
        lines.append(f"in doubt: the {WORDS[joint]} is {side} the {behind}, {odds} for the other way round")
    return lines


def _neighbour(one: Alike, units: Units) -> str:
    unit = "mm" if units.metres is not None else "‰"
    text = f"looks alike: row {one.row}, its joints {units.focal * one.gap:.1f} px apart in the picture"
    if one.apart is None:
        return text
    return f"{text}, and in 3D {units.length * one.apart:.0f} {unit} from the answer"


def as_dict(found: Explained, units: Units, alike: list[Alike]) -> dict[str, Any]:
    """The same for programs: lengths in units, the distance to the mid-hip, and of which `metres` it is."""
    trust = found.trust
    return {
        "metres": units.metres,
        "pixels": units.focal,
        "joints": list(COURSE15.joints),
        "joint_2d": _plain(found.joint_2d),
        "joint_3d": _plain(found.joint_3d),
        "unlike": None if trust is None else bool(trust.unlike),
        "percentile": None if trust is None else float(trust.percentile),
        "expected_error": None if trust is None else _plain(trust.expected_error),
        "low": None if trust is None else _plain(trust.low),
        "high": None if trust is None else _plain(trust.high),
        "depth": _plain(found.depths.depth),
        "turned_by": _plain(found.turned_by),
        "turned_by_linear": _plain(found.depths.flip),
        "odds": _plain(found.depths.odds),
        "gains": _plain(found.gains),
        "jacobian": _plain(found.moves),
        "nearest": [one._asdict() for one in alike],
    }


def _plain(values: np.ndarray) -> Any:
    """Nested lists, None for what is not finite."""
    rounded = np.asarray(values, np.float64).round(9).astype(object)
    rounded[~np.isfinite(np.asarray(values, np.float64))] = None
    return rounded.tolist()
