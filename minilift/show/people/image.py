"""A photograph below 2D keypoints, and keypoints in its pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.files import PathLike, file_error, one_line, read_bytes
from minilift.show.people.skeletons import MIDDLE_COLOUR, draw_bones, frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST = 64 << 20  # pixels: more is no photograph, and does not fit in memory beside its copies


class Intrinsics(NamedTuple):
    """A camera's focal length and principal point, all in pixels; y runs down, as in pictures.

    The point (x, y) at focal length 1, y up, is the pixel (x focal + centre_x, centre_y - y focal).
    """

    focal: float
    centre_x: float
    centre_y: float

    def pixels(self, joint_2d: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of normalised points (..., 2)."""
        centre = np.array([self.centre_x, self.centre_y])
        return np.asarray(joint_2d, np.float64) * [self.focal, -self.focal] + centre


def read_image(path: PathLike) -> np.ndarray:
    """The pixels (height, width, 3) uint8 of a .png, .jpg or another picture that Pillow knows.

    Raises InputError naming the file if it is none, or has more than 64 million pixels.
    """
    content = read_bytes(path, "name a .png or .jpg")
    images = load("PIL.Image", f"reading {one_line(str(path))}")
    try:
        with images.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > LARGEST:
                problem = f"{picture.width} x {picture.height} pixels; make it smaller"
                raise file_error(path, problem)
            return np.array(picture.convert("RGB"))
    except InputError:
        raise
    except Exception as error:  # Pillow's readers raise a dozen kinds for files that are broken
        raise file_error(path, f"not a picture ({error}); name a .png or .jpg") from None


def draw_on_image(axes: Axes, joint_2d: np.ndarray, camera: Intrinsics, image: np.ndarray | None) -> None:
    """Draw 2D keypoints (15, 2) in pixels, over an image (height, width, 3) where there is one."""
    points = camera.pixels(np.concatenate([joint_2d, np.zeros((1, 2))]))
    draw_bones(axes, points)
    if image is not None:
        axes.imshow(image)
        axes.grid(False)
    else:
        frame(axes, points, 0.58 * float((points.max(axis=0) - points.min(axis=0)).max()))
        axes.set_facecolor("#F6F6F6")
        axes.invert_yaxis()
    axes.plot(points[:-1, 0], points[:-1, 1], "o", color=MIDDLE_COLOUR, markersize=3, zorder=4)
    axes.set_aspect("equal")
