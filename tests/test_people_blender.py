"""Lifted people as Blender opens them: its own importers, its own bones, joint by joint and frame by frame.

It runs where Blender's module `bpy` is installed, which needs one certain Python, and 1 GB.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_people_motion import NAMES, clip, shaken, true_points

from minilift.poses.write.people.bvh import write_bvh
from minilift.poses.write.people.gltf import write_glb

bpy = pytest.importorskip("bpy", reason="bpy, Blender as a module, is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # what Blender's scripts warn about is theirs


@pytest.fixture
def scene() -> Iterator[Any]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 25
    yield bpy.context.scene
    bpy.ops.wm.read_factory_settings(use_empty=True)


def bones(scene: Any, frames: list[int], prefix: str = "") -> np.ndarray:
    """(f, 16, 3): the heads of the bones in space, in the axes that were written (Blender has z up)."""
    armature = next(o for o in scene.objects if o.type == "ARMATURE" and f"{prefix}root" in o.pose.bones)
    found = np.empty((len(frames), len(NAMES), 3))
    for row, frame in enumerate(frames):
        scene.frame_set(frame)
        for column, name in enumerate(NAMES):
            x, y, z = armature.matrix_world @ armature.pose.bones[prefix + name].head
            found[row, column] = x, z, -y
    return found


@pytest.mark.parametrize("shake", [0.0, 0.02])
def test_bvh_in_blender(shake: float, scene: Any, tmp_path: Path) -> None:
    people = shaken(clip(), shake)
    write_bvh(tmp_path / "a.bvh", people)
    bpy.ops.import_anim.bvh(filepath=str(tmp_path / "a.bvh"), global_scale=0.01, update_scene_duration=True)
    found = bones(scene, list(range(1, 41)))
    off = np.linalg.norm(found - true_points(people, 3), axis=2).max()
    print(f"bvh in Blender {bpy.app.version_string}, shake {shake}: at most {off * 1000:.4f} mm off")
    assert off < 1e-3
    assert scene.frame_end >= 40


@pytest.mark.parametrize("shake", [0.0, 0.02])
def test_glb_in_blender(shake: float, scene: Any, tmp_path: Path) -> None:
    people = shaken(clip(60, 2), shake)
    write_glb(tmp_path / "a.glb", people)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "a.glb"))
    for person in (0, 1):
        frames = people.frame[people.person == person] - 100
        found = bones(scene, frames.tolist(), f"person{person}_")
        off = np.linalg.norm(found - true_points(people, person), axis=2).max()
        print(f"glb in Blender {bpy.app.version_string}, shake {shake}: at most {off * 1000:.4f} mm off")
        assert off < 1e-3
    meshes = [o for o in scene.objects if o.type == "MESH" and "body" in o.data.name]
    assert len(meshes) == 2
    for mesh in meshes:  # as large as a person, where the person is
        scene.frame_set(0)
        shown = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
        points = np.array([tuple(shown.matrix_world @ vertex.co) for vertex in shown.data.vertices])
        person = int("person1" in mesh.data.name)
        wanted = true_points(people, person)[0]
        assert np.abs(np.ptp(points[:, 2]) - np.ptp(wanted[:, 1])) < 0.1
        assert np.linalg.norm(points[:, :2].mean(axis=0) - wanted.mean(axis=0)[[0, 2]] * (1, -1)) < 0.2
