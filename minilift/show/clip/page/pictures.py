"""The photo or the frames of the video that a page shows below the keypoints: small pictures inside the page.

They are pictures and no video: each belongs to exactly one frame, whatever the rate, a browser need not know
the video's codec, and a page stays one file. A short clip has larger ones, and of a long clip every second,
fourth ... frame has one, so that all of them together are at most BUDGET bytes.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.timeline import Timeline, ordinal

BUDGET = 16 << 20  # bytes of JPEG; as text in the page a third more
SIDES = ((1, 1280), (300, 640), (800, 480))  # up to so many frames, pixels of a picture's longer side
SMALLEST = 360  # of a longer clip
QUALITY = 72
PURPOSE = "a page with pictures"


@dataclass
class Pictures:
    """Pictures of some of the frames of a timeline."""

    every: int = 1
    """Each so many-th frame has one."""
    at: list[int] = field(default_factory=list)
    """Which frames those are, as indices into `Timeline.frames`, ascending."""
    jpeg: list[bytes] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def add(self, at: int, jpeg: bytes) -> None:
        """The picture of a frame; where there are too many, every other one goes."""
        self.at.append(at)
        self.jpeg.append(jpeg)
        while sum(map(len, self.jpeg)) > BUDGET and len(self.jpeg) > 1:
            self.every *= 2
            kept = [k for k, frame in enumerate(self.at) if frame % self.every == 0]
            self.at, self.jpeg = [self.at[k] for k in kept], [self.jpeg[k] for k in kept]

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return {"at": self.at, "jpeg": [base64.b64encode(one).decode() for one in self.jpeg]}


def pictures_of(people: LiftedPeople, shown: Timeline) -> Pictures:
    """Those of `people.media` for the frames that are shown; none where it cannot be read, and a note why."""
    found = Pictures()
    if people.media is None or people.rays or people.size is None:
        return found
    try:
        _read(people.media, shown, found)
    except InputError as problem:
        return Pictures(notes=(f"without pictures: {problem}",))
    if found.every > 1:
        line = f"every {ordinal(found.every)} frame has its picture, the others that before them"
        found.notes = (line,)
    return found


def _read(media: str, shown: Timeline, found: Pictures) -> None:
    from tqdm import tqdm

    from minilift.video.frames import open_frames

    numbers = shown.frames
    side = next((side for most, side in SIDES if len(numbers) <= most), SMALLEST)
    bar = tqdm(
        total=int(numbers[-1]) + 1, desc="pictures", unit=" frames", delay=1, leave=False, disable=None
    )
    with bar, open_frames(media) as frames:
        for frame in frames.frames():
            at = int(np.searchsorted(numbers, frame.number))
            if at < len(numbers) and numbers[at] == frame.number and at % found.every == 0:
                found.add(at, jpeg_of(frame.image, side))
            bar.update()
            if frame.number >= numbers[-1]:
                return


def jpeg_of(image: np.ndarray, side: int) -> bytes:
    """A picture (H, W, 3) uint8 as JPEG, its longer side at most `side` pixels."""
    module: Any = load("PIL.Image", PURPOSE, "video")
    picture = module.fromarray(image)
    share = side / max(picture.size)
    if share < 1:
        size = tuple(max(1, round(share * one)) for one in picture.size)
        picture = picture.resize(size, module.Resampling.BILINEAR, reducing_gap=2.0)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()
