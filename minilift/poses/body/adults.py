"""How adults' bones vary: logarithms of lengths in metres, their means and covariances.

Made by `python -m bench.bodies` of 4,082 men and 1,986 women, 17 to 58 years old, of ANSUR II (Gordon et
al., 2012 Anthropometric Survey of U.S. Army Personnel, Natick TR-15/007, 2014), a work of the US government,
by way of landmarks.py. `any` are as many women as men. Covariances are in units of 1e-6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.poses.body.landmarks import KINDS

TABLE = """\
            stature      hip     knee    ankle    spine     neck     head shoulder    elbow    wrist
F   mean    0.48687 -2.50447 -0.94502 -0.91042 -1.49584 -1.25468 -1.99450 -1.82450 -1.32560 -1.38282
F   stature   1554.9   1242.8   1692.1   1903.4   1481.2   1481.2   1514.5   1261.2   2027.6   1646.5
F   hip       1242.8   6643.0    965.8   1038.3   1973.6   1973.6    169.2   1163.5   1821.8    792.3
F   knee      1692.1    965.8   3829.4   1945.1    352.4    352.4   1272.4   1337.6   2488.3   2406.9
F   ankle     1903.4   1038.3   1945.1   4153.4    885.8    885.8    758.3   1569.6   3176.8   2670.7
F   spine     1481.2   1973.6    352.4    885.8   3162.0   3162.0   1265.1   1025.9   1455.6    789.6
F   neck      1481.2   1973.6    352.4    885.8   3162.0   3162.0   1265.1   1025.9   1455.6    789.6
F   head      1514.5    169.2   1272.4    758.3   1265.1   1265.1   7876.7   1855.3   1095.8   1068.3
F   shoulder  1261.2   1163.5   1337.6   1569.6   1025.9   1025.9   1855.3   3481.3   1656.4   1713.4
F   elbow     2027.6   1821.8   2488.3   3176.8   1455.6   1455.6   1095.8   1656.4   4194.3   2695.2
F   wrist     1646.5    792.3   2406.9   2670.7    789.6    789.6   1068.3   1713.4   2695.2   3664.4
M   mean    0.56240 -2.49541 -0.87153 -0.87219 -1.38805 -1.14689 -1.92814 -1.67348 -1.23885 -1.28209
M   stature   1522.9   1259.0   1763.3   1877.8   1375.6   1375.6   1503.8   1023.5   1873.9   1547.2
M   hip       1259.0   4058.6    902.2   1342.5   1868.1   1868.1     22.5   1307.3   1589.6   1059.2
M   knee      1763.3    902.2   4593.6   2332.7   -183.5   -183.5   1129.4   1197.2   2509.3   2238.5
M   ankle     1877.8   1342.5   2332.7   3433.2   1015.2   1015.2   1216.4   1245.1   2681.8   2528.8
M   spine     1375.6   1868.1   -183.5   1015.2   3197.1   3197.1    772.0    837.6   1435.2    822.3
M   neck      1375.6   1868.1   -183.5   1015.2   3197.1   3197.1    772.0    837.6   1435.2    822.3
M   head      1503.8     22.5   1129.4   1216.4    772.0    772.0   8727.1   1246.6    941.1    842.3
M   shoulder  1023.5   1307.3   1197.2   1245.1    837.6    837.6   1246.6   2699.9   1340.4   1232.5
M   elbow     1873.9   1589.6   2509.3   2681.8   1435.2   1435.2    941.1   1340.4   3641.4   2403.5
M   wrist     1547.2   1059.2   2238.5   2528.8    822.3    822.3    842.3   1232.5   2403.5   3061.2
any mean    0.52463 -2.49994 -0.90827 -0.89131 -1.44195 -1.20078 -1.96132 -1.74899 -1.28223 -1.33245
any stature   2965.2   1422.1   3115.5   2612.6   3463.9   3463.9   2762.2   3994.2   3588.9   3499.0
any hip       1422.1   5371.3   1100.6   1277.0   2165.2   2165.2    246.3   1577.7   1902.4   1154.1
any knee      3115.5   1100.6   5561.8   2841.3   2064.9   2064.9   2420.1   4042.2   4092.7   4173.4
any ankle     2612.6   1277.0   2841.3   4158.7   1980.8   1980.8   1621.6   2850.8   3758.5   3562.5
any spine     3463.9   2165.2   2064.9   1980.8   6084.4   6084.4   2806.7   5001.6   3783.3   3520.5
any neck      3463.9   2165.2   2064.9   1980.8   6084.4   6084.4   2806.7   5001.6   3783.3   3520.5
any head      2762.2    246.3   2420.1   1621.6   2806.7   2806.7   9402.7   4056.3   2457.6   2626.3
any shoulder  3994.2   1577.7   4042.2   2850.8   5001.6   5001.6   4056.3   8792.5   4773.8   5276.1
any elbow     3588.9   1902.4   4092.7   3758.5   3783.3   3783.3   2457.6   4773.8   5799.4   4734.0
any wrist     3499.0   1154.1   4173.4   3562.5   3520.5   3520.5   2626.3   5276.1   4734.0   5899.5
"""
NAMES = ("stature", *KINDS)
SEXES = {"female": "F", "male": "M"}


class Adults(NamedTuple):
    """Of NAMES."""

    mean: np.ndarray
    """(10,) of the logarithms."""
    covariance: np.ndarray
    """(10, 10)"""


def adults(sex: str | None = None) -> Adults:
    """Those of one sex, "female" or "male", or of both."""
    wanted = "any" if sex is None else SEXES[sex]
    rows = [line.split() for line in TABLE.splitlines()[1:]]
    found = {name: np.array(values, np.float64) for who, name, *values in rows if who == wanted}
    return Adults(found["mean"], 1e-6 * np.array([found[name] for name in NAMES]))
