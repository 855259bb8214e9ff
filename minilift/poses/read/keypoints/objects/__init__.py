"""Formats of JSON objects, a file for each tool or family; arrays of numbers are in numeric/plain.py."""
