"""One body a person: bone lengths found from a clip, and poses fused with them. docs/body.md has the maths.

tree.py solves least squares on a skeleton, residuals.py has what is made small, fuse.py is the door for poses
and fit.py the one for bodies; smoother.py and steady.py take jitter out of what moves.
"""
