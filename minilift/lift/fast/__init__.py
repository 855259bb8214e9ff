"""The fast steps of training and prediction, on CPU and GPU: the same numbers as layer by layer."""
