"""What people do: the key poses of each activity as joint angles.

A track is a short run of key poses; a sample lies at a random place between two neighbours. The angles
are made by hand, in degrees, and looked at: feet share a floor, sitters sit, hands reach what they hold.
One side is given; the sampler mirrors half the people.
"""

from dataclasses import dataclass

import numpy as np

from minilift.poses.people.body import ANGLES
from minilift.poses.people.exercises import EXERCISES

# One line per key pose: pelvis (pitch, roll, turn), spine and head (flex, side, twist), right and left leg
# (thigh, abduct, rotate, knee), right and left arm (flex, abduct, rotate, elbow); signs as in body.ANGLES. A
# thigh is counted from straight down in space, so that the pelvis can tilt above planted feet. A line with
# "=" begins a track: `free` is the share of its people whose arms make a gesture instead of what is given,
# `weight` how often it comes within its activity, `loose` how far people stray, times the usual spread.
_TRACKS = """
= standing; free 0.9; weight 3; loose 1
   0   0   0    4   0   0    8   0   0    2   5   8   4    2   5   8   4    2   9 -10  16    2   9 -10  16
   0   0   0    4   0   0    8   0   0    3  12  12   5    3  12  12   5    2   9 -10  16    2   9 -10  16
= standing; free 0.9; weight 3; loose 1
   0   2   0    4  -2   0    8   0   0    1   0   8   3    5   5  10  10    2   9 -10  16    2   9 -10  16
   0   6   0    5  -8   0    8   0   0    1  -6   6   2   13  10  14  27    2   9 -10  16    2   9 -10  16
= standing; free 0.8; weight 2; loose 1
   0   0   0    4   0   0    8   0   0    8   4   5   6   -6   4  12   3    2   9 -10  16    2   9 -10  16
   0   0   0    4   0   0    8   0   0   18   5   8   8  -14   5  15   4    2   9 -10  16    2   9 -10  16
= standing; free 0; weight 1; loose 1
   0   0   0    6   0   0   16   0   0    2   5   8   4    2   5   8   4   22   4 -32 105   22   4 -32 105
   0   0   0   14   0   0   26   0   0    2   5   8   4    2   5   8   4   30   4 -40 118   30   4 -40 118
= sitting; free 0.75; weight 3; loose 1
  -8   0   0    8   0   0    8   0   0   88   6   4  80   88   6   4  80   14   7 -24  66   14   7 -24  66
   2   0   0    6   0   0    8   0   0   86  12   8  95   86  12   8  95   14   7 -24  66   14   7 -24  66
= sitting; free 0.5; weight 2; loose 1
 -18   0   0   18   0   0    8   0   0   88   8   5  70   88   8   5  70   10  14 -30  75   10  14 -30  75
 -32   0   0   30   0   0    8   0   0   84  12   8  42   84  12   8  42    5  16 -30  80    5  16 -30  80
= sitting; free 0.7; weight 2; loose 1
  -8   0   0   10   0   0    8   0   0  101 -14   4  78   86   6   4  86   14   7 -30  72   14   7 -30  72
 -12   0   0   14   0   0    8   0   0   98   8  40  95   86   8   4  88   14   7 -30  72   14   7 -30  72
= sitting; free 0.1; weight 2; loose 1
   5   0   0   14   0   0    8   0   0   88  10   4  85   88  10   4  85   28   8 -16  68   28   8 -16  68
  22   0   0   36   0   0   -8   0   0   87  16   8  92   87  16   8  92   52  14 -36  78   52  14 -36  78
= sitting; free 0.7; weight 1; loose 1
   0   0   0    4   0   0    8   0   0   62  10   8  58   62  10   8  58   12   7 -24  66   12   7 -24  66
   4   0   0    4   0   0    8   0   0   72  16  14  80   72  16  14  80   12   7 -24  66   12   7 -24  66
= sitting on the floor; free 0.5; weight 2; loose 0.8
  -8   0   0   18   0   0    8   0   0  106  34  45 122  106  34  45 122   34  14 -24  55   34  14 -24  55
 -14   0   0   30   0   0    8   0   0  118  23  45 103  118  23  45 103   46  16 -16  40   46  16 -16  40
= sitting on the floor; free 0.2; weight 1; loose 0.8
 -22   0   0    4   0   0    8   0   0   88   6   6   6   88   6   6   6  -38  16  10   8  -38  16  10   8
   0   0   0   24   0   0    8   0   0   88  16  12  14   88  16  12  14   35   6 -20  30   35   6 -20  30
= sitting on the floor; free 0.2; weight 1; loose 0.8
 -14   0   0   26   0   0    8   0   0  133   4   2 112  133   4   2 112   62   6 -30  48   62   6 -30  48
 -26   0   0    8   0   0    8   0   0  126  10   6  98  126  10   6  98  -36  18  10   8  -36  18  10   8
= sitting on the floor; free 0.2; weight 1; loose 0.8
 -16   0   0   16   0   0    8   0   0  130   5   2 108   88  10  12   8   58   6 -30  50  -35  20  10   8
= crouching; free 0.25; weight 3; loose 1
  20   0   0   12   0   0    0   0   0   34  10  13  46   34  10  13  46   44   8 -12  32   44   8 -12  32
  26   0   0   14   0   0   -8   0   0   58  13  16  76   58  13  16  76   60   6  -8  25   60   6  -8  25
  20   0   0   26   0   0  -10   0   0   98  18  20 130   98  18  20 130   64   8 -20  50   64   8 -20  50
= crouching; free 0.6; weight 2; loose 1
   6   0   0    6   0   0    8   0   0   42   4   2  38  -18   4   8  28   10   8 -16  40   10   8 -16  40
   8   0   0   10   0   0    8   0   0   78   5   2  86  -20   4   6  62   20   8 -20  70   20   8 -20  70
= crouching; free 0; weight 1; loose 1
  32   0   0   34   0   0    8   0   0   30   8   8  40   30   8   8  40   60   6  -5  15   60   6  -5  15
  46   0   0   42   0   0  -10   0   0   64  10  10  82   64  10  10  82   84   8  -5  12   84   8  -5  12
= kneeling; free 0.6; weight 2; loose 0.8
   0   0   0    4   0   0    8   0   0    2   5   2  90    2   5   2  90   14   7 -24  66   14   7 -24  66
  -4   0   0   10   0   0    8   0   0   58   7   2 148   58   7   2 148   14   7 -28  60   14   7 -28  60
= kneeling; free 0.5; weight 2; loose 0.8
   0   0   0    4   0   0    8   0   0   88   6   4  90    0   5   4  90   20   8 -30  80   20   8 -30  80
  10   0   0   26   0   0    8   0   0   94   8   6 100   -2   5   4  86   40   8 -20  55   40   8 -20  55
= kneeling; free 0; weight 1; loose 0.8
  74   0   0    2   0   0  -28   0   0    2   6   2  88    2   6   2  88   76   5  -5   6   76   5  -5   6
  78   0   0   10   0   0    0   0   0   16   8   2 106   16   8   2 106   86  12  -5  10   86  12  -5  10
= kneeling; free 0; weight 1; loose 0.8
  18   0   0   30   0   0    8   0   0   40   6   4 130   40   6   4 130   48   6 -15  35   48   6 -15  35
  34   0   0   40   0   0  -12   0   0   52   8   4 142   52   8   4 142   72   8 -10  20   72   8 -10  20
= reaching; free 0; weight 2; loose 1
   0   0   0    4   0   0    0   0 -10    2   5   8   4    2   5   8   4   70  12 -10  60    2   9 -10  16
   0   0   0   -4   7   4  -26   0 -10    0   3   6   2    4   6  10  10  168   8   0  10    2   9 -10  16
= reaching; free 0; weight 1; loose 1
   0   0   0    4   0   0    8   0   0    2   5   8   4    2   5   8   4   70  10 -15  70   70  10 -15  70
   0   0   0   -7   0   0  -24   0   0    2   5   8   4    2   5   8   4  165  14   0  14  165  14   0  14
= reaching; free 0; weight 2; loose 1
   0   0   0    4   0   0    8   0   0   -6   5  10   4   10   5   5   8   45   8 -10  50    2   9 -10  16
  14   0   0   22   0  18  -12   0   0  -24   5  12  10   34   5   4  34  105   6   0  10    5  20 -20  40
= reaching; free 0.1; weight 2; loose 1
   8   0   0   12   0   0    8   0   0    2   5   8   4    2   5   8   4   20   8 -10  20   20   8 -10  20
  38   0   0   34   0   0    0   0   0   -5   7   8  10   -5   7   8  10   62   6  -8  14   62   6  -8  14
  72   0   0   56   0   0    5   0   0  -10   8   8  16  -10   8   8  16  112   5  -5   8  112   5  -5   8
= reaching; free 0; weight 1; loose 1
   0   0   0    4   0   0    8   0   0    2   5   8   4    2   5   8   4   10  50   0  30    2   9 -10  16
   0  -5   0    4 -24 -10    8   0   0    0   9  10   4    0  16  12   4   15  98  10   8    0  20 -10  20
= reaching; free 0; weight 1; loose 1
   0   0   0   10   0   0    8   0   0    2   5   8   4    2   5   8   4   60  10 -10  40    2   9 -10  16
  42   0   0   34   4  26   -5   0   0   -4   8   8  14   -4   8   8  14   95  -8 -10  15  -10  20 -20  40
= lying; free 0; weight 2; loose 0.5
 -90   0   0    0   0   0    2   0   0   90   6  12   3   90   6  12   3    4  12 -10  12    4  12 -10  12
 -90   0   0    0   0   0    2   0   0   88  12  18   5   88  12  18   5    4  38 -20  20    4  38 -20  20
= lying; free 0; weight 1; loose 0.5
 -90   0   0    2   0   0    8   0   0  112   6   6  45  112   6   6  45    6  20 -60  75    6  20 -60  75
 -90   0   0    2   0   0    8   0   0  135   8   6  98  135   8   6  98   10  24 -50  90   10  24 -50  90
= lying; free 0; weight 1; loose 0.5
 -90   0   0    4   0   0    8   0   0  130   6   6  88   94   8   8   8  172  44 -40 130  172  44 -40 130
 -90   0   0    2   0   0    2   0   0   92   8  10   5   92  12  12   5    4 140  80  30    6  24 -55  80
= lying; free 0; weight 1; loose 0.5
 -90   0   0    6   0   0   25   0   0  132   6   4  96   92   6  10   6   72   8 -30  72   72   8 -30  72
 -90   0   0    8   0   0   20   0   0  110   6   8  44  110   6   8  44   80  14 -20  50   80  14 -20  50
= lying; free 0; weight 1; loose 0.5
  90   0   0   -2   0   0   -8   0  45  -90   7   8   4  -90   7   8   4    0  14 -30  12    0  14 -30  12
  90   0   0   -2   0   0   -8   0  40  -90   9  12   4  -90  14  16   8    0  40 -30  14    0  40 -30  14
= lying; free 0; weight 1; loose 0.5
  90   0   0   -4   0   0  -10   0  45  -90   7   8   4  -89  22  24  22    4 108  82 100    4 112  82  95
  90   0   0   -4   0   0  -10   0  40  -90  12  10   4  -90  12  10   4    2 150  75  40    2 146  75  50
= lying; free 0; weight 1; loose 0.5
  88   0   0  -22   0   0  -22   0   0  -88   8   8   8  -88   8   8   8   66  10 -25  92   66  10 -25  92
  88   0   0  -25   0   0  -10   0   0  -88  10  10  70  -88  10  10  70   70  14 -35 110   70  14 -35 110
= lying; free 0; weight 2; loose 0.5
   0  88   0    6   0   0    8  -4   0   16 -12   0  22   20   2   0  28   42  -8 -10  55   70   0 -20  60
   0  88   0   30   0   0   22  -4   0   66 -12   0  84   74   2   0  90   70  -6 -10  70   84   0 -10 110
= jumping; free 0; weight 2; loose 1
  34   0   0   14   0   0  -12   0   0   58   8   6  84   58   8   6  84  -44  14   0  12  -44  14   0  12
   0   0   0   -2   0   0    0   0   0    0   6   6   8    0   6   6   8  140  18   0  25  140  18   0  25
   8   0   0   12   0   0    8   0   0   70  10   6  96   70  10   6  96  100  35   0  30  100  35   0  30
  24   0   0   14   0   0   -8   0   0   42  10   8  60   42  10   8  60   48  36   0  35   48  36   0  35
= jumping; free 0; weight 1; loose 1
   0   0   0    4   0   0    8   0   0    4   6   6  10    4   6   6  10    5  20   0  15    5  20   0  15
   0   0   0    0   0   0    8   0   0    4  34  12   8    4  34  12   8   20 145  40  18   20 145  40  18
= jumping; free 0; weight 1; loose 1
   6   0   0    4   0   0    8   0   0   74   8   4  30  -28   8   8  50   20  60  10  30   60  40   0  30
   0   0   0    4   0   0    8   0   0   40   6   4  70  -12   6   8  80  120  20   0  40  -20  30   0  50
= kicking; free 0; weight 1; loose 1
   4   0   0    4   0   0    8   0   0  -24   5   4  70    6   6  10  14   28  24 -20  90   30  20 -20 100
  -8   0   0   14   0   0    8   0   0   86   6   4 108    4   6  12  12   10  28 -20  80   34  18 -20 100
 -18   0   0   16   0   0   14   0   0   88   6   4  10    4   6  14  10  -12  30 -10  50   30  28 -20  80
= kicking; free 0; weight 1; loose 1
   0  10   0    8  -6   0    8   0   0   58  26  -6 108    2  16  12  10   38   6 -36 130   38   6 -36 130
   0  34   0    4  -6   0    6 -16   0   24  44 -16   8    0  36  18  10    0  40 -20  60   36  10 -36 120
= kicking; free 0; weight 1; loose 1
   6   0 -14    8   0  16    8   0   0  -28  12  10  78   14   4   6  20   34  22   0  30  -10  62   0  20
   4   0   6   16   0  -8   20   0   0   16  12  14  22    2   4   8  18   -6  28   0  30   38  55   0  20
 -12   0  14   20   0 -18   16   0   0   72   4   8  12   -6   5  10  10  -34  28   0  25   72  30   0  25
= punching; free 0; weight 1; loose 1
   0   0   0   10   0  -8    8   0   0  -15   9  20  14   22   5   8  22   38   6 -36 130   38   6 -36 130
   6   0  10   12   0  28    8   0   0  -15   9  20  14   22   5   8  22   88   4 -20   8   42   6 -36 136
= punching; free 0; weight 1; loose 1
   0   0   0   10   0  -4    8   0   0  -15   9  20  14   22   5   8  22   38   6 -36 130   38   6 -36 130
   5   0  -4   12   0 -26    8   0   0  -15   9  20  14   22   5   8  22   40   6 -36 134   88   4 -10   6
= punching; free 0; weight 1; loose 1
   0   0   0   10  -6 -24    8   0   0  -15   9  20  14   22   5   8  22    0  34 -10 100   38   6 -36 130
   4   0  14    8   4  28    8   0   0  -15   9  20  14   22   5   8  22   78  -8 -30  92   42   6 -36 136
= throwing; free 0; weight 2; loose 1
   0  -3 -16    0  -5 -18    8   0   0   -8   8  20  18    8   8   8   8   -8  60  10  95   40  40 -10  40
   4   0  -8   -4   0 -22    8   0   0  -12   8  20  14   38   5   5  24    0  94  82  92   72  26   0  20
  12   4  14   16   8  20    8   0   0  -12   8  20  14   38   5   5  24  138  34  24  32   28  26 -20  80
  24   4  24   34   6  30  -10   0   0  -12   8  20  14   38   5   5  24   62 -22 -20  24  -14  26 -10  60
= throwing; free 0; weight 1; loose 1
  10   0 -10   22   0 -16    8   0   0  -12   8  20  14   38   5   5  24  -46  10   0   6   40  14 -10  30
  14   0   8   18   0  10    8   0   0  -12   8  20  14   38   5   5  24   78   2   0  14  -14  22 -10  30
= throwing; free 0; weight 1; loose 1
   0   0   0    4   0   0    8   0   0   -6   5  12   8   14   5   6  14   30  14 -30 126   30  14 -30 126
   6   0   0   10   0   0    8   0   0  -14   5  12   6   20   5   6  18   88   2 -10  10   88   2 -10  10
= waving; free 0; weight 1; loose 1
   0   0   0    4   0   0    8   0   0    2   5   8   4    2   5   8   4   28  62  52 108    2   9 -10  16
   0   0   0    4   0   0    8   0   0    2   5   8   4    2   5   8   4   40  86  66  78    2   9 -10  16
= waving; free 0; weight 1; loose 1
   0   0   0    0   0   0    8   0   0    2   5   8   4    2   5   8   4  148   4   0  30    2   9 -10  16
   0   0   0    0   4   0    8   0   0    2   5   8   4    2   5   8   4  120  62  20  16    2   9 -10  16
"""


@dataclass(frozen=True)
class Track:
    """Key poses (K, A) of one activity, in order."""

    activity: str
    keys: np.ndarray
    free: float
    weight: float
    loose: float


def limb_rows(right_left: list[float]) -> list[float]:
    """Turn the right limb's four angles and the left's into rows that alternate right, left."""
    return [angle for pair in zip(right_left[:4], right_left[4:], strict=True) for angle in pair]


def _key(line: str) -> np.ndarray:
    """Return the angles (A,) of a line of _TRACKS."""
    numbers = [float(word) for word in line.split()]
    angles = np.array(numbers[:9] + limb_rows(numbers[9:17]) + limb_rows(numbers[17:25]))
    for side in ("right", "left"):
        angles[ANGLES.index(f"{side}_hip_flex")] += angles[ANGLES.index("pelvis_pitch")]
    return angles


def _parse_tracks() -> tuple[Track, ...]:
    tracks = []
    for block in (_TRACKS + EXERCISES).split("=")[1:]:
        header, *lines = block.strip().splitlines()
        activity, *options = (part.split() for part in header.split(";"))
        free, weight, loose = (float(option[1]) for option in options)
        keys = np.stack([_key(line) for line in lines])
        tracks.append(Track(" ".join(activity), keys, free, weight, loose))
    return tuple(tracks)


TRACKS = _parse_tracks()
