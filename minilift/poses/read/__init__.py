"""Readers of files that hold poses or movement, one format a file."""
