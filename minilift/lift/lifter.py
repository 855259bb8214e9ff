"""What most people want of the network: 2D keypoints in, 3D joints out, and how far to trust them."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files.mapped import chunks
from minilift.files.weights import find_state_dict, save_state_dict
from minilift.lift.model import LiftModel
from minilift.lift.stored import weights_of_lifter
from minilift.lift.trust import Trust, TrustModel, check_joints, load_trust
from minilift.poses.layouts import COURSE15


class Lifter:
    """2D keypoints in, 3D joints out.

    >>> lifter = Lifter.load("liftModel")
    >>> joint_3d = lifter.predict(joint_2d)

    A Lifter predicts with the model's weights as they are when it is made: after more training, make another.
    """

    def __init__(self, model: LiftModel) -> None:
        self.model = model
        self._predictor = model.predictor()
        self.weights: str | PathLike[str] | None = None  # the file that they were read from
        self.note = ""  # what else that file holds, in a line
        self._trust: TrustModel | None = None

    @classmethod
    def load(cls, path: str | PathLike[str], device: str = "cpu") -> Lifter:
        """Read a weights file of minilift or torch; `find_state_dict` tells where in it weights may be.

        Raises InputError if it holds none of a LiftModel.
        """
        found = find_state_dict(path, weights_of_lifter, "give weights of a lifter")
        state = dict(found.state)
        norms = [key.removesuffix("running_mean") for key in state if key.endswith(".running_mean")]
        for norm in norms:  # torch before 0.4.1 did not count
            state.setdefault(f"{norm}num_batches_tracked", np.array(0))
        for key, value in state.items():
            if not np.all(np.isfinite(value)) or (key.endswith(".running_var") and np.any(value < 0)):
                problem = "has values that no training gives (NaN, infinite or a negative variance)"
                raise InputError(f"{path}: {key!r} {problem}; train again, with a lower learning rate")
        try:
            model = LiftModel.from_state_dict(state, device=device)
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
        lifter.weights, lifter.note = path, found.note
        return lifter

    def save(self, path: str | PathLike[str]) -> None:
        """Write the weights as torch's state-dict file, or as safetensors where the name ends so."""
        save_state_dict(path, self.model.state_dict())

    def predict(
        self, joint_2d: Any, *, flip: bool = False, project: bool = False, missing: bool = False
    ) -> np.ndarray:
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
        """
        model, joints = self.model, self.model.input_nodes // 2
        points = np.asarray(joint_2d, model.ops.dtype)
        single = points.shape == (joints, 2)
        if not single and points.shape[1:] not in ((joints, 2), (2 * joints,)):
            raise ValueError(f"expected 2D joints of shape (N, {joints}, 2), got {points.shape}")
        rows, given = points.reshape(-1, 2 * joints), None
        if self.takes_missing:
            given = ~np.isnan(rows[:, ::2])
        elif missing:
            rows, given = self._without_missing(rows)
        poses = np.empty((len(rows), joints, 3), model.ops.dtype)
        self._predictor.lift(rows, poses.reshape(len(rows), 3 * joints))
        if flip and joints != len(COURSE15):
            raise ValueError(f"flip knows the left and right of {len(COURSE15)} joints, not of {joints}")
        for part in chunks(len(rows)) if flip or project else ():
            image = rows[part].reshape(-1, joints, 2)
            if flip:
                poses[part] += self._mirrored(image)
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
        return self.model.head == "place"

    def _without_missing(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points (N, 2J) with (0, 0), the root's image, for a missing one; and which are given (N, J)."""
        if self.model.head == "ray":
            problem = "a missing keypoint has no ray, and head 'ray' puts joints onto rays"
            raise InputError(f"missing=True: {problem}; train one with head 'xyz' and joint_dropout 0.1")
        rows = rows.copy()
        points = rows.reshape(len(rows), self.model.input_nodes // 2, 2)
        given = ~np.isnan(points).any(axis=2)
        points[~given] = 0
        return rows, given

    @property
    def trust_model(self) -> TrustModel:
        """What `trust` goes by, from the file beside the weights: liftModel.trust.npz. It is read once.

        Raises InputError where it is missing, damaged or of other weights, or the lifter was not loaded.
        """
        if self._trust is None:
            check_joints(self.model.input_nodes, self.model.joint_nodes)
            if self.weights is None:
                problem = "this lifter's model was not read from a file, so nothing says how far to trust it"
                raise InputError(f"{problem}; save it, and fit one with minilift.lift.trust.fit")
            self._trust = load_trust(self.weights, self.model.state_dict())
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

    def trust(self, joint_2d: Any, joint_3d: np.ndarray | None = None) -> Trust:
        """How far to trust the prediction for 2D joints (N, 15, 2) or (N, 30): `minilift.lift.trust.Trust`.

        For a single pose (15, 2) the fields have no first dimension. `joint_3d` is what `predict` gave for
        these points, without options, if it is at hand: that saves lifting them again. Raises InputError as
        `trust_model`, ValueError for other shapes.
        """
        known = self.trust_model
        lifted = self.predict(joint_2d) if joint_3d is None else np.asarray(joint_3d)
        points = np.asarray(joint_2d, np.float32)
        joints = len(COURSE15)
        if lifted.shape[-2:] != (joints, 3) or lifted.size * 2 != points.size * 3:
            raise ValueError(f"expected the prediction for points {points.shape}, got {lifted.shape}")
        found = known.judge(points.reshape(-1, joints, 2), lifted.reshape(-1, joints, 3))
        return Trust(*(field[0] for field in found)) if lifted.ndim == 2 else found

    def _mirrored(self, image: np.ndarray) -> np.ndarray:
        """The prediction for the mirror images of points (n, 15, 2), mirrored back."""
        other = image[:, COURSE15.mirror] * np.array([-1, 1], image.dtype)
        seen = np.empty((*image.shape[:2], 3), image.dtype)
        self._predictor.lift(other.reshape(len(image), -1), seen.reshape(len(image), -1))
        return seen[:, COURSE15.mirror] * np.array([-1, 1, 1], image.dtype)
