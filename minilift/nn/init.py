"""Initial weights, by name. `fan_in` is the number of inputs of a unit, `fan_out` of units.

| name | distribution | source |
|---|---|---|
| `uniform` | U(-a, a), a = 1/sqrt(fan_in), bias too | torch.nn.Linear's default |
| `kaiming_uniform`, `kaiming_normal` | variance 2/fan_in, bias 0 | He et al., arXiv:1502.01852, eq. 10 |
| `xavier_uniform`, `xavier_normal` | variance 2/(fan_in + fan_out), bias 0 | Glorot & Bengio 2010, eq. 16 |
"""

from __future__ import annotations

from typing import Any

NAMES = ("uniform", "kaiming_uniform", "kaiming_normal", "xavier_uniform", "xavier_normal")


def initial_weight(name: str, rng: Any, fan_in: int, fan_out: int) -> Any:
    """A (fan_out, fan_in) float64 host array drawn from `rng`, a numpy.random.Generator."""
    shape = (fan_out, fan_in)
    if name == "uniform":
        return _uniform(rng, fan_in**-0.5, shape)
    if name not in NAMES:
        raise ValueError(f"initialiser {name!r} is unknown; use one of {', '.join(NAMES)}")
    family, kind = name.split("_")
    std = (2 / (fan_in if family == "kaiming" else fan_in + fan_out)) ** 0.5
    if kind == "normal":
        return rng.normal(0, std, shape)
    return _uniform(rng, 3**0.5 * std, shape)  # U(-a, a) has the standard deviation a/sqrt(3)


def initial_bias(name: str, rng: Any, fan_in: int, fan_out: int) -> Any:
    return _uniform(rng, fan_in**-0.5 if name == "uniform" else 0.0, (fan_out,))


def _uniform(rng: Any, bound: float, shape: tuple[int, ...]) -> Any:
    return rng.uniform(-bound, bound, shape)
