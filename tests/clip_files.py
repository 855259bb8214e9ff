"""One clip, written in the formats of many detectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minilift.poses.layouts import COURSE15, LAYOUTS, ROOT
from minilift.poses.people.synth import synthesize

SIZE = (1280, 720)
FOCAL = 1536.0  # what is assumed for that size


def people(n: int, seed: int = 3) -> np.ndarray:
    """Joints (n, 16, 3) in the camera's axes, metres, the mid-hip last: a person at (0.4, -0.1, -4)."""
    poses = synthesize(n, seed=seed)
    joints = (np.asarray(poses.joint_3d, np.float64) - ROOT) * 4
    whole = np.concatenate([joints, np.zeros((n, 1, 3))], axis=1)
    return np.asarray(whole + np.array([0.4, -0.1, -4.0]))


def seen(joint_3d: np.ndarray) -> np.ndarray:
    """Pixels (n, J, 2) of points (n, J, 3)."""
    places = joint_3d[..., :2] / -joint_3d[..., 2:] * [FOCAL, -FOCAL]
    return places + np.array(SIZE) / 2


def in_layout(name: str, joint_3d: np.ndarray) -> np.ndarray:
    """Pixels (n, J, 2) of a person's joints in a layout; where it has others, they lie by the tables' rules.

    So the course's joints that are made of them again are the same, but for the perspective within a person.
    """
    place = dict(zip((*COURSE15.joints, "hip"), joint_3d.transpose(1, 0, 2), strict=True))
    middle = (place["left_shoulder"] + place["right_shoulder"]) / 2
    layout, columns = LAYOUTS[name], []
    for joint in layout.joints:
        columns.append(_place(joint, layout.name, place, middle))
    return seen(np.stack(columns, axis=1))


_NEAR = {
    "toe": "ankle", "heel": "ankle", "foot": "ankle",
    "clavicle": "shoulder", "collar": "shoulder",
}  # fmt: skip


def _place(joint: str, layout: str, place: dict[str, np.ndarray], middle: np.ndarray) -> np.ndarray:
    side, _, part = joint.partition("_")
    if joint in ("root", "hip", "pelvis", "mid_hip"):
        return place["hip"]
    if joint == "thorax" or (joint == "spine2" and layout == "smpl24"):
        return place["neck" if joint == "thorax" else "spine"]
    if joint == "nose" or ("_" in joint and part.partition("_")[0] in ("eye", "ear", "mouth")):
        return _of_face(side, part.partition("_")[0], place)
    if joint in place and not (joint == "head" and layout in ("halpe26", "halpe136", "sports2d22")):
        return place[joint]
    if side in ("left", "right"):
        key = next((_NEAR[word] for word in _NEAR if word in part), "wrist")
        return place[key if key == "head" else f"{side}_{key}"]
    if joint in ("head_top", "head", "forehead"):  # halfway between it and the other end lies the head
        other = place["neck"] if layout not in ("body25b", "mpii16", "posetrack17", "posetrack18") else middle
        return 2 * place["head"] - other
    if joint in ("upper_neck", "head_bottom"):
        return middle
    return place["neck"] if joint in ("chin", "chest", "spine3", "spine4") else place["head"]


def _of_face(side: str, part: str, place: dict[str, np.ndarray]) -> np.ndarray:
    """A point of the face, as far to the side, ahead and up from between the ears as it is in people."""
    left = place["left_shoulder"] - place["right_shoulder"]
    up = place["neck"] - place["hip"]
    left, up = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (left, up))
    aside, ahead, above = {
        "ear": (0.075, 0, 0),
        "eye": (0.031, 0.09, 0.02),
        "mouth": (0.025, 0.09, -0.06),
    }.get(part, (0.0, 0.11, -0.02))
    sign = {"left": 1, "right": -1}.get(side, 0)
    return np.asarray(place["head"] + sign * aside * left + ahead * np.cross(left, up) + above * up)


Write = Callable[[Path, np.ndarray, np.ndarray], None]
"""Writes keypoints (n, J, 2) and scores (n, J), a person a frame, to a file or folder."""


def _flat(xy: np.ndarray, score: np.ndarray) -> list[list[float]]:
    return np.concatenate([xy, score[..., None]], axis=2).reshape(len(xy), -1).tolist()


def _dump(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def openpose(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    path.mkdir()
    for frame, numbers in enumerate(_flat(xy, score)):
        people = [{"person_id": [-1], "pose_keypoints_2d": numbers}]
        _dump(path / f"walk_{frame:012d}_keypoints.json", {"version": 1.3, "people": people})


def coco_result(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    rows = enumerate(_flat(xy, score))
    _dump(path, [{"image_id": i, "category_id": 1, "keypoints": k, "score": 0.9} for i, k in rows])


def alphapose(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    rows = enumerate(_flat(xy, score))
    _dump(path, [{"image_id": f"{i}.jpg", "category_id": 1, "keypoints": k, "score": 2.5} for i, k in rows])


def mmpose1(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    frames = [
        {"frame_id": i, "instances": [{"keypoints": k.tolist(), "keypoint_scores": s.tolist()}]}
        for i, (k, s) in enumerate(zip(xy, score, strict=True))
    ]
    _dump(path, frames)


def mmpose0(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    both = np.concatenate([xy, score[..., None]], axis=2)
    _dump(path, [[{"bbox": [0, 0, 9, 9, 0.9], "keypoints": k.tolist()}] for k in both])


def ultralytics(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    frames = [
        [{"name": "person", "confidence": 0.9,
          "keypoints": {"x": k[:, 0].tolist(), "y": k[:, 1].tolist(), "visible": s.tolist()}}]
        for k, s in zip(xy, score, strict=True)
    ]  # fmt: skip
    _dump(path, frames)


def openpifpaf(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    lines = [
        json.dumps({"frame": i, "predictions": [{"keypoints": k, "bbox": [0, 0, 9, 9], "score": 0.9}]})
        for i, k in enumerate(_flat(xy, score))
    ]
    path.write_text("\n".join(lines) + "\n")


def tfjs(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    names = LAYOUTS["coco17"].joints
    frames = [
        [{"keypoints": [{"y": p[1], "x": p[0], "score": c, "name": n}
                        for p, c, n in zip(k.tolist(), s.tolist(), names, strict=True)]}]
        for k, s in zip(xy, score, strict=True)
    ]  # fmt: skip
    _dump(path, frames)


def vitpose(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    names = {str(i): name for i, name in enumerate(LAYOUTS["coco17"].joints)}
    both = np.concatenate([xy[..., ::-1], score[..., None]], axis=2)
    _dump(path, {"keypoints": [{"0": k.tolist()} for k in both], "skeleton": names})


def npy(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    np.save(path, np.concatenate([xy, score[..., None]], axis=2))


def csv(path: Path, xy: np.ndarray, score: np.ndarray) -> None:
    names = LAYOUTS["coco17"].joints
    head = ",".join(["frame", *(f"{name}_{part}" for name in names for part in ("x", "y", "score"))])
    rows = [",".join([str(i), *map(repr, k)]) for i, k in enumerate(_flat(xy, score))]
    path.write_text("\n".join([head, *rows]) + "\n")


WRITERS: dict[str, tuple[str, Write]] = {
    "openpose": ("frames", openpose),
    "coco-result": ("result.json", coco_result),
    "alphapose": ("alphapose-results.json", alphapose),
    "mmpose1": ("video.json", mmpose1),
    "mmpose0": ("old.json", mmpose0),
    "ultralytics-json": ("yolo.json", ultralytics),
    "openpifpaf-video": ("clip.openpifpaf.json", openpifpaf),
    "tfjs-poses": ("poses.json", tfjs),
    "easy-vitpose": ("vit.json", vitpose),
    "npy": ("points.npy", npy),
    "csv-wide": ("table.csv", csv),
}
"""Of COCO-17: the name of a file or folder, and what writes it."""
