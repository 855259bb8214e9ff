"""The door: keypoints of one frame after the other in, the people of that frame in 3D out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.clip.lift import camera_of, lift_rows
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.place import Lifted, Placement, people_of, placed
from minilift.lift.clip.prepare import Prepared, prepare
from minilift.lift.lifter import Lifter
from minilift.lift.live.clock import Clock
from minilift.lift.live.crowd import Crowd
from minilift.lift.live.someone import Someone
from minilift.poses.body.body import Body
from minilift.poses.joint_state import MISSING
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.axes import Axes
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.scale import Scale
from minilift.poses.lifted import LiftedPeople
from minilift.poses.tracks.identify import LARGEST, LONGEST
from minilift.poses.tracks.smooth import CAUSAL

USUALLY = LiftOptions(smooth=CAUSAL, body="none")
_N = len(COURSE15)
_AHEAD = "looks at frames that are still to come"


class Live:
    """Lifts people frame by frame, as the frames come. An answer is made of its frame and those before it:
    nothing is waited for, and nothing that is past is changed.

    >>> live = Live(Lifter.load(), LiftOptions(height=1.75, smooth="one-euro"))
    >>> for people in live.run(frames):
    ...     print(people.frame, people.person, people.joint_3d.shape)

    `options` are those of `lift_keypoints`, None: `USUALLY`. What needs the whole of a clip is refused: the
    people "longest" and "largest", smoothing by savgol, `fill`, `level`, `same` and distances by frame. body
    "auto" finds none, but learns the lengths of bones for the distance as they are seen; a body that is given
    sets them. Poses are not fitted to a body: that takes longer than all else.

    The unit is metres with a height, a distance (of the first person, when first seen) or a body in metres;
    else the distance of the first person when first seen. Axes y-up and z-up have their origin on the floor
    below that person. Both are settled by the first person who is lifted, and stay for all that follows.

    What is remembered is bounded: 1,000 people, none longer than 300 frames after they were last seen. One
    thread at a time may push; several Lives may share a lifter. Raises ArgumentError for such options.
    """

    def __init__(self, lifter: Lifter, options: LiftOptions | None = None) -> None:
        self.lifter, self.options = lifter, check(options or USUALLY)
        body, options = self.options.body, self.options
        lengths, tall = None, options.height
        if isinstance(body, Body):
            lengths = body.lengths
            if options.metres is None and tall is None and body.unit == "m":
                tall = body.height
            lengths = lengths / body.height * (tall or 1.0)
        self.unit = "m" if tall is not None or options.metres is not None else "root-depth"
        self._crowd = Crowd(tall, options.metres or 1.0, lengths)
        self._clock, self._axes = Clock(), Axes() if options.axes == "camera" else None
        self._camera: tuple[tuple[int, int] | None, Camera] | None = None
        self._each = replace(options, body="none", person=None, smooth=None)

    def __len__(self) -> int:
        """How many people are remembered."""
        return len(self._crowd)

    def run(self, frames: Iterable[Keypoints]) -> Iterator[LiftedPeople]:
        """`push` for one frame after the other."""
        for found in frames:
            yield self.push(found)

    def push(self, found: Keypoints) -> LiftedPeople:
        """The people of one frame, in its order: n rows, as `lift_keypoints` gives them for a clip.

        `found` has the detections of one frame, or of none: `frame_of` makes it of arrays, `read_frame` of
        what detectors write. Its `times` order the frames, else their numbers, at its `fps` or 30 a second;
        a frame more than a second before the last one begins a new clip, with other people. Who has no id is
        followed by position. A person without enough joints to be lifted has NaN.

        Raises ArgumentError for several frames at once, a time that is not after the last one, and more than
        500 people, InputError for weights whose predictions are not finite. Then nothing was changed but the
        time, and the next frame may be pushed.
        """
        if len(found.frames) != 1:
            raise ArgumentError("frame", f"{len(found.frames)} frames", "give one at a time")
        camera = self._camera_of(found) if len(found) else None
        if not self._clock.advance(found):
            self._crowd.forget()
        found = self._crowd.fit(found)
        people = self._crowd.recognised(found, self._clock.tick)
        if self.options.person is not None:
            rows = [i for i, one in enumerate(people) if self.options.person in (one.name, str(one.number))]
            found, people = found.take(np.array(rows, np.int64)), [people[i] for i in rows]
        if not people or camera is None:
            return self._nobody(found)
        person = np.array([one.number for one in people], np.int64)
        ready = self._with_jitter(
            prepare(replace(found, stills=True), person, camera, self._each), camera, people
        )
        lifted = lift_rows(ready, found.frame, person, self.lifter, self._each)
        return self._placed(lifted, found, camera, people)

    def _camera_of(self, found: Keypoints) -> Camera:
        """That of the first frame, until the size of the pictures changes."""
        if self._camera is None or self._camera[0] != found.size:
            self._camera = found.size, camera_of(found, self.options)
        return self._camera[1]

    def _with_jitter(self, ready: Prepared, camera: Camera, people: list[Someone]) -> Prepared:
        """With what the frames so far say of how far off keypoints are, where the user does not."""
        if self.options.noise is not None or not self.lifter.takes_noise:
            return ready
        rays = camera.rays(ready.joint_2d)
        shakes = np.stack([one.noise(ray) for one, ray in zip(people, rays, strict=True)])
        return replace(ready, sigma=np.hypot(ready.sigma, shakes).astype(np.float32))

    def _placed(
        self, lifted: Lifted, found: Keypoints, camera: Camera, people: list[Someone]
    ) -> LiftedPeople:
        self._crowd.measure(people, lifted.own, lifted.seen)
        depth = np.array(
            [one.depth(own, seen) for one, own, seen in zip(people, lifted.own, lifted.seen, strict=True)]
        )
        if self._axes is None and np.isfinite(depth).any():
            self._axes = Axes.fit(self.options.axes, *placed(lifted, depth), lifted.seen)
        axes = self._axes or Axes()
        scale = Scale({}, np.full(_N, np.nan), self.unit, None)
        names = {one.number: one.name for one in people if one.name is not None}
        answer = people_of(lifted, found, camera, Placement(scale, axes), names, {}, (), depth)
        if self.options.smooth is None:
            return answer
        return self._calm(answer, axes, people)

    def _calm(self, answer: LiftedPeople, axes: Axes, people: list[Someone]) -> LiftedPeople:
        turn, shift = answer.to_camera[:, :3], answer.to_camera[:, 3]
        joint_3d, root = answer.joint_3d @ turn.T + shift, answer.root @ turn.T + shift
        time = self._clock.time or 0.0
        for row in np.flatnonzero(np.isfinite(root).all(axis=1)):
            joint_3d[row], root[row] = people[row].smoothed(joint_3d[row], root[row], time)
        return replace(
            answer,
            joint_3d=axes.turn(joint_3d).astype(np.float32),
            root=axes.turn(root).astype(np.float32),
        )

    def _nobody(self, found: Keypoints) -> LiftedPeople:
        """A frame without people."""
        none = found.take(np.zeros(0, np.int64))
        joints = np.zeros((0, _N, 3), np.float32)
        axes = self._axes or Axes()
        return LiftedPeople(
            joint_3d=joints, root=joints[:, 0], joint_2d=joints[..., :2], root_2d=joints[:, 0, :2],
            frame=none.frame, person=none.person, confidence=joints[..., 0],
            state=np.full((0, _N), MISSING, np.uint8), axes=axes.name, unit=self.unit,
            to_camera=axes.to_camera, layout=found.layout.name, format=found.format, fps=found.fps,
            size=found.size, rays=found.rays, times=np.zeros(0) if found.times is not None else None,
        )  # fmt: skip


def check(options: LiftOptions) -> LiftOptions:
    """The options, if they can be had of frames as they come. Raises ArgumentError."""
    if options.person in (LONGEST, LARGEST):
        raise ArgumentError("person", options.person, f"{_AHEAD}; give an id")
    if options.smooth not in (None, CAUSAL):
        raise ArgumentError("smooth", options.smooth, f"{_AHEAD}; use {CAUSAL}")
    for name in ("fill", "level", "same"):
        if getattr(options, name):
            raise ArgumentError(name, getattr(options, name), f"{_AHEAD}; leave it out")
    if options.distance is not None and options.metres is not options.distance:
        raise ArgumentError("distance", "by frame", "needs a whole clip; give one number")
    return options
