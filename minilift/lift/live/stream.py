"""Frames as lines of JSON, answered line by line: whatever a line holds, the next one is served."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from minilift.errors import ArgumentError, InputError
from minilift.files import one_line
from minilift.lift.live.answer import answer
from minilift.lift.live.live import Live
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.keypoints.frames import FrameReader

LONGEST_LINE = 1 << 22
"""Bytes; 500 people of 133 joints have 2 MB."""


@dataclass(frozen=True)
class Answered:
    """A line's answer: `value`, fit for JSON, and the people in it; None where it is an error."""

    line: int
    value: dict[str, Any]
    people: LiftedPeople | None


def answered(
    source: BinaryIO, live: Live, reader: FrameReader, say: Callable[[ArgumentError], str] = str
) -> Iterator[Answered]:
    """An answer for every line of `source` that is not blank, each before the next line is read.

    A line that is no frame is answered {"error": a line of text, "line": its number, 1 first}. `say` puts
    errors of arguments into words. What is remembered does not grow with the lines.
    """
    for line, content in _lines(source):
        name = f"line {line}"
        try:
            if content is None:
                raise InputError(f"{name}: is longer than {LONGEST_LINE >> 20} MB; give one frame a line")
            found = reader(_parsed(content, name), name)
            people = live.push(found)
        except ArgumentError as error:
            yield _refused(line, f"{name}: {say(error)}")
        except InputError as error:
            yield _refused(line, str(error))
        else:
            yield Answered(line, answer(people, int(found.frames[0])), people)


def _refused(line: int, problem: str) -> Answered:
    return Answered(line, {"error": one_line(problem, 400), "line": line}, None)


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, and their numbers; None for one that is too long, of which no more than a
    part is in memory at a time."""
    number = 0
    while content := source.readline(LONGEST_LINE + 1):
        number += 1
        whole = content.endswith(b"\n")
        if len(content) > LONGEST_LINE:
            while not whole and (part := source.readline(LONGEST_LINE)):
                whole = part.endswith(b"\n")
            yield number, None
        elif content.strip():
            yield number, content


def _parsed(content: bytes, name: str) -> Any:
    """Raises InputError for what is no JSON."""
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problem = f"is no UTF-8 at byte {error.start}"
    except RecursionError:
        problem = "is nested too deeply"
    except json.JSONDecodeError as error:
        problem = f"is broken JSON at column {error.colno} ({error.msg.lower()})"
    except ValueError:
        problem = "has a number of too many digits"
    raise InputError(f"{name}: {problem}; give one frame a line, as JSON")
