"""The lifter: the network of the assignment, and what most people want of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from minilift.checkpoint import load_state_dict, save_state_dict
from minilift.data.statistics import mean_std
from minilift.errors import InputError
from minilift.files.mapped import chunks
from minilift.inference import FoldedLift
from minilift.nn import Affine, BatchNorm1d, Dropout, Linear, Module, Rays, ReLU, Residual
from minilift.nn.containers import number_dropouts
from minilift.ops import Array, Ops, get_ops
from minilift.params import ParamBuffer
from minilift.pose.skeleton import COURSE15
from minilift.trust import Trust, TrustModel, check_joints, load_trust

HEADS = ("xyz", "ray")


class LiftModel(Module):
    """From 15 joints in the image, x (n, 30), to 15 joints in space, y (n, 45).

    Linear(30, hidden), `n_blocks` residual blocks of twice (Linear, BatchNorm1d, ReLU, Dropout),
    Linear(hidden, 45): Martinez et al., arXiv:1705.03098, with the assignment's names and stem.

    With `head="ray"` the last layer gives 15 depths instead, and the joints lie on the rays through their
    image points (`nn.Rays`): what comes out projects onto what went in.

    All parameters are views of one flat vector, `flat.data`, and their gradients of `flat.grad`. Same `seed`,
    same weights and same dropout masks. `device` is 'cpu', 'gpu', 'gpu:1' or 'auto'; `tf32` lets a GPU
    multiply with 10 bits of mantissa, which is faster for large batches.
    """

    def __init__(
        self, n_blocks: int = 2, hidden_layer: int = 1024, dropout: float = 0.1, output_nodes: int = 15 * 3,
        *, input_nodes: int = 15 * 2, init: str = "uniform", seed: int = 0, device: str = "cpu",
        dtype: str = "float32", tf32: bool = False, head: str = "xyz",
    ) -> None:  # fmt: skip
        if n_blocks < 0 or hidden_layer < 1:
            raise ValueError(
                f"LiftModel: {n_blocks} blocks of width {hidden_layer}; give 0 or more, 1 or more"
            )
        if head not in HEADS:
            raise ValueError(f"LiftModel: head {head!r} is unknown; use one of {', '.join(HEADS)}")
        super().__init__(get_ops(device, dtype, tf32))
        ops, self.seed, rng = self.ops, seed, self.ops.generator(seed)
        self.n_blocks, self.hidden_layer = n_blocks, hidden_layer
        self.head, self.rays = head, Rays(ops=ops) if head == "ray" else None
        output_nodes = input_nodes // 2 if self.rays else output_nodes
        self.input_nodes, self.output_nodes = input_nodes, output_nodes
        self.joint_nodes = 3 * output_nodes if self.rays else output_nodes  # what `forward` gives

        self.children["hidden1"] = Linear(input_nodes, hidden_layer, init=init, rng=rng, ops=ops)
        for i in range(n_blocks):
            self.children[f"res-block_{i}"] = _block(hidden_layer, dropout, init, rng, ops)
        self.children["output"] = Linear(hidden_layer, output_nodes, init=init, rng=rng, ops=ops)

        self.dropouts = number_dropouts(self)
        for layer in self.dropouts:
            layer.seed = seed
        self.flat = ParamBuffer(self.parameters(), ops)
        self.before: Affine | None = None  # the change of units of the input, and of the output
        self.after: Affine | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copied or unpickled model: gather its parameters anew, for views do not survive a copy."""
        self.__dict__.update(state)
        self.flat = ParamBuffer(self.parameters(), self.ops)

    def standardise(self, joint_2d: Any, joint_3d: Any) -> None:
        """Let the layers see every column of the training data with mean 0 and standard deviation 1.

        The model still maps raw 2D to raw 3D; the two changes of units become part of it, and
        `state_dict` takes them into the first and the last Linear. Call it before training, with joint_2d
        (N, 15, 2) and joint_3d (N, 15, 3) in the data's units. Raises ValueError for other shapes.
        """
        if len(joint_2d) != len(joint_3d):
            raise ValueError(f"standardise: {len(joint_2d)} poses in 2D, {len(joint_3d)} in 3D")
        mean, std = mean_std(joint_2d, self.input_nodes)
        self.before = Affine(1 / std, -mean / std, ops=self.ops)
        mean, std = mean_std(joint_3d, self.joint_nodes)
        if self.rays is not None:
            mean, std = mean[2::3], std[2::3]
        self.after = Affine(std, mean, ops=self.ops)

    def forward(self, x: Array, train: bool = False) -> Array:
        points = x = self._input(x, self.input_nodes)
        if self.before is not None:
            x = self.before.forward(x, train)
        for child in self.children.values():
            x = child.forward(x, train)
        x = x if self.after is None else self.after.forward(x, train)
        return x if self.rays is None else self.rays.forward(points, x)

    def backward(self, dy: Array) -> Array:
        direct = None
        if self.rays is not None:
            direct = self.rows("direct", len(dy), self.input_nodes)  # the image points also set the rays
            dy = self.rays.backward(dy, direct)
        if self.after is not None:
            dy = self.after.backward(dy)
        for child in reversed(self.children.values()):
            dy = child.backward(dy)
        dx = dy if self.before is None else self.before.backward(dy)
        return dx if direct is None else self.ops.add(dx, direct, out=direct)

    # ---- saving and loading --------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray]:
        """The weights as torch's model of this shape has them, complete by themselves.

        With x' = x s + t before hidden1 and y = y' s + t after output, the changes of units go into
        hidden1.weight = W s,  hidden1.bias = W t + b,  output.weight = s W,  output.bias = s b + t.
        """
        state = super().state_dict()
        if self.before is not None and self.after is not None:
            scale, shift = self._units(self.before)
            weight = state["hidden1.weight"].astype(np.float64)
            state["hidden1.bias"] = (weight @ shift + state["hidden1.bias"]).astype(self.ops.dtype)
            state["hidden1.weight"] = (weight * scale).astype(self.ops.dtype)
            scale, shift = self._units(self.after)
            weight = state["output.weight"].astype(np.float64)
            state["output.bias"] = (scale * state["output.bias"] + shift).astype(self.ops.dtype)
            state["output.weight"] = (scale[:, None] * weight).astype(self.ops.dtype)
        return state

    def _units(self, layer: Affine) -> tuple[np.ndarray, np.ndarray]:
        host = self.ops.to_host
        return host(layer.scale).astype(np.float64), host(layer.shift).astype(np.float64)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.before = self.after = None

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any], **options: Any) -> LiftModel:
        """A model of the shape that the weights have: any width and any number of blocks.

        Raises ValueError if they are not the weights of a LiftModel.
        """
        blocks = {int(m[1]) for key in state if (m := re.match(r"res-block_(\d{1,4})\.", key))}
        for key in ("hidden1.weight", "output.weight"):
            if key not in state or np.ndim(state[key]) != 2:
                raise ValueError(f"no matrix {key!r}: these are not the weights of a LiftModel")
        hidden, inputs = state["hidden1.weight"].shape
        outputs, width = state["output.weight"].shape
        if not hidden or not inputs or not outputs or width != hidden:
            ends = f"'hidden1.weight' {(hidden, inputs)} and 'output.weight' {(outputs, width)}"
            raise ValueError(f"{ends} do not fit together")
        # Look at all large matrices before making a model of that size: the file is not trusted
        for key in [f"res-block_{i}.{j}.weight" for i in range(len(blocks)) for j in (0, 4)]:
            if key not in state or state[key].shape != (hidden, hidden):
                raise ValueError(f"{key!r} is missing or not of shape {(hidden, hidden)}")
        if 2 * outputs == inputs:
            options["head"] = "ray"
        options = {"init": "zeros", **options}
        model = cls(len(blocks), hidden, output_nodes=outputs, input_nodes=inputs, **options)
        model.load_state_dict(state)
        return model

    def snapshot(self) -> dict[str, np.ndarray]:
        """All that training changes or needs, unfolded, as host arrays: for a resumable checkpoint."""
        state = dict(super().state_dict())
        for name, layer in (("before", self.before), ("after", self.after)):
            if layer is not None:
                state[f"{name}.scale"] = self.ops.to_host(layer.scale)
                state[f"{name}.shift"] = self.ops.to_host(layer.shift)
        state["dropout.calls"] = np.array([layer.calls for layer in self.dropouts], np.int64)
        return state

    def restore(self, snapshot: Mapping[str, np.ndarray]) -> None:
        """Go back to a `snapshot` of a model of the same shape. Raises ValueError if it does not fit."""
        state = dict(snapshot)
        calls = state.pop("dropout.calls", np.zeros(0))
        units = {k: state.pop(k) for k in list(state) if k.startswith(("before.", "after."))}
        self.load_state_dict(state)
        if len(calls) != len(self.dropouts):
            raise ValueError(f"{len(calls)} dropout counters for {len(self.dropouts)} dropout layers")
        for layer, n in zip(self.dropouts, calls, strict=True):
            layer.calls = int(n)
        if units:
            self.before = Affine(units["before.scale"], units["before.shift"], ops=self.ops)
            self.after = Affine(units["after.scale"], units["after.shift"], ops=self.ops)

    # ---- for people ----------------------------------------------------------------------------
    def summary(self) -> str:
        """The table of layers: name, output shape, number of parameters; and what they add up to."""
        rows, columns = [("Layer", "Output shape", "Parameters")], self.input_nodes
        for name, layer in self.modules():
            if layer.children:
                continue
            columns = layer.out_features if isinstance(layer, Linear) else columns
            count = sum(p.size for p in layer.parameters())
            rows.append((f"{name} ({type(layer).__name__})", f"(n, {columns})", f"{count:,}"))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        total = sum(p.size for p in self.parameters())
        megabytes = total * np.dtype(self.ops.dtype).itemsize / 1e6
        rule = "-" * len(lines[0])
        end = f"{total:,} trainable parameters, {megabytes:.1f} MB as {self.ops.dtype}"
        return "\n".join([lines[0], rule, *lines[1:], rule, end])


def _block(width: int, dropout: float, init: str, rng: Any, ops: Ops) -> Residual:
    layers: list[Module] = []
    for _ in range(2):
        layers += [
            Linear(width, width, init=init, rng=rng, ops=ops),
            BatchNorm1d(width, ops=ops),
            ReLU(ops=ops),
            Dropout(dropout, ops=ops),
        ]
    return Residual(*layers, ops=ops)


class Lifter:
    """2D keypoints in, 3D joints out.

    >>> lifter = Lifter.load("liftModel")
    >>> joint_3d = lifter.predict(joint_2d)

    A Lifter predicts with the model's weights as they are when it is made: after more training, make another.
    """

    def __init__(self, model: LiftModel) -> None:
        self.model = model
        self._folded = FoldedLift(model.state_dict(), model.ops)
        self.weights: str | PathLike[str] | None = None  # the file that they were read from
        self._trust: TrustModel | None = None

    @classmethod
    def load(cls, path: str | PathLike[str], device: str = "cpu") -> Lifter:
        """Read a weights file of minilift or torch. Raises InputError if it is none of a LiftModel."""
        state = load_state_dict(path)
        norms = [key.removesuffix("running_mean") for key in state if key.endswith(".running_mean")]
        for norm in norms:  # torch before 0.4.1 did not count
            state.setdefault(f"{norm}num_batches_tracked", np.array(0))
        for key, value in state.items():
            if not np.all(np.isfinite(value)) or (key.endswith(".running_var") and np.any(value < 0)):
                problem = "has values that no training gives (NaN, infinite or a negative variance)"
                raise InputError(f"{path}: {key!r} {problem}; train again, with a lower --lr")
        try:
            model = LiftModel.from_state_dict(state, device=device)
        except InputError:
            raise
        except ValueError as problem:
            raise InputError(f"{path}: {problem}; give a file that train.py wrote") from problem
        if model.input_nodes % 2 or model.joint_nodes * 2 != model.input_nodes * 3:
            raise InputError(
                f"{path}: a model from {model.input_nodes} to {model.output_nodes} numbers does not map "
                "2D joints to as many 3D joints; give a file that train.py wrote"
            )
        lifter = cls(model)
        lifter.weights = path
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
        A pose with NaN in it gives NaN. However many, they take a few MB beside the result. Several threads
        may predict at once, each at its own pace. Raises ValueError for other shapes.

        `flip` averages with the prediction for the mirrored pose, at twice the cost. `project` keeps only the
        depths and moves every joint sideways onto its ray, as head "ray" does by itself: right as far as the
        2D points are.

        With `missing` a NaN in a keypoint says that nobody saw it, and the pose is lifted without it: for
        models trained with joint dropout (docs/augmentation.md). `project` leaves such joints where the
        network puts them. The points are copied. Raises InputError for a model with head "ray".
        """
        model, joints = self.model, self.model.input_nodes // 2
        points = np.asarray(joint_2d, model.ops.dtype)
        single = points.shape == (joints, 2)
        if not single and points.shape[1:] not in ((joints, 2), (2 * joints,)):
            raise ValueError(f"expected 2D joints of shape (N, {joints}, 2), got {points.shape}")
        rows, given = points.reshape(-1, 2 * joints), None
        if missing:
            rows, given = self._without_missing(rows)
        poses = np.empty((len(rows), joints, 3), model.ops.dtype)
        self._folded.lift(rows, poses.reshape(len(rows), 3 * joints))
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
        return poses[0] if single else poses

    def _without_missing(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points (N, 2J) with (0, 0), the root's image, for a missing one; and which are given (N, J)."""
        if self.model.head == "ray":
            problem = "a missing keypoint has no ray, and head 'ray' puts joints onto rays"
            raise InputError(f"missing=True: {problem}; train with --head xyz --joint-dropout 0.1")
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
                raise InputError(f"{problem}; save it, and fit one with minilift.training.fit_trust")
            self._trust = load_trust(self.weights, self.model.state_dict())
        return self._trust

    @trust_model.setter
    def trust_model(self, model: TrustModel) -> None:
        self._trust = model

    def trust(self, joint_2d: Any, joint_3d: np.ndarray | None = None) -> Trust:
        """How far to trust the prediction for 2D joints (N, 15, 2) or (N, 30): `minilift.trust.Trust`.

        For a single pose (15, 2) the fields have no first dimension. `joint_3d` is what `predict` gave for
        these points, without options, if it is at hand: that saves lifting them again. Raises InputError as
        `trust_model`, ValueError for other shapes.
        """
        known = self.trust_model
        lifted = self.predict(joint_2d) if joint_3d is None else np.asarray(joint_3d)
        points = np.asarray(joint_2d, np.float32)
        if lifted.shape[-2:] != (15, 3) or lifted.size * 2 != points.size * 3:
            raise ValueError(f"expected the prediction for points {points.shape}, got {lifted.shape}")
        found = known.judge(points.reshape(-1, 15, 2), lifted.reshape(-1, 15, 3))
        return Trust(*(field[0] for field in found)) if lifted.ndim == 2 else found

    def _mirrored(self, image: np.ndarray) -> np.ndarray:
        """The prediction for the mirror images of points (n, 15, 2), mirrored back."""
        other = image[:, COURSE15.mirror] * np.array([-1, 1], image.dtype)
        seen = np.empty((*image.shape[:2], 3), image.dtype)
        self._folded.lift(other.reshape(len(image), -1), seen.reshape(len(image), -1))
        return seen[:, COURSE15.mirror] * np.array([-1, 1, 1], image.dtype)
