"""People seen by two cameras: their files, how the cameras stand, and where the rays of both meet."""

from minilift.poses.views.make import SecondView, second_view
from minilift.poses.views.read import load_two_views
from minilift.poses.views.triangulate import Met, meet, triangulated
from minilift.poses.views.two_views import TwoViews
from minilift.poses.views.write import save_two_views

__all__ = [
    "Met", "SecondView", "TwoViews", "load_two_views", "meet", "save_two_views", "second_view",
    "triangulated",
]  # fmt: skip
