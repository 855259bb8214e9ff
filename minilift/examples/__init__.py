"""Other networks than the lifter, from data to scores, each in one file that reads from top to bottom.

`minilift examples NAME` runs them; what they share is in `options`, `training`, `trace` and `course`.
"""

EXAMPLES = {
    "fashion-mnist": "garments in grey, by dense networks of three shapes",
    "cifar10": "a contest of dense networks under 20 MB on pictures in colour",
}
"""The examples by name. Each is a module of this room, with `DEFAULTS`, `NETS`, `run` and `study`."""
