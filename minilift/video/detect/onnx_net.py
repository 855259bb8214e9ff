"""A network of an ONNX file that looks at pictures, run by ONNX Runtime."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.files import read_bytes

_FETCH = "fetch it again"
_INSIDE = ".onnx"


class OnnxNet:
    """One picture in, arrays out; the same picture gives the same bits."""

    def __init__(self, path: Path, usual: tuple[int, int]):
        """`path` is an .onnx file, or the .zip file with one that OpenMMLab offers; `usual` is the height and
        width of the pictures where the file leaves them open.

        Raises InputError where it is no such network.
        """
        runtime = load("onnxruntime", "the detector 'rtmlib'")
        self.path = path
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is said here
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        content = onnx_of(path)
        try:
            self.session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception:  # of ONNX Runtime's own kinds
            raise InputError(f"{path}: not an ONNX network, or damaged; {_FETCH}") from None
        inputs = self.session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        picture = len(shape) == 4 and (shape[1] == 3 or not isinstance(shape[1], int))  # a name: left open
        if not picture or inputs[0].type != "tensor(float)":
            said = ", ".join(f"{one.name} {one.shape} {one.type}" for one in inputs)
            raise self.other(f"takes {said}, not one float picture [1, 3, height, width]")
        self.given = inputs[0].name
        self.height, self.width = (
            side if isinstance(side, int) and side > 0 else other
            for side, other in zip(shape[2:], usual, strict=True)
        )

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        """The answers for a picture (height, width, 3) of numbers, in the order of the file."""
        batch = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        try:
            return [np.asarray(part) for part in self.session.run(None, {self.given: batch})]
        except Exception as problem:  # of ONNX Runtime's own kinds
            said = " ".join(str(problem).split())[:200]
            raise InputError(f"{self.path}: ONNX Runtime cannot run it ({said}); {_FETCH}") from None

    def other(self, what: str) -> InputError:
        """The error for a network that is not of the kind."""
        return InputError(f"{self.path}: {what}; give RTMO, or YOLOX and RTMPose, as ONNX files")


def onnx_of(path: Path) -> bytes:
    """The content of an .onnx file, or of the one inside a .zip file."""
    content = read_bytes(path)
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            names = [name for name in file.namelist() if name.endswith(_INSIDE)]
            if len(names) != 1:
                raise InputError(
                    f"{path}: {len(names)} .onnx files inside, expected one; unpack it, name one"
                )
            if file.getinfo(names[0]).file_size > 100 * len(content):
                raise ValueError
            return file.read(names[0])
    except InputError:
        raise
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, OSError):
        raise InputError(f"{path}: a damaged .zip file; {_FETCH}") from None


def shapes(arrays: Sequence[np.ndarray]) -> str:
    return ", ".join(str(list(array.shape)) for array in arrays)
