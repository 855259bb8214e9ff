"""What one file is, and what is in it: a description for each kind, as plain facts by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli.info.media import describe_media
from minilift.errors import InputError
from minilift.files import one_line, read_bytes
from minilift.files.checkpoint import load_checkpoint
from minilift.files.npz import npz_names, read_npy, read_npz
from minilift.files.tree import describe as in_words
from minilift.files.weights import Found, Misfit, find_state_dict, read_content
from minilift.files.what import kind_of, wrong_kind
from minilift.lift.model import LiftModel
from minilift.lift.trust import TrustModel, fingerprint
from minilift.lift.weights.starting import weights_file
from minilift.lift.weights.stored import weights_of_lifter
from minilift.poses import info as poses
from minilift.poses.clips.frames import Choices, place_clip
from minilift.poses.read.course import KEYS, files_of
from minilift.poses.read.detect import read_clip
from minilift.show.runs.logs import read_log, read_record
from minilift.video.frames import is_media

Facts = dict[str, Any]
_LISTED = 30  # arrays that are told one by one


def describe_file(path: str) -> Facts:
    """`kind` in words, and what was found, by name; `text` is a table for people.

    Raises InputError naming the file: missing, unreadable, damaged, or of a kind that is not read here.
    """
    path = str(weights_file(path))
    read_bytes(path, first=1)
    with open(path, "rb") as file:
        kind = kind_of(file)
        if kind.name not in _KINDS and is_media(path):
            return describe_media(path)
        if kind.name not in _KINDS:
            raise wrong_kind(path, file, "a file that minilift reads", "name another file")
    return _KINDS[kind.name](path)


def _weights(path: str) -> Facts:
    try:
        found = find_state_dict(path, weights_of_lifter)
    except InputError:
        return _other_weights(path, find_state_dict(path))
    state = found.state
    for name in [name for name in state if name.endswith("running_mean")]:
        state.setdefault(name.replace("running_mean", "num_batches_tracked"), np.array(0))
    model = LiftModel.from_state_dict(state)
    size = sum(p.size for p in model.parameters())
    return {
        "kind": "weights of a lifter",
        "lifts": f"{model.input_nodes // 2} joints in 2D to {model.joint_nodes // 3} in 3D",
        "blocks": model.n_blocks,
        "width": model.hidden_layer,
        "head": f"{model.head}, told of noise" if model.takes_noise else model.head,
        "parameters": size,
        "numbers": sorted({str(array.dtype) for array in state.values() if array.dtype.kind == "f"}),
        **_around(found),
        "text": model.summary(),
    }


def _other_weights(path: str, found: Found) -> Facts:
    """Of another network: its arrays, and why it is no lifter."""
    try:
        weights_of_lifter(found.state)
        reason = ""
    except Misfit as problem:
        reason = str(problem)
    return {
        "kind": "weights of another network",
        "no lifter": reason,
        "parameters": sum(a.size for a in found.state.values() if a.dtype.kind == "f"),
        "arrays": _arrays(found.state),
        **_around(found),
    }


def _around(found: Found) -> Facts:
    """Where in the file the weights are, and what else is there."""
    return {
        "found under": found.place or "the top of the file",
        "would fit too": found.others,
        "not used": found.ignored,
    }


def _arrays(arrays: dict[str, Any]) -> list[str]:
    told = [f"{one_line(str(name), 60)} {in_words(array)}" for name, array in arrays.items()]
    return told[:_LISTED] + ([f"and {len(told) - _LISTED} more"] if len(told) > _LISTED else [])


def _pickle(path: str) -> Facts:
    content = read_content(path)
    if isinstance(content, dict) and any(key in content for key in KEYS):
        return _poses(path)
    return _weights(path)


def _npz(path: str) -> Facts:
    names = npz_names(path)
    if any(name in KEYS for name in names):
        return _poses(path)
    if "meta" in names and any(name.startswith(("network.", "optimiser.")) for name in names):
        return _checkpoint(path)
    if any(name.startswith("familiarity.") for name in names):
        return _trust(path)
    if "gradient_norm" in names:
        return _record(path)
    if {"keypoints", "kept", "detector"} <= set(names):
        more = f"minilift inspect {one_line(path)}"
        return {"kind": "what a detector found in a photo or video", "more": more}
    return {"kind": "arrays of NumPy", "arrays": _arrays(read_npz(path, read_bytes(path)))}


def _npy(path: str) -> Facts:
    """One of a pair of poses, metres per unit, or any array."""
    pair = [file for file in files_of(path) if file.exists()]
    if Path(path) in pair:
        return _poses(path)
    array = read_npy(path)
    facts: Facts = {"kind": "an array of NumPy", "shape": str(array.shape), "type": str(array.dtype)}
    if array.ndim == 1 and array.dtype.kind == "f" and array.size and (array > 0).all():
        facts["kind"] = "metres per unit of poses, or another list of numbers above 0"
    if array.size and array.dtype.kind in "fiu":
        facts["range"] = f"{array.min():.6g} to {array.max():.6g}"
    return facts


def _poses(path: str) -> Facts:
    """The table of `minilift data info`."""
    heading, _, table = poses.describe(path).partition("\n")
    count = heading.rpartition(": ")[2]
    return {"kind": f"a set of {count}", "text": table}


def _checkpoint(path: str) -> Facts:
    _, meta = load_checkpoint(path)
    progress: Any = meta.get("progress")
    stored: Any = meta.get("settings")
    progress = progress if isinstance(progress, dict) else {}
    settings = stored.get("config", stored) if isinstance(stored, dict) else {}
    settings = settings if isinstance(settings, dict) else {}
    best = progress.get("best")
    return {
        "kind": "a training checkpoint, from which minilift train --resume continues",
        "epochs done": progress.get("epoch"),
        "of": meta.get("epochs"),
        "batches of the next": progress.get("batch"),
        "best": best if isinstance(best, (int, float)) and math.isfinite(best) else None,
        "best epoch": progress.get("best_epoch"),
        "seconds": progress.get("seconds"),
        "needs": [str(settings[name]) for name in ("data", "test") if settings.get(name)],
        "settings": settings,
    }


def _trust(path: str) -> Facts:
    trust = TrustModel.load(path)
    weights = Path(path.removesuffix(".trust.npz"))
    fits: bool | None = None
    if path.endswith(".trust.npz") and weights.exists():
        fits = fingerprint(find_state_dict(weights, weights_of_lifter).state) == trust.weights
    return {
        "kind": "when to trust the predictions of a lifter",
        "made for weights": f"with fingerprint {trust.weights:08x}",
        f"fits {weights.name}" if fits is not None else "fits the weights next to it": fits,
        "training poses kept": len(trust.familiarity.reference),
        "held-out poses": len(trust.ranks.scores),
    }


def _record(path: str) -> Facts:
    record = read_record(path)
    return {
        "kind": "a record of gradients and layers during training",
        "steps": len(record["gradient_norm"]),
        "epochs": len(record["epochs"]),
        "layers": [str(name) for name in record["activation_names"]],
    }


def _log(path: str) -> Facts:
    rows = read_log(path)
    facts: Facts = {"kind": "the log of a training run", "epochs": len(rows), "columns": list(rows[0])}
    watched = [row for row in rows if math.isfinite(row.get("val_mpjpe", math.nan))]
    if watched:
        best = min(watched, key=lambda row: row["val_mpjpe"])
        facts |= {"best val_mpjpe": best["val_mpjpe"], "best epoch": int(best["epoch"])}
    return facts


def _clip(path: str) -> Facts:
    clip = read_clip(path)
    facts: Facts = {
        "kind": f"a motion clip ({Path(path).suffix.lower() or 'without an ending'})",
        "frames": len(clip),
        "frames per second": clip.fps,
        "seconds": len(clip) / clip.fps,
        "joints": len(clip.names),
        "notes": clip.notes,
    }
    try:
        placed = place_clip(path, Choices())
    except InputError as problem:
        return facts | {"as poses": f"cannot be used: {str(problem).removeprefix(f'{path}: ')}"}
    used = {row for share in placed.found.shares for row, _ in share}
    return facts | {
        "skeleton": placed.skeleton,
        "unit": placed.unit,
        "joints used": len(used),
        "joints ignored": len(clip.names) - len(used),
        "estimated": placed.found.notes,
        "warnings": placed.warnings,
        "more": f"minilift data info {one_line(path)}",
    }


def _skeleton(path: str) -> Facts:
    from minilift.poses.read.asf import read_asf

    found = read_asf(path)
    names: Sequence[str] = [bone.name for bone in found.bones]
    return {"kind": "the skeleton of .amc motion clips", "bones": len(names), "names": [", ".join(names)]}


_KINDS: dict[str, Callable[[str], Facts]] = {
    "torch": _weights, "torchscript": _weights, "safetensors": _weights, "pickle": _pickle, "npz": _npz,
    "npy": _npy, "log": _log, "bvh": _clip, "amc": _clip, "asf": _skeleton,
}  # fmt: skip
