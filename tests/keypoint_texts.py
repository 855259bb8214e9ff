"""A small file of every format of keypoints, made by hand as its tool documents it; numbers are invented."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilift.poses.layouts import LAYOUTS
from minilift.poses.read.keypoints.raw import Asked

SIZE = (1280, 720)
PLACES = {
    "nose": (600, 150), "left_eye": (612, 140), "right_eye": (590, 141), "left_ear": (628, 148),
    "right_ear": (575, 149), "left_shoulder": (668, 230), "right_shoulder": (541, 226),
    "left_elbow": (690, 320), "right_elbow": (520, 318), "left_wrist": (700, 402), "right_wrist": (512, 398),
    "left_hip": (640, 420), "right_hip": (563, 418), "left_knee": (648, 545), "right_knee": (556, 541),
    "left_ankle": (655, 662), "right_ankle": (549, 660), "neck": (604, 228), "hip": (601, 419),
    "head": (600, 90), "head_top": (600, 90), "thorax": (604, 230), "upper_neck": (602, 190),
    "pelvis": (601, 419), "spine": (603, 330), "chest": (603, 300),
}  # fmt: skip
NEAR = {
    "eye": "eye", "mouth": "eye", "pinky": "wrist", "index": "wrist", "thumb": "wrist", "hand": "wrist",
    "heel": "ankle", "foot": "ankle", "toe": "ankle", "big": "ankle", "small": "ankle", "mid": "hip",
}  # fmt: skip
OFFSETS = {
    "heel": (-6, 14), "foot": (9, 32), "toe": (9, 32), "big": (9, 32), "small": (16, 28), "mouth": (-3, 34),
    "pinky": (6, 22), "index": (1, 26), "thumb": (-6, 16), "hand": (1, 26),
}  # fmt: skip
"""Of a joint without a place of its own from that in NEAR."""
SCORE = 0.75


def place(joint: str, frame: int = 0, person: int = 0) -> tuple[float, float]:
    """Where a joint is: people walk 4 pixels a frame, the second stands 300 pixels to the left."""
    name = joint
    if name not in PLACES:
        side, _, part = joint.partition("_")
        near = NEAR.get(part.split("_")[0], NEAR.get(side, "ear"))
        name = f"{side}_{near}" if f"{side}_{near}" in PLACES else near if near in PLACES else "nose"
    x, y = PLACES[name]
    right, down = OFFSETS.get(joint.partition("_")[2].split("_")[0], (0, 0))
    return x + right + 4.0 * frame - 300.0 * person, float(y + down)


def places(layout: str, frame: int = 0, person: int = 0) -> list[tuple[float, float]]:
    return [place(joint, frame, person) for joint in LAYOUTS[layout].joints]


def triples(layout: str, frame: int = 0, person: int = 0, third: float = SCORE) -> list[list[float]]:
    return [[x, y, third] for x, y in places(layout, frame, person)]


def flat(layout: str, frame: int = 0, person: int = 0, third: float = SCORE) -> list[float]:
    return [number for joint in triples(layout, frame, person, third) for number in joint]


def objects(
    layout: str,
    frame: int = 0,
    *,
    score: str = "score",
    name: str | None = "name",
    size: Any = (1, 1),
    rename: Callable[[str], str] = str,
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for joint, (x, y) in zip(LAYOUTS[layout].joints, places(layout, frame), strict=True):
        about = {} if name is None else {name: rename(joint)}
        found.append({"x": x / size[0], "y": y / size[1], score: SCORE, **about})
    return found


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass(frozen=True)
class Golden:
    """A file: its name and content; what the user has to say; the layout and the frames that it has."""

    name: str
    content: bytes
    layout: str
    frames: tuple[int, ...] = (0, 1)
    asked: Asked | None = None
    score: float | None = SCORE
    joint: str = "left_wrist"


def _json(name: str, value: Any, layout: str = "coco17", **about: Any) -> Golden:
    return Golden(name, json.dumps(value).encode(), layout, **about)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _csv(*rows: Any) -> bytes:
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


NORMAL = Asked(size=SIZE)
_NAMES = {str(row): name for row, name in enumerate(LAYOUTS["coco17"].joints)}
_LANDMARKS = [objects("mediapipe33", f, score="visibility", name=None, size=SIZE) for f in (0, 1)]


def _instance(frame: int) -> dict[str, Any]:
    return {"keypoints": places("coco17", frame), "keypoint_scores": [SCORE] * 17, "bbox_score": 0.9}


def _detectors() -> dict[str, Golden]:
    """JSON of detectors and trackers in Python and C++."""
    openpose = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": flat("body25")}]}
    named = [
        {"image_id": f"{f}.jpg", "category_id": 1, "keypoints": flat("coco17", f), "score": 2.5}
        for f in (0, 1)
    ]
    numbered = [{**person, "image_id": f} for f, person in enumerate(named)]
    annotations = {
        "images": [
            {"id": 7 + f, "file_name": f"a/frame_{f:04}.png", "width": 1280, "height": 720} for f in (0, 1)
        ],
        "annotations": [
            {"id": f, "image_id": 7 + f, "category_id": 1, "keypoints": flat("aic14", f, third=2)}
            for f in (0, 1)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(LAYOUTS["aic14"].joints)}],
    }
    mpii = {
        "joints": places("mpii16"),
        "joints_vis": [1] * 16,
        "image": "0123.jpg",
        "scale": 2,
        "center": [1, 2],
    }
    pifpaf = {"keypoints": flat("coco17"), "bbox": [1, 2, 3, 4], "score": 0.8, "category_id": 1}
    video = [
        json.dumps({"frame": f, "predictions": [{**pifpaf, "keypoints": flat("coco17", f), "id_": 3}]})
        for f in (0, 1)
    ]
    yolo = [
        [
            {
                "name": "person",
                "class": 0,
                "confidence": 0.9,
                "track_id": 4,
                "box": {},
                "keypoints": {
                    "x": [x for x, _ in places("coco17", f)],
                    "y": [y for _, y in places("coco17", f)],
                    "visible": [SCORE] * 17,
                },
            }
        ]
        for f in (0, 1)
    ]
    vitpose = [{"5": [[y, x, SCORE] for x, y in places("coco17", f)]} for f in (0, 1)]
    opened = {
        f"{f}.jpg": {
            "version": "AlphaPose v0.3",
            "people": [{"pose_keypoints_2d": flat("openpose_coco18", f)}],
        }
        for f in (0, 1)
    }
    cmu = {
        f"{f}.jpg": {"version": "AlphaPose v0.3", "bodies": [{"joints": flat("openpose_coco18", f)}]}
        for f in (0, 1)
    }
    flow = {f"{f}.jpg": [{"keypoints": flat("coco17", f), "scores": 2.0, "idx": 1}] for f in (0, 1)}
    return {
        "openpose": _json("walk_000000000000_keypoints.json", openpose, "body25", frames=(0,)),
        "alphapose": _json("alphapose-results.json", named),
        "alphapose-open": _json("alphapose-results.json", opened, "openpose_coco18"),
        "alphapose-cmu": _json("alphapose-results.json", cmu, "openpose_coco18"),
        "poseflow": _json("alphapose-results-forvis-tracked.json", flow),
        "coco-result": _json("result_keypoints.json", numbered),
        "coco-annotation": _json("annotations.json", annotations, "aic14", score=None),
        "mpii-annotation": _json("mpii.json", [mpii], "mpii16", frames=(123,), score=1.0),
        "mmpose0": _json(
            "results.json", [[{"keypoints": triples("coco17", f), "bbox": [1, 2, 3, 4, 0.9]}] for f in (0, 1)]
        ),
        "mmpose1": _json("clip.json", [{"frame_id": f, "instances": [_instance(f)]} for f in (0, 1)]),
        "mmpose1-images": _json("img_0.json", [_instance(0)], frames=(0,)),
        "openpifpaf-image": _json("5.jpg.predictions.json", [pifpaf], frames=(5,)),
        "openpifpaf-video": Golden("clip.mp4.openpifpaf.json", "\n".join(video).encode(), "coco17"),
        "ultralytics-json": _json("results.json", yolo),
        "easy-vitpose": _json("clip_result.json", {"keypoints": vitpose, "skeleton": _NAMES}),
    }


def _others() -> dict[str, Golden]:
    """JSON of browsers and phones, and plain lists."""
    posenet = [
        [
            {
                "score": 0.9,
                "keypoints": [
                    {"part": camel(joint), "position": {"x": x, "y": y}, "score": SCORE}
                    for joint, (x, y) in zip(LAYOUTS["coco17"].joints, places("coco17", f), strict=True)
                ],
            }
        ]
        for f in (0, 1)
    ]
    mlkit = [
        {
            "frame": f,
            "landmarks": objects("mediapipe33", f, score="inFrameLikelihood", name="type", rename=str.upper),
        }
        for f in (0, 1)
    ]
    pbtxt = "# proto-message: NormalizedLandmarkList\n" + "".join(
        f"landmark {{\n  x: {p['x']}\n  y: {p['y']}\n  z: -0.1\n  visibility: {SCORE}\n}}\n"
        for p in _LANDMARKS[0]
    )
    frames = {
        "fps": 25,
        "width": 1280,
        "height": 720,
        "frames": [{"frame": f, "landmarks": _LANDMARKS[f]} for f in (0, 1)],
    }
    return {
        "tfjs-poses": _json(
            "poses.json", [[{"score": 0.9, "keypoints": objects("coco17", f)}] for f in (0, 1)]
        ),
        "posenet": _json("poses.json", posenet),
        "tfjs-named": _json(
            "pose.json",
            [{o["name"]: {"x": o["x"], "y": o["y"]} for o in objects("coco17", f)} for f in (0, 1)],
            score=None,
        ),
        "mediapipe-json": _json("landmarks.json", frames, "mediapipe33"),
        "mediapipe-tasks-json": _json(
            "result.json",
            [{"landmarks": [one], "worldLandmarks": []} for one in _LANDMARKS],
            "mediapipe33",
            asked=NORMAL,
        ),
        "mediapipe-pbtxt": Golden("pose.pbtxt", pbtxt.encode(), "mediapipe33", frames=(0,), asked=NORMAL),
        "mlkit-json": _json("log.json", mlkit, "mediapipe33"),
        "array-json": _json("array.json", [triples("coco17", f) for f in (0, 1)]),
    }


def _tables() -> dict[str, Golden]:
    """Tables and arrays."""
    both = np.array([triples("coco17", f) for f in (0, 1)])
    movenet = (both[:, None, None] / [*SIZE, 1])[..., [1, 0, 2]].astype(np.float32)
    joints = LAYOUTS["coco17"].joints
    wide = [
        [f"{joint}_{axis}" for joint in joints for axis in ("x", "y", "score")],
        *both.reshape(2, -1).tolist(),
    ]
    long = [["frame", "joint", "x", "y", "score"]]
    long += [[f, joint, *both[f, j].tolist()] for f in (0, 1) for j, joint in enumerate(joints)]
    dlc = [
        ["scorer", *["dlc"] * 51],
        ["bodyparts", *[joint for joint in joints for _ in range(3)]],
        ["coords", *["x", "y", "likelihood"] * 17],
        *([f, *both[f].ravel().tolist()] for f in (0, 1)),
    ]
    sleap = [
        [
            "track",
            "frame_idx",
            "instance.score",
            *[f"{j}.{axis}" for j in joints for axis in ("x", "y", "score")],
        ]
    ]
    sleap += [["track_0", f, 0.9, *both[f].ravel().tolist()] for f in (0, 1)]
    parts = both[0] / [*SIZE, 1]
    return {
        "npy": Golden("keypoints.npy", _npy(both), "coco17"),
        "movenet-npy": Golden("movenet.npy", _npy(movenet), "coco17", asked=NORMAL),
        "csv-wide": Golden("wide.csv", _csv(*wide), "coco17"),
        "csv-long": Golden("long.csv", _csv(*long), "coco17"),
        "dlc-csv": Golden("clipDLC.csv", _csv(*dlc), "coco17"),
        "sleap-csv": Golden("clip.analysis.csv", _csv(*sleap), "coco17"),
        "yolo-txt": Golden(
            "clip_1.txt",
            " ".join(map(str, [0, 0.5, 0.5, 0.2, 0.8, *parts.ravel()])).encode(),
            "coco17",
            frames=(1,),
            asked=NORMAL,
        ),
    }


GOLDEN = {**_detectors(), **_others(), **_tables()}
"""By the name of the format."""
