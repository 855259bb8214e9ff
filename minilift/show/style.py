"""How every picture looks, and how it becomes a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.files import PathLike, check_writable, file_error, one_line, write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008: told apart with every common colour blindness.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, INK = "#CC79A7", "#56B4E9", "#333333"
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK)
DASHES = ("-", "--", "-.", ":")  # for print in grey, and from the eighth series on
GRID = "#D8D8D8"

# Points, at the size a figure is made in. PAGE is the width of text on A4 paper, in inches.
TITLE, LABEL, SMALL = 11, 10, 9
PAGE = 7.5
DOTS = 150  # per inch, of a .png

SUFFIXES = (".png", ".svg", ".pdf")


def check_picture(path: PathLike, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Raise InputError unless a picture can be drawn there: matplotlib, the name's ending, the folder.

    Called before long work whose end is a picture.
    """
    if Path(path).suffix.lower() not in suffixes:
        endings = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise InputError(f"cannot draw {one_line(str(path))}: the name must end in {endings}")
    if Path(path).is_dir():
        raise file_error(path, "a folder, where a picture is to be written; choose another name")
    try:
        check_writable(Path(path).parent)
    except InputError as error:
        raise InputError(f"cannot write {one_line(str(path))}: {error}") from None
    _matplotlib()


def _matplotlib() -> type[Figure]:
    figure: type[Figure] = load("matplotlib.figure", "drawing").Figure
    return figure


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches. Raises InputError without matplotlib."""
    return _matplotlib()(figsize=(width, height), layout="constrained", facecolor="white")


def save(figure: Figure, path: PathLike) -> None:
    """Write a figure by its suffix, atomically; the same figure gives the same bytes.

    Raises InputError for another suffix, and for what the system refuses.
    """
    check_picture(path)
    from matplotlib import rc_context

    kind = Path(path).suffix.lower()[1:]
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    # The names inside an .svg are random unless this setting, which there is no argument for, says otherwise
    with rc_context({"svg.hashsalt": "minilift"}):
        write_atomically(
            path, lambda file: figure.savefig(file, format=kind, dpi=DOTS, metadata=undated.get(kind))
        )


def plain(text: str, most: int = 60) -> str:
    """Text out of a file, fit for a picture: one line, and dollars that begin no formula."""
    return one_line(text, most).replace("$", r"\$")


def panel(axes: Axes, title: str, x: str, y: str, grid: Literal["both", "x", "y"] = "both") -> None:
    """Give axes a title, a name with a unit for each axis, a light grid and letters of readable size.

    Numbers far from 1 share a power of ten.
    """
    axes.set_title(title, fontsize=TITLE, loc="left", color=INK)
    axes.set_xlabel(x, fontsize=LABEL, color=INK)
    axes.set_ylabel(y, fontsize=LABEL, color=INK)
    axes.tick_params(which="both", labelsize=SMALL, color=GRID, labelcolor=INK)
    axes.ticklabel_format(scilimits=(-3, 5), useMathText=True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set_fontsize(SMALL)
    axes.grid(True, axis=grid, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#999999")


def legend(axes: Axes) -> None:
    """Name the labelled artists of axes between the title and what is drawn: there they hide nothing."""
    handles, labels = axes.get_legend_handles_labels()
    figure = axes.get_figure(root=True)
    assert figure is not None
    width = axes.get_position().width * figure.get_figwidth()
    columns = legend_columns(labels, width)
    axes.legend(
        handles, labels, fontsize=SMALL, loc="lower right", bbox_to_anchor=(1, 1), ncols=columns,
        frameon=False, borderaxespad=0, handlelength=1.8, columnspacing=1.2, labelspacing=0.3,
    )  # fmt: skip
    rows = -(-len(labels) // columns)
    axes.set_title(
        axes.get_title(loc="left"), fontsize=TITLE, loc="left", color=INK, pad=6 + 1.35 * SMALL * rows
    )


def legend_above(figure: Figure, *every: Axes) -> None:
    """Name the labelled artists of axes above the figure, where they hide nothing: lines, then bands.

    What several axes name alike is named once; long names get fewer columns.
    """
    from matplotlib.lines import Line2D

    found: dict[str, Any] = {}
    for axes in every:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels = sorted(found, key=lambda label: type(found[label]) is not Line2D)
    figure.legend(
        [found[label] for label in labels], labels, fontsize=SMALL, loc="outside upper center",
        ncols=legend_columns(labels, figure.get_figwidth()), frameon=False,
    )  # fmt: skip


def legend_columns(labels: Sequence[str], width: float) -> int:
    """How many columns of these names, filled one after the other, fit into a width in inches."""
    for columns in range(min(6, len(labels)), 1, -1):
        widest = [max(map(len, part)) for part in np.array_split(labels, columns)]  # as matplotlib does
        if sum(widest) + 6 * len(widest) < 13 * width:  # letters of this size, and the lines before them
            return columns
    return 1


def wide_range(values: Iterable[float], factor: float = 5.0) -> bool:
    """Whether positive values span so much that only a logarithmic axis shows them all."""
    there = [value for value in values if value == value]
    return bool(there) and min(there) > 0 and max(there) > factor * min(there)


def series_style(number: int) -> dict[str, Any]:
    """Colour and dash of the curve of that number."""
    return {"color": SERIES[number % len(SERIES)], "linestyle": DASHES[number // len(SERIES) % len(DASHES)]}


def logarithmic(axes: Axes) -> None:
    """A logarithmic y axis whose ticks are written as plain numbers, between the powers of ten too."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    steps = (1.0, 2.0, 5.0) if high < 200 * low else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def from_zero(axes: Axes) -> None:
    """Let the y axis begin at 0, and leave room above the highest value, or half its line is cut off."""
    highest = float(axes.dataLim.y1)
    axes.set_ylim(0, 1.05 * highest if 0 < highest < math.inf else None)


def whole_ticks(axes: Axes, most: int = 7) -> None:
    """Epochs and steps are counted: no tick between two of them."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=most, min_n_ticks=1))
