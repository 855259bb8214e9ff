"""Charts of errors, of training runs and of studies."""
