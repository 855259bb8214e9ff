"""Other networks than the lifter, from data to scores, each in one file that reads from top to bottom.

`minilift examples NAME` runs them; what they share is in `options`, `training`, `trace` and `course`.
"""

EXAMPLES = {
    "fashion-mnist": "garments in grey, by dense networks of three shapes",
}
"""The examples by name. Each is a module of this room, with `DEFAULTS`, `NETS`, `run` and `study`."""
