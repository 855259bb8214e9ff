"""Draw docs/images/axes.svg: one scene, a camera and a person, and the three sets of axes of docs/cameras.md.

Run `python docs/images/axes.py` in the folder of the README. Arrows and origins are those of `Axes`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.poses.lens.axes import NAMES, Axes
from minilift.poses.people.body import ANGLES, joint_positions, sample_bodies

HEIGHT, FAR, DOWN = 1.6, 3.2, np.radians(10)  # the camera: metres above the floor, from the person, tilt
VIEWER = np.radians([58.0, 17.0])  # from where the scene is drawn: azimuth, elevation
WIDTH, TALL, SCALE, MIDDLE = 300, 270, 62.0, (150.0, 222.0)
COLOURS = {"X": "#d1495b", "Y": "#2e8b57", "Z": "#3366cc"}


def on_paper(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) of the scene (X right, Y up, Z towards the camera, metres) on the drawing."""
    (sin_a, sin_e), (cos_a, cos_e) = np.sin(VIEWER), np.cos(VIEWER)
    x, y, z = np.moveaxis(np.asarray(points, float) - [0, 0, FAR / 2], -1, 0)
    across, ahead = cos_a * x - sin_a * z, sin_a * x + cos_a * z
    return np.stack([MIDDLE[0] + SCALE * across, MIDDLE[1] - SCALE * (cos_e * y - sin_e * ahead)], axis=-1)


def line(a: np.ndarray, b: np.ndarray, style: str) -> str:
    (x1, y1), (x2, y2) = on_paper(np.stack([a, b]))
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def floor() -> list[str]:
    style = 'stroke="#dddddd" stroke-width="1"'
    xs, zs = np.arange(-1.0, 1.01, 0.5), np.arange(-0.5, FAR + 0.51, 0.5)
    rows = [line(np.array([xs[0], 0, z]), np.array([xs[-1], 0, z]), style) for z in zs]
    return rows + [line(np.array([x, 0, zs[0]]), np.array([x, 0, zs[-1]]), style) for x in xs]


def person() -> tuple[np.ndarray, np.ndarray]:
    """Joints (15, 3) and mid-hip (3,) of someone who stands at (0, 0, 0) and faces the camera."""
    bodies = sample_bodies(np.random.default_rng(2), 1)
    angles = np.zeros((len(ANGLES), 1))
    for name, degrees in (
        ("right_shoulder_abduct", 12),
        ("left_shoulder_abduct", 12),
        ("left_elbow_flex", 25),
    ):
        angles[ANGLES.index(name)] = degrees
    joints = joint_positions(bodies, angles)[..., 0]
    hip = np.array([0, 0.039 * bodies.stature[0] - joints[:, 1].min(), 0])
    return joints + hip, hip


def camera(place: np.ndarray, turned: np.ndarray) -> list[str]:
    """A pyramid that opens to where the camera looks; rows of `turned` are its axes."""
    corners = [
        place + np.array([x, y, -0.42]) @ turned
        for x, y in ((-0.24, -0.15), (0.24, -0.15), (0.24, 0.15), (-0.24, 0.15))
    ]
    style = 'stroke="#555555" stroke-width="1.5"'
    around = [line(a, b, style) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
    return around + [line(place, corner, style) for corner in corners]


def arrow(start: np.ndarray, way: np.ndarray, name: str) -> list[str]:
    (x1, y1), (x2, y2) = on_paper(np.stack([start, start + 0.8 * way]))
    back = np.array([x1 - x2, y1 - y2]) / max(np.hypot(x1 - x2, y1 - y2), 1e-9)
    side = np.array([-back[1], back[0]])
    tip = np.array([x2, y2])
    head = " ".join(
        f"{x:.1f},{y:.1f}" for x, y in (tip, tip + 9 * back + 4 * side, tip + 9 * back - 4 * side)
    )
    place, colour = tip - 12 * back, COLOURS[name]
    return [
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="3"/>',
        f'<polygon points="{head}" fill="{colour}"/>',
        f'<text x="{place[0]:.1f}" y="{place[1] + 5:.1f}" fill="{colour}" font-weight="bold">{name}</text>',
    ]


def panel(name: str) -> list[str]:
    """One of the three drawings."""
    joints, hip = person()
    place = np.array([0, HEIGHT, FAR])
    turned = np.array([[1, 0, 0], [0, np.cos(DOWN), -np.sin(DOWN)], [0, np.sin(DOWN), np.cos(DOWN)]])
    seen = (joints - place) @ turned.T, (hip - place) @ turned.T  # what the camera's axes have
    rows = np.repeat(seen[0][None], 20, axis=0)
    axes = Axes.fit(name, rows, np.repeat(seen[1][None], 20, axis=0), np.ones((20, 15), bool), level=True)
    ways = axes.rotation @ turned  # rows: X, Y, Z in the scene
    origin = axes.to_camera[:, 3] @ turned + place
    points = np.concatenate([joints, hip[None]])
    parts = floor()
    parts += [
        line(joints[i], points[parent], 'stroke="#aaaaaa" stroke-width="4" stroke-linecap="round"')
        for i, parent in enumerate(COURSE15.parents)
    ]
    x, y = on_paper(joints[COURSE15.index("head")])
    parts.append(f'<circle cx="{x:.1f}" cy="{y + 6:.1f}" r="7" fill="#aaaaaa"/>')
    parts += camera(place, turned)
    for axis, way in zip("XYZ", ways, strict=True):
        parts += arrow(origin, way, axis)
    text = {"camera": "camera, the default", "y-up": "y-up, with --level", "z-up": "z-up, with --level"}[name]
    return [*parts, f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" fill="#222222">{text}</text>']


def main(path: Path) -> None:
    drawn = []
    for place, name in enumerate(NAMES):
        drawn += [f'<g transform="translate({place * WIDTH} 0)">', *panel(name), "</g>"]
    size = f'width="{3 * WIDTH}" height="{TALL}" viewBox="0 0 {3 * WIDTH} {TALL}"'
    style = 'font-family="sans-serif" font-size="14"'
    ground = f'<rect width="{3 * WIDTH}" height="{TALL}" fill="white"/>'
    path.write_text(
        "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>', ground, *drawn, "</svg>", ""])
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
