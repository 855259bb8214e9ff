"""Layouts: which joints a set of points has, in which order, and how the course's 15 joints are made of them.

COURSE15, the joints of the course's files, is one row of the table in rows.py; whatever needs a number of
joints asks its layout. make.py makes the 15 joints of points of any layout, find.py tells which layout a file
has, own.py reads one from a file.
"""

from minilift.poses.layouts.layout import ROOT, Layout
from minilift.poses.layouts.rows import COCO17, COURSE15, H36M17, JOINTS, LAYOUTS

__all__ = ["COCO17", "COURSE15", "H36M17", "JOINTS", "LAYOUTS", "ROOT", "Layout"]
