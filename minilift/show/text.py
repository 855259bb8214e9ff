"""A report as text for a terminal: tables, 80 columns wide."""

from __future__ import annotations

from typing import Any

from minilift.errors import counted
from minilift.evaluation.baselines import NAMES
from minilift.evaluation.report import Report
from minilift.files import one_line
from minilift.lift.weights.starting import STARTING, is_starting
from minilift.poses.bones import kind

Result = dict[str, Any]

MM = "_mm"  # what the names of figures in millimetres end in
LABEL = 28
ERRORS = {"expected error": "expected", "real error": "error", "gap of the two, by tenths": "gap"}


def report_text(report: Report) -> str:
    """The whole report: what was measured, its tables, and advice about people unlike the training data."""
    poses, hide = report.poses, report.options.hide
    hiding = f", {100 * hide:.3g}% of the keypoints hidden" if hide else ""
    lines = [f"{report.title}{hiding}, on the {report.device}"]
    if poses.ignored:
        lines.append(f"ignored: {', '.join(poses.ignored)}")
    if poses.scale is not None and report.scale_path is not None:
        lines.append(f"metres per unit from {one_line(str(report.scale_path))}")
    lines.append(table(report.as_dict(), report.baselines_note))
    told = advice(report)
    return "\n".join([*lines, "", told] if told else lines)


def advice(report: Report) -> str:
    """One line for people unlike the training data, with the weights that are meant for them; "" for others,
    and where those were used."""
    if report.trust is None or not report.people_are_unlike or is_starting(report.weights):
        return ""
    share, rate = report.trust["unlike"], report.trust["rate"]
    return (
        f"{share:.0%} of these poses are unlike the training data ({rate:.0%} is usual); for people and "
        f"cameras of all kinds: --weights {STARTING}"
    )


def table(result: Result, note: str = "") -> str:
    """The figures (`Report.as_dict`) as tables; `note` is a line below the baselines.

    Every figure of the first tables is in units and, where they are known, in millimetres; what would not fit
    beside them is in the better known of the two.
    """
    blocks = [_headline(result), _baselines(result, note), _percentiles(result)]
    if "velocity_error" in result:
        blocks.append(_motion(result))
    blocks += [_joints(result), _bones(result)]
    if "trust" in result:
        blocks.append(_trust(result["trust"]))
    return "\n".join("\n".join(["", *(line.rstrip() for line in block)]) for block in blocks)


def _headline(result: Result) -> list[str]:
    unit = _units(result)[-1]
    interval = result["mpjpe_ci95" + unit]
    limit = f"{result['threshold']:g} {result['threshold_unit']}"
    return [
        _head(result, "") + (f"   95% interval, {_name(unit)}" if interval else ""),
        _line(result, "average MPJPE", "mpjpe")
        + ("   " + " to ".join(_number(value, unit) for value in interval) if interval else ""),
        _line(result, f"average loss ({result['loss_name']})", "loss"),
        _line(result, "MPJPE with the root counted", "mpjpe_with_root"),
        _line(result, "PA-MPJPE", "pa_mpjpe"),
        _line(result, "N-MPJPE", "n_mpjpe"),
        f"{f'PCK, within {limit}':{LABEL}s}{result['pck']:10.1%}",
        f"{f'AUC, up to {limit}':{LABEL}s}{result['auc']:10.1%}",
    ]


def _baselines(result: Result, note: str) -> list[str]:
    lines = [_head(result, "for comparison, MPJPE of") + f"{'/ model':>10s}"]
    for name, value in result["baselines"].items():
        times = f"{value / result['mpjpe']:10.2f}" if result["mpjpe"] else ""
        lines.append(_line(result, f"  {NAMES.get(name, name)}", "baselines", name) + times)
    if result.get("train"):
        note = f"(fitted on {result['train']}: {counted(result['train_poses'], 'pose')})"
    return [*lines, f"  {note}"] if note else lines


def _percentiles(result: Result) -> list[str]:
    shares = result["percentiles"]
    heads = (f"{share}%" if share.isdigit() else "worst" for share in shares)
    lines = [f"{'MPJPE of single poses':{LABEL - 8}s}" + "".join(f"{head:>9s}" for head in heads)]
    for unit in _units(result):
        cells = (f"{_number(value, unit):>9s}" for value in result["percentiles" + unit].values())
        lines.append(f"{'  below, ' + _name(unit):{LABEL - 8}s}" + "".join(cells))
    return lines


def _motion(result: Result) -> list[str]:
    per = "second" if result.get("fps") else "frame"
    lines = [
        _head(result, f"movement, per {per}"),
        _line(result, "  velocity error (MPJVE)", "velocity_error"),
    ]
    if "jitter" in result:
        lines.append(_line(result, f"  jitter, per {per}^2", "jitter"))
        lines.append(_line(result, "  the truth's jitter", "true_jitter"))
    return lines


def _joints(result: Result) -> list[str]:
    unit = _units(result)[-1]
    lines = [_head(result, "per joint") + "".join(f"{f'{axis}, {_name(unit)}':>10s}" for axis in "xyz")]
    for joint, axes in result["per_joint_axis" + unit].items():
        lines.append(_line(result, f"  {joint}", "per_joint", joint) + _cells(axes.values(), unit))
    return [*lines, _line(result, "  all", "mpjpe") + _cells(result["per_axis" + unit].values(), unit)]


def _bones(result: Result) -> list[str]:
    """A line for each kind of bone: both sides together, and how far they differ."""
    unit = _units(result)[-1]
    heads = ("length", "error", "|error|", "l-r", "true l-r")
    lines = [f"{f'per bone, {_name(unit)}':{LABEL}s}" + "".join(f"{head:>10s}" for head in heads)]
    bones, sides = result["per_bone" + unit], result["asymmetry" + unit]
    for name in dict.fromkeys(map(kind, bones)):
        alike = [row for bone, row in bones.items() if kind(bone) == name]
        cells = [sum(row[key] for row in alike) / len(alike) for key in ("true", "error", "absolute")]
        lines.append(f"  {name:{LABEL - 2}s}" + _cells([*cells, *sides.get(name, {}).values()], unit))
    return lines


def _trust(found: Result) -> list[str]:
    """What `Calibration.result` says, with the curve and the joints in the better known unit."""
    unit, share = _units(found)[-1], f"errors in their {found['level']:.0%} interval"
    usual = f"   (of poses like the training data: {found['rate']:.0%})"
    lines = [
        _head(found, "trust"),
        *(_line(found, f"  {label}", name) for label, name in ERRORS.items()),
        f"{'  rank correlation of the two':{LABEL + 2}s}{found['spearman']:8.2f}",
        f"{'  ' + share:{LABEL}s}{found['coverage']:10.1%}",
        f"{'  poses called unlike':{LABEL}s}{found['unlike']:10.1%}{usual}",
        f"  joints by tenths, from the least expected error to the largest, {_name(unit)}",
    ]
    for label, name in (("expected", "expected"), ("real", "error")):
        cells = (f"{value:7.1f}" if unit else f"{value:7.4f}" for value in found["curve" + unit][name])
        lines.append(f"  {label:8s}" + "".join(cells))
    if "reliability" in found:
        lines += _reliability(found["reliability"])
    lines += _risk(found["risk" + unit], unit)
    lines.append(f"  {f'per joint, {_name(unit)}':{LABEL - 2}s}{'expected':>10s}{'real':>10s}{'in 90%':>10s}")
    for joint, row in found["per_joint" + unit].items():
        inside = f"{found['per_joint'][joint]['coverage']:10.1%}"
        lines.append(f"    {joint:{LABEL - 4}s}" + _cells((row["expected"], row["error"]), unit) + inside)
    return lines


def _reliability(found: Result) -> list[str]:
    """Of intervals made for some share of the errors, the share that they held."""
    lines = ["  intervals: the share of errors that they are made for, and that they hold"]
    for label, name in (("stated", "stated"), ("real", "observed")):
        lines.append(f"  {label:8s}" + "".join(f"{share:7.1%}" for share in found[name]))
    return lines


def _risk(found: Result, unit: str) -> list[str]:
    """What is left of the error when some poses are not used."""
    heads = ("expected", "at best", "random")
    lines = [
        f"  {f'error kept, {_name(unit)}, dropped by':{LABEL - 2}s}"
        + "".join(f"{head:>10s}" for head in heads)
    ]
    for share in (0.1, 0.3):
        at = found["dropped"].index(share)
        cells = [found[name][at] for name in ("kept", "oracle", "random")]
        lines.append(f"    {f'the worst {share:.0%}':{LABEL - 4}s}" + _cells(cells, unit))
    return lines


def _units(result: Result) -> list[str]:
    return ["", MM] if "mpjpe" + MM in result or "error" + MM in result else [""]


def _name(unit: str) -> str:
    return "mm" if unit else "units"


def _number(value: float, unit: str) -> str:
    return f"{value:.1f}" if unit else f"{value:.5f}"


def _cells(values: Any, unit: str) -> str:
    return "".join(f" {_number(value, unit):>9s}" for value in values)


def _head(result: Result, label: str) -> str:
    return f"{label:{LABEL}s}" + "".join(f"{_name(unit):>10s}" for unit in _units(result))


def _line(result: Result, label: str, name: str, key: str | None = None) -> str:
    """A figure, or one of several under a name, in each unit that it has."""
    cells = f"{label:{LABEL}s}"
    for unit in _units(result):
        value = result.get(name + unit)
        cells += "" if value is None else _cells([value if key is None else value[key]], unit)
    return cells
