"""The starting weights that come with the package: made of a training run."""
