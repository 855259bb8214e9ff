"""The kernels, compiled by NVIDIA's own compiler for every architecture that it knows: needs no GPU."""

from __future__ import annotations

import re

import nvrtc
import pytest

from minilift.lift.fast.column_plan import ColumnPlan
from minilift.ops.cuda.gpu import module_source
from minilift.ops.cupy_ops import AUGMENT_OPTIONS

ARCHITECTURES = ("sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")
SHAPES = [
    *((f"-DROWS={rows}", "-DWIDTH=1024", "-DINPUTS=30", "-DJOINTS=15") for rows in ColumnPlan.ROWS),
    ("-DROWS=32", "-DWIDTH=64", "-DINPUTS=34", "-DJOINTS=17"),
]
MODULES = [
    ("kernels.cu", ("-DREAL=float",)),
    ("kernels.cu", ("-DREAL=double",)),
    *(("columns.cu", shape) for shape in SHAPES),
    *(("augment.cu", (f"-DREAL={real}", *AUGMENT_OPTIONS)) for real in ("float", "double")),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: " ".join((module[0], *module[1]))[:80])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kernels_compile(architecture: str, module: tuple[str, tuple[str, ...]]) -> None:
    if reason := nvrtc.why_absent():
        pytest.skip(reason)
    name, options = module
    source = module_source(name)
    # -ftz is what CuPy adds
    cubin = nvrtc.compile_cubin(source, name, architecture, ("-std=c++17", "-ftz=true", *options))
    assert cubin[:4] == b"\x7fELF"
    for kernel in re.findall(r'extern "C" __global__ void __launch_bounds__\([^)]*\) (\w+)\(', source):
        assert kernel.encode() in cubin
