"""Make the starting weights from CMU's clips: `python -m bench.starting CMU_FOLDER -o RUN`.

Four steps, each left out when its result is there and what it was made of has not changed: data (RUN/data),
training with the preset `starting` (RUN/run), trust fitted on the people left out and their clips, and
packing in float16 (RUN/starting, two files for minilift/starting). It may be stopped or killed at any time;
the same command continues where it was.
"""

from __future__ import annotations

import argparse
import json
import shlex
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.starting.pack import pack
from minilift.cli import train, trust
from minilift.cli.data.starting import RECORD, key_of, make
from minilift.errors import run_program
from minilift.files import only_one, read_bytes, write_atomically
from minilift.lift.trust import trust_path
from minilift.lift.weights.starting import USUAL

NAME = "python -m bench.starting"
DONE = "steps.json"


class Steps:
    """Which steps are done, and of what: a key for each, kept in a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / DONE
        self.keys: dict[str, str] = json.loads(read_bytes(self.path)) if self.path.exists() else {}

    def mark(self, step: str, key: str) -> None:
        """Keep that a step was begun or is done with what `key` stands for."""
        self.keys[step] = key
        text = json.dumps(self.keys, indent=1).encode()
        write_atomically(self.path, lambda file: file.write(text))

    def do(self, step: str, key: str, there: Sequence[Path], work: Callable[[], int]) -> int:
        """Work, unless it is done with the same key and its files are there. Returns the exit status."""
        if self.keys.get(step) == key and all(path.is_file() for path in there):
            print(f"{step}: done before")
            return 0
        print(f"{step}:")
        if status := work():
            return status
        self.mark(step, key)
        return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status of the step that stopped, or 0."""
    return run_program(NAME, _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(NAME, description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="CMU_FOLDER", help="as minilift data starting takes it")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="RUN", help="folder for everything")
    parser.add_argument("--people", type=int, default=3000, metavar="N", help="made-up people to add [3000]")
    parser.add_argument("--seed", type=int, default=0, help="of data, training and trust [0]")
    parser.add_argument(
        "--train", default="", metavar="FLAGS", help="further flags of minilift train, as one word"
    )
    args = parser.parse_args(argv)
    with only_one(args.out):
        return make_weights(args.folder, args.out, args.people, args.seed, shlex.split(args.train))


def make_weights(source: Path, out: Path, people: int, seed: int, flags: list[str]) -> int:
    """The four steps. Returns an exit status."""
    steps, data, run = Steps(out), out / "data", out / "run"
    weights = run / USUAL
    known = key_of(source, people, seed)

    def make_data() -> int:
        make(source, data, people, seed, force=True)
        return 0

    made = [data / name for name in (RECORD, "train.npz", "val.npz", "val_clips.npz")]
    if status := steps.do("data", known, made, make_data):
        return status
    known = f"{known}; {' '.join(flags)}"
    words = ["--preset", "starting", "--data", str(data / "train.npz"), "--test", str(data / "val.npz")]
    words += ["--seed", str(seed), "--out", str(run), *flags]

    def learn() -> int:
        begun = steps.keys.get("training begun") == known and (run / "checkpoint.npz").is_file()
        steps.mark("training begun", known)
        return train.main(["--resume", "--out", str(run)] if begun else words)

    if status := steps.do("training", known, [weights], learn):
        return status
    known = f"weights {zlib.crc32(read_bytes(weights)):08x}, with clips"
    people_of = ["--groups", str(data / "val_subjects.npy"), "--clips", str(data / "val_clips.npz")]
    judged = ["--weights", str(weights), "--data", str(data / "val.npz"), *people_of, "--seed", str(seed)]

    def judge() -> int:
        return trust.main(judged)

    if status := steps.do("trust", known, [trust_path(weights)], judge):
        return status
    known += f" trust {zlib.crc32(read_bytes(trust_path(weights))):08x}"
    packed = out / "starting" / USUAL

    def put() -> int:
        print(pack(run, packed.parent))
        return 0

    return steps.do("packing", known, [packed, trust_path(packed)], put)


if __name__ == "__main__":
    raise SystemExit(main())
