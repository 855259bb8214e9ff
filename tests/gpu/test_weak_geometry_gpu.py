"""Geometry of cameras on a GPU gives what it gives on the CPU, in both directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from weak_cases import CASES, cotangents_of, drawn, passes


@pytest.mark.parametrize("name", CASES)
def test_both_backends_agree(gpu: Any, name: str) -> None:
    case, (rng, arrays) = CASES[name], drawn(1)
    cotangents = cotangents_of(case, rng)
    expected, found = (passes(case, device, arrays, cotangents) for device in ("cpu", "gpu"))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-12)
