"""CUDA for the CuPy backend: the GPU, its kernels, its BLAS. Imported only where a GPU is asked for."""
