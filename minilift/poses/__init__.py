"""People: skeleton, camera, metrics, synthetic people, and the files that hold poses. NumPy only."""
