"""How runs are made: planned, known by a key, made in parallel on one machine or many, measured, kept."""
