"""Pictures: of training, of errors, of sweeps over settings, and of poses. docs/plots.md shows them.

matplotlib is an extra (`pip install 'minilift[plot]'`). It is imported when a picture is made, and drawn on
without pyplot, so that neither its windows nor its current figure are touched.
"""
