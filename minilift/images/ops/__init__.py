"""What the layers of images ask of a machine: for NumPy, and as launches of kernels for CuPy."""
