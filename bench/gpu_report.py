"""What `bench.gpu` says: the header, the tables, and what was skipped or has failed."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bench import report
from bench.gpu_floor import floor_us, step_bytes
from bench.report import digits, ratio_text, spread, table

US = 1e6
# Only names that every nvidia-smi knows: an unknown one spoils the answer. A query changes nothing.
QUERY = (
    "name", "driver_version", "memory.total", "clocks.sm", "clocks.max.sm", "clocks.mem", "clocks.max.mem",
    "power.draw", "power.limit", "temperature.gpu",
)  # fmt: skip


def card() -> dict[str, str]:
    """What nvidia-smi reads right now; empty where there is none."""
    command = ["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    values = [value.strip() for value in done.stdout.partition("\n")[0].split(",")]
    return dict(zip(QUERY, values, strict=True)) if len(values) == len(QUERY) else {}


def clocks(state: dict[str, str]) -> str:
    if not state:
        return "nvidia-smi gives none"
    sm, mem = (f"{state[f'clocks.{what}']} of {state[f'clocks.max.{what}']}" for what in ("sm", "mem"))
    power = f"{state['power.draw']} of {state['power.limit']}"
    return f"SM {sm}, memory {mem}, {power}, {state['temperature.gpu']} C"


def header_lines(header: dict[str, Any]) -> str:
    about, state = header["gpu_process"], header["card"]
    torch, cupy, ours = (about.get(name, {}) for name in ("torch", "cupy", "minilift"))
    cores = f"{header['cores']} cores, {header['usable_cores']} of them usable"
    rows = {
        "machine": f"{header['cpu']}; {cores}; {header['ram_gib']} GiB; {header['system']}",
        "card": ", ".join(state.get(name, "?") for name in QUERY[:3]) if state else "nvidia-smi gives none",
        "clocks": clocks(state),
        "python": header["python"],
        "torch": f"{torch.get('version', torch.get('error'))}, CUDA {torch.get('cuda')}",
        "CuPy": str(cupy.get("version", cupy.get("error"))),
        "minilift": "; ".join([f"commit {header['commit']}", *(f"{k} {v}" for k, v in _plain(ours))]),
        "fp32": 'torch.set_float32_matmul_precision("highest"), LiftModel(tf32=False)',
        "tf32": 'torch.set_float32_matmul_precision("high"), LiftModel(tf32=True)',
        "variables": ", ".join(f"{k}={v}" for k, v in about.get("environment", {}).items()) or "none",
        "date": header["date"],
    }
    return "\n".join(f"{name:9s} {text}" for name, text in rows.items())


def _plain(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in found.items() if name != "trace"]


# ---- tables ----------------------------------------------------------------------------------------


def tables(results: dict[str, Any]) -> str:
    """All of them; one that cannot be made says so and leaves the others."""
    heats, ceilings = results["heats"], results["ceilings"]
    parts: list[Callable[[], str]] = [partial(kernel_table, each, heats) for each in results["kernels"]]
    for precision in dict.fromkeys(heat["precision"] for heat in heats):
        parts.append(partial(speed_table, [heat for heat in heats if heat["precision"] == precision]))
    parts.append(partial(ratio_table, heats, ceilings))
    parts += [partial(correct_lines, results["correct"]), partial(ceiling_line, ceilings)]
    parts += [partial(epoch_line, results["epoch"]), partial(remarks, results)]
    return "\n\n".join(filter(None, map(_tried, parts)))


def _tried(part: Callable[[], str]) -> str:
    try:
        return part()
    except Exception as problem:  # the figures are in the JSON
        return f"not to be shown: {type(problem).__name__}: {problem}"


def speed_table(heats: Sequence[dict[str, Any]]) -> str:
    """A row for each contender, a column for each batch."""
    heats = sorted(heats, key=lambda heat: heat["batch"])
    names = dict.fromkeys(name for heat in heats for name in heat["names"])
    rows = [["", *(str(heat["batch"]) for heat in heats)]]
    rows += [[name, *(speed(heat, name) for heat in heats)] for name in names]
    return f"training steps a second, {heats[0]['precision']}\n\n{table(rows)}"


def speed(heat: dict[str, Any], name: str) -> str:
    if seconds := heat["seconds"].get(name):
        return spread([1 / s for s in seconds])
    return "failed" if name in heat["errors"] else "-"


def ratio_table(heats: Sequence[dict[str, Any]], ceilings: dict[str, Any]) -> str:
    rows = [
        ["batch", "", "torch's best / minilift", "which", "torch eager / minilift", "minilift us", "floor us",
         "its share", "products alone us"]
    ]  # fmt: skip
    for heat in sorted(heats, key=lambda heat: (heat["precision"], heat["batch"])):
        rows.append([str(heat["batch"]), heat["precision"], *_ratio(heat), *_floor(heat, ceilings)])
    return f"against torch, and against the floor\n\n{table(rows)}" if heats else ""


def _ratio(heat: dict[str, Any]) -> list[str]:
    figures = heat["seconds"]
    if "minilift" not in figures or not any(name.startswith("torch") for name in figures):
        return ["-", "-", "-"]
    rounds = min(map(len, figures.values()))  # the last one may have been broken off
    found = report.compare({name: s[:rounds] for name, s in figures.items()}, "torch eager")
    return [ratio_text(found["best"]), found["best"]["against"], ratio_text(found["default"])]


def _floor(heat: dict[str, Any], ceilings: dict[str, Any]) -> list[str]:
    batch, precision, ours = heat["batch"], heat["precision"], heat["seconds"].get("minilift")
    microseconds = spread(ours, US) if ours else "-"
    rate = ceilings.get("best_tflops", {}).get(precision)
    if not rate:
        return [microseconds, "-", "-", "-"]
    floor = floor_us(batch, rate, ceilings["bandwidth_gb_s"])
    share = f"{floor / (statistics.median(ours) * US):.0%}" if ours else "-"
    alone = ceilings["products_us"][precision].get(str(batch))
    return [microseconds, digits(floor), share, digits(alone) if alone else "-"]


def ceiling_line(found: dict[str, Any]) -> str:
    if "bandwidth_gb_s" not in found:
        return ""
    rates = ", ".join(f"{name} {rate:.1f} TFLOP/s" for name, rate in found["best_tflops"].items())
    each = f"{step_bytes(32) / 1e6:.0f} MB a step of 32"
    return f"ceilings: copy {found['bandwidth_gb_s']:.0f} GB/s, products {rates}; the floor counts {each}"


def correct_lines(checks: Sequence[dict[str, Any]]) -> str:
    """What lines can say of `bench.gpu_ours.compare`."""
    head = "relative differences to NumPy in float64, and in brackets those of NumPy in float32"
    return "\n".join([head, *(f"correct? {correct_line(each)}" for each in checks)])


def correct_line(each: dict[str, Any]) -> str:
    asked = f"batch {each.get('batch', '?')} {each.get('precision', '')} {each.get('path') or ''}"
    if "error" in each or "unavailable" in each:
        return f"{asked}: {each.get('unavailable') or 'failed, see below'}"
    kind = "graphs" if each["captured"] else "launches"
    far = ", ".join(f"{name} {value:.1e} ({each['numpy'][name]:.1e})" for name, value in each["ours"].items())
    graph = f", a graph of 16 {each['graph']:.0e} from launches" if "graph" in each else ""
    return f"{asked}, {kind}, {each['count']} steps: {'yes' if each['right'] else 'NO'}; {far}{graph}"


def kernel_table(found: dict[str, Any], heats: Sequence[dict[str, Any]]) -> str:
    title = f"kernels of a step, batch {found['batch']}, {found['precision']}"
    if "error" in found:
        return f"{title}, path {found['path']}: failed: {found['error']}"
    groups: dict[str, list[float]] = {}
    for each in found["launches"]:
        groups.setdefault(each["name"], []).append(each["us"])
    rows = [["kernel", "launches", "us each", "us together"]]
    for name, values in sorted(groups.items(), key=lambda item: -sum(item[1])):
        rows.append([name, str(len(values)), spread(values), digits(sum(values))])
    rows.append(["all", str(len(found["launches"])), "", digits(sum(e["us"] for e in found["launches"]))])
    same = [h for h in heats if (h["batch"], h["precision"]) == (found["batch"], found["precision"])]
    whole = [s for heat in same for s in heat["seconds"].get("minilift", [])]
    step = f"; a step takes {digits(statistics.median(whole) * US)} us" if whole else ""
    return f"{title}, path {found['path']}: each launch alone, in a graph of copies{step}\n\n{table(rows)}"


def epoch_line(found: dict[str, Any]) -> str:
    if "seconds" not in found:
        return f"epoch: failed: {found['error']}" if "error" in found else ""
    took = {name: f"{seconds:.3f} s" for name, seconds in found["seconds"].items()}
    told = f"epoch of {found['poses']:,} poses at batch {found['batch']}, with the bar and its loss"
    told += f": the second {took['second']} ({found['steps_per_s']:.0f} it/s), the first {took['first']}"
    told += f"; from the file to the device {took['load']}; an epoch on poses of the host {took['from_host']}"
    return f"{told}; {found['pool_bytes'] / 1e6:.1f} MB on the device"


def remarks(results: dict[str, Any]) -> str:
    """What was told, what is not to be had, what was skipped, what has failed."""
    lines = []
    for heat in results["heats"]:
        chosen = heat["notes"].get("minilift", {}).get("path")
        told = [f"minilift takes {chosen}"] if chosen else []
        told += [f"{name}: {note['remark']}" for name, note in heat["notes"].items() if "remark" in note]
        told += [f"{name}: {why}" for name, why in heat["unavailable"].items()]
        told += [f"{name} skipped, {why}" for name, why in heat["skipped"].items()]
        if speed := heat.get("card", {}).get("clocks.sm"):
            told.append(f"SM at {speed} right after")
        lines.append(f"batch {heat['batch']} {heat['precision']}: {'; '.join(told) or 'nothing to remark'}")
    lines += [f"skipped: {what}" for what in results["skipped"]]
    causes: dict[str, list[str]] = {}
    for each in results["failures"]:
        causes.setdefault(each["why"], []).append(each["what"])
    lines += [f"FAILED: {why}\n  ({'; '.join(where)})" for why, where in causes.items()]
    return "\n".join(lines)
