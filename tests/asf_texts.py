"""ASF and AMC files for tests: a small skeleton, written out, whose joints can be worked out by hand."""

from __future__ import annotations

BONES = """\
# an arm of two bones
:version 1.10
:name ARM
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   begin name length are words of the documentation
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name upper
     direction 0 1 0
     length 2
     axis 0 0 0  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 2
     name fore
     direction 1 0 0
     length 3
     axis 0 0 90  XYZ
    dof rx
    limits (-10.0 170.0)
  end
  begin
     id 3
     name hand
     direction 0 0 1
     length 0.5
     axis 0 0 0  XYZ
  end
:hierarchy
  begin
    root upper
    upper fore
    fore hand
  end
"""
"""The fore arm's axes are turned by 90 degrees about Z, so that its x is the y of the world."""

FRAMES = """\
#!OML:ASF F:\\VICON\\arm.ASF
:FULLY-SPECIFIED
:DEGREES
1
root 10 20 30 0 0 0
upper 0 0 0
fore 0
2
root 10 20 30 0 0 90
upper 0 0 0
fore 90
3
root 0 0 0 0 0 0
upper 90 0 90
fore 0
"""

JOINTS = [
    [(10, 20, 30), (10, 22, 30), (13, 22, 30), (13, 22, 30.5)],
    # the root lays `upper` along -X; `fore` turns about its parent's y: from x to -z; the hand from z to x
    [(10, 20, 30), (8, 20, 30), (8, 20, 27), (8, 20.5, 27)],
    # about x, then about z: y goes to z and stays; x stays and goes to y; z goes to -y, and to x
    [(0, 0, 0), (0, 0, 2), (0, 3, 2), (0.5, 3, 2)],
]
"""Root, upper, fore and hand in the three frames."""
