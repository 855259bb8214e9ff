"""`minilift info`: what the CPU and the GPU backends find on this machine."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

import numpy as np

from minilift.errors import InputError
from minilift.ops import choose_device
from minilift.ops.threads import blas, team


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was found; a GPU that cannot be used is said with the remedy, and is no error."""
    held = "held to one thread while ours share the work" if blas().threads else "on its own threads"
    rows = {
        "cpu": f"{platform.processor() or platform.machine()}, {team().size} threads",
        "NumPy": f"{np.__version__}, its BLAS {held}",
    }
    try:
        from minilift.ops.cuda.gpu import open_gpu

        found = open_gpu(0).describe()
        rows |= {"gpu" if name == "card" else name: text for name, text in found.items()}
    except InputError as problem:
        rows["gpu"] = str(problem).removeprefix("--device gpu: ")
    device, reason = choose_device()
    rows["auto"] = f"--device auto is {device}: {reason}"
    width = max(map(len, rows))
    for name, text in rows.items():
        print(f"{name:{width}}  {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
