"""What most people want of the network: 2D keypoints in, 3D joints out, and how far to trust them."""

from __future__ import annotations

import math
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.errors import ArgumentError, InputError
from minilift.files.mapped import chunks
from minilift.files.weights import save_state_dict
from minilift.lift.trust import Trust, TrustModel, check_joints, load_trust
from minilift.lift.weights.as_stored import AsStored
from minilift.lift.weights.starting import STARTING
from minilift.lift.weights.stored import read_weights
from minilift.poses.layouts import COURSE15

if TYPE_CHECKING:
    from minilift.lift.fast.folded import Predictor
    from minilift.lift.model import LiftModel

FARTHEST = 100.0  # image units: a sigma above it, infinity too, is told as this


class Lifter:
    """2D keypoints in, 3D joints out.

    >>> lifter = Lifter.load()  # the starting weights; or of a file: Lifter.load("liftModel")
    >>> joint_3d = lifter.predict(joint_2d)

    A Lifter predicts with the model's weights as they are when it is made: after more training, make another.
    """

    def __init__(self, model: LiftModel | AsStored) -> None:
        self._network = model
        self._predictor = model.predictor()
        self.weights: str | PathLike[str] | None = None  # the file that they were read from, or "starting"
        self.note = ""  # what else that file holds, in a line
        self._trust: TrustModel | None = None

    @classmethod
    def load(cls, path: str | PathLike[str] = STARTING, device: str = "cpu") -> Lifter:
        """Read a weights file of minilift or torch; `find_state_dict` tells where in it weights may be.

        "starting" names the weights that come with the package, whose matrices are stored in float16 and
        computed with in float32; a file of that name is "./starting", or a Path. Raises InputError for a
        file that holds no weights of a LiftModel.
        """
        state, note = read_weights(path)
        try:
            model = AsStored(state, device)
        except InputError:
            raise
        except ValueError as problem:
            raise InputError(f"{path}: {problem}; give weights of a lifter") from problem
        if model.input_nodes % 2 or model.joint_nodes * 2 != model.input_nodes * 3:
            raise InputError(
                f"{path}: a model from {model.input_nodes} to {model.output_nodes} numbers does not map "
                "2D joints to as many 3D joints; give weights of a lifter"
            )
        lifter = cls(model)
        lifter.weights, lifter.note = path, note
        return lifter

    @property
    def model(self) -> LiftModel:
        """The network. One that was loaded is made when it is first asked for."""
        if isinstance(self._network, AsStored):
            self._network = self._network.model()
        return self._network

    @property
    def joints(self) -> int:
        """How many joints it lifts."""
        return self._network.input_nodes // 2

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self._network.ops.device)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the weights as torch's state-dict file, or as safetensors where the name ends so."""
        save_state_dict(path, self.model.state_dict())

    def predict(
        self, joint_2d: Any, sigma: Any = None, *, flip: bool = False, project: bool = False,
        missing: bool = False,
    ) -> np.ndarray:  # fmt: skip
        """3D joints (N, J, 3) for 2D joints (N, J, 2) or (N, 2J); (J, 3) for a single pose (J, 2).

        2D: pinhole projection (x/-z, y/-z) with focal length 1 and the root at (0, 0), y up. 3D: the camera
        is the origin and looks down -z, the unit is its distance to the root, which lies at (0, 0, -1).
        Without what follows, a pose with NaN in it gives NaN. However many, they take a few MB beside the
        result. Several threads may predict at once, each at its own pace. Raises ValueError for other
        shapes.

        `flip` averages with the prediction for the mirrored pose, at twice the cost. `project` keeps only the
        depths and moves every joint sideways onto its ray, as head "ray" does by itself: right as far as the
        2D points are.

        A NaN in a keypoint says that it was not seen. A model with head "place" takes that as it is
        (`takes_missing`). With `missing` one with head "xyz" does, if it was trained with joint dropout
        (docs/augmentation.md). `project` leaves such joints where the network puts them. A pose without any
        keypoint is NaN. Raises InputError for a model with head "ray".

        `sigma` says how far off the 2D points are, for weights that were trained with it (`takes_noise`): the
        standard deviation of their coordinates, for all, of each pose (N,) or joint (N, J), of a single pose
        (J,). Such joints need not lie on their rays. None says as 0 does that points are exact. Raises
        ArgumentError for other weights, and for values that are no deviations of joints that were seen.
        """
        dtype, joints = self._network.ops.dtype, self.joints
        points = np.asarray(joint_2d, dtype)
        single = points.shape == (joints, 2)
        if not single and points.shape[1:] not in ((joints, 2), (2 * joints,)):
            raise ValueError(f"expected 2D joints of shape (N, {joints}, 2), got {points.shape}")
        rows = points.reshape(-1, 2 * joints)
        rows, given = self._without_missing(rows, missing)
        told = self._told(sigma, rows, single)
        poses = np.empty((len(rows), joints, 3), dtype)
        predictor = self._predictor.for_many(len(rows))
        self._lift(predictor, rows, told, slice(0, len(rows)), poses)
        if flip and joints != len(COURSE15):
            raise ValueError(f"flip knows the left and right of {len(COURSE15)} joints, not of {joints}")
        for part in chunks(len(rows)) if flip or project else ():
            image = rows[part].reshape(-1, joints, 2)
            if flip:
                poses[part] += self._mirrored(predictor, image, told, part)
                poses[part] /= 2
            if project:
                where = True if given is None else given[part, :, None]
                np.multiply(image, -poses[part, :, 2:], out=poses[part, :, :2], where=where)
        if self.takes_missing and given is not None:
            poses[~given.any(axis=1)] = np.nan  # anything else would be made up
        return poses[0] if single else poses

    @property
    def takes_missing(self) -> bool:
        """Whether NaN may be given for a keypoint that was not seen: the network was made and trained
        for it."""
        return self._network.head == "place"

    @property
    def takes_noise(self) -> bool:
        """Whether `sigma` may be given: the network was trained to be told how far off the points are."""
        return self._network.takes_noise

    def _told(self, sigma: Any, rows: np.ndarray, single: bool) -> np.ndarray | None:
        """The standard deviation of every joint (N, J), as `predict` takes it; None for exact points."""
        if sigma is None:
            return None
        if not self.takes_noise:
            problem = "these weights take no noise levels; leave it out, or train some with noise_to"
            raise ArgumentError("sigma", np.shape(sigma), problem)
        values, (n, joints) = np.asarray(sigma, rows.dtype), (len(rows), rows.shape[1] // 2)
        allowed = ((), (joints,)) if single else ((), (n,), (n, joints))
        if values.shape not in allowed:
            raise ArgumentError("sigma", values.shape, f"not a number or of shape {allowed[1:]}")
        told = np.broadcast_to(values if single or values.shape != (n,) else values[:, None], (n, joints))
        for part in chunks(n):
            wrong = ~(told[part] >= 0) & ~np.isnan(rows[part, ::2])
            if wrong.any():
                problem = "no standard deviation of a joint that was seen; give at least 0"
                raise ArgumentError("sigma", float(told[part][wrong][0]), problem)
        return told

    def _lift(
        self, predictor: Predictor, rows: np.ndarray, told: np.ndarray | None, part: slice, poses: np.ndarray
    ) -> None:
        """poses (n, J, 3) <- those of rows (n, 2J), which are part of all that `told` is of."""
        flat = poses.reshape(len(rows), math.prod(poses.shape[1:]))
        if told is None:
            predictor.lift(rows, flat)
            return
        for some in chunks(len(rows)):
            sigma = np.minimum(told[part][some], FARTHEST)
            predictor.lift(np.concatenate([rows[some], sigma], axis=1, dtype=rows.dtype), flat[some])

    def _without_missing(self, rows: np.ndarray, missing: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """The points (N, 2J), with (0, 0), the root's image, for a missing one if the network does not take
        that; and which are given (N, J), None for all."""
        if self.takes_missing or not missing:
            return rows, ~np.isnan(rows[:, ::2]) if self.takes_missing else None
        if self._network.head == "ray":
            problem = "a missing keypoint has no ray, and head 'ray' puts joints onto rays"
            raise InputError(f"missing=True: {problem}; train one with head 'xyz' and joint_dropout 0.1")
        rows = rows.copy()
        points = rows.reshape(len(rows), self.joints, 2)
        given = ~np.isnan(points).any(axis=2)
        points[~given] = 0
        return rows, given

    @property
    def trust_model(self) -> TrustModel:
        """What `trust` goes by, from the file beside the weights: liftModel.trust.npz. It is read once.

        Raises InputError where it is missing, damaged or of other weights, or the lifter was not loaded.
        """
        if self._trust is None:
            check_joints(self._network.input_nodes, self._network.joint_nodes)
            if self.weights is None:
                problem = "this lifter's model was not read from a file, so nothing says how far to trust it"
                raise InputError(f"{problem}; save it, and fit one with minilift.lift.trust.fit")
            self._trust = load_trust(self.weights, self._network.state_dict())
        return self._trust

    @trust_model.setter
    def trust_model(self, model: TrustModel) -> None:
        self._trust = model

    @property
    def has_trust(self) -> bool:
        """Whether `trust` can be asked: there is a trust file, and it is of these weights."""
        try:
            return self.trust_model is not None
        except InputError:
            return False

    def trust(self, joint_2d: Any, joint_3d: np.ndarray | None = None, sigma: Any = None) -> Trust:
        """How far to trust the prediction for 2D joints (N, 15, 2) or (N, 30): `minilift.lift.trust.Trust`.

        For a single pose (15, 2) the fields have no first dimension. `joint_3d` is what `predict` gave for
        these points and this `sigma`, without options, if it is at hand: that saves lifting them again.
        Raises InputError as `trust_model`, ArgumentError as `predict` for sigma, ValueError for other shapes.
        """
        known = self.trust_model
        lifted = self.predict(joint_2d, sigma) if joint_3d is None else np.asarray(joint_3d)
        points = np.asarray(joint_2d, np.float32)
        joints = len(COURSE15)
        if lifted.shape[-2:] != (joints, 3) or lifted.size * 2 != points.size * 3:
            raise ValueError(f"expected the prediction for points {points.shape}, got {lifted.shape}")
        told = self._told(sigma, points.reshape(-1, 2 * joints), lifted.ndim == 2)
        found = known.judge(points.reshape(-1, joints, 2), lifted.reshape(-1, joints, 3), told)
        return Trust(*(field[0] for field in found)) if lifted.ndim == 2 else found

    def _mirrored(
        self, predictor: Predictor, image: np.ndarray, told: np.ndarray | None, part: slice
    ) -> np.ndarray:
        """The prediction for the mirror images of points (n, 15, 2), mirrored back."""
        other = image[:, COURSE15.mirror] * np.array([-1, 1], image.dtype)
        seen = np.empty((*image.shape[:2], 3), image.dtype)
        told = None if told is None else told[:, COURSE15.mirror]
        self._lift(predictor, other.reshape(len(image), -1), told, part, seen)
        return seen[:, COURSE15.mirror] * np.array([-1, 1, 1], image.dtype)
