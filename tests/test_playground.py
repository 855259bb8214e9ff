"""The playground as a file: whole, offline, of the same bytes again; what it cannot show is refused."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path

import numpy as np
import pytest
from pages import HOSTILE, Outline

from minilift import Lifter, LiftModel
from minilift.cli.main import main
from minilift.errors import InputError
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature
from minilift.poses.people.shares import ACTIVITIES
from minilift.show.html.document import POLICY
from minilift.show.playground.packed import pack_network, rounded
from minilift.show.playground.page import EACH, crowd, write_playground

Capture = pytest.CaptureFixture[str]


def saved(path: Path, **options: int) -> Lifter:
    Lifter(LiftModel(1, 16, seed=2, **options)).save(path)  # type: ignore[arg-type]
    return Lifter.load(path)


def test_the_page_loads_nothing_and_is_the_same_again(tmp_path: Path) -> None:
    lifter = saved(tmp_path / "liftModel")
    sizes = [write_playground(tmp_path / name, [lifter]) for name in ("a.html", "b.html")]
    first, second = ((tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert sizes == [len(first)] * 2
    outline = Outline(first.decode())
    assert POLICY in dict(outline.attributes).values() or ("content", POLICY) in outline.attributes
    assert [value for name, value in outline.attributes if name in ("src", "href")] == []
    assert {"scene", "people", "weights-0"} <= set(outline.scripts)
    assert "http" not in outline.scripts["code"].replace("http://www.w3.org/2000/svg", "")


def test_a_name_that_attacks_the_page_stays_text(tmp_path: Path) -> None:
    plain, hostile = tmp_path / "plain", tmp_path / HOSTILE.replace("/", "")
    outlines = []
    for path in (plain, hostile):
        write_playground(tmp_path / "page.html", [saved(path)])
        outlines.append(Outline((tmp_path / "page.html").read_text(encoding="utf-8")))
        name = "plain" if path == plain else html.escape(path.name)
        assert f"{name}</option>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert outlines[0].tags == outlines[1].tags


def test_the_weights_are_in_it_in_16_bits(tmp_path: Path) -> None:
    lifter = saved(tmp_path / "liftModel")
    about, packed = pack_network(lifter)
    data, state = base64.b64decode(packed), lifter.model.state_dict()
    numbers = sum(2 * rows for rows, _ in about["shapes"])
    halves = np.frombuffer(data, "<f2", offset=4 * numbers)
    first = np.prod(about["shapes"][0])
    wanted = state["hidden1.weight"].astype(np.float16).ravel()
    np.testing.assert_array_equal(halves[:first], wanted)
    assert len(halves) == sum(rows * columns for rows, columns in about["shapes"])
    image = np.random.default_rng(0).normal(0, 0.1, (5, 15, 2))
    apart = np.abs(rounded(lifter).predict(image) - lifter.predict(image)).max()
    assert 0 < apart < 1e-2


def test_the_crowd_is_of_all_activities_and_none_of_it_is_data(tmp_path: Path) -> None:
    joints, activity = crowd()
    np.testing.assert_array_equal(np.bincount(activity), [EACH] * len(ACTIVITIES))
    write_playground(tmp_path / "page.html", [saved(tmp_path / "liftModel")])
    scripts = Outline((tmp_path / "page.html").read_text(encoding="utf-8")).scripts
    scene, n = json.loads(scripts["scene"]), len(joints)
    data = base64.b64decode(scripts["people"])
    reach, heights = np.frombuffer(data, "<f4", n), np.frombuffer(data, "<f4", n, 4 * n)
    found = np.frombuffer(data, "<i2", 45 * n, 8 * n).reshape(n, 15, 3) * reach[:, None, None] / 32767
    np.testing.assert_allclose(found, joints, atol=1e-4)
    bones = COURSE15.bone_lengths(joints - [0, 0, 1])
    np.testing.assert_allclose(heights, stature(bones), rtol=1e-6)
    assert (np.frombuffer(data, "u1", n, 98 * n) == activity).all()
    assert (scene["people"], scene["joints"]) == (n, list(COURSE15.joints))


def test_what_cannot_be_shown_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    model = LiftModel(1, 16)
    state = dict(model.state_dict())
    state["hidden1.weight"] = state["hidden1.weight"] * 0 + 1e5
    large = LiftModel.from_state_dict(state)
    Lifter(large).save(tmp_path / "large")
    saved(tmp_path / "other", input_nodes=34, output_nodes=51)
    for name, problem in (("large", "too large for float16"), ("other", "lifts 17 joints, not 15")):
        with pytest.raises(InputError, match=f"{name}: .*{problem}"):
            write_playground(tmp_path / "page.html", [Lifter.load(tmp_path / name)])
    with pytest.raises(InputError, match="no weights"):
        write_playground(tmp_path / "page.html", [])
    assert not (tmp_path / "page.html").exists()


def test_the_command_takes_weights_and_replaces_no_page_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(Path("liftModel"))
    assert main(["playground", "--weights", "liftModel", "--only"]) == 0
    printed = capsys.readouterr()
    assert "wrote playground.html, 0.1 MB" in printed.out
    assert "no expected error of liftModel: liftModel.trust.npz: is missing" in printed.err
    small = Path("playground.html").read_bytes()
    assert main(["playground", "--weights", "liftModel"]) == 2
    assert "exists already; choose another name, or --force" in capsys.readouterr().err
    assert Path("playground.html").read_bytes() == small
    assert main(["playground", "--weights", "liftModel", "starting", "--force"]) == 0
    page = Path("playground.html").read_text(encoding="utf-8")
    assert page.count(">starting</option>") == page.count(">liftModel</option>") == 1
    assert 11.5e6 < len(page) < 12.5e6
