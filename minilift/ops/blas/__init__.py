"""Which library multiplies matrices on the CPU: NumPy's own BLAS, or Intel's MKL where that is faster."""
