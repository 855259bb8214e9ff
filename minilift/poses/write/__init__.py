"""Writing poses: one file a format, and the table of them in formats.py."""
