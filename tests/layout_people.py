"""Synthetic people with every point that a layout of detectors may ask for: face, feet, fingers, middles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench.fit_layouts import with_face
from minilift.poses.layouts import COURSE15, LAYOUTS, ROOT
from minilift.poses.people.synth import synthesize

CENTRE, FOCAL = (640.0, 360.0), 1200.0
_NECK, _HEAD, _SPINE = 0.053, 0.41, 0.398  # of the trunk


def full_people(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Points (n, 3) in metres by name, the mid-hip at 0, in the camera's axes: x right, y up, z nearer."""
    people = synthesize(n, seed=seed)
    joints = np.asarray(people.joint_3d, np.float64) - np.array(ROOT)
    joints *= 0.53 / np.median(np.linalg.norm(joints[:, COURSE15.index("neck")], axis=1))
    points = dict(zip(COURSE15.joints, joints.swapaxes(0, 1), strict=True))
    shoulders = (points["left_shoulder"] + points["right_shoulder"]) / 2
    up = _unit(points["head"] - points["neck"])
    points["neck"] = (1 + _NECK) * shoulders
    points["head"] = shoulders + _HEAD * np.linalg.norm(shoulders, axis=1, keepdims=True) * up
    points["spine"] = _SPINE * points["neck"]
    points = with_face({**points, "root": np.zeros_like(up)})
    return {**points, **_middles(points, shoulders), **_ends(points)}


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _middles(points: Mapping[str, np.ndarray], shoulders: np.ndarray) -> dict[str, np.ndarray]:
    ahead = np.cross(points["left_shoulder"] - points["right_shoulder"], shoulders)
    ahead = _unit(ahead)
    found = dict.fromkeys(("hip", "pelvis", "mid_hip"), points["root"])
    found |= {"thorax": shoulders, "head_bottom": points["upper_neck"], "chest": 0.6 * shoulders}
    found |= {"spine1": 0.2 * shoulders, "spine2": points["spine"], "spine3": 0.7 * shoulders}
    found |= {"spine4": 0.9 * shoulders, "mouth": points["nose"] - 0.04 * _unit(shoulders)}
    return found


def _ends(points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Feet, hands, and the rest of the face: near to where they are, and ahead of the pelvis."""
    left, up = _unit(points["left_hip"] - points["right_hip"]), _unit(points["head"] - points["neck"])
    found = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ankle, wrist, eye = (points[f"{side}_{part}"] for part in ("ankle", "wrist", "eye"))
        down = _unit(ankle - points[f"{side}_knee"])
        ahead = _unit(np.cross(left, -down))
        hand = _unit(wrist - points[f"{side}_elbow"])
        toe, mouth = ankle + 0.18 * ahead + 0.06 * down, points["nose"] - 0.04 * up + sign * 0.02 * left
        found |= {
            f"{side}_big_toe": toe, f"{side}_foot_index": toe, f"{side}_toe": toe, f"{side}_toe_end": toe,
            f"{side}_small_toe": toe - 0.03 * ahead + sign * 0.08 * left,
            f"{side}_heel": ankle - 0.05 * ahead + 0.07 * down,
            f"{side}_foot": ankle + 0.12 * ahead + 0.05 * down,
            f"{side}_clavicle": 0.8 * points["neck"] + 0.2 * points[f"{side}_shoulder"],
            f"{side}_collar": 0.8 * points["neck"] + 0.2 * points[f"{side}_shoulder"],
            f"{side}_hand": wrist + 0.08 * hand, f"{side}_hand_root": wrist + 0.01 * hand,
            f"{side}_eye_inner": eye - sign * 0.015 * left, f"{side}_eye_outer": eye + sign * 0.015 * left,
            f"{side}_mouth": mouth,
        }  # fmt: skip
    return found


def in_layout(name: str, points: Mapping[str, np.ndarray]) -> np.ndarray:
    """These points (n, J, 3) in the order of a layout, as that layout means them."""
    own = dict(points)
    if name in ("halpe26", "halpe136", "sports2d22", "mpi15"):
        own["head"] = points["head_top"]
    if name in ("halpe26", "halpe136", "sports2d22", "body25", "openpose_coco18", "vitpose25"):
        own["neck"] = points["thorax"]
    return np.stack([_point(joint, own) for joint in LAYOUTS[name].joints], axis=1)


def _point(joint: str, points: Mapping[str, np.ndarray]) -> np.ndarray:
    if joint in points:
        return points[joint]
    side = joint.partition("_")[0]
    return points[f"{side}_hand"] if side in ("left", "right") else points["nose"]  # fingers, face_0 ...


def seen(points: np.ndarray, distance: float = 4.0) -> np.ndarray:
    """Pixels (..., 2), y down, of points (..., 3) by a camera so many metres away."""
    u, v = points[..., 0], points[..., 1]
    depth = distance - points[..., 2]
    return np.stack([CENTRE[0] + FOCAL * u / depth, CENTRE[1] - FOCAL * v / depth], axis=-1)
