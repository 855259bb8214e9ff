"""Measurements side by side with PyTorch. Needs the `test` extra; nothing in minilift imports it."""
