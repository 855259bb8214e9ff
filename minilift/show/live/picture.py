"""A camera's picture, small enough to be sent with every frame."""

from __future__ import annotations

import base64
import io

import numpy as np

from minilift.extras import installed

WIDEST = 640
"""Pixels of the longer side: 20 to 50 kB."""
_QUALITY = 70


def picture_url(image: np.ndarray) -> str | None:
    """A picture (H, W, 3) uint8 RGB as a data URL of JPEG; None without Pillow: people move without it."""
    if not installed("PIL"):
        return None
    from PIL import Image

    step = max(1, max(image.shape[:2]) // (2 * WIDEST))  # large ones are thinned out first: it is quick
    small = Image.fromarray(np.ascontiguousarray(image[::step, ::step]))
    small.thumbnail((WIDEST, WIDEST), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    small.save(file, "jpeg", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
