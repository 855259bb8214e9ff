"""Weights in files: which arrays are a lifter's, and those that come with the package."""
