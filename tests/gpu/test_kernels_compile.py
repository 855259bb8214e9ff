"""The kernels, compiled by NVIDIA's own compiler for every architecture that it knows: needs no GPU."""

from __future__ import annotations

import re
from pathlib import Path

import nvrtc
import pytest

from minilift.images.ops import cupy_images
from minilift.lift.augment import cupy_augment
from minilift.lift.fast import column_plan, row_plan
from minilift.lift.fast.column_plan import ColumnPlan
from minilift.lift.rays import cupy_rays
from minilift.ops.cuda.gpu import module_source

# From Pascal to Blackwell. CUDA 13 begins with sm_75
ARCHITECTURES = ("sm_60", "sm_61", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")
SHAPES = [
    *((f"-DROWS={rows}", "-DWIDTH=1024", "-DINPUTS=30", "-DJOINTS=15") for rows in ColumnPlan.ROWS),
    ("-DROWS=32", "-DWIDTH=64", "-DINPUTS=34", "-DJOINTS=17"),
]
MODULES = [
    *(
        (name, (f"-DREAL={real}",))
        for name in ("kernels.cu", "losses.cu", "updates.cu", row_plan.STEM)
        for real in ("float", "double")
    ),
    *((name, shape) for name in (column_plan.KERNELS, column_plan.UPDATES) for shape in SHAPES),
    *((cupy_augment.KERNELS, (f"-DREAL={real}", *cupy_augment.DEFINES)) for real in ("float", "double")),
    *(
        (cupy_augment.DETECTOR, (f"-DREAL={real}", *cupy_augment.DETECTOR_DEFINES))
        for real in ("float", "double")
    ),
    *(
        (kernels, (f"-DREAL={real}",))
        for kernels in (cupy_rays.KERNELS, cupy_images.KERNELS)
        for real in ("float", "double")
    ),
]


# Every module for the oldest and the newest of them; for those between the two largest, as no kernel asks for
# its architecture
WHOLE = ("sm_60", "sm_120")
FEW = [MODULES[0], (column_plan.KERNELS, SHAPES[0])]
COMPILED = [
    (architecture, m) for architecture in ARCHITECTURES for m in (MODULES if architecture in WHOLE else FEW)
]


@pytest.mark.parametrize(
    ("architecture", "module"),
    COMPILED,
    ids=[
        f"{architecture} {' '.join((Path(name).name, *options))}"[:80]
        for architecture, (name, options) in COMPILED
    ],
)
def test_kernels_compile(architecture: str, module: tuple[str, tuple[str, ...]]) -> None:
    if reason := nvrtc.why_absent():
        pytest.skip(reason)
    if nvrtc.versions()[0] >= 13 and int(architecture.removeprefix("sm_")) < 75:
        pytest.skip(f"NVRTC {nvrtc.versions()[0]} does not know {architecture} any more; CUDA 12's does")
    name, options = module
    source = module_source(name)
    # -ftz is what CuPy adds
    cubin = nvrtc.compile_cubin(source, Path(name).name, architecture, ("-std=c++17", "-ftz=true", *options))
    assert cubin[:4] == b"\x7fELF"
    for kernel in re.findall(r'extern "C" __global__ void __launch_bounds__\([^)]*\) (\w+)\(', source):
        assert kernel.encode() in cubin
