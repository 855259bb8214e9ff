"""People: skeleton, camera, metrics, synthetic people, and the files that hold poses. NumPy only."""

from minilift.poses.poses import (
    Poses,
    find_scale,
    load_poses,
    load_scale,
    save_poses,
    save_scale,
    split_poses,
)

__all__ = ["Poses", "find_scale", "load_poses", "load_scale", "save_poses", "save_scale", "split_poses"]
