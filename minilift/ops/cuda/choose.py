"""Which device 'auto' is: the first GPU that can be used, else the CPU."""

from __future__ import annotations

from minilift.errors import ArgumentError, counted
from minilift.extras import installed, missing
from minilift.ops.cuda import driver
from minilift.ops.cuda.backend import OR_CPU


def choose() -> tuple[str, str]:
    """The device, and why, in words for the user.

    Without a GPU that is found out in a millisecond, and CuPy is not imported. Of several, one that is busy,
    in exclusive mode or full is passed over; the second is opened only where the first cannot be used.
    """
    cards, why = driver.devices()
    if not cards:
        return "cpu", why
    if not installed("cupy"):
        return "cpu", missing("cupy", "there is a GPU, which")
    problems: dict[str, str] = {}
    for index in range(cards):
        device = f"gpu:{index}" if index else "gpu"
        problem = problem_of(device)
        if not problem:
            return device, _chosen(cards, problems)
        problems[device] = problem
    if cards == 1:
        return "cpu", f"the GPU cannot be used: {problems['gpu']}"
    return "cpu", f"none of {counted(cards, 'GPU')} can be used: {_listed(problems)}"


def problem_of(device: str) -> str:
    """Why a card cannot be used; '' where it can."""
    from minilift.ops import get_ops

    try:
        ops = get_ops(device)
        ops.ones((1,))  # the compiler works too
        ops.synchronize()
    except Exception as problem:  # whatever it was, another device is the answer: never a traceback
        own = isinstance(problem, ArgumentError)
        text = problem.problem if own else f"{type(problem).__name__}: {problem}"  # type: ignore[attr-defined]
        return " ".join(text.removesuffix(OR_CPU).split())
    return ""


def _chosen(cards: int, problems: dict[str, str]) -> str:
    if problems:
        return f"it is the first of {counted(cards, 'GPU')} that can be used ({_listed(problems)})"
    return "there is one" if cards == 1 else f"it is the first of {counted(cards, 'GPU')}"


def _listed(problems: dict[str, str]) -> str:
    """Each reason once, behind the cards that it holds for."""
    devices: dict[str, list[str]] = {}
    for device, problem in problems.items():
        devices.setdefault(problem, []).append(device)
    return "; ".join(f"{', '.join(each)}: {problem}" for problem, each in devices.items())
