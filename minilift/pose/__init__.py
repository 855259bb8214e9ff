"""Poses: the skeleton, the camera, synthetic people, metrics and pictures; NumPy only."""
