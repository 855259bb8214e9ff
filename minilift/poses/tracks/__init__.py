"""People over time: who is who from frame to frame, short gaps, and smoothing."""
