"""Keys of random numbers that are hashes: nothing to store, and the same bits on every backend."""

_MASK64 = (1 << 64) - 1


def _splitmix64(x: int) -> int:
    """One step of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom generators", 2014)."""
    z = (x + 0x9E3779B97F4A7C15) & _MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK64
    return z ^ (z >> 31)


def dropout_key(seed: int, stream: int, step: int) -> tuple[int, int]:
    """Two 32-bit words that name one dropout mask: of this seed, this layer (`stream`), this step."""
    key = _splitmix64((_splitmix64((_splitmix64(seed & _MASK64) + stream) & _MASK64) + step) & _MASK64)
    return key & 0xFFFFFFFF, key >> 32
