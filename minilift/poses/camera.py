"""The camera of the course's files: at the origin, looking down -Z, X right, Y up, aimed at the mid-hip.

A person's own frame has the mid-hip at 0, X to the person's left, Y up and Z forward, in metres. At
azimuth 0 the person faces the camera, and these axes are then the camera's: the person's left hand is
at positive x, on the right of the image.
"""

import numpy as np


def to_camera(
    joints: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """Return poses (N, J, 3) as the camera sees them, in units of its distance; the root is at (0, 0, -1).

    `joints` are (N, J, 3) metres from the mid-hip. A camera with azimuth a and elevation e (radians (N,))
    stands `distance` metres (N,) away in the direction (sin a cos e, sin e, cos a cos e), a counted from
    straight ahead of the person towards the person's left, without roll:

        p_camera = (Rx(e) Ry(-a) p) / distance + (0, 0, -1)
    """
    sin_a, cos_a = np.sin(azimuth)[:, None], np.cos(azimuth)[:, None]
    sin_e, cos_e = np.sin(elevation)[:, None], np.cos(elevation)[:, None]
    x, y, z = joints[..., 0], joints[..., 1], joints[..., 2]
    ahead = sin_a * x + cos_a * z
    seen = np.empty_like(joints)
    seen[..., 0] = cos_a * x - sin_a * z
    seen[..., 1] = cos_e * y - sin_e * ahead
    seen[..., 2] = sin_e * y + cos_e * ahead
    seen /= np.asarray(distance)[:, None, None]
    seen[..., 2] -= 1
    return seen


def project(joint_3d: np.ndarray) -> np.ndarray:
    """Return the pinhole image (..., 2) of points (..., 3), focal length 1: (x / -z, y / -z).

    float32 in, float32 out, the division done in float64. Raises ValueError if a point is not in front of
    the camera (z < 0).
    """
    joint_3d = np.asarray(joint_3d)
    depth = -joint_3d[..., 2:].astype(np.float64)
    if depth.size and depth.min() <= 0:
        raise ValueError(f"every point must have z < 0, in front of the camera; got z = {-depth.min():g}")
    return (joint_3d[..., :2] / depth).astype(np.result_type(joint_3d, np.float32))
