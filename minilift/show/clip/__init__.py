"""Lifted people to look at: the interactive page, a sheet of frames, a moving picture."""
