"""The lifter: the framework put to work on people."""
