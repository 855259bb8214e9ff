"""The frames of an .amc file: for each bone of a skeleton its numbers, all at once where all are alike."""

import re
from array import array

import numpy as np

from minilift.poses.read.asf import ROOT, Skeleton
from minilift.poses.read.clip import MOST_POSITIONS
from minilift.poses.read.text import LARGEST_NUMBER, Lines


class Frames:
    """What has been read: keywords, the numbers of the frames, and for each bone its values."""

    def __init__(self, lines: Lines, skeleton: Skeleton) -> None:
        self.lines, self.degrees, self.rate, self.full = lines, skeleton.degrees, 0.0, False
        self.dofs = {bone.name.lower(): bone.dof for bone in skeleton.bones}
        self.numbers: list[int] = []
        self._whole: dict[str, np.ndarray] = {}
        self._values = {name: array("d") for name in self.dofs}
        self._frames = {name: array("q") for name in self.dofs}  # that the values are of

    def read(self) -> None:
        """Read all lines. Raises InputError with file and line."""
        header = True
        for text in self.lines:
            if header and not text.startswith(":"):
                header = False
                if text.isdigit() and self._all_alike():
                    return
            self._line(text.split())
        if not self.numbers:
            raise self.lines.error("no frames; is it an .amc file?")
        given = {name: frames[-1] for name, frames in self._frames.items() if frames}
        cut = [name for name, last in given.items() if self.missing(name) == 1 and last != self._last]
        if self.full and cut:
            problem = f"the last frame, {self.numbers[-1]}, has no {cut[0]}"
            raise self.lines.error(f"{problem}; copy the file again, or remove that frame")

    @property
    def _last(self) -> int:
        return len(self.numbers) - 1

    def missing(self, name: str) -> int:
        """In how many frames a bone is left out."""
        return 0 if name in self._whole else len(self.numbers) - len(self._frames[name])

    def values(self, name: str) -> np.ndarray:
        """(F, dof) float64: a bone's numbers in every frame; where one is missing those before, or 0."""
        if name in self._whole:
            return self._whole[name]
        frames = np.frombuffer(self._frames[name], np.int64)
        given = np.frombuffer(self._values[name], np.float64).reshape(len(frames), len(self.dofs[name]))
        out = np.zeros((len(self.numbers), len(self.dofs[name])))
        last = np.searchsorted(frames, np.arange(len(out)), side="right") - 1
        out[last >= 0] = given[last[last >= 0]]
        return out

    def _line(self, words: list[str]) -> None:
        """A keyword, the number of a frame, or a bone and its numbers."""
        name = words[0].lower()
        if name.startswith(":"):
            self._keyword(name, words[1:])
        elif len(words) == 1 and re.fullmatch(r"[+-]?\d{1,12}", name, re.ASCII):
            self.numbers.append(int(name))
            if len(self.numbers) * len(self.dofs) > MOST_POSITIONS:
                problem = f"over {MOST_POSITIONS} joints in all frames together"
                raise self.lines.error(f"{problem}; cut the clip into shorter ones")
        else:
            self._bone(name, words[1:])

    def _keyword(self, name: str, values: list[str]) -> None:
        if name in (":degrees", ":radians"):
            self.degrees = name == ":degrees"
        elif name == ":fully-specified":
            self.full = True
        elif name == ":force-all-joints-be-3dof":
            self.dofs = {bone: ("rx", "ry", "rz") if bone != ROOT else dof for bone, dof in self.dofs.items()}
        elif name == ":samples-per-second":
            (self.rate,) = self.lines.numbers(values[:1] or ["0"])
            if not 1 <= self.rate <= 10_000:
                raise self.lines.error(f"{self.rate:g} samples per second; write the true number")

    def _bone(self, name: str, values: list[str]) -> None:
        frame, dof = self._last, self.dofs.get(name)
        if dof is None:
            raise self.lines.error(f"'{name[:40]}' is no bone of the skeleton; name the .asf of this take")
        if frame < 0:
            raise self.lines.error(f"bone {name} before the number of a frame; is it an .amc file?")
        if len(values) != len(dof):
            count = f"{len(values)} numbers for {name}, which has {len(dof)} in the skeleton"
            raise self.lines.error(f"{count}; name the .asf of this take, or copy the file again")
        if self._frames[name] and self._frames[name][-1] == frame:
            raise self.lines.error(f"bone {name} twice in frame {self.numbers[-1]}; leave one out")
        self._frames[name].append(frame)
        self._values[name].extend(self.lines.numbers(values))

    def _all_alike(self) -> bool:
        """Take all frames at once, several times as fast, where they are whole and alike, as nearly all are.

        False, and nothing taken, where anything is odd: then `_line` says what, and where.
        """
        start = re.search(rb"^\s*\d+\s*$", self.lines.content, re.MULTILINE)
        body = self.lines.content[start.start() :] if start else b"#"
        words = body.split() if not re.search(rb"[#:]", body) else []
        names, width = self._first_frame(words)
        count = len(words) // width
        if not names or len(words) % width or count * len(self.dofs) > MOST_POSITIONS:
            return False
        whole, column = {}, 1
        try:
            numbers = list(map(int, words[::width]))
            for name in names:
                if set(words[column::width]) != {words[column]}:
                    return False
                first, column = column + 1, column + 1 + len(self.dofs[name])
                columns = [list(map(float, words[at::width])) for at in range(first, column)]
                whole[name] = np.array(columns).reshape(-1, count).T
        except ValueError:
            return False
        if not all((np.abs(values) <= LARGEST_NUMBER).all() for values in whole.values()):
            return False
        self.numbers, self._whole = numbers, whole
        return True

    def _first_frame(self, words: list[bytes]) -> tuple[list[str], int]:
        """The bones of the first frame and how many words it has; no bones where one is not known."""
        names: list[str] = []
        at = 1
        while at < len(words) and not words[at].isdigit():
            name = words[at].decode("latin1").lower()
            if name not in self.dofs or name in names:
                return [], 1
            names.append(name)
            at += 1 + len(self.dofs[name])
        return names, at
