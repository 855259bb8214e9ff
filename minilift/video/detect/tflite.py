"""A network of a TensorFlow Lite file, run by LiteRT: 20 MB, and neither OpenCV nor JAX with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np

from minilift.errors import InputError
from minilift.extras import load


class TFLite:
    """One picture in, arrays out. One thread may use it at a time; the same picture gives the same bits."""

    def __init__(self, name: str, content: bytes, side: int, shapes: Sequence[tuple[int, ...]], threads: int):
        """`name` is what the file is called in errors, `side` that of the picture; `shapes` are those of
        the answers that are wanted, in their order, the batch left out; there may be others.

        Raises InputError where the content is no such network.
        """
        runtime = load("ai_edge_litert.interpreter", "the detector 'mediapipe'")
        self.content = content  # the interpreter reads it while it works
        try:
            with _quiet():
                self.net = runtime.Interpreter(model_content=content, num_threads=threads)
                self.net.allocate_tensors()
        except (ValueError, RuntimeError):
            raise InputError(f"{name}: not a TensorFlow Lite network, or damaged; fetch it again") from None
        inputs, outputs = self.net.get_input_details(), self.net.get_output_details()
        wanted, found = [1, side, side, 3], [list(part["shape"]) for part in inputs]
        by_shape = {tuple(int(n) for n in part["shape"][1:]): part["index"] for part in outputs}
        if found != [wanted] or any(part["dtype"] != np.float32 for part in inputs):
            raise InputError(f"{name}: takes {found}, not one float picture {wanted}; it is another network")
        lacking = [shape for shape in shapes if shape not in by_shape]
        if lacking:
            raise InputError(f"{name}: gives {[*by_shape]}, not {lacking[0]}; it is another network")
        self.given, self.wanted = inputs[0]["index"], [by_shape[shape] for shape in shapes]

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        """The answers for a picture (side, side, 3) float32."""
        self.net.set_tensor(self.given, picture[None])
        self.net.invoke()
        return [self.net.get_tensor(index)[0] for index in self.wanted]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what LiteRT itself says of its own workings off stderr: no setting of its does."""
    kept = None
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    try:
        yield
    finally:
        if kept is not None:
            os.dup2(kept, 2)
            os.close(kept)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), float64, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x, np.float64))))
