"""Make the table of minilift/poses/body/adults.py from the measurements of ANSUR II.

    python -m bench.bodies ../shared/data/bodies/ansur2.csv

The csv has a person a row: `sex` (F, M) and the columns of minilift/poses/body/landmarks.py in mm, under the
names of the public files of ANSUR II (Gordon et al., 2012 Anthropometric Survey of U.S. Army Personnel,
Natick TR-15/007, 2014). What is printed is the table.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from minilift.poses.body.landmarks import COLUMNS, KINDS, bones

SEXES = ("F", "M")


def logarithms(path: Path) -> dict[str, np.ndarray]:
    """Logarithms (n, 10) of stature and bones in metres, of women and of men."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    sex = np.array([row["sex"] for row in rows])
    body = {name: np.array([float(row[name]) for row in rows]) / 1000 for name in COLUMNS}
    both = np.log(np.column_stack([body["stature"], bones(body)]))
    return {one: both[sex == one] for one in SEXES}


def tables(people: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean (10,) and covariance (10, 10) of women, of men, and of as many women as men."""
    found = {sex: (rows.mean(axis=0), np.cov(rows.T)) for sex, rows in people.items()}
    means, covariances = (np.array([found[sex][part] for sex in SEXES]) for part in (0, 1))
    apart = 0.5 * (means[0] - means[1])
    return {**found, "any": (means.mean(axis=0), covariances.mean(axis=0) + np.outer(apart, apart))}


def printed(found: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    lines = [f"{' ' * 11}{' '.join(f'{name:>8}' for name in ('stature', *KINDS))}"]
    for sex, (mean, covariance) in found.items():
        lines.append(f"{sex:3} mean   {' '.join(f'{value:8.5f}' for value in mean)}")
        for name, row in zip(("stature", *KINDS), 1e6 * covariance, strict=True):
            lines.append(f"{sex:3} {name:8}{' '.join(f'{value:8.1f}' for value in row)}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bodies", description=__doc__)
    parser.add_argument("csv", type=Path)
    print(printed(tables(logarithms(parser.parse_args().csv))))


if __name__ == "__main__":
    main()
