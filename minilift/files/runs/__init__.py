"""The files of a training run: which there are, when a checkpoint is due, and who writes them meanwhile."""
