"""The options of `minilift predict` for photos and videos, for cameras and scale, and for people."""

from __future__ import annotations

import argparse

from minilift.cli.parser import Parser, number
from minilift.errors import ArgumentError
from minilift.lift.clip.options import CONFIDENCE
from minilift.poses.lens.axes import NAMES as AXES
from minilift.poses.tracks.smooth import WAYS as SMOOTH
from minilift.video.detect.open import DETECTORS, open_detector
from minilift.video.person import Detector


def add_media(parser: Parser) -> None:
    group, add = "photos and videos", parser.add_argument
    add(
        "--media", metavar="FILE", group=group, further=True,
        help="the video or photo that a file of keypoints is of, to be drawn over",
    )  # fmt: skip
    add(
        "--detector", metavar="NAME", default="mediapipe", choices=list(DETECTORS), group=group,
        help=f"that finds people: {', '.join(DETECTORS)} [mediapipe]",
    )  # fmt: skip
    add(
        "--detector-model", metavar="FILE", group=group, further=True,
        help="its network, where it is not to use its own",
    )  # fmt: skip
    add(
        "--every", type=number(int, 1), default=1, metavar="N", group=group, further=True,
        help="look at every N-th frame of a video only [1]",
    )  # fmt: skip
    add("--resume", action="store_true", group=group, help="go on where a run was stopped")


def detector_of(args: argparse.Namespace, *, still: bool) -> Detector:
    """The detector that is asked for. Its errors name flags in place of the library's arguments."""
    try:
        return open_detector(args.detector, args.detector_model, still=still)
    except ArgumentError as error:
        named = {"model": "detector-model"}
        others = [(named.get(name, name), value) for name, value in error.others]
        raise ArgumentError(named.get(error.name, error.name), error.value, error.problem, *others) from None


def add_camera(parser: Parser) -> None:
    group = "camera, scale and axes"
    add, positive = parser.add_argument, number(float, 0, open_low=True)
    add("--focal", type=positive, metavar="PX", group=group, help="focal length in pixels [guessed]")
    add(
        "--fov", type=positive, metavar="DEGREES", group=group, further=True,
        help="or horizontal field of view",
    )  # fmt: skip
    add(
        "--camera", metavar="FILE", group=group, help="or a calibration of OpenCV or Pose2Sim (FILE#NAME)"
    )  # fmt: skip
    add("--height", type=positive, metavar="M", group=group, help="of the person: the answer is in metres")
    add(
        "--distance", type=distance, metavar="M|FILE", group=group, further=True,
        help="or of the person from the camera; a file has frame and metres in each line",
    )  # fmt: skip
    add(
        "--same", action="store_true", group=group, further=True,
        help="people stay as far away as they are, on the spot or followed by the camera",
    )  # fmt: skip
    add(
        "--body", default="auto", metavar="FILE", group=group, help="of minilift body; none, or auto [auto]"
    )  # fmt: skip
    add(
        "--axes",
        default=AXES[0],
        choices=AXES,
        group=group,
        metavar="AXES",
        help=f"{', '.join(AXES)} [{AXES[0]}]",
    )
    add(
        "--level", action="store_true", group=group, further=True,
        help="turn the ground level, where feet show it",
    )  # fmt: skip


def add_people(parser: Parser) -> None:
    group = "people and time"
    add = parser.add_argument
    add("--person", metavar="ID", group=group, help="one alone: an id, longest or largest [all]")
    add(
        "--confidence", type=number(float, 0), default=CONFIDENCE, metavar="SCORE", group=group, further=True,
        help=f"a joint with a lower score counts as not seen [{CONFIDENCE:g}]",
    )  # fmt: skip
    add(
        "--noise-px", type=number(float, 0), metavar="PX", group=group, further=True,
        help="how far off keypoints are, standard deviation [from jitter and scores]",
    )  # fmt: skip
    add(
        "--smooth", choices=("none", *SMOOTH), metavar="WAY", group=group,
        help=f"over time: {' or '.join(SMOOTH)}",
    )  # fmt: skip
    add(
        "--fill", type=number(int, 0), default=0, metavar="N", group=group, further=True,
        help="fill gaps of up to N frames [0]",
    )  # fmt: skip
    add("--flip", action="store_true", group=group, further=True, help="average with the mirrored pose")
    add(
        "--project", action="store_true", group=group, further=True,
        help="move joints onto the rays of their keypoints",
    )  # fmt: skip
    add("--device", default="auto", group=group, further=True, help="cpu, gpu, gpu:1 or auto [auto]")
    add(
        "--workers", type=workers, metavar="N|ADDRESS", group="many clips", further=True,
        help="lift them on N workers of Dask here, or on those of a scheduler, as tcp://host:8786",
    )  # fmt: skip


def distance(text: str) -> float | str:
    """Metres, or the name of the file that has them by frame: the `type` of an argument."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not value > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def workers(text: str) -> int | str:
    """A number of workers on this machine, or a scheduler's address: the `type` of an argument."""
    if "://" in text:
        return text
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be a number of workers, or an address as tcp://host:8786")
    return int(text)
