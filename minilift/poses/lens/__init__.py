"""From pixels to rays and from a person's own unit to space: camera, aim, scale, axes, and a check of
it all."""
