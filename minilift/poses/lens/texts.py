"""The text of a camera file as a tree of dicts, lists, numbers and strings: JSON, TOML, OpenCV's XML and
YAML.

A YAML library does not read OpenCV's YAML: it begins with `%YAML:1.0`, marks matrices `!!opencv-matrix` and
writes numbers as `2.e-02`, which to PyYAML is a string. What is read here is what OpenCV, ROS and
hand-written calibration files need: mappings by indentation, lists, quoted strings. Anchors, aliases and
every other tag are refused, so nothing can grow.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from xml.etree import ElementTree

from minilift.extras import load

LARGEST = 1 << 20  # bytes; a camera file has some hundred
_DEEPEST = 12


class NotReadable(ValueError):
    """What is wrong with a text, and what to do."""


def parsed(text: str) -> Any:
    """The tree of a text; its kind is told by how it begins. Raises NotReadable."""
    start = text.lstrip("\ufeff \t\r\n")
    try:
        if start.startswith("{") or (start.startswith("[") and not _TOML.search(text)):
            return json.loads(start)
        if start.startswith("<"):
            return _xml(start)
        if _TOML.search(text):
            return _toml(text)
        return Yaml(text).tree()
    except RecursionError:
        raise NotReadable("is nested too deeply; write a plain file") from None
    except NotReadable:
        raise
    except (ValueError, LookupError, ElementTree.ParseError) as error:
        raise NotReadable(f"is broken ({error}); write or copy it again") from None


_TOML = re.compile(r"^[ \t]*(\[[^\[\],]+\][ \t]*(#.*)?$|[\w.\"'-]+[ \t]*=)", re.MULTILINE)


def _toml(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        tomllib = load("tomli", "reading a TOML camera file with Python 3.10")
    return tomllib.loads(text)


def _xml(text: str) -> Any:
    """OpenCV's XML: the name of an element is the key, `data` are numbers with blanks between them."""
    if "<!" in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL):
        raise NotReadable("has a document type; a camera file needs none, remove it")
    return _element(ElementTree.fromstring(text), 0)


def _element(element: ElementTree.Element, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotReadable("is nested too deeply; write a plain file")
    if len(element):
        return {child.tag: _element(child, depth + 1) for child in element}
    words = (element.text or "").split()
    values = [scalar(word) for word in words]
    return values if element.tag == "data" or len(values) > 1 else (values[0] if values else None)


def scalar(word: str) -> Any:
    """A number, true, false or null where a word is one; otherwise the word without its quotes."""
    word = word.strip()
    if word[:1] in "\"'" and len(word) > 1 and word[-1] == word[0]:
        return word[1:-1]
    named = {"true": True, "false": False, "null": None, "~": None, "": None}
    if word.lower() in named:
        return named[word.lower()]
    if re.fullmatch(r"[-+]?\.(nan|inf)", word, re.IGNORECASE):
        return float(word.replace(".", ""))
    try:
        return float(word) if len(word) <= 40 else word
    except ValueError:
        return word


_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s:\[\]{}&*!"']+)\s*:(\s+|$)""")


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


class Yaml:
    """The lines of a YAML text that say something, read once from top to bottom."""

    def __init__(self, text: str) -> None:
        self._lines: list[tuple[int, str, int]] = []  # indentation, text, number of the line
        self._next = 0
        for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
            body = re.sub(r"(^|\s)#.*$", "", line).rstrip()
            if body.strip() and not body.startswith(("%", "---", "...")):
                indent = len(body) - len(body.lstrip(" "))
                self._lines.append((indent, body.strip(), number))

    def tree(self) -> Any:
        if not self._lines:
            raise NotReadable("has nothing in it; write or copy it again")
        found = self._block(self._lines[0][0], 0)
        if self._next < len(self._lines):
            self._stop("is indented as nothing before it")
        return found

    def _stop(self, problem: str) -> None:
        number = self._lines[min(self._next, len(self._lines) - 1)][2]
        raise NotReadable(f"line {number} {problem}; write a camera as OpenCV does, or as JSON")

    def _block(self, indent: int, depth: int) -> Any:
        """The mapping or the list that begins on the next line."""
        if depth > _DEEPEST:
            self._stop("is nested too deeply")
        items: list[Any] = []
        while (text := self._at(indent)) and _is_item(text):
            items.append(self._item(text, indent, depth))
        if items:
            return items
        mapping: dict[str, Any] = {}
        while (text := self._at(indent)) and not _is_item(text):
            key = _KEY.match(text)
            if key is None:
                self._stop("is no `name: value`")
            else:
                self._next += 1
                mapping[key[1].strip("\"'")] = self._value(text[key.end() :], indent, depth)
        return mapping

    def _at(self, indent: int) -> str:
        """The next line, if it is one of the block with this indentation."""
        if self._next < len(self._lines) and self._lines[self._next][0] == indent:
            return self._lines[self._next][1]
        return ""

    def _item(self, text: str, indent: int, depth: int) -> Any:
        """An item of a list. What follows the dash is a line of its own, indented to where it stands."""
        rest = text[1:].lstrip()
        inner = indent + len(text) - len(rest)
        if _is_item(rest) or _KEY.match(rest):
            self._lines[self._next] = (inner, rest, self._lines[self._next][2])
            return self._block(inner, depth + 1)
        self._next += 1
        return self._value(rest, indent, depth)

    def _value(self, text: str, indent: int, depth: int) -> Any:
        """What follows `name:`, on this line or below it."""
        if text.startswith("!"):
            tag, _, text = text.partition(" ")
            if not tag.startswith(("!!opencv-", "!!float", "!!int", "!!str")):
                self._stop(f"has the tag {tag[:40]}")
            text = text.strip()
        if text[:1] in ("&", "*", "|", ">"):
            self._next -= 1
            self._stop(f"begins with {text[0]}, which a camera file does not need")
        if text[:1] in ("[", "{"):
            return self._flow(text)
        below = self._lines[self._next] if self._next < len(self._lines) else (-1, "", 0)
        # a list may stand at the indentation of its name
        if not text and (below[0] > indent or (below[0] == indent and below[1].startswith("-"))):
            return self._block(below[0], depth + 1)
        return scalar(text)

    def _flow(self, text: str) -> Any:
        """[1, 2, [3, 4]], over as many lines as it takes."""
        parts = [text]
        opened = text.count("[") + text.count("{") - text.count("]") - text.count("}")
        while opened > 0 and self._next < len(self._lines):
            more = self._lines[self._next][1]
            opened += more.count("[") + more.count("{") - more.count("]") - more.count("}")
            parts.append(more)
            self._next += 1
        return _flow_tree(" ".join(parts))


def _flow_tree(text: str) -> Any:
    """A list or mapping in brackets."""
    root: list[Any] = []
    stack: list[tuple[Any, str | None]] = [(root, None)]
    key: str | None = None

    def put(value: Any) -> None:
        nonlocal key
        into = stack[-1][0]
        if isinstance(into, dict):
            if key is None:
                raise NotReadable("has a value without a name in braces; write it as OpenCV does, or as JSON")
            into[key] = value
        else:
            into.append(value)
        key = None

    for token in re.findall(
        r"""[\[\]{},]|"[^"]*"\s*:?|'[^']*'\s*:?|[^\s\[\]{},:]+\s*:(?=\s)|[^\s\[\]{},]+""", text
    ):
        if token in ("[", "{"):
            inner: Any = [] if token == "[" else {}
            put(inner)
            stack.append((inner, token))
            if len(stack) > _DEEPEST:
                raise NotReadable("is nested too deeply; write a plain file")
        elif token in ("]", "}"):
            if len(stack) < 2 or {"[": "]", "{": "}"}[str(stack.pop()[1])] != token:
                raise NotReadable("has brackets that do not close; write or copy it again")
        elif token.endswith(":") and isinstance(stack[-1][0], dict):
            key = token[:-1].strip().strip("\"'")
        elif token != ",":
            put(scalar(token))
    if len(stack) > 1 or len(root) != 1:
        raise NotReadable("has brackets that do not close; write or copy it again")
    return root[0]
