"""Small files of keypoints made by hand to the forms that tools write, with invented numbers."""

from __future__ import annotations

import numpy as np

from minilift.poses.layouts import LAYOUTS

COCO = LAYOUTS["coco17"].joints
# A person who stands: x, y in a picture of 1000 x 800
STANDING = np.array([
    (500, 120), (508, 112), (492, 112), (520, 118), (480, 118), (560, 200), (440, 200), (580, 290),
    (420, 290), (590, 370), (410, 370), (535, 390), (465, 390), (540, 530), (460, 530), (545, 670),
    (455, 670),
], np.float64)  # fmt: skip


def person(frame: int = 0, shift: float = 0.0) -> np.ndarray:
    """(17, 3) x, y, score: all of them other numbers, so that none can be taken for another."""
    scores = 0.5 + 0.01 * np.arange(17) + 0.001 * frame
    return np.column_stack([STANDING + np.array([3 * frame + shift, frame]), scores])


def names_of(style: str) -> list[str]:
    """COCO's joints as people write them in columns."""
    first_word = [name.split("_") for name in COCO]
    return {
        "plain": list(COCO),
        "spaced": [" ".join(words).title() for words in first_word],
        "capitals": [name.upper() for name in COCO],
        "camel": [words[0] + "".join(word.title() for word in words[1:]) for words in first_word],
        "short": [name.replace("left_", "l.").replace("right_", "r.") for name in COCO],
        "letter": [name.replace("left_", "L").replace("right_", "R") for name in COCO],
    }[style]


def wide(frames: int, header: str = "{name}_{part}", style: str = "plain", parts: str = "x y score",
         delimiter: str = ",", first: int = 0) -> str:  # fmt: skip
    """A table with a row a frame."""
    words = parts.split()
    columns = [header.format(name=name, part=part) for name in names_of(style) for part in words]
    lines = [delimiter.join(["frame", *columns])]
    for frame in range(frames):
        cells = [f"{value:.3f}" for joint in person(frame) for value in joint[: len(words)]]
        lines.append(delimiter.join([str(first + frame), *cells]))
    return "\n".join(lines) + "\n"


def long(frames: int, people: int = 1, style: str = "plain") -> str:
    lines = ["frame,person_id,joint,x,y,confidence"]
    for frame in range(frames):
        for who in range(people):
            for name, (x, y, score) in zip(names_of(style), person(frame, 200 * who), strict=True):
                lines.append(f"{frame},{7 - who},{name},{x},{y},{score:.4f}")
    return "\n".join(lines) + "\n"


def yolo(frame: int = 0, people: int = 1, size: tuple[int, int] = (1000, 800), tail: str = "") -> str:
    """Lines of Ultralytics' save_txt; `tail` may have {who}."""
    lines = []
    for who in range(people):
        joints = person(frame, 200 * who) / [*size, 1]
        numbers = " ".join(f"{value:.6g}" for value in joints.ravel())
        lines.append(f"0 0.5 0.5 0.2 0.7 {numbers}{tail.format(who=who + 1)}")
    return "\n".join(lines) + "\n"


def deeplabcut(frames: int, people: tuple[str, ...] = (), parts: str = "x y likelihood") -> str:
    words, who = parts.split(), people or ("",)
    columns = [(p, name, part) for p in who for name in COCO for part in words]
    rows = [["scorer", *["DLC_model"] * len(columns)]]
    if people:
        rows.append(["individuals", *[p for p, _, _ in columns]])
    rows += [["bodyparts", *[name for _, name, _ in columns]], ["coords", *[part for _, _, part in columns]]]
    for frame in range(frames):
        found = [person(frame, 200 * i)[:, : len(words)].ravel() for i in range(len(who))]
        rows.append([str(frame), *(f"{value:.3f}" for value in np.concatenate(found))])
    return "\n".join(",".join(row) for row in rows) + "\n"
