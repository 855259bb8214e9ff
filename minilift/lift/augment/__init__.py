"""Other bodies, limbs, cameras and noise for training batches."""
