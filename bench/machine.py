"""Where a benchmark runs: the machine, the versions, and the environment that its contenders get."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

# What holds a library to slower code than the machine has. Some machines set the first two; users do not.
HOBBLES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(threads: int, coretype: str | None) -> dict[str, str]:
    """The variables of the contenders' processes: the parent's, but for HOBBLES and the threads."""
    env = {name: value for name, value in os.environ.items() if name not in HOBBLES}
    env |= dict.fromkeys(THREADS, str(threads))
    if coretype:
        env["OPENBLAS_CORETYPE"] = coretype
    # torch.compile would keep helper processes for compiling, which outlive their work
    env["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    return env


def environment_here() -> dict[str, str]:
    """Of what environment() leaves out or sets, what this process has."""
    return {name: os.environ[name] for name in (*HOBBLES, *THREADS) if name in os.environ}


def describe() -> dict[str, Any]:
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "ram_gib": _ram(),
        "last_cache": _last_cache(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def lines(header: dict[str, Any]) -> str:
    """The header for people."""
    ours, torch = header["minilift"], header["torch"]
    cores = f"{header['cores']} cores, {header['usable_cores']} of them usable"
    memory = f"{header['ram_gib']} GiB, last cache {header['last_cache']}"
    # Other load spoils the figures; say how much there was
    load = "" if header["load"] is None else f"; load {header['load']:.2f} before"
    blas = f"{ours['blas']} {ours['blas_version']}, kernel {ours['architecture']}"
    left_out = [f"{k}={header['inherited'][k]}" for k in HOBBLES if k in header["inherited"]]
    rows = {
        "machine": f"{header['cpu']}; {cores}; {memory}{load}",
        "system": f"{header['system']}, Python {header['python']}",
        "minilift": f"commit {header['commit']}, NumPy {ours['numpy']}, {blas}, {ours['threads']} threads",
        "torch": f"{torch['torch']}, {torch['blas']}, {torch['instruction_set']}, {torch['threads']} threads",
        "its Adam": f"torch.optim.Adam(params, lr) takes the variant '{torch['default_adam']}'",
        "left out": f"nothing ({' and '.join(HOBBLES[:2])} are not set)",
        "date": header["date"],
    }
    if left_out:
        rows["left out"] = f"{', '.join(left_out)} (set here, but not for the contenders)"
    if header["coretype"]:
        rows["coretype"] = f"OPENBLAS_CORETYPE={header['coretype']} set for the contenders, as asked"
    return "\n".join(f"{name:9s} {text}" for name, text in rows.items())


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _ram() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _last_cache() -> str:
    try:
        return Path("/sys/devices/system/cpu/cpu0/cache/index3/size").read_text().strip()
    except OSError:
        return "unknown"


def _commit() -> str:
    describe = ["git", "--no-optional-locks", "describe", "--always", "--exclude=*", "--dirty=+changes"]
    try:
        done = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
