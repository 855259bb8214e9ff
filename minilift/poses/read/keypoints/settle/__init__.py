"""What readers leave open: which layout a Raw has, its pixels, who is who in a frame, what is suspicious."""
