"""Where a joint of a lifted pose comes from: one number for each, in every array `state` (n, 15) uint8."""

SEEN = 0
"""A detector gave it."""
ESTIMATED = 1
"""The layout lacks it: it is made of its neighbours, with an offset learned from motion capture."""
MISSING = 2
"""Not detected, or below the confidence asked for: the network placed it."""
FILLED = 3
"""In a short gap in time: interpolated between the frames before and after."""

WORDS = ("seen", "estimated", "missing", "filled")
"""The names of the four, by their number."""
