"""Reading 2D keypoints: one file for each format or family of formats, and the table of them in formats.py.

document.py opens a file once; formats.py says which format it has; the format's reader gives a Raw; folder.py
joins the files of a folder into a clip; settle/ decides on layout, pixels and order; load.py is the door.
"""
