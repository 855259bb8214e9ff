"""What the detector of `minilift predict` finds on pictures, and how far two kinds of 3D project off it.

    python -m bench.detect
    python -m bench.detect --scenes 4 --frames 10        in half a minute

scenes     people cut out of bus.jpg, pasted at known places into pictures without people: who is found
crowds     three rows of ten
video      the same people moving: who is found in every frame, and the time a frame takes
3D         of bus.jpg and zidane.jpg: minilift's people, and the networks' own 3D landmarks, which are placed,
           or turned and placed, so that they project as near to the 2D joints as they can; pixels

The photos are those that the package ultralytics ships, the pictures without people scikit-learn's. Times are
of the processor, all threads together. The last line is all of it as JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from minilift.lift.clip.lift import lift_keypoints
from minilift.lift.lifter import Lifter
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.video.detect.landmarks import LAYOUT, Landmarks
from minilift.video.detect.mediapipe import MediaPipe, as_person, networks
from minilift.video.detect.regions import Region, cut
from minilift.video.detect.tflite import TFLite, sigmoid
from minilift.video.frame import Frame

SIZE = 1920, 1080
MEN = Region(130, 648, 640), Region(285, 622, 560)  # those of bus.jpg whom one sees whole
HEIGHTS = (
    (80,) * 4,
    (120,) * 3,
    (180,) * 3,
    (270,) * 3,
    (400,) * 3,
    (600,) * 2,
    (1000,),
    (80, 180, 400, 700),
)
NEAR = 0.12  # of the height: how far off the mid-hip may be
LIMBS = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
         for side in ("left", "right")]  # fmt: skip


def photo(package: str, name: str) -> np.ndarray:
    from PIL import Image

    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{name} is a picture of the package {package}: pip install it")
    with Image.open(Path(found.submodule_search_locations[0]) / name) as image:
        return np.asarray(image.convert("RGB"))


class Cut:
    """A person without what is around: the networks say which pixels are theirs."""

    def __init__(self, image: np.ndarray, where: Region):
        from PIL import Image

        place = networks(None)[1]
        heat = TFLite(place.name, place.content, 256, [(256, 256, 1)], 1)(
            cut(image, where, 256) / np.float32(255)
        )
        mask = Image.fromarray((sigmoid(heat[0][:, :, 0]) * 255).astype(np.uint8)).resize((768, 768))
        box = mask.point(lambda value: 255 * (value > 128)).getbbox()
        self.image, self.mask = Image.fromarray(cut(image, where, 768)).crop(box), mask.crop(box)
        self.hips = (384 - box[0]) / (box[2] - box[0]), (384 - box[1]) / (box[3] - box[1])

    def paste(self, page: Any, x: int, y: int, height: int) -> tuple[float, float, int]:
        """Onto a picture; where the hips are then, and the height."""
        width = self.width(height)
        page.paste(self.image.resize((width, height)), (x, y), self.mask.resize((width, height)))
        return x + self.hips[0] * width, y + self.hips[1] * height, height

    def width(self, height: int) -> int:
        return max(1, self.image.width * height // self.image.height)


def match(found: list[Landmarks], truth: list[tuple[float, float, int]]) -> tuple[list[bool], int]:
    """Who was found, and how many were found that are none."""
    free = [one.xy[[LAYOUT.index("left_hip"), LAYOUT.index("right_hip")]].mean(axis=0) for one in found]
    hits = []
    for x, y, height in truth:
        near = [i for i, hips in enumerate(free) if np.hypot(*(hips - (x, y))) < NEAR * height]
        hits.append(bool(near))
        if near:
            free.pop(near[0])
    return hits, len(free)


def scenes(men: list[Cut], grounds: list[Any], count: int) -> dict[str, Any]:
    rng, detector = np.random.default_rng(0), MediaPipe(None, still=True)
    hits: dict[int, list[bool]] = {}
    none, seconds = 0, []
    for number in range(count):
        page, used, truth = grounds[rng.integers(len(grounds))].copy(), list[tuple[int, ...]](), []
        for height in sorted(HEIGHTS[number % len(HEIGHTS)], reverse=True):
            man = men[rng.integers(len(men))]
            width = man.width(height)
            for _ in range(200):
                x, y = int(rng.integers(0, SIZE[0] - width)), int(rng.integers(0, SIZE[1] - height + 1))
                if all(x + width < a or x > c or y + height < b or y > d for a, b, c, d in used):
                    used.append((x, y, x + width, y + height))
                    truth.append(man.paste(page, x, y, height))
                    break
        began = time.process_time()
        found = detector.look(Frame(0, None, np.asarray(page)))
        seconds.append(time.process_time() - began)
        seen, extra = match(found, truth)
        none += extra
        for one, hit in zip(truth, seen, strict=True):
            hits.setdefault(one[2], []).append(hit)
    table = {height: (sum(hits[height]), len(hits[height])) for height in sorted(hits)}
    return {"found": table, "none": none, "pictures": count, "seconds": float(np.mean(seconds))}


def crowd(men: list[Cut], ground: Any, gap: int, height: int) -> dict[str, Any]:
    """Three rows of ten, so many pixels apart."""
    page, truth = ground.copy(), []
    for row in range(3):
        for column in range(10):
            x, y = 30 + column * gap + 17 * (row % 2), 40 + int(1.2 * row * height)
            truth.append(men[(row + column) % 2].paste(page, x, y, height))
    seen, none = match(MediaPipe(None, still=True).look(Frame(0, None, np.asarray(page))), truth)
    return {"gap": gap, "height": height, "found": (sum(seen), len(seen)), "none": none}


def video(men: list[Cut], ground: Any, people: int, frames: int) -> dict[str, Any]:
    detector, times, hits, extra = MediaPipe(None, still=False), list[float](), 0, 0
    for number in range(frames):
        page, truth, t = ground.copy(), [], number / 30
        for i in range(people):
            x = int(200 + 350 * i + 120 * np.sin(0.7 * t + i))
            y = int(420 + 60 * np.sin(0.5 * t + 2 * i))
            truth.append(men[i % 2].paste(page, x, y, int(400 + 60 * np.sin(t + i))))
        began = time.process_time()
        found = detector.look(Frame(number, t, np.asarray(page)))
        times.append(time.process_time() - began)
        seen, none = match(found, truth)
        hits, extra = hits + sum(seen), extra + none
    return {
        "people": people, "found": (hits, people * frames), "none": extra,
        "first_ms": 1e3 * times[0], "ms": 1e3 * float(np.median(times[1:])),
    }  # fmt: skip


def project(points: np.ndarray, camera: dict[str, Any]) -> np.ndarray:
    """Pixels (n, 2) of points (n, 3), x right, y down, z away."""
    return points[:, :2] / points[:, 2:] * (camera["fx"], camera["fy"]) + (camera["cx"], camera["cy"])


def placed(world: np.ndarray, xy: np.ndarray, camera: dict[str, Any], turn: bool) -> float:
    """Root mean square distance in pixels of points (n, 3) in metres from `xy` (n, 2), moved (and turned) to
    where it is least: Gauss and Newton's steps from three metres away."""

    def off(p: np.ndarray) -> np.ndarray:
        a = np.linalg.norm(p[3:]) + 1e-12
        x, y, z = p[3:] / a
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        rotation = np.eye(3) + np.sin(a) * cross + (1 - np.cos(a)) * cross @ cross
        return np.asarray((project(world @ rotation.T + p[:3], camera) - xy).ravel())

    p, free = np.array([0, 0, 3.0, 0, 0, 0]), 6 if turn else 3
    for _ in range(100):
        now = off(p)
        slope = np.stack([(off(p + 1e-6 * row) - now) / 1e-6 for row in np.eye(6)[:free]], axis=1)
        p[:free] -= 0.5 * np.linalg.lstsq(slope, now, rcond=None)[0]
    return float(np.sqrt(2 * (off(p) ** 2).mean()))


def in_3d(name: str) -> list[dict[str, float]]:
    """For each person of a photo: how far both kinds of 3D project off the joints that were seen."""
    image = photo("ultralytics", f"assets/{name}")
    found = MediaPipe(None, still=True).look(Frame(0, None, image))
    people, n = [as_person(one) for one in found], len(found)
    given = Keypoints(
        np.stack([one.xy for one in people]), np.stack([one.score for one in people]),
        np.stack([one.missing for one in people]), np.zeros(n, np.int64), np.arange(n), None, (), LAYOUT,
        "", np.zeros(1, np.int64), size=(image.shape[1], image.shape[0]),
    )  # fmt: skip
    lifted = lift_keypoints(given, Lifter.load())
    own = [COURSE15.index(joint) for joint in LIMBS]
    theirs = [LAYOUT.index(joint) for joint in LIMBS]
    rows = []
    for i, one in enumerate(found):
        seen = one.score[theirs] > 0.5
        xy, world = one.xy[theirs][seen], one.world[theirs][seen]
        ours = project(lifted.joint_3d[i, own][seen].astype(np.float64) * (1, -1, -1), lifted.camera) - xy
        rows.append({
            "joints": int(seen.sum()),
            "minilift": float(np.sqrt((ours**2).sum(axis=1).mean())),
            "placed": placed(world, xy, lifted.camera, turn=False),
            "turned and placed": placed(world, xy, lifted.camera, turn=True),
        })  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=16)
    parser.add_argument("--frames", type=int, default=90)
    asked = parser.parse_args()
    from PIL import Image

    bus = photo("ultralytics", "assets/bus.jpg")
    men = [Cut(bus, where) for where in MEN]
    names = ("datasets/images/china.jpg", "datasets/images/flower.jpg")
    grounds = [Image.fromarray(photo("sklearn", name)).resize(SIZE) for name in names]
    told: dict[str, Any] = {"scenes": scenes(men, grounds, asked.scenes)}
    for height, (hit, all_) in told["scenes"]["found"].items():
        print(f"{height:5d} pixels high: found {hit} of {all_}")
    print(f"found that are none: {told['scenes']['none']}; {told['scenes']['seconds']:.2f} s a picture")
    told["crowds"] = [crowd(men, grounds[0], *size) for size in ((190, 250), (110, 250), (90, 170))]
    for row in told["crowds"]:
        print(f"crowd, {row['gap']} apart and {row['height']} high: {row['found'][0]} of {row['found'][1]}, "
              f"none {row['none']}")  # fmt: skip
    told["video"] = [video(men, grounds[0], people, asked.frames) for people in (0, 1, 2, 4)]
    for row in told["video"]:
        print(f"video of {row['people']}: found {row['found'][0]} of {row['found'][1]}, none {row['none']}, "
              f"first frame {row['first_ms']:.0f} ms, others {row['ms']:.1f} ms")  # fmt: skip
    told["3d"] = {name: in_3d(name) for name in ("bus.jpg", "zidane.jpg")}
    for name, rows in told["3d"].items():
        for row in rows:
            print(name, ", ".join(f"{key} {value:.1f}" for key, value in row.items()))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
