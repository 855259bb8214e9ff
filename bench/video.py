"""Measure `minilift predict` on a video: rates of detector and lifter, memory, killed and gone on with.

The video is made here, of people on a photo that pass over a background and come nearer and farther: 60
seconds of 1920 x 1080 by default, H.264. The photo is bus.jpg of the package ultralytics, if it is installed,
or --picture. The same command then runs three times: in one piece, killed (kill -9) when half of the frames
are done, and with --resume. Memory is what the process has (resident) at ten points of the run, and its peak.

The last line is all of it as JSON.

examples:
  python -m bench.video
  python -m bench.video --seconds 10 --picture people.jpg --out kept/
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import flags, machine
from minilift.errors import InputError
from minilift.extras import load

FPS, WIDTH, HEIGHT = 30, 1920, 1080
POINTS = 10


def main(argv: Sequence[str] | None = None) -> int:
    args = _parse(argv)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(args.out or folder)
        out.mkdir(parents=True, exist_ok=True)
        clip = out / "clip.mp4"
        make_video(clip, args.picture or found_picture(), args.seconds)
        print(f"{clip.stat().st_size / 1e6:.1f} MB, {args.seconds * FPS} frames of {WIDTH}x{HEIGHT}")
        found = measure(out)
    for name, value in found.items():
        print(f"{name:28}{value}")
    print(json.dumps({"machine": machine.describe(), **found}))
    return 0 if found["same after kill -9"] else 1


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=flags.whole(1), default=60, help="length of the video [60]")
    parser.add_argument("--picture", type=Path, help="a photo of people [bus.jpg of ultralytics]")
    parser.add_argument("--out", help="a folder to keep everything in [none]")
    return parser.parse_args(argv)


def found_picture() -> Path:
    """bus.jpg. Raises InputError where the package that has it is not installed."""
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("picture: give a photo of people, or pip install --no-deps ultralytics")
    return Path(spec.submodule_search_locations[0]) / "assets" / "bus.jpg"


def make_video(path: Path, picture: Path, seconds: int) -> None:
    """The photo over a background of soft colours and noise: it swings from side to side and breathes."""
    av, images = load("av", "the video", "video"), load("PIL.Image", "the video", "video")
    photo = images.open(picture).convert("RGB")
    photo = photo.resize((round(photo.width * HEIGHT / photo.height), HEIGHT))
    rng = np.random.default_rng(0)
    ground = np.linspace(60, 150, HEIGHT)[:, None, None] + np.array([0, 10, 20])
    noise = rng.normal(0, 6, (HEIGHT, WIDTH, 1))
    back = images.fromarray(np.clip(ground + noise, 0, 255).astype(np.uint8))
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(seconds * FPS):
            turn = 2 * np.pi * number / FPS
            size = 0.8 + 0.2 * np.cos(turn / 11)
            width, height = round(photo.width * size), round(photo.height * size)
            x = round((WIDTH - width) * (0.5 + 0.5 * np.sin(turn / 9)))
            frame = back.copy()
            frame.paste(photo.resize((width, height), images.Resampling.BILINEAR), (x, HEIGHT - height))
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


def measure(out: Path) -> dict[str, Any]:
    """All three runs; files of the last two are compared with those of the first."""
    whole = Run(out, "whole")
    told = whole.wait()
    size = (out / "whole" / "clip_2d.npz").stat().st_size
    killed = Run(out, "parts")
    part = out / "parts" / "clip_2d.part"
    while not (part.exists() and part.stat().st_size > size / 2):
        time.sleep(0.05)
    killed.process.kill()
    killed.process.wait()
    again = Run(out, "parts", "--resume").wait()
    names = ("clip.npz", "clip.html", "clip_2d.npz")
    same = all(_digest(out / "whole" / name) == _digest(out / "parts" / name) for name in names)
    rates = re.search(r"detector ([\d.,]+) frames a second, lifter ([\d.,]+), reading ([\d.,]+)", told)
    assert rates is not None, told
    detector, lifter, reading = (float(rate.replace(",", "")) for rate in rates.groups())
    steps = np.linspace(0, len(whole.memory) - 1, POINTS).round().astype(int)
    return {
        "detector, frames a second": detector,
        "lifter, frames a second": lifter,
        "reading, frames a second": reading,
        "seconds altogether": round(whole.seconds, 1),
        "seconds of processor time": round(whole.processor, 1),
        "MB at ten points": [round(whole.memory[step]) for step in steps],
        "MB at most": round(max(whole.memory)),
        "gone on behind": int(re.search(r"behind ([\d,]+) frame", again)[1].replace(",", "")),  # type: ignore[index]
        "same after kill -9": same,
    }


class Run:
    """A process that predicts, and what it has in memory, ten times a second."""

    def __init__(self, out: Path, name: str, *more: str) -> None:
        words = ["predict", "clip.mp4", "-o", f"{name}/", "--to", "npz", "html", *more]
        self.begin, self.memory = time.perf_counter(), list[float]()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.used = before.ru_utime + before.ru_stime
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minilift", *words], cwd=out, text=True, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )  # fmt: skip
        threading.Thread(target=self._watch, daemon=True).start()

    def wait(self) -> str:
        """What it printed. Raises CalledProcessError where it failed."""
        out, _ = self.process.communicate()
        self.seconds = time.perf_counter() - self.begin
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor = used.ru_utime + used.ru_stime - self.used
        if self.process.returncode:
            raise subprocess.CalledProcessError(self.process.returncode, self.process.args)
        return str(out)

    def _watch(self) -> None:
        statm = Path(f"/proc/{self.process.pid}/statm")
        while self.process.poll() is None:
            try:
                pages = int(statm.read_text().split()[1])
            except (OSError, IndexError):
                return  # it has just ended
            if pages:
                self.memory.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
            time.sleep(0.1)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
