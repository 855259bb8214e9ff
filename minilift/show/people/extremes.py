"""The best, the median and the worst pose of an evaluation."""

from __future__ import annotations

import numpy as np

from minilift.evaluation.report import Report
from minilift.files import PathLike
from minilift.show.people.sheets import error_labels, plot_lift


def plot_extremes(report: Report, path: PathLike) -> None:
    """Draw the poses with the smallest, the median and the largest error: input, and output from three sides.

    By millimetres where metres per unit are known. Raises InputError as plot_lift.
    """
    sizes = report.each if report.mm is None else report.mm
    rows = np.argsort(sizes, kind="stable")[[0, (len(sizes) - 1) // 2, -1]]
    drawn = report.poses.read(rows)
    labels = error_labels(("best", "median", "worst"), report.each[rows], drawn.scale)
    joint_2d, joint_3d = np.asarray(drawn.joint_2d), np.asarray(drawn.joint_3d)
    plot_lift(joint_2d, report.lifted(rows), joint_3d, path, labels)
