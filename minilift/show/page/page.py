"""One HTML file that holds all that it shows: figures, charts, poses, and the library that draws them.

It loads nothing, and a Content-Security-Policy in its head forbids it to. Names of files come from the user:
they are escaped in HTML, and in JSON no `<` is left that could end a script. The same result and the same
version of plotly give the same bytes.
"""

from __future__ import annotations

import html
from pathlib import Path
from string import Template

import numpy as np

from minilift import __version__
from minilift.errors import InputError
from minilift.evaluation.report import Report
from minilift.extras import require
from minilift.files import PathLike, write_atomically
from minilift.lift.weights.starting import weights_file
from minilift.show.html.document import POLICY, ROOM, json_text, text
from minilift.show.html.numbers import spread
from minilift.show.page.packed import MOST, pack
from minilift.show.page.sections import Section, sections
from minilift.show.page.words import lead, source, tiles
from minilift.show.runs.logs import Rows, read_log
from minilift.show.text import advice

HERE = "minilift.show.page"
CODE = ("charts.js", "poses.js", "stage.js", "viewer.js")  # in this order, as one module
LOG = "log.csv"  # what training writes next to the weights


def require_plotly() -> None:
    """Raise InputError unless plotly is installed; asked before any work is done."""
    require("plotly", "the page of a report")


def write_report(path: PathLike, report: Report) -> None:
    """Write a report as a page, atomically.

    Every figure is of all poses; the viewer shows MOST of them at most, evenly from the best to the worst,
    and says so. Training curves are drawn where a log.csv lies next to the weights. Raises InputError without
    plotly, or where the file cannot be written.
    """
    require_plotly()
    errors = report.each if report.mm is None else report.mm
    order = np.argsort(errors, kind="stable")
    rows = order[spread(len(order), MOST)]
    scene, packed = pack(rows, errors[rows], report.lifted(rows), report.poses.read(rows))
    scene["total"] = len(report.poses)
    result = report.as_dict()
    parts = sections(result, errors[order], _training_log(report), report.baselines_note)
    figures = [chart.figure for part in parts for chart in part.charts]
    told = advice(report)
    title = f"{Path(report.weights or 'lifter').name} on {Path(report.data or 'poses').name}"
    page = Template(text(HERE, "page.html")).substitute(
        policy=POLICY,
        title=html.escape(title),
        lead=lead(result) + (f" <strong>{html.escape(told[0].upper() + told[1:])}.</strong>" if told else ""),
        tiles=tiles(result),
        source=source(result, report.scale_path),
        version=html.escape(__version__),
        links="".join(f'<a href="#{part.name}">{html.escape(part.title)}</a>' for part in parts),
        sections="".join(_section(part) for part in parts),
        shown=_how_many(len(rows), len(report.poses)),
        style=text(ROOM, "base.css") + text(HERE, "page.css"),
        plotly=_plotly(),
        figures=json_text(figures),
        scene=json_text(scene),
        packed=packed,
        code=text(ROOM, "bytes.js", "colours.js") + text(HERE, *CODE),
    )
    write_atomically(path, lambda file: file.write(page.encode()))


def _training_log(report: Report) -> Rows:
    return [] if report.weights is None else training_log(Path(weights_file(report.weights)).parent / LOG)


def training_log(path: Path) -> Rows:
    """The rows of a log, none where there is none, or a bad one: that never stops an evaluation."""
    try:
        return read_log(path)
    except InputError:
        return []


def _plotly() -> str:
    """plotly.js as plotly ships it, fit to stand within a script element."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _how_many(shown: int, total: int) -> str:
    if total == 1:
        return "The only pose."
    if shown == total:
        return f"All {total:,} poses, from the smallest error to the largest."
    return (
        f"{shown:,} of the {total:,} poses, evenly from the smallest error to the largest; "
        "the figures are of all of them."
    )


def _section(part: Section) -> str:
    """A section with its charts; they are told apart by their place among all charts of the page."""
    text = f"<p>{html.escape(part.text)}</p>" if part.text else ""
    charts = "".join(
        f'<figure><figcaption>{html.escape(chart.caption)}</figcaption><div class="chart" role="img" '
        f'aria-label="{html.escape(chart.caption)}"></div></figure>'
        for chart in part.charts
    )
    tables = "".join(table.html() for table in part.tables)
    return (
        f'<section id="{part.name}"><h2>{html.escape(part.title)}</h2>{text}'
        f'<div class="cards">{charts}{tables}</div></section>'
    )
