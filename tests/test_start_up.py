"""What starting takes: counted in modules, never in seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

UNUSED = (
    "minilift.poses.read.keypoints.tables", "minilift.poses.read.keypoints.numeric.hdf5",
    "minilift.poses.read.keypoints.objects.mmpose", "minilift.poses.lens.files", "minilift.lift.augment",
    "minilift.train", "minilift.optim", "minilift.nn", "minilift.show.clip.page", "minilift.poses.people",
    "minilift.files.pickles.safe", "minilift.poses.read.bvh", "minilift.poses.write.people.bvh", "numpy.ma",
    "minilift.lift.live", "xml", "tempfile", "tqdm", "matplotlib", "onnx", "minilift.video.run",
    "minilift.video.kept", "av", "PIL",
)  # fmt: skip


def loaded(code: str, folder: Path) -> set[str]:
    """The modules that are there after some code, which may print."""
    code = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    words = [sys.executable, "-c", code]
    env = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=env, check=True)
    return set(done.stderr.split())


def test_predicting_a_file_of_coco_loads_what_that_needs(tmp_path: Path) -> None:
    joints = [value for i in range(17) for value in (300 + 7 * (i % 5), 100 + 17 * i, 0.9)]
    person = {"image_id": 1, "category_id": 1, "keypoints": joints, "score": 0.9}
    (tmp_path / "one.json").write_text(json.dumps([person]))
    run = "from minilift.cli.main import main\nassert main(['predict', 'one.json', '--to', 'npz']) == 0"
    found = loaded(run, tmp_path)
    assert "minilift.poses.read.keypoints.objects.coco" in found
    assert "minilift.poses.write.people.npz" in found
    more = {name for name in found for room in UNUSED if name == room or name.startswith(f"{room}.")}
    assert more == set()
    assert (tmp_path / "one_3d.npz").exists()


def test_help_loads_no_numpy(tmp_path: Path) -> None:
    found = loaded("from minilift.cli.main import main\nassert main(['--help']) == 0", tmp_path)
    assert "minilift.cli.main" in found
    assert not {"numpy", "argparse"} & found
