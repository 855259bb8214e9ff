"""What stands on the page below the viewer, in order: charts and tables under headings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.show.page import charts, tables, trust_charts
from minilift.show.page.charts import Chart
from minilift.show.page.tables import Table
from minilift.show.page.units import Result
from minilift.show.runs.logs import Rows


@dataclass(frozen=True)
class Section:
    name: str  # of its anchor
    title: str
    text: str = ""
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


def sections(result: Result, ordered: np.ndarray, log: Rows, note: str = "") -> list[Section]:
    """The sections of an evaluation; `ordered` (N,) are the errors of all poses, ascending, in mm where
    the result has them. What the result or the log does not have is left out."""
    found = [
        Section(
            "accuracy", "How good it is",
            "The interval says how far the mean would move with other poses of the same recordings.",
            (charts.compared(result),), (tables.headline(result), tables.baselines(result, note)),
        ),
        Section(
            "spread", "How the error is spread over poses", "",
            (charts.histogram(result, ordered), charts.sorted_errors(result, ordered)),
            (tables.percentiles(result),),
        ),
        Section("joints", "Joints and axes", "", (charts.per_joint(result),), (tables.joints(result),)),
        Section(
            "bones", "Bones", "A lifter can be right on average and still stretch people from pose to pose.",
            (), (tables.bones(result), tables.asymmetry(result)),
        ),
    ]  # fmt: skip
    if "velocity_error" in result:
        found.append(Section("movement", "Movement", tables=(tables.motion(result),)))
    if trust := result.get("trust"):
        text = "How well the lifter knew its own error, and how many poses were unlike its training data."
        drawn = trust_charts.calibration(trust), trust_charts.reliability(trust), trust_charts.risk(trust)
        curves = tuple(chart for chart in drawn if chart is not None)
        found.append(Section("trust", "Trust", text, curves, tuple(tables.trust(trust))))
    if curve := charts.training(log):
        found.append(Section("training", "Training", charts=(curve,)))
    return found
