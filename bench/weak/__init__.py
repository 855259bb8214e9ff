"""What learning without 3D reaches on motion capture."""
