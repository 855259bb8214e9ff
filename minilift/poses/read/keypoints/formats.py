"""The one table of the formats of 2D keypoints. A new one is a file in this room and a row below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minilift.extras import Later
from minilift.poses.read.keypoints.document import HDF5, JSON, NPY, NPZ, PICKLE, TEXT, Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows

_HERE = "minilift.poses.read.keypoints"
course, hdf5, kept, npz, plain, videopose3d = (
    Later(f"{_HERE}.numeric.{name}") for name in ("course", "hdf5", "kept", "npz", "plain", "videopose3d")
)
alphapose, coco, mediapipe, mmpose, named, nested = (
    Later(f"{_HERE}.objects.{name}")
    for name in ("alphapose", "coco", "mediapipe", "mmpose", "named", "nested")
)
openpifpaf, openpose, tfjs, ultralytics, vitpose = (
    Later(f"{_HERE}.objects.{name}") for name in ("openpifpaf", "openpose", "tfjs", "ultralytics", "vitpose")
)
deeplabcut, long, tools, trc, wide, yolo = (
    Later(f"{_HERE}.tables.{name}") for name in ("deeplabcut", "long", "tools", "trc", "wide", "yolo")
)

Add = Callable[[Document, Rows, int], None]


@dataclass(frozen=True)
class Format:
    """A format of files of 2D keypoints."""

    name: str
    about: str
    """What writes it, for people."""
    kinds: tuple[str, ...]
    """The kinds of `Document` that it can be."""
    fits: Callable[[Document], bool]
    """Whether a document of such a kind has this format, without doubt. Must not raise on rubbish."""
    read: Callable[[Document, Asked], Raw]
    """Raises InputError of one line, naming the file, for what it cannot read."""
    one_frame: bool = False
    """A file is one frame; the files of a folder are a clip, and their names have the frames' numbers."""
    add: Add | None = None
    """Adds the people of a file of one frame to those of other files, with the frame's number."""
    finish: Callable[[Raw], Raw] | None = None
    """What only all frames together tell, such as the unit of their numbers."""
    holes: bool = False
    """A frame without people has no file, so that numbers left out are frames, not holes."""


FORMATS: tuple[Format, ...] = (
    Format("openpose", "OpenPose, Pose2Sim, rtmlib: a JSON file a frame", (JSON,), openpose.is_openpose,
           openpose.read_openpose, one_frame=True, add=openpose.add_frame, finish=openpose.finish),
    Format("alphapose-open", "AlphaPose, format open", (JSON,), alphapose.is_open, alphapose.read_open),
    Format("alphapose-cmu", "AlphaPose, format cmu", (JSON,), alphapose.is_cmu, alphapose.read_cmu),
    Format("alphapose", "AlphaPose's results", (JSON,), alphapose.is_results, alphapose.read_results),
    Format("coco-annotation", "COCO annotations: COCO, CrowdPose, AI Challenger, PoseTrack, CVAT", (JSON,),
           coco.is_annotation, coco.read_annotation),
    Format("coco-result", "COCO results: Detectron2, MMPose 0.x, HRNet", (JSON,), coco.is_result,
           coco.read_result),
    Format("mpii-annotation", "MPII annotations as HRNet keeps them", (JSON,), coco.is_mpii, coco.read_mpii),
    Format("mmpose1", "MMPose 1.x, a video", (JSON,), mmpose.is_version_1, mmpose.read_version_1),
    Format("mmpose1-images", "MMPose 1.x, a JSON file a picture", (JSON,), mmpose.is_picture,
           mmpose.read_picture, one_frame=True, add=mmpose.add_picture),
    Format("mmpose0", "MMPose 0.x", (JSON,), mmpose.is_version_0, mmpose.read_version_0),
    Format("ultralytics-json", "Ultralytics YOLO, to_json()", (JSON,), ultralytics.is_results,
           ultralytics.read_results),
    Format("tfjs-poses", "TensorFlow.js: MoveNet, BlazePose", (JSON,), tfjs.is_poses, tfjs.read_poses),
    Format("posenet", "PoseNet, ml5", (JSON,), tfjs.is_posenet, tfjs.read_poses),
    Format("mlkit-json", "ML Kit", (JSON,), mediapipe.is_mlkit, mediapipe.read_frames),
    Format("mediapipe-json", "MediaPipe Pose, a list of frames", (JSON,), mediapipe.is_frames,
           mediapipe.read_frames),
    Format("mediapipe-tasks-json", "MediaPipe Tasks", (JSON,), mediapipe.is_tasks, mediapipe.read_tasks),
    Format("mediapipe-pbtxt", "MediaPipe, text protobuf", (TEXT,), mediapipe.is_pbtxt, mediapipe.read_pbtxt),
    Format("openpifpaf-video", "OpenPifPaf, a line a frame", (JSON,), openpifpaf.is_video,
           openpifpaf.read_video),
    Format("openpifpaf-image", "OpenPifPaf, a JSON file a picture", (JSON,), openpifpaf.is_picture,
           openpifpaf.read_picture, one_frame=True, add=openpifpaf.add_picture, finish=openpifpaf.finish),
    Format("easy-vitpose", "easy_ViTPose", (JSON,), vitpose.is_vitpose, vitpose.read_vitpose),
    Format("poseflow", "AlphaPose, PoseFlow tracker", (JSON,), alphapose.is_poseflow,
    alphapose.read_poseflow), Format("tfjs-named", "frames of named joints", (JSON,), named.is_named,
    named.read_named),
    Format("array-json", "nested lists of numbers", (JSON,), nested.is_nested, nested.read_nested),
    Format("course", "the course's own files of rays", (NPY, NPZ, PICKLE), course.is_course,
           course.read_course),
    Format("movenet-npy", "MoveNet's own arrays", (NPY,), plain.is_movenet, plain.read_movenet),
    Format("npy", "an array of keypoints", (NPY,), plain.is_array, plain.read_array),
    Format("minilift-2d", "what minilift found in a photo or a video", (NPZ,), kept.is_kept, kept.read_kept),
    Format("videopose3d-npz", "VideoPose3D, data_2d_NAME.npz", (NPZ,), videopose3d.is_videopose3d,
           videopose3d.read_videopose3d),
    Format("videopose3d-detectron-npz", "VideoPose3D, infer_video_d2.py", (NPZ,), videopose3d.is_detectron,
           videopose3d.read_detectron),
    Format("npz-keypoints-scores", "rtmlib, keypoints and scores", (NPZ,), npz.is_scored, npz.read_npz),
    Format("npz", "arrays by name", (NPZ,), npz.is_npz, npz.read_npz),
    Format("sleap-h5", "SLEAP, analysis HDF5", (HDF5,), hdf5.is_sleap, hdf5.read_sleap),
    Format("dlc-h5", "DeepLabCut, HDF5", (HDF5,), hdf5.is_deeplabcut, hdf5.read_deeplabcut),
    Format("trc-pixels", "Sports2D, a TRC of pixels", (TEXT,), trc.is_trc, trc.read_trc),
    Format("dlc-csv", "DeepLabCut, CSV", (TEXT,), deeplabcut.is_deeplabcut, deeplabcut.read_deeplabcut),
    Format("sleap-csv", "SLEAP, analysis CSV", (TEXT,), wide.is_sleap, wide.read_wide),
    Format("ultralytics-csv", "Ultralytics YOLO, to_csv()", (TEXT,), tools.is_ultralytics,
           tools.read_ultralytics, one_frame=True),
    Format("mlkit-csv", "ML Kit, pose samples", (TEXT,), tools.is_mlkit, tools.read_mlkit),
    Format("yolo-txt", "Ultralytics YOLO, save_txt: a text file a frame", (TEXT,), yolo.is_yolo,
           yolo.read_yolo, one_frame=True, add=yolo.add_frame, finish=yolo.finish, holes=True),
    Format("csv-wide-mediapipe", "MediaPipe Pose, columns x1 y1 z1 v1 to v33", (TEXT,), wide.is_mediapipe,
           wide.read_wide),
    Format("csv-wide", "a table with a row a person", (TEXT,), wide.is_wide, wide.read_wide),
    Format("csv-long", "a table with a row a joint", (TEXT,), long.is_long, long.read_long),
)  # fmt: skip
"""Looked through from the first to the last: what is told by less comes later."""
