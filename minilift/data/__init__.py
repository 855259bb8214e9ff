"""Pose files: reading, checking, splitting and describing them (`python -m minilift.data --help`)."""

from minilift.data.poses import Poses, find_scale, load_poses, load_scale, save_poses, save_scale, split_poses

__all__ = ["Poses", "find_scale", "load_poses", "load_scale", "save_poses", "save_scale", "split_poses"]
