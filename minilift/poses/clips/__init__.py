"""Motion-capture clips as poses: frames chosen and checked, seen through made-up cameras, and described."""
