"""Draw docs/images/weak.svg: what one image leaves open, and what a second view, or another side, says of it.

Run `python docs/images/weak.py` in the folder of the README. The scene is that of axes.py.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from axes import FAR, HEIGHT, TALL, WIDTH, camera, floor, line, on_paper, person

from minilift.poses.layouts import COURSE15

FIRST, SECOND = (0.0, FAR), (np.radians(-65), 2.5)  # cameras: azimuth, metres from the person
JOINT = COURSE15.index("right_wrist")
WRONG = 0.84  # of the right depth: what an untrained network may answer
GREY, BLUE, RED, GREEN = "#aaaaaa", "#3366cc", "#d1495b", "#2e8b57"
TITLES = (
    "one image: any depth fits",
    "two views: the other camera sees it",
    "one view: seen from another side",
)


def stand(azimuth: float, away: float) -> tuple[np.ndarray, np.ndarray]:
    """Place of a camera that looks at the person, and its axes in rows."""
    place = np.array([away * np.sin(azimuth), HEIGHT, away * np.cos(azimuth)])
    back = place - [0, 0.95, 0]
    back /= np.linalg.norm(back)
    right = np.cross([0, 1, 0], back)
    right /= np.linalg.norm(right)
    return place, np.stack([right, np.cross(back, right), back])


def stroke(colour: str, width: float = 1.5, dashed: bool = False) -> str:
    return f'stroke="{colour}" stroke-width="{width}" stroke-linecap="round"' + (
        ' stroke-dasharray="4 4"' if dashed else ""
    )


def dot(point: np.ndarray, colour: str, radius: float = 4) -> str:
    x, y = on_paper(point)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def body(joints: np.ndarray, hip: np.ndarray, colour: str) -> list[str]:
    points = np.concatenate([joints, hip[None]])
    bones = [line(joints[i], points[parent], stroke(colour, 4)) for i, parent in enumerate(COURSE15.parents)]
    return [*bones, dot(joints[COURSE15.index("head")], colour, 7)]


def one_image() -> list[str]:
    (place, turned), (joints, hip) = stand(*FIRST), person()
    ray = joints[JOINT] - place
    parts = [*body(joints, hip, GREY), *camera(place, turned), line(place, place + 1.12 * ray, stroke(BLUE))]
    return parts + [dot(place + k * ray, BLUE) for k in (0.68, WRONG, 1.0)]


def two_views() -> list[str]:
    (place, turned), (there, other), (joints, hip) = stand(*FIRST), stand(*SECOND), person()
    found = place + WRONG * (joints[JOINT] - place)
    parts = [*body(joints, hip, GREY), *camera(place, turned), *camera(there, other)]
    parts += [line(place, joints[JOINT], stroke(BLUE)), line(there, joints[JOINT], stroke(GREEN))]
    parts += [line(there, found, stroke(RED, dashed=True)), line(found, joints[JOINT], stroke(RED, 3))]
    return [*parts, dot(found, RED), dot(joints[JOINT], GREEN)]


def another_side() -> list[str]:
    """Somebody lifted flat, every joint at the distance of the mid-hip, and a camera that goes round."""
    (place, turned), (there, other), (joints, hip) = stand(*FIRST), stand(*SECOND), person()
    flat = place + (joints - place) * ((hip - place) @ turned[2] / ((joints - place) @ turned[2]))[:, None]
    flat += 0.25 * (flat - joints)  # as much as shows
    stops = np.linspace(FIRST, SECOND, 12)
    way = [stand(azimuth, away)[0] for azimuth, away in stops]
    people = [*body(joints, hip, "#dddddd"), *body(flat, hip, RED)]
    path = [line(a, b, stroke(BLUE, dashed=True)) for a, b in pairwise(way)]
    return [*people, *camera(place, turned), *camera(there, other), *path]


def main(path: Path) -> None:
    drawn = []
    for place, (title, parts) in enumerate(
        zip(TITLES, (one_image(), two_views(), another_side()), strict=True)
    ):
        told = f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" fill="#222222">{title}</text>'
        drawn += [f'<g transform="translate({place * WIDTH} 0)">', *floor(), *parts, told, "</g>"]
    size = f'width="{3 * WIDTH}" height="{TALL}" viewBox="0 0 {3 * WIDTH} {TALL}"'
    style = 'font-family="sans-serif" font-size="14"'
    ground = f'<rect width="{3 * WIDTH}" height="{TALL}" fill="white"/>'
    path.write_text(
        "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>', ground, *drawn, "</svg>", ""])
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
