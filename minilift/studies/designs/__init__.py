"""What is varied: the settings of the runs of a study."""
