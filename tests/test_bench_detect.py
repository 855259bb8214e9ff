"""The benchmark of the detector: who counts as found, and where 3D is placed so that it fits 2D."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.detect import match, placed, project
from minilift.video.detect.landmarks import LAYOUT, Landmarks

CAMERA = {"fx": 1200.0, "fy": 1200.0, "cx": 640.0, "cy": 360.0}
POINTS = np.random.default_rng(0).normal(0, 0.4, (12, 3))


def turned(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return POINTS @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T + (0.5, -0.2, 4.0)


def test_what_is_only_elsewhere_projects_exactly_and_what_is_turned_does_so_when_turned() -> None:
    assert placed(POINTS, project(turned(0), CAMERA), CAMERA, turn=False) < 1e-3
    xy = project(turned(0.4), CAMERA)
    assert placed(POINTS, xy, CAMERA, turn=False) > 10
    assert placed(POINTS, xy, CAMERA, turn=True) < 1e-3
    noise = np.random.default_rng(1).normal(0, 5, xy.shape)
    assert 3 < placed(POINTS, xy + noise, CAMERA, turn=True) < np.sqrt((noise**2).sum(axis=1).mean())


def test_everybody_is_found_once() -> None:
    one = Landmarks(np.zeros((len(LAYOUT), 2)), np.ones(33, np.float32), 1.0, None, np.zeros((33, 3)))
    other = replace(one, xy=one.xy + 100)
    truth = [(5.0, 5.0, 100), (100.0, 100.0, 100)]
    assert match([one, other], truth) == ([True, True], 0)
    assert match([one, one, other], truth) == ([True, True], 1)
    assert match([other], truth) == ([False, True], 0)
    assert match([replace(one, xy=one.xy + 50)], truth) == ([False, False], 1)
