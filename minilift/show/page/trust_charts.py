"""The charts of trust: whether expected errors and intervals hold, and the error of the poses kept."""

from __future__ import annotations

from typing import Any

from minilift.show.page.charts import Chart, axis, figure


def calibration(trust: dict[str, Any]) -> Chart | None:
    """Expected against real error, by groups of joints of a similar expected error, where there are any."""
    suffix = "_mm" if "curve_mm" in trust else ""
    curve = trust.get("curve" + suffix, {})
    if not {"expected", "error"} <= set(curve):
        return None
    expected, real = curve["expected"], curve["error"]
    unit = "mm" if suffix else "units"
    end = max([*expected, *real], default=1)
    lines = [
        {"type": "scatter", "mode": "lines", "name": "perfect", "x": [0, end], "y": [0, end],
         "line": {"color": "var(--muted)", "dash": "dot", "width": 1.5}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines+markers", "name": "measured", "x": expected, "y": real,
         "line": {"color": "var(--left)", "width": 2.5}, "marker": {"size": 7}},
    ]  # fmt: skip
    layout = {
        "xaxis": axis(f"expected error, {unit}", zero=True),
        "yaxis": axis(f"real error, {unit}", zero=True),
        "showlegend": True,
    }
    return Chart("Expected error against real error, by tenths of the expected", figure(lines, layout))


def reliability(trust: dict[str, Any]) -> Chart | None:
    """The share of errors that intervals hold, against that which they are made for."""
    found = trust.get("reliability", {})
    if not {"stated", "observed"} <= set(found):
        return None
    stated, observed = ([100 * share for share in found[name]] for name in ("stated", "observed"))
    lines = [
        _line("perfect", [40, 100], [40, 100], "var(--muted)", "dot"),
        {**_line("measured", stated, observed, "var(--left)"), "mode": "lines+markers", "marker": {"size": 7},
         "hovertemplate": "made for %{x:.0f}%: hold %{y:.1f}%<extra></extra>"},
    ]  # fmt: skip
    layout = {
        "xaxis": axis("share that an interval is made for, %"),
        "yaxis": axis("share of errors that it holds, %"),
        "showlegend": True,
    }
    return Chart("Intervals: what they are made for, and what they hold", figure(lines, layout))


def risk(trust: dict[str, Any]) -> Chart | None:
    """The error of the poses that are kept, by the share that is dropped."""
    suffix = "_mm" if "risk_mm" in trust else ""
    found = trust.get("risk" + suffix, {})
    if not {"dropped", "kept", "oracle", "random"} <= set(found):
        return None
    shares = [100 * share for share in found["dropped"]]
    lines = [
        _line("at random", shares, found["random"], "var(--muted)", "dot"),
        _line("by expected error", shares, found["kept"], "var(--left)"),
        _line("by real error, which is not known", shares, found["oracle"], "var(--right)", "dash"),
    ]
    unit = "mm" if suffix else "units"
    layout = {
        "xaxis": axis("poses that are dropped, %"),
        "yaxis": axis(f"error of those that are kept, {unit}", zero=True),
        "showlegend": True, "hovermode": "x",
    }  # fmt: skip
    return Chart("Error that is left when the worst poses are dropped", figure(lines, layout))


def _line(name: str, x: list[float], y: list[float], colour: str, dash: str = "solid") -> dict[str, Any]:
    line = {"color": colour, "width": 1.5 if dash == "dot" else 2.5, "dash": dash}
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": line}
