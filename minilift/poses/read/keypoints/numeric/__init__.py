"""Readers of arrays: .npy, .npz, HDF5, the course's own files; plain.py says what each axis means."""
