"""How large everything is in a drawing: the picture on the left, two views of the stage beside it."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST, LOWEST = 3840, 480  # pixels: a longer side is drawn smaller, a lower picture larger
TALL = 1080  # the height of a picture for which lengths are given here in pixels
MARGIN, HEADING, LEGEND = 16, 46, 122  # around words; above a view; below both
TEXT = 25


@dataclass(frozen=True)
class Sizes:
    """Pixels of a drawing."""

    scale: float
    """Of a pixel of the picture."""
    picture: tuple[int, int]
    """Width and height of the picture, as drawn."""
    panel: int
    """How wide the panel to the right of it is."""
    whole: tuple[int, int]
    """Width and height of the drawing: even, as video codecs want it."""
    view: tuple[int, int]
    """Width and height of each of the two views in the panel, one above the other."""

    @classmethod
    def of(cls, width: int, height: int) -> Sizes:
        """For a picture of that size."""
        longest = max(width, height)
        scale = min(max(1.0, LOWEST / height), LARGEST / longest)
        wide, high = (max(1, round(scale * side)) for side in (width, height))
        whole_height = max(high + high % 2, LOWEST)  # a panorama is at the top of it
        panel = max(whole_height // 2, LOWEST // 2)
        panel += (wide + panel) % 2
        view = (whole_height - round((2 * HEADING + LEGEND) * whole_height / TALL)) // 2
        return cls(scale, (wide, high), panel, (wide + panel, whole_height), (panel, view))

    def px(self, length: float, least: int = 1) -> int:
        """A length that is given for a picture TALL pixels high."""
        return max(least, round(length * self.whole[1] / TALL))

    @property
    def text(self) -> int:
        """How high words are."""
        return self.px(TEXT, 11)
