"""A network and its trust as the page has them: numbers in base64, and what the scripts must know of them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from minilift.files import file_error, one_line
from minilift.lift.fast.folded import normalising
from minilift.lift.lifter import Lifter
from minilift.lift.trust import TrustModel
from minilift.lift.trust.expected import EXACT, FARTHEST, HALF, LEVEL, LEVELS, SMALLEST
from minilift.lift.trust.familiarity import SHORTEST, Ranks, limit
from minilift.lift.weights.as_stored import AsStored
from minilift.lift.weights.starting import STARTING, half
from minilift.lift.weights.stored import linears, made_of
from minilift.show.html.numbers import in_base64

NAME = 60  # letters of a name of weights

Layers = list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def rounded(lifter: Lifter) -> Lifter:
    """The lifter that the page has: matrices in float16, computed with in float32.

    Raises InputError for weights that float16 cannot hold.
    """
    return Lifter(AsStored(halved(lifter)))


def halved(lifter: Lifter) -> dict[str, np.ndarray]:
    """Its state dict with matrices in float16. Raises InputError as `rounded`."""
    try:
        return half(lifter.model.state_dict())
    except ValueError as problem:
        remedy = "give weights of a training with weight decay"
        raise file_error(str(lifter.weights), f"{problem}; {remedy}") from None


def pack_network(lifter: Lifter) -> tuple[dict[str, Any], str]:
    """What network.js needs: (a dict fit for JSON, base64) of a lifter of the course's joints.

    The bytes are, for every Linear in order: float32 scale (n_out,) and bias (n_out,), which have the
    normalisation behind it; and then, for each again, float16 weight (n_out, n_in). Raises InputError as
    `rounded`.
    """
    state = halved(lifter)
    made, layers = made_of(state), layers_of(state)
    numbers = [part.astype("<f4") for _, scale, bias in layers for part in (scale, bias)]
    numbers += [weight.astype("<f2") for weight, _, _ in layers]
    about = {
        "name": _short(str(lifter.weights)),
        "starting": lifter.weights == STARTING,
        "head": made.get("head", "xyz"),
        "levels": bool(made.get("levels", False)),
        "slope": float(made.get("slope", 0.0)),
        "shapes": [list(weight.shape) for weight, _, _ in layers],
        "parameters": sum(weight.size + len(bias) for weight, _, bias in layers),
    }
    return about, in_base64(numbers)


def _short(path: str) -> str:
    """A path fit to choose by: of a long one the end, which tells weights apart."""
    shown = one_line(path, len(path))
    return shown if len(shown) <= NAME else f"...{shown[3 - NAME :]}"


def layers_of(state: dict[str, np.ndarray]) -> Layers:
    """Weight (n_out, n_in), scale (n_out,) and bias (n_out,) of every Linear: y = scale (weight x) + bias."""
    found: Layers = []

    def add(linear: str, norm: str = "") -> None:
        weight, bias = state[f"{linear}.weight"], state[f"{linear}.bias"]
        scale = np.ones(len(weight))
        if norm:
            scale, bias = normalising(state, norm, bias)
        found.append((weight, scale, bias))

    add("hidden1")
    plain, block = "slope" in state, 0
    while f"res-block_{block}.0.weight" in state:
        for number in linears(plain):
            name = f"res-block_{block}."
            add(f"{name}{number}", "" if plain else f"{name}{number + 1}")
        block += 1
    add("output")
    return found


def pack_trust(model: TrustModel) -> tuple[dict[str, Any], str]:
    """What trust.js needs, in the same way: float64 arrays by the names of the fields, those of the interval
    at LEVEL alone, and float16 of the poses that inputs are compared with."""
    errors, ranks = model.errors, model.ranks
    at = 2 * LEVELS.index(LEVEL)
    arrays = {f.name: np.asarray(getattr(model.familiarity, f.name)) for f in fields(model.familiarity)}
    reference = arrays.pop("reference")
    arrays |= {f.name: np.asarray(getattr(errors, f.name)) for f in fields(errors)}
    arrays["ends"] = errors.ends[:, at : at + 2]
    arrays["scores"] = ranks.scores
    arrays["limits"] = np.array(limits(ranks))
    plan = [[name, array.size] for name, array in arrays.items()]
    about = {
        "plan": plan,
        "reference": list(reference.shape),
        "outputs": len(errors.bias_2),
        "steps": int(errors.edges.shape[1]),
        "level": LEVEL,
        "exact": EXACT.tolist(),
        "half": HALF,
        "farthest": FARTHEST,
        "smallest": SMALLEST,
        "shortest": SHORTEST,
    }
    numbers = [array.astype("<f8") for array in arrays.values()]
    return about, in_base64([*numbers, reference.astype("<f2")])


def limits(ranks: Ranks) -> tuple[float, float]:
    """The score and the distance beyond which a pose is unlike; the largest number stands for none."""
    largest = float(np.finfo(np.float64).max)
    return min(limit(ranks.scores), largest), min(limit(ranks.distances), largest)
