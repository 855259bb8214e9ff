"""What is known of bones: from adults' measurements, a height, a sex, a tape; and a body's file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from bench.bodies import logarithms, tables
from minilift.errors import ArgumentError, InputError
from minilift.poses.body.adults import adults
from minilift.poses.body.body import STIFFNESS, Body
from minilift.poses.body.file import read_body, write_body
from minilift.poses.body.prior import combine, prior
from minilift.poses.body.tape import MEASURES, with_tape
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature

CSV = ROOT.parent / "shared" / "data" / "bodies" / "ansur2.csv"
LIMBS = [i for i, name in enumerate(COURSE15.joints) if name.endswith(("knee", "ankle", "elbow", "wrist"))]
THIGH, SHIN = COURSE15.index("left_knee"), COURSE15.index("left_ankle")


@pytest.mark.skipif(not CSV.exists(), reason="../shared/data/bodies/ansur2.csv is not there")
def test_the_table_is_that_of_the_measurements() -> None:
    for sex, (mean, covariance) in tables(logarithms(CSV)).items():
        found = adults({"F": "female", "M": "male", "any": None}[sex])
        np.testing.assert_allclose(found.mean, mean, atol=0.6e-5)
        np.testing.assert_allclose(found.covariance, covariance, atol=0.06e-6)


def test_a_height_alone_leaves_four_to_five_per_cent_of_a_limb() -> None:
    spread = prior(1.8, definitions=False).spread[LIMBS]
    assert 0.04 < np.sqrt((spread**2).mean()) < 0.05
    assert (spread > 0.035).all()
    assert (spread < 0.051).all()


@pytest.mark.parametrize("height", [1.5, 1.69, 1.9])
def test_a_height_comes_back_as_the_stature_of_its_bones(height: float) -> None:
    assert float(stature(prior(height).lengths)) == pytest.approx(height, rel=0.012)
    relative = prior(height, unit="relative")
    np.testing.assert_allclose(relative.lengths * height, prior(height).lengths)


def test_more_that_is_known_leaves_less() -> None:
    nothing, sex, height = prior(), prior(sex="female"), prior(1.6)
    both = prior(1.6, "female")
    assert (sex.spread < nothing.spread).all()
    assert (height.spread[LIMBS] < sex.spread[LIMBS]).all()
    assert prior(1.15).spread[THIGH] > 1.2 * height.spread[THIGH]  # children are no small adults
    assert both.lengths[COURSE15.index("left_shoulder")] < height.lengths[COURSE15.index("left_shoulder")]


def test_conditioning_is_that_of_a_joint_normal_distribution() -> None:
    """Against the information form: (P^-1 + R^-1)^-1 on all bones."""
    known = prior(1.75)
    rng = np.random.default_rng(0)
    seen, spread = known.mean + 0.05 * rng.standard_normal(15), rng.uniform(0.01, 0.1, 15)
    found = combine(known, seen, spread)
    information = np.linalg.inv(known.covariance) + np.diag(spread**-2)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(information), atol=1e-10)
    wanted = np.linalg.solve(information, np.linalg.solve(known.covariance, known.mean) + seen / spread**2)
    np.testing.assert_allclose(found.mean, wanted, atol=1e-9)
    one = np.where(np.arange(15) == THIGH, known.mean + 0.1, np.nan)
    moved = combine(known, one, spread).mean - known.mean
    assert moved[THIGH] > 0.04
    assert moved[COURSE15.index("neck")] < -0.005  # long legs go with a short trunk


def test_a_tape_fixes_what_it_measured() -> None:
    known = prior(1.75)
    found = with_tape(known, {"thigh": 0.44, "left_shin": 0.40, "trunk": 0.57})
    assert found.lengths[THIGH] == pytest.approx(0.44 * MEASURES["thigh"].factor, rel=0.015)
    assert found.lengths[SHIN] == pytest.approx(0.40, rel=0.01)
    assert found.lengths[COURSE15.index("right_ankle")] > found.lengths[SHIN]
    trunk = found.lengths[[COURSE15.index("spine"), COURSE15.index("neck")]].sum()
    assert trunk == pytest.approx(0.57 * MEASURES["trunk"].factor, rel=0.02)
    assert found.spread[THIGH] < 0.025 < known.spread[THIGH]
    half = with_tape(known, {"shoulders": 0.40}).lengths[COURSE15.index("left_shoulder")]
    assert half == pytest.approx(0.18, rel=0.03)


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ({"thig": 0.4}, "thig: unknown"),
        ({"thigh": 0.0}, "from 0.05 to 1.5"),
        ({"thigh": float("nan")}, "from 0.05 to 1.5"),
        ({"left_shoulders": 0.4}, "unknown"),
        ({"shin": 1.4}, "times what such people have"),
    ],
)
def test_what_no_tape_says(measured: dict[str, float], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        with_tape(prior(1.75), measured)


def test_what_nobody_is() -> None:
    for wrong in ({"height": 17.5}, {"height": float("nan")}, {"sex": "x"}, {"unit": "cm"}):
        with pytest.raises(ArgumentError):
            prior(**wrong)  # type: ignore[arg-type]


def test_a_body_comes_back_from_its_file(tmp_path: Path) -> None:
    body = Body.of(prior(1.6, "female"), notes=("invented",))
    write_body(tmp_path / "body.json", body)
    again = read_body(tmp_path / "body.json")
    np.testing.assert_allclose(again.lengths, body.lengths, rtol=1e-5)
    np.testing.assert_allclose(again.spread, body.spread, rtol=1e-5)
    np.testing.assert_array_equal(again.stiffness, STIFFNESS)
    assert (again.unit, again.source, again.notes) == ("m", "a height of 1.6 m and sex female", ("invented",))
    assert again.in_metres(1.8).height == pytest.approx(1.8)


def _changed(**bones: object) -> str:
    found = Body.of(prior(1.7)).as_dict()
    for joint, row in bones.items():
        found["bones"][joint] = row
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rubbish", "is no JSON"),
        ("[" * 5000, "is no JSON"),
        ("[]", "is no body"),
        ('{"schema": "minilift body", "version": 7}', "version=7"),
        ('{"schema": "minilift body", "version": 1}', "bones=NoneType"),
        (_changed(left_knee={"length": 0, "spread": 0.1}), "lengths=0.0: of left_knee must be from"),
        (_changed(left_knee={"length": float("nan"), "spread": 0.1}), "lengths=nan"),
        (_changed(left_knee={"length": 10, "spread": 0.1}), "lengths=10.0: of left_knee must be from"),
        (_changed(left_knee={"length": 10**400, "spread": 0.1}), "no number that a bone has"),
        (_changed(left_knee={"length": 0.4}), "spread=None: of left_knee is no number"),
        (_changed(left_knee=3), "left_knee is not given as an object"),
        (_changed(left_paw={"length": 0.4, "spread": 0.1}), "bones=left_paw: no such bone"),
    ],
)
def test_a_file_that_is_no_body_is_told_in_a_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_text(text)
    with pytest.raises(InputError) as problem:
        read_body(path)
    assert told in str(problem.value)
    assert str(problem.value).startswith(str(path))
    assert "\n" not in str(problem.value)
    assert len(str(problem.value)) < 500


def test_no_file_and_too_large_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_body(tmp_path / "none.json")
    (tmp_path / "large.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(InputError, match="more than 1 MB"):
        read_body(tmp_path / "large.json")
