"""Small files of tools' own tables, .npz and HDF5, made by hand; keypoint_texts.py has the other formats."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
from keypoint_texts import NORMAL, SCORE, SIZE, Golden, places, triples

from minilift.poses.layouts import LAYOUTS

BOTH = np.array([triples("coco17", f) for f in (0, 1)])
LANDMARKS = np.array([places("mediapipe33", f) for f in (0, 1)])
JOINTS = LAYOUTS["coco17"].joints


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _kept() -> dict[str, Any]:
    """What minilift keeps of a video: docs/video.md."""
    floats, texts = np.float32, np.array([], "<U1")
    return {
        "keypoints": BOTH[..., :2].astype(floats), "scores": BOTH[..., 2].astype(floats),
        "weight": np.full(2, SCORE, floats), "frame": np.arange(2), "frames": np.arange(2),
        "times": np.array([0.0, 0.04]), "joint_names": np.array(JOINTS), "size": np.array(SIZE),
        "fps": np.array(25.0), "focal": np.array(np.nan), "focal_source": np.array(""),
        "media": np.array("clip.mp4"), "detector": np.array("made by hand"), "kept": np.array("{}"),
        "notes": texts, "warnings": texts,
    }  # fmt: skip


def boxed(value: Any) -> np.ndarray:
    """An array of objects without axes, as numpy.savez makes of a dict."""
    found = np.empty((), object)
    found[()] = value
    return found


def of_frames(frames: list[Any]) -> np.ndarray:
    """An array of objects (F, 2), as infer_video_d2.py saves it: class 0 is empty."""
    found = np.empty((len(frames), 2), object)
    for number, one in enumerate(frames):
        found[number, 0], found[number, 1] = [], one
    return found


def hdf5(**arrays: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        for name, array in arrays.items():
            out[name.replace("__", "/")] = array
    return file.getvalue()


def _rows(*rows: Any) -> bytes:
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def _text() -> dict[str, Golden]:
    fractions = LANDMARKS / SIZE
    columns = [f"{part}{n}" for n in range(1, 34) for part in "xyzv"]
    class_rows = [["up", *(v for x, y in frame for v in (x, y, -0.1, SCORE))] for frame in fractions]
    samples = [[f"{f}.png", "up", *(v for x, y in LANDMARKS[f] for v in (x, y, -9.5))] for f in (0, 1)]
    x, y, score = BOTH[0].T.tolist()
    dicts = f"\"{{'x1': 1.0}}\",\"{{'x': {x}, 'y': {y}, 'visible': {score}}}\""
    results = f"name,class,confidence,box,keypoints\nperson,0,0.9,{dicts}\n"
    marks = "\t\t\t".join("R" + j[6:] if j.startswith("right") else "L" + j[5:] for j in JOINTS[5:])
    trc = "PathFileType\t4\t(X/Y/Z)\tclip_px_person00.trc\nDataRate\tCameraRate\n25\t25\n"
    trc += f"Frame#\tTime\tnose\t\t\t{marks}\n\t\tX1\tY1\tZ1\n"
    for f in (0, 1):
        trc += f"{f}\t{f}\t" + "\t".join(f"{a}\t{b}\t0" for a, b in BOTH[f, [0, *range(5, 17)], :2]) + "\n"
    return {
        "csv-wide-mediapipe": Golden(
            "clip.csv", _rows(["class", *columns], *class_rows), "mediapipe33", asked=NORMAL
        ),
        "mlkit-csv": Golden("samples.csv", _rows(*samples), "mediapipe33", score=None),
        "ultralytics-csv": Golden("results.csv", results.encode(), "coco17", frames=(0,)),
        "trc-pixels": Golden("clip_px_person00.trc", trc.encode(), "named", score=None),
    }


def _arrays() -> dict[str, Golden]:
    positions = {"clip.mp4": {"custom": [BOTH[..., :2].astype(np.float32)]}}
    about = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"clip.mp4": {"w": 1280, "h": 720}}}
    people = [np.concatenate([one[:, :2], np.zeros((17, 1)), one[:, 2:]], axis=1).T[None] for one in BOTH]
    boxes = [np.array([[1, 2, 3, 4, 0.9]], np.float32) for _ in BOTH]
    rays = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 15, 2)).astype(np.float32)
    nodes = np.array([joint.encode() for joint in JOINTS])
    return {
        "course": Golden("poses.npz", npz(joint_2d_1=rays), "course15", score=None),
        "videopose3d-npz": Golden(
            "data_2d_a.npz", npz(positions_2d=boxed(positions), metadata=boxed(about)), "coco17", score=None
        ),
        "videopose3d-detectron-npz": Golden(
            "clip.mp4.npz",
            npz(boxes=of_frames(boxes), keypoints=of_frames(people), metadata=boxed({"w": 1280, "h": 720})),
            "coco17",
        ),
        "npz-keypoints-scores": Golden(
            "rtm.npz", npz(keypoints=BOTH[:, None, :, :2], scores=BOTH[:, None, :, 2]), "coco17"
        ),
        "minilift-2d": Golden("clip_2d.npz", npz(**_kept()), "coco17"),
        "npz": Golden("mine.npz", npz(kpts=BOTH, frame=np.array([4, 6]), fps=25), "coco17", frames=(4, 6)),
        "sleap-h5": Golden(
            "clip.analysis.h5",
            hdf5(
                tracks=BOTH[None, ..., :2].transpose(0, 3, 2, 1), node_names=nodes,
                track_names=np.array([b"a"]),
                point_scores=BOTH[None, ..., 2].transpose(0, 2, 1),
            ),
            "coco17",
        ),
        "dlc-h5": Golden(
            "clipDLC.h5",
            hdf5(
                df__block0_values=BOTH.reshape(2, 51), df__axis1=np.arange(2),
                df__block0_items_level0=np.array([b"DLC"]), df__block0_items_label0=np.zeros(51, np.int8),
                df__block0_items_level1=nodes,
                df__block0_items_label1=np.repeat(np.arange(17, dtype=np.int8), 3),
                df__block0_items_level2=np.array([b"x", b"y", b"likelihood"]),
                df__block0_items_label2=np.tile(np.arange(3, dtype=np.int8), 17),
                df__axis0_level1=np.array([b"bodyparts"]),
            ),
            "coco17",
        ),
    }  # fmt: skip


MORE = {**_text(), **_arrays()}
"""By the name of the format."""
