"""Training from one view of each person: 2D poses and nothing else."""
