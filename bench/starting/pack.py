"""Make minilift/starting/ of a training run: `python -m bench.starting.pack RUN_DIR [--to FOLDER]`.

Reads liftModel and liftModel.trust.npz of the run and writes files of the same names: the matrices of the
weights in float16 (`half`), as safetensors, and the trust made out to the rounded weights. So that it fits
them, too, the joints of synthetic people may not move by more than MOST.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import minilift
from minilift import Lifter, LiftModel
from minilift.files import write_atomically
from minilift.files.safetensors import write_safetensors
from minilift.lift.trust import TrustModel, fingerprint, trust_path
from minilift.lift.weights.starting import STARTING, USUAL, half
from minilift.poses.people.synth import synthesize

LARGEST = 20_000_000  # bytes of the folder
MOST = 1e-3  # units on average, 4 mm at 4 m: a tenth of what the best weights are off


def pack(run: Path, folder: Path) -> str:
    """Write the two files; returns what was done, in a line. Raises InputError, and ValueError where the
    rounded weights are other weights."""
    lifter = Lifter.load(run / USUAL)
    trust = TrustModel.load(trust_path(run / USUAL))
    state = lifter.model.state_dict()
    if trust.weights != fingerprint(state):
        raise ValueError(f"{trust_path(run / USUAL)}: is not of these weights; run minilift trust")
    rounded = half(state)
    as_read = {name: np.asarray(a, state[name].dtype) for name, a in rounded.items()}
    off = moved(lifter, Lifter(LiftModel.from_state_dict(as_read)))
    if not off.mean() <= MOST:
        raise ValueError(f"rounding moves joints by {off.mean():g} units on average, more than {MOST:g}")
    write_atomically(folder / USUAL, lambda file: write_safetensors(file, rounded))
    replace(trust, weights=fingerprint(as_read)).save(trust_path(folder / USUAL))
    if not Lifter.load(folder / USUAL).has_trust:
        raise ValueError(f"{folder}: what was written is not read as it was meant")
    size = sum(path.stat().st_size for path in (folder / USUAL, trust_path(folder / USUAL)))
    if size > LARGEST:
        raise ValueError(f"{folder}: {size:,} bytes, more than {LARGEST:,}")
    return f"wrote {folder}: {size:,} bytes; joints moved by {off.mean():.1e} units, at most {off.max():.1e}"


def moved(one: Lifter, other: Lifter) -> np.ndarray:
    """How far apart two lifters put the joints of synthetic people: units, (n, 15)."""
    points = synthesize(2000, seed=1).joint_2d
    return np.asarray(np.linalg.norm(one.predict(points) - other.predict(points), axis=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="folder with liftModel and its trust file")
    parser.add_argument(
        "--to", type=Path, default=Path(minilift.__file__).parent / STARTING, help="[minilift/starting]"
    )
    args = parser.parse_args()
    print(pack(args.run, args.to))
