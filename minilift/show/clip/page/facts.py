"""What the page says in words: the clip in one line, and the facts about the clip. All of it is HTML."""

from __future__ import annotations

from html import escape

import numpy as np

from minilift.errors import counted
from minilift.files import one_line
from minilift.poses.joint_state import WORDS
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.stage import Floor

AXES = {
    "camera": "camera: X right, Y up, the camera at the origin looks down -Z",
    "y-up": "y-up: X right, Y up, Z towards the camera; the origin is on the floor",
    "z-up": "z-up: X right, Y away from the camera, Z up; the origin is on the floor",
}
UNITS = {"m": "metres", "root-depth": "root-depth: the distance from the camera to the mid-hip is about 1"}


def name_of(people: LiftedPeople, number: int) -> str:
    """What a person is called, on one line."""
    return one_line(people.people.get(number) or f"person {number}", 40)


def lead(people: LiftedPeople) -> str:
    """The clip in one line: who is in it, and how well the answer holds."""
    frames, who = len(np.unique(people.frame)), len(np.unique(people.person))
    if people.stills:
        shown = [f"<b>{counted(len(people), 'person')}</b> in {counted(frames, 'picture')}"]
    else:
        shown = [f"<b>{counted(who, 'person')}</b> in {_length(people, frames)}"]
    if (check := _mean(people.check)) is not None:
        shown.append(f"projected back within <b>{_short(check)} {_pixels(people)}</b>")
    if (error := _mean(people.expected_error)) is not None:
        shown.append(f"expected error <b>{escape(_error(people, error))}</b>")
    if people.unlike is not None:
        shown.append(f"<b>{100 * people.unlike.mean():.1f}%</b> of poses unlike the training data")
    shown.append(f"<b>{100 * people.mask.mean():.1f}%</b> of joints not seen")
    return "".join(f"<span>{part}</span>" for part in shown)


def _mean(values: np.ndarray | None) -> float | None:
    """The mean without NaN; None where there is nothing else."""
    if values is None or not np.isfinite(values).any():
        return None
    return float(np.nanmean(values))


def _pixels(people: LiftedPeople) -> str:
    return "of a ray" if people.rays else "px"


def _error(people: LiftedPeople, value: float) -> str:
    return f"{1000 * value:.0f} mm" if people.unit == "m" else f"{value:.4f} units"


def _length(people: LiftedPeople, frames: int) -> str:
    if people.fps is None:
        return counted(frames, "frame")
    span = int(people.frame.max()) - int(people.frame.min()) + 1
    return f"{counted(frames, 'frame')}, {span / people.fps:,.1f} s"


def _short(value: float) -> str:
    """Three digits that count."""
    if value < 0.001:
        return "0.001"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def warnings(people: LiftedPeople) -> str:
    """What is suspicious, at the top where it is read; nothing where all is well."""
    if not people.warnings:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in people.warnings)
    return f'<ul class="message" aria-label="Warnings">{lines}</ul>'


def facts(people: LiftedPeople, floor: Floor | None, shown: tuple[str, ...]) -> str:
    """The rows of the fact table; `shown` says what the page leaves out."""
    first, last = int(people.frame.min()), int(people.frame.max())
    rows = [
        ("format", people.format or "not said"),
        ("layout", people.layout),
        ("picture", _picture(people)),
        ("frames", f"{first} to {last}" + (f", {people.fps:g} a second" if people.fps else "")),
        ("camera", _camera(people)),
        ("axes", AXES.get(people.axes, people.axes)),
        ("floor", _floor(floor)),
        ("unit", UNITS.get(people.unit, people.unit)),
        ("joints", _joints(people)),
        ("projected back", _check(people)),
        *(("on this page", line) for line in shown),
        *(("note", line) for line in people.notes),
        *(("warning", line) for line in people.warnings),
    ]
    return "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows
    )


def _picture(people: LiftedPeople) -> str:
    if people.rays:
        return "none: the keypoints are rays of focal length 1, y up"
    return "size not known" if people.size is None else f"{people.size[0]} x {people.size[1]} pixels"


def _camera(people: LiftedPeople) -> str:
    camera = people.camera
    if people.rays:
        return "not needed: the keypoints are rays"
    if not camera.get("fx"):
        return "not known"
    focal = f"focal length {camera['fx']:.4g}"
    if camera.get("fy") and abs(camera["fy"] - camera["fx"]) > 1e-3 * camera["fx"]:
        focal += f" and {camera['fy']:.4g}"
    told = f"{focal} px, centre ({camera['cx']:.5g}, {camera['cy']:.5g})"
    if any(camera.get("distortion") or ()):
        told += ", distortion " + " ".join(f"{k:.4g}" for k in camera["distortion"])
    source = camera.get("source")
    return f"{told}; {source}" if source else told


def _check(people: LiftedPeople) -> str:
    """How far the 3D joints fall from the keypoints when they are projected through the camera."""
    if (mean := _mean(people.check)) is None or people.check is None:
        return "not known"
    worst = int(np.nanargmax(people.check))
    where = f"frame {people.frame[worst]}, {name_of(people, int(people.person[worst]))}"
    unit = _pixels(people)
    return (
        f"within {_short(mean)} {unit} of the keypoints that were seen, on average; "
        f"at most {_short(float(people.check[worst]))} {unit} ({where})"
    )


def _floor(floor: Floor | None) -> str:
    if floor is None:
        return "below the feet in each picture"
    told = "where the feet are lowest"
    return told if floor.tilt < 1 else f"{told}; it is tilted by {floor.tilt:.0f} degrees against these axes"


def _joints(people: LiftedPeople) -> str:
    count = np.bincount(people.state.ravel(), minlength=len(WORDS))
    shares = 100 * count / max(people.state.size, 1)
    return ", ".join(f"{share:.1f}% {word}" for share, word in zip(shares, WORDS, strict=True) if share)
