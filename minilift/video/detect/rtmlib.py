"""RTMO, or YOLOX and RTMPose: the networks that rtmlib and MMPose use, as ONNX files.

Source: rtmlib/tools/pose_estimation/rtmo.py of github.com/Tau-J/rtmlib, and configs/body_2d_keypoint of
github.com/open-mmlab/mmpose: YOLOX and RTMO see BGR from 0 to 255, RTMPose normalised RGB.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike
from minilift.poses.layouts import LAYOUTS, Layout
from minilift.video.detect.boxes import best, fitted, people_of
from minilift.video.detect.onnx_net import OnnxNet, onnx_of, shapes
from minilift.video.detect.simcc import joints, piece, shown
from minilift.video.frame import Frame
from minilift.video.person import Person

SURE = 0.5
"""A person whose box scores less is none."""
_OVERLAP = 0.45
_RTMO, _YOLOX, _RTMPOSE = (640, 640), (640, 640), (256, 192)
_LAYOUTS = {len(LAYOUTS[name]): name for name in ("coco17", "halpe26", "coco_wholebody133", "crowdpose14")}
_ASK = (
    "has no networks of its own; give {0}: RTMO, which is rtmo-m_16xb16-600e_body7-640x640 (ONNX) of "
    "github.com/open-mmlab/mmpose/tree/main/projects/rtmo, .zip or .onnx; or a folder with YOLOX and RTMPose"
)


def open_rtmlib(model: PathLike | None, still: bool) -> OneStage | TwoStage:
    """The detector of that file, or of the two in that folder. It remembers no frames, `still` or not.

    Raises InputError where there is no such network in them.
    """
    if model is None:
        raise ArgumentError("detector", "rtmlib", _ASK, ("model", "FILE"))
    path = Path(model)
    if not path.is_dir():
        return OneStage(OnnxNet(path, _RTMO))
    files = sorted(file for ending in ("*.onnx", "*.zip") for file in path.glob(ending))
    if len(files) != 2:
        problem = f"a folder with {len(files)} .onnx or .zip files, not two: YOLOX and RTMPose"
        raise ArgumentError("model", os.fspath(model), problem)
    nets = [OnnxNet(file, _RTMPOSE) for file in files]
    poses = [net for net in nets if len(net.session.get_outputs()) == 2 and _ranks(net) == [3, 3]]
    if len(poses) != 1:
        raise nets[0].other("one of two networks, and neither or both of them are RTMPose")
    finder = next(file for file, net in zip(files, nets, strict=True) if net is not poses[0])
    return TwoStage(OnnxNet(finder, _YOLOX), poses[0])


def _ranks(net: OnnxNet) -> list[int]:
    return [len(one.shape or ()) for one in net.session.get_outputs()]


def _layout(net: OnnxNet, count: int) -> Layout:
    if count not in _LAYOUTS:
        known = ", ".join(f"{n} ({name})" for n, name in _LAYOUTS.items())
        raise net.other(f"gives {count} joints, and the layouts known are {known}")
    return LAYOUTS[_LAYOUTS[count]]


def _name(*nets: OnnxNet) -> str:
    code = 0
    for net in nets:
        code = zlib.crc32(onnx_of(net.path), code)
    return f"rtmlib {code:08x}"


class OneStage:
    """RTMO: boxes and joints of all people in one look."""

    def __init__(self, net: OnnxNet):
        self.net, self.name = net, _name(net)
        self.layout = _layout(net, self._answer(np.zeros((net.height, net.width, 3)))[1].shape[1])

    def __call__(self, frame: Frame) -> list[Person]:
        page, times = fitted(frame.image, self.net.height, self.net.width)
        boxes, points = self._answer(page)
        kept = best(boxes[:, :4], boxes[:, 4], SURE, _OVERLAP)
        return [
            Person(
                points[row, :, :2] / times,
                np.clip(points[row, :, 2], 0, 1).astype(np.float32),
                float(boxes[row, 4]),
                ~np.isfinite(points[row]).all(axis=1),
            )
            for row in kept
        ]

    def _answer(self, page: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (n, 5) and points (n, J, 3), each with a score."""
        given = self.net(page)
        fits = len(given) == 2 and [array.ndim for array in given] == [3, 4]
        if not (fits and given[0].shape[2] == 5 and given[1].shape[3] == 3 and len(given[0]) == 1):
            raise self.net.other(f"gives {shapes(given)}, not [1, n, 5] and [1, n, J, 3]")
        return given[0][0].astype(np.float64), given[1][0].astype(np.float64)

    def close(self) -> None:
        pass


class TwoStage:
    """YOLOX finds the people, RTMPose the joints of each."""

    def __init__(self, finder: OnnxNet, poser: OnnxNet):
        self.finder, self.poser, self.name = finder, poser, _name(finder, poser)
        self._boxes(np.zeros((finder.height, finder.width, 3)))
        self.layout = _layout(poser, len(self._peaks(np.zeros((poser.height, poser.width, 3)))[0]))

    def __call__(self, frame: Frame) -> list[Person]:
        image, net = frame.image, self.poser
        page, times = fitted(image, self.finder.height, self.finder.width)
        boxes, score = self._boxes(page)
        found = []
        for row in best(boxes, score, SURE, _OVERLAP):
            where = piece(boxes[row] / times, net.height, net.width)
            xy, sure = joints(*self._peaks(shown(image, where, net.height, net.width)), where)
            found.append(Person(xy, sure, float(score[row]), sure <= 0))
        return found

    def _boxes(self, page: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = self.finder(page)
        found = None
        if given and given[0].ndim == 3 and len(given[0]) == 1:
            found = people_of(given[0][0], self.finder.height, self.finder.width)
        if found is None:
            raise self.finder.other(f"gives {shapes(given)}, not [1, n, 5] or [1, cells, 6] as YOLOX does")
        boxes, score = found
        if len(given) > 1 and given[1].shape == (1, len(boxes)):  # of which kind each is; people are 0
            score = np.where(given[1][0] == 0, score, 0)
        return boxes, score

    def _peaks(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = self.poser(picture)
        if [array.ndim for array in given] != [3, 3] or given[0].shape[:2] != given[1].shape[:2]:
            raise self.poser.other(f"gives {shapes(given)}, not [1, J, n] and [1, J, m] as RTMPose does")
        return given[0][0], given[1][0]

    def close(self) -> None:
        pass
