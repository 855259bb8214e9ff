"""Formats of JSON objects, a file for each tool or family; arrays of plain numbers are in arrays.py."""
