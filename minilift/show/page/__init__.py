"""The result of an evaluation as one page for the browser, with a 3D viewer of the poses."""

from minilift.show.page.page import require_plotly, write_report

__all__ = ["require_plotly", "write_report"]
