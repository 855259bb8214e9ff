"""What learning without 3D reaches on motion capture, and what is demanded of it.

    python -m bench.weak --rows two-view supervised --seeds 0 1 2
    python -m bench.weak --rows labels --seeds 0 1 2         few labels, alone and with 2D alone
    python -m bench.weak --table                             the table of what is there, nothing is trained
    python -m bench.weak --plot labels.png                   and errors over the share of labels
    OPENBLAS_NUM_THREADS=1 python -m bench.weak --rows two-view --seeds 0 &
    OPENBLAS_NUM_THREADS=1 python -m bench.weak --rows two-view --seeds 1       side by side

Two views of the shared motion capture are made by `minilift data twoview`. Training without 3D gets files
that have none; errors are those of view 1 of the test set, in units of the distance to the camera. A result
is a line of JSON in results.jsonl, written at once; a run that was killed goes on from its checkpoint.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import flags, machine
from bench.weak.data import Data
from bench.weak.rows import GROUPS, ROWS
from bench.weak.run import append, execute, key_of, read_records
from bench.weak.table import Results, chart, table
from minilift.errors import run_program

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "minilift-weak"


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    head, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m bench.weak", description=head, epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    add = parser.add_argument
    named = f"of {', '.join(ROWS)}; or of several: {', '.join(GROUPS)} [all]"
    add("--rows", nargs="+", choices=[*ROWS, *GROUPS], default=list(GROUPS), metavar="ROW", help=named)
    add("--seeds", nargs="+", type=flags.whole(0), default=[0, 1, 2], metavar="N", help="[0 1 2]")
    add("--table", action="store_true", help="print the table of what is there")
    add(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the errors over the share of labels: .png, .svg or .pdf",
    )
    add("--epochs", type=flags.whole(1), help="another number than the presets', for a look")
    add("--shared", type=Path, default=machine.ROOT.parent / "shared", help="the folder with the data")
    add("--cache", type=Path, default=CACHE, help=f"where data, runs and results are kept [{CACHE}]")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    return run_program("python -m bench.weak", _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    args = arguments(argv)
    data, results = Data(args.shared, args.cache), args.cache / "results.jsonl"
    names = [name for asked in args.rows for name in GROUPS.get(asked, [asked])]
    for name in [] if args.table or args.plot else names:
        for seed in args.seeds if ROWS[name].flags else args.seeds[:1]:
            if key_of(name, seed, args.epochs) in read_records(results):
                print(f"{name}, seed {seed}: done before", file=sys.stderr)
                continue
            print(f"{name}, seed {seed}", file=sys.stderr)
            record = execute(name, seed, data, args.epochs)
            append(results, record)
            print(f"{name}, seed {seed}: MPJPE {record['mpjpe']:.5f}", file=sys.stderr)
    found = Results(read_records(results), args.seeds, args.epochs)
    print(table(found, names))
    if args.plot:
        chart(found, args.plot)
        print(f"wrote {args.plot}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
