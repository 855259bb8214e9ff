"""Schedules for the learning rate. Names, defaults and formulas are torch's, where it has them."""

from __future__ import annotations

import math

from minilift.optim.optimisers import SGD, Adam, Optimiser


class Schedule:
    """A learning rate as a function of `t`, the number of calls of `step`.

    `per` says what a step stands for: `run_epoch` calls `step` after every "batch" or every "epoch".
    """

    def __init__(self, optimiser: Optimiser, per: str = "epoch") -> None:
        if per not in ("batch", "epoch"):
            raise ValueError(f"per must be 'batch' or 'epoch', got {per!r}")
        self.optimiser, self.per = optimiser, per
        self.base_lr, self.t = optimiser.lr, 0

    def lr_at(self, t: int) -> float:
        raise NotImplementedError

    def step(self) -> None:
        self.seek(self.t + 1)

    def seek(self, t: int) -> None:
        """Go to step t at once, as a resumed run does."""
        self.t = t
        self.optimiser.lr = self.lr_at(t)


class StepLR(Schedule):
    """lr gamma^floor(t / step_size)."""

    def __init__(self, optimiser: Optimiser, step_size: int, gamma: float = 0.1, per: str = "epoch") -> None:
        super().__init__(optimiser, per)
        if step_size < 1:
            raise ValueError(f"StepLR: step_size must be at least 1, got {step_size}")
        self.step_size, self.gamma = step_size, gamma

    def lr_at(self, t: int) -> float:
        return self.base_lr * self.gamma ** (t // self.step_size)


class ExponentialLR(Schedule):
    """lr gamma^t."""

    def __init__(self, optimiser: Optimiser, gamma: float, per: str = "epoch") -> None:
        super().__init__(optimiser, per)
        self.gamma = gamma

    def lr_at(self, t: int) -> float:
        return self.base_lr * self.gamma**t


class CosineAnnealingLR(Schedule):
    """From lr to eta_min on half a cosine of T_max steps (Loshchilov & Hutter, arXiv:1608.03983, eq. 5)."""

    def __init__(self, optimiser: Optimiser, T_max: int, eta_min: float = 0.0, per: str = "epoch") -> None:
        super().__init__(optimiser, per)
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: T_max must be at least 1, got {T_max}")
        self.T_max, self.eta_min = T_max, eta_min

    def lr_at(self, t: int) -> float:
        return _cosine(self.base_lr, self.eta_min, t / self.T_max)


class WarmUpCosineLR(Schedule):
    """Up to lr along a line in the first `warm_up` of total_steps, then down to 0 along half a cosine.

    lr_t = lr (t + 1)/w for t < w = round(warm_up T), then lr (1 + cos(pi (t-w)/(T-w)))/2, T = total_steps.
    Source of both parts: Loshchilov & Hutter, arXiv:1608.03983, eq. 5; Goyal et al., arXiv:1706.02677, 2.2.
    """

    def __init__(
        self, optimiser: Optimiser, total_steps: int, warm_up: float = 0.05, per: str = "batch"
    ) -> None:
        super().__init__(optimiser, per)
        if total_steps < 1 or not 0 <= warm_up <= 1:
            raise ValueError(
                f"WarmUpCosineLR: {total_steps} steps, {warm_up} of them to warm up; give 1 or more, 0 to 1"
            )
        self.total_steps, self.rising = total_steps, round(warm_up * total_steps)
        self.seek(0)

    def lr_at(self, t: int) -> float:
        if t < self.rising:
            return self.base_lr * (t + 1) / self.rising
        fraction = (t - self.rising) / max(self.total_steps - self.rising, 1)
        return _cosine(self.base_lr, 0.0, min(fraction, 1.0))


class OneCycleLR(Schedule):
    """Up to max_lr in the first pct_start of total_steps, then down to almost 0, both along half a cosine.

    It starts at max_lr/div_factor and ends at that over final_div_factor. The first beta of Adam (the
    momentum of SGD) goes the other way, from max_momentum to base_momentum and back, unless
    `cycle_momentum` is off. Source: Smith & Topin, arXiv:1708.07120, in the form of torch's OneCycleLR.
    """

    def __init__(
        self, optimiser: Optimiser, max_lr: float, total_steps: int, pct_start: float = 0.3,
        cycle_momentum: bool = True, base_momentum: float = 0.85, max_momentum: float = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, per: str = "batch",
    ) -> None:  # fmt: skip
        super().__init__(optimiser, per)
        if total_steps < 1:
            raise ValueError(f"OneCycleLR: total_steps must be at least 1, got {total_steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must lie between 0 and 1, got {pct_start}")
        self.total_steps, self.peak = total_steps, pct_start * total_steps - 1
        self.max_lr, self.base_lr = max_lr, max_lr / div_factor
        self.min_lr = self.base_lr / final_div_factor
        self.momenta = (max_momentum, base_momentum) if cycle_momentum else None
        self.seek(0)

    def _between(self, start: float, top: float, end: float, t: int) -> float:
        if t < self.peak:
            return _cosine(start, top, t / self.peak)
        descent = self.total_steps - 1 - self.peak
        return _cosine(top, end, (t - self.peak) / descent) if descent else top

    def lr_at(self, t: int) -> float:
        # torch raises after total_steps; a resumed or longer run is better served by the last, tiny rate
        return self._between(self.base_lr, self.max_lr, self.min_lr, min(t, self.total_steps - 1))

    def momentum_at(self, t: int) -> float:
        high, low = self.momenta or (0.0, 0.0)
        return self._between(high, low, high, min(t, self.total_steps - 1))

    def seek(self, t: int) -> None:
        super().seek(t)
        if self.momenta is None:
            return
        momentum = self.momentum_at(t)
        if isinstance(self.optimiser, Adam):
            self.optimiser.betas = (momentum, self.optimiser.betas[1])
        elif isinstance(self.optimiser, SGD) and self.optimiser.momentum:
            self.optimiser.momentum = momentum


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2
