"""A lifter on a GPU is trusted as it is on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift import Lifter, LiftModel, Poses
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses.people.synth import synthesize


def test_a_gpu_says_the_same(gpu: Any, tmp_path: Path) -> None:
    people = synthesize(900)
    data, path = Poses(people.joint_2d, people.joint_3d), tmp_path / "liftModel"
    model = LiftModel(1, 16)
    model.standardise(data.joint_2d, data.joint_3d)
    Lifter(model).save(path)
    here, there = (Lifter.load(path, device=device) for device in ("cpu", "gpu"))
    fitted = fit_trust(there, data.take(slice(600)), data.take(slice(600, 800)))
    fitted.save(trust_path(path))
    image = people.joint_2d[800:840]
    for before, after in zip(here.trust(image), there.trust(image), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-3)
    same = fit_trust(here, data.take(slice(600)), data.take(slice(600, 800)))
    np.testing.assert_allclose(fitted.ranks.scores, same.ranks.scores, rtol=1e-3)
