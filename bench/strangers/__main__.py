"""`python -m bench.strangers`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench import flags, machine
from bench.strangers import val
from minilift import Lifter

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "minilift-strangers"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.strangers", allow_abbrev=False)
    parser.add_argument("--weights", default="liftModel", help="[liftModel]")
    parser.add_argument(
        "--shared", type=Path, default=machine.ROOT.parent / "shared", help="folder with the data"
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="where sets are kept")
    parser.add_argument("--val", action="store_true", help="the quick measure to steer by")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    print(val.report(Lifter.load(args.weights), args.shared, args.cache))


if __name__ == "__main__":
    flags.run(main)
