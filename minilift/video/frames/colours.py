"""Pictures of every kind of colour as plain RGB of 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.extras import load

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras and scanners use; files hold 16."""


def rgb_of(image: Any, notes: list[str]) -> Any:
    """A Pillow picture as one of mode RGB. What is see-through becomes white, deep greys are scaled.

    `notes` get a line where something had to be assumed.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(image, notes)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        images, whole = load("PIL.Image", "reading pictures", "video"), image.convert("RGBA")
        ground = images.new("RGBA", whole.size, (255, 255, 255, 255))
        ground.alpha_composite(whole)
        return ground.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")  # which would be a copy


def _from_deep(image: Any, notes: list[str]) -> Any:
    """Greys of 16 or 32 bits, or of floats: Pillow would cut them off at 255."""
    values = np.nan_to_num(np.asarray(image, np.float64))
    most = float(values.max(initial=0.0))
    if image.mode == "F" and most <= 1:
        full = 1.0
    else:
        bits = next((bits for bits in _DEPTHS if most < 2**bits), None)
        full = most if bits is None else 2.0**bits - 1
        notes.append(f"its greys go up to {most:g}: {full:g} is taken for white")
    grey = np.clip(values * (255 / max(full, 1e-9)), 0, 255).astype(np.uint8)
    return load("PIL.Image", "reading pictures", "video").fromarray(np.repeat(grey[..., None], 3, axis=2))
