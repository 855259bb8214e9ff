"""Writing lifted people: one file a format, and the table of them in formats.py."""
