"""Pickles, read without running what is in them."""
