"""COCO's two kinds of JSON: results of a detector, and annotations of pictures.

Source: cocodataset.org, "Data format" and "Results format". CrowdPose, AI Challenger, PoseTrack and Halpe
use the same with other joints, which the categories name. The third number of a result is a score, that of
an annotation a flag: 0 not labelled, 1 labelled and hidden, 2 labelled and seen.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import file_error, one_line
from minilift.poses.layouts.find import by_names
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, clip_of, frame_in_name, is_list_of, near, whole

_LOOKED_AT = 100


def is_result(document: Document) -> bool:
    """People with the id of their picture; among them may be boxes of a detector without keypoints."""
    found = document.json
    if not is_list_of(found, dict) or not isinstance(found[0].get("image_id"), int):
        return False
    return any(isinstance(person, dict) and "keypoints" in person for person in found[:_LOOKED_AT])


def read_result(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    for person in document.json:
        frame = whole(person.get("image_id"), -1) if isinstance(person, dict) else -1
        if frame < 0:
            raise file_error(document.path, "has a result whose image_id is no number; write the file again")
        if "keypoints" in person:
            rows.add(
                frame, person["keypoints"], 3, track=person.get("track_id"), weight=person.get("score")
            )  # fmt: skip
    found = rows.raw()
    boxes = len(document.json) - len(rows)
    if boxes:
        found.notes.append(f"{boxes:,} results are boxes without keypoints: left out")
    found.stills = len(set(rows.frame)) > 1 and not near(rows.frame)
    return found


def is_annotation(document: Document) -> bool:
    found = document.json
    return isinstance(found, dict) and is_list_of(found.get("annotations"), dict)


def read_annotation(document: Document, asked: Asked) -> Raw:
    content = document.json
    images = {image["id"]: image for image in _dicts(content.get("images")) if _is_id(image.get("id"))}
    people = _dicts(content["annotations"])
    images = _of_one_clip(document, images, asked)
    numbers, stills = _numbers(list(images.values()))
    rows = Rows(document.path)
    names = _names(document, people)
    rows.frames = list(numbers.values())
    for person in people:
        joints = person.get("keypoints")
        image = person.get("image_id")
        if joints and _is_id(image) and (image in numbers or not images):
            frame = numbers.get(image, whole(image, 0))
            rows.add(frame, joints, 3, track=person.get("track_id"), weight=person.get("score"))
    if not len(rows):
        raise file_error(document.path, "has annotations without keypoints; give those of people's keypoints")
    found = rows.raw(names=names, stills=stills, score=None)
    flags = np.nan_to_num(rows.joints()[:, :, 2])
    found.missing = flags == 0
    found.size = _size(list(images.values()))
    if not np.isin(flags, (0, 1, 2)).all():  # no flags: somebody wrote scores here
        found.missing, found.score = None, flags
        found.notes.append("the third number of each joint is no flag (0, 1, 2): taken for a score")
    placed = found.missing is not None and int((found.missing & (found.xy != 0).any(axis=2)).sum())
    if placed:
        found.notes.append(f"{placed:,} joints have a place but the flag 0, not labelled: missing")
    return found


def _of_one_clip(document: Document, images: dict[Any, Any], asked: Asked) -> dict[Any, Any]:
    """The pictures of one clip. Raises InputError where several folders of frames are in a file."""
    clips: dict[str, dict[Any, Any]] = defaultdict(dict)
    for one, image in images.items():
        clips[str(image.get("file_name", "")).rpartition("/")[0]][one] = image
    if asked.clip is not None:
        wanted = [found for clip, found in clips.items() if asked.clip.lower() in clip.lower()]
        if len(wanted) == 1:
            return wanted[0]
    numbers = [frame_in_name(str(image.get("file_name", ""))) for image in images.values()]
    apart = None in numbers or len(set(numbers)) == len(numbers)  # stills, in as many folders as they like
    few = max(map(len, clips.values()), default=0) < _CLIP
    if len(clips) == 1 or ((apart or few) and asked.clip is None):
        return images
    shown = ", ".join(f"{one_line(clip, 40)} ({len(found)})" for clip, found in list(clips.items())[:4])
    problem = f"{len(clips)} clips in it: {shown}{', ...' if len(clips) > 4 else ''}"
    which = "is needed" if asked.clip is None else "is not one alone"
    problem = f"{which}: {one_line(str(document.path))} has {problem}; give words of one's name"
    raise ArgumentError("clip", "WORDS" if asked.clip is None else asked.clip, problem)


def _is_id(value: Any) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _names(document: Document, people: list[dict[str, Any]]) -> tuple[str, ...] | None:
    """The joints' names in the category that people have. Raises InputError where they are not a person's."""
    used = {str(person.get("category_id")) for person in people if person.get("keypoints")}
    for category in _dicts(document.json.get("categories")):
        names = category.get("keypoints")
        if str(category.get("id")) in used and is_list_of(names, str):
            if not all(isinstance(name, str) for name in names):
                raise file_error(document.path, "has a joint whose name is no text; write the file again")
            if by_names(names) is None:
                shown = one_line(", ".join(names[:8]), 120)
                problem = (
                    f"has joints of {str(category.get('name'))[:30]!r} ({shown}), which are not a person's"
                )
                raise file_error(document.path, f"{problem}; give keypoints of people")
            return tuple(names)
    return None


def _numbers(images: list[dict[str, Any]]) -> tuple[dict[Any, int], bool]:
    """The frame of every image by its id, and whether they are pictures that have nothing to do with each
    other.

    Those of a clip are counted in their names, under one name and with numbers that are near each other.
    """
    ids = [image["id"] for image in images]
    names = [str(image.get("file_name", "")) for image in images]
    counted = [frame_in_name(name) for name in names]
    clips = {(name.rpartition("/")[0], clip_of(name)) for name in names}
    if len(clips) == 1 and None not in counted and len(set(counted)) == len(counted):
        numbers = [int(number or 0) for number in counted]
        if near(numbers) and (clips != {("", "")} or numbers != ids):
            return dict(zip(ids, numbers, strict=True)), False
    return {one: whole(one, row) for row, one in enumerate(ids)}, len(ids) > 1


_CLIP = 3
"""Pictures in a folder from which on they are frames: a data set of stills may have a folder for each."""


def _size(images: list[dict[str, Any]]) -> tuple[int, int] | None:
    sizes = {(whole(image.get("width"), 0), whole(image.get("height"), 0)) for image in images}
    return next(iter(sizes)) if len(sizes) == 1 and min(next(iter(sizes))) > 1 else None


def is_mpii(document: Document) -> bool:
    found = document.json
    return is_list_of(found, dict) and {"joints", "joints_vis", "image"} <= found[0].keys()


def read_mpii(document: Document, asked: Asked) -> Raw:
    """MPII as HRNet and MMPose keep it: a list of people with joints, joints_vis and the name of a picture.

    Source: mpii.py in lib/dataset of github.com/leoxiaobin/deep-high-resolution-net.pytorch.
    """
    rows = Rows(document.path)
    for row, person in enumerate(_dicts(document.json)):
        frame = frame_in_name(str(person.get("image", "")))
        name = row if frame is None else frame
        rows.add(name, person.get("joints"), 2, scores=person.get("joints_vis"))
    found = rows.raw(layout="mpii16", stills=True)
    found.missing = None if found.score is None else found.score == 0
    return found
