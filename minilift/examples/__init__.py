"""Other networks than the lifter, from data to scores, each in one file that reads from top to bottom.

`minilift examples NAME` runs them; what they share is in `options`, `training`, `trace` and `course`.
"""

EXAMPLES = {
    "fashion-mnist": "garments in grey, by dense networks of three shapes",
    "mnist-conv": "digits by a small convolutional network, plain and augmented",
    "variable-resolution": "digits of several resolutions by one convolutional network",
    "facial-keypoints": "points in faces by a convolutional network, and its score",
    "cifar10": "a contest of dense networks under 20 MB on pictures in colour",
}
"""The examples by name. Each is a module of this room, with `DEFAULTS`, `NETS`, `run` and `study`."""
