"""The number types of weights files, and how those that NumPy lacks become float32.

Half precision, bfloat16 and the two 8-bit floats of the OCP specification (E4M3 and E5M2, "OCP 8-bit
Floating Point Specification", 2023) all fit into float32 exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NumberType:
    """How one number lies in a file, and what it becomes."""

    stored: str  # NumPy type string, without byte order
    widen: Callable[[np.ndarray], np.ndarray] | None = None  # to float32; None: kept as it is

    def read(self, stored: np.ndarray) -> np.ndarray:
        """A contiguous copy in this machine's byte order."""
        if self.widen is not None:
            return np.ascontiguousarray(self.widen(stored)).reshape(stored.shape)
        return np.array(stored, stored.dtype.newbyteorder("="), order="C")


def _bfloat16(bits: np.ndarray) -> np.ndarray:
    """bfloat16 is the upper half of a float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _float8(exponent_bits: int, with_infinity: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Of sign, exponent and fraction in 8 bits: a table of the 256 values."""
    bits = np.arange(256)
    fraction_bits = 7 - exponent_bits
    sign = np.where(bits >> 7, -1.0, 1.0)
    exponent = (bits >> fraction_bits) & (2**exponent_bits - 1)
    fraction = (bits & (2**fraction_bits - 1)) / 2**fraction_bits
    bias = 2 ** (exponent_bits - 1) - 1
    values = sign * np.where(
        exponent, (1 + fraction) * 2.0 ** (exponent - bias), fraction * 2.0 ** (1 - bias)
    )
    if with_infinity:
        last = exponent == 2**exponent_bits - 1
        values[last] = np.where(fraction[last] == 0, sign[last] * np.inf, np.nan)
    else:
        values[(bits & 127) == 127] = np.nan
    table = values.astype(np.float32)
    return lambda stored: table[stored]


FLOAT16 = NumberType("f2", lambda half: half.astype(np.float32))
BFLOAT16 = NumberType("u2", _bfloat16)
E4M3 = NumberType("u1", _float8(4, with_infinity=False))
E5M2 = NumberType("u1", _float8(5, with_infinity=True))
FLOAT32, FLOAT64, BOOL = NumberType("f4"), NumberType("f8"), NumberType("b1")
I8, I16, I32, I64 = (NumberType(f"i{n}") for n in (1, 2, 4, 8))
U8, U16, U32, U64 = (NumberType(f"u{n}") for n in (1, 2, 4, 8))
