"""What a lifter is worth on people whom it never saw, in tables with the figures that are demanded.

    python -m bench.strangers --weights liftModel
    python -m bench.strangers --val                       the quick measure to steer by, on left-out people
    python -m bench.strangers --rows clip noise --quick   a part of the sets, for a look
    python -m bench.strangers --compare plain=a1 plain=a2 mixed=b1 mixed=b2

Sets are made of the shared data by code and kept in a cache outside the project. All but --val are tests:
choose nothing by them. Errors are distances from the truth in mm, joint by joint, in the true unit of each
frame, averaged over joints and views; PA is after rotation, scale and shift.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from bench import flags, machine
from bench.strangers import clip_tables, frames_tables, ingredients, trust_tables, val
from bench.strangers.sets import Sets
from bench.strangers.table import Run, Table
from minilift import Lifter
from minilift.errors import InputError

ROWS: dict[str, Callable[[Run], Table]] = {
    "one-frame": frames_tables.one_frame_table,
    "clip": clip_tables.clip_table,
    "bones": clip_tables.bones_table,
    "distances": frames_tables.distance_table,
    "elevations": frames_tables.elevation_table,
    "noise": clip_tables.noise_table,
    "missing": frames_tables.missing_table,
    "mistakes": frames_tables.mistakes_table,
    "intervals": trust_tables.intervals_table,
    "unlike": trust_tables.unlike_table,
    "reliability": trust_tables.reliability_table,
    "people": frames_tables.subjects_table,
    "baselines": frames_tables.baselines_table,
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "minilift-strangers"


def arguments() -> argparse.Namespace:
    head, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m bench.strangers", description=head, epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    add = parser.add_argument
    add("--weights", default="liftModel", metavar="FILE", help="[liftModel]")
    add("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="TABLE", help=f"of {', '.join(ROWS)}")
    add("--val", action="store_true", help="the quick measure alone")
    add(
        "--compare", nargs="+", metavar="NAME=FILE", help="weights of several recipes and seeds, side by side"
    )
    add("--flip", action="store_true", help="with --compare: a second row each, with mirroring")
    add("--quick", action="store_true", help="a part of every set, in less than a minute")
    add("--train", metavar="FILE", help="training poses, for the nearest neighbour")
    add("--seed", type=flags.whole(0), default=0, help="of noise and hidden joints [0]")
    add("--shared", type=Path, default=machine.ROOT.parent / "shared", help="the folder with the data")
    add("--cache", type=Path, default=CACHE, help=f"where sets are kept [{CACHE}]")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    try:
        _measure(args)
    except InputError as problem:
        print(f"bench.strangers: {problem}", file=sys.stderr)
        raise SystemExit(2) from None


def _measure(args: argparse.Namespace) -> None:
    here, begun, sets = machine.describe(), time.perf_counter(), Sets(args.shared, args.cache, args.quick)
    print(f"{here['cpu']}, {here['usable_cores']} cores; commit {here['commit']}; weights {args.weights}")
    if args.val:
        print(val.report(Lifter.load(args.weights), args.shared, args.cache))
        return
    if args.quick:
        print("quick: a part of every set; these figures are for a look, not to be kept")
    with tqdm(unit=" steps", delay=1, leave=False, disable=None) as bar:

        def step(what: str) -> None:
            bar.set_description(what)
            bar.update()

        if args.compare:
            files = ingredients.recipes(args.compare)
            bar.write(f"\n{ingredients.table(files, sets, step, mirrored=args.flip).text()}", file=sys.stdout)
            return
        run = Run(Lifter.load(args.weights), sets, step, args.train, args.seed)
        for name in args.rows:
            text = ROWS[name](run).text()
            bar.write(f"\n{text}", file=sys.stdout)
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    flags.run(main)
