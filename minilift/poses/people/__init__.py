"""Synthetic people: bodies, what they do, and the cameras that see them."""
