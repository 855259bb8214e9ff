"""What is made of the figures: the header, ratios, tables, and the line of JSON."""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench import machine
from bench.contenders import Worker


def compare(figures: Mapping[str, Sequence[float]], default: str) -> dict[str, Any]:
    """torch's best and torch's default over minilift: ratio of the medians, and the range over the rounds."""
    medians = {name: statistics.median(values) for name, values in figures.items()}
    best = min((name for name in figures if name.startswith("torch")), key=lambda name: medians[name])

    def ratio(name: str) -> dict[str, Any] | None:
        if name not in figures:
            return None
        each = [theirs / ours for theirs, ours in zip(figures[name], figures["minilift"], strict=True)]
        return {
            "against": name, "ratio": medians[name] / medians["minilift"], "min": min(each), "max": max(each)
        }  # fmt: skip

    return {"best": ratio(best), "default": ratio(default)}


def default_variant(header: dict[str, Any]) -> str:
    return f"torch {header['torch']['default_adam']}"


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """Median (lowest-highest), each with three digits."""
    middle, low, high = (digits(v * scale) for v in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low}-{high})" if len(values) > 1 else middle


def digits(value: float) -> str:
    """Three significant digits, never as a power of ten."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def ratio_text(ratio: dict[str, Any] | None) -> str:
    if ratio is None:
        return "-"
    spread = f" ({ratio['min']:.2f}-{ratio['max']:.2f})" if ratio["min"] < ratio["max"] else ""
    return f"**{ratio['ratio']:.2f}**{spread}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = [f"| {' | '.join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))} |" for row in rows]
    text.insert(1, f"|{'|'.join('-' * (w + 2) for w in widths)}|")
    return "\n".join(text)


def header(args: argparse.Namespace, ours: Worker, torch: Worker) -> dict[str, Any]:
    """Print and return what the figures depend on: the machine, the versions, the environment."""
    result = machine.describe() | {"minilift": ours.ask("about"), "torch": torch.ask("about")}
    result |= {"inherited": machine.environment_here(), "coretype": args.coretype, "threads": args.threads}
    print(machine.lines(result), end="\n\n", flush=True)
    return result


def finish(
    benchmark: str, header: dict[str, Any], args: argparse.Namespace, results: Any, **more: Any
) -> None:
    """Print everything as one line of JSON, the last one, and append it to --json."""
    settings = {name: value for name, value in vars(args).items() if name != "json"}
    whole_run = {"benchmark": benchmark, "header": header, "settings": settings, "results": results, **more}
    line = json.dumps(whole_run)
    print(f"\n{line}")
    if args.json:
        with open(args.json, "a") as file:
            print(line, file=file)
