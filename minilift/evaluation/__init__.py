"""How far predictions are off: one pass over a model and a data set, and what to hold it against."""
