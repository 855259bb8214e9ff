"""What the page says in words at its top: what was measured, what it means, and where it came from."""

from __future__ import annotations

from html import escape

from minilift.errors import counted
from minilift.evaluation.baselines import NAMES
from minilift.files import PathLike
from minilift.poses.layouts import JOINTS
from minilift.show.page.units import Result, best, times


def lead(result: Result) -> str:
    """Two or three sentences as HTML: the error, what simpler predictors reach, and how it is spread."""
    unit = best(result)
    error = result["mpjpe" + unit.suffix]
    interval = result["mpjpe_ci95" + unit.suffix]
    within = (
        f" (95% interval {unit.number(interval[0])} to {unit.number(interval[1])} {unit.name})"
        if interval
        else ""
    )
    shares = result["percentiles" + unit.suffix]
    name = escape(result.get("weights") or "the lifter")
    return (
        f"From the 2D points of one image, <b>{name}</b> places the {len(JOINTS)} joints of "
        f"{counted(result['poses'], 'test pose')} <b>{unit.of(error)}</b> from where they are, on "
        f"average{within}. {_compared(result)} Half of the poses are off by less than "
        f"{unit.of(shares['50'])}, nine in ten by less than {unit.of(shares['90'])}; the worst "
        f"one by {unit.of(shares['max'])}."
    )


def _compared(result: Result) -> str:
    unit = best(result)
    error, others = result["mpjpe" + unit.suffix], result["baselines" + unit.suffix]
    name = min(others, key=others.__getitem__)
    other = f"the best of the simpler predictors, {escape(NAMES.get(name, name))}"
    if len(others) == 1:
        other = f"a {escape(NAMES.get(name, name))}, the one predictor to compare it with here"
    value = others[name]
    if value <= error:
        return (
            f"<strong>That is no better than {other}, which is off by {unit.of(value)}:</strong> look at how "
            "it was trained, and at whether these poses follow the conventions of its training data."
        )
    factor = times(result, name)
    compared = f"{factor:,.2f} times as much" if factor else "while the lifter is not off at all"
    return f"{other[0].upper()}{other[1:]}, is off by {unit.of(value)}: {compared}."


def tiles(result: Result) -> str:
    """The headline numbers as HTML, each with what it says below it."""
    unit = best(result)
    interval = result["mpjpe_ci95" + unit.suffix]
    error, others = result["mpjpe" + unit.suffix], result["baselines" + unit.suffix]
    name = min(others, key=others.__getitem__)
    spread = f"95%: {unit.number(interval[0])} to {unit.number(interval[1])}" if interval else "too few poses"
    limit = f"{result['threshold']:g} {result['threshold_unit']}"
    more = f", {factor:,.2f} ×" if (factor := times(result, name)) else ""
    shown = (
        ("mean joint error (MPJPE)", unit.number(error), unit.name, spread),
        (NAMES.get(name, name), unit.number(others[name]), unit.name, "best baseline" + more),
        ("after alignment (PA-MPJPE)", unit.number(result["pa_mpjpe" + unit.suffix]), unit.name,
         "turned, scaled, shifted to fit"),
        ("joints within " + limit, f"{100 * result['pck']:.1f}", "%", "PCK"),
    )  # fmt: skip
    return "".join(
        f"<div><dt>{escape(label)}</dt><dd><b>{escape(value)}</b> {escape(sign)}"
        f"<small>{escape(below)}</small></dd></div>"
        for label, value, sign, below in shown
    )


def source(result: Result, scale_path: PathLike | None) -> str:
    """Which files, and how the predictions were made: HTML."""
    names = (("weights", result["weights"]), ("poses", result["data"]))
    facts = [f"{what}: {path}" for what, path in names if path]
    if scale_path is not None:
        facts.append(f"metres per unit: {scale_path}")
    elif best(result).suffix == "":
        facts.append("a unit is the distance from the camera to the root: 0.01 units are 40 mm at 4 m")
    if result.get("train"):
        facts.append(f"baselines fitted on {result['train']}: {counted(result['train_poses'], 'pose')}")
    if result["flip"]:
        facts.append("averaged with the prediction for the mirrored pose")
    if result["project"]:
        facts.append("joints put onto the rays through their 2D points")
    if result["hide"]:
        facts.append(f"{100 * result['hide']:.3g}% of the keypoints hidden")
    told = "; ".join(facts)
    return f"{escape(told[:1].upper() + told[1:])}."
