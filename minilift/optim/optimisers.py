"""Optimisers: Adam, AdamW, SGD. Names, defaults and formulas are torch's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minilift.nn.params import Parameter, runs
from minilift.ops import Array


class Optimiser:
    """Steps parameters along their gradients. `lr` may be changed between steps.

    Create it after the model: it holds views of the model's vectors. With `max_norm` more than 0, gradients
    are scaled down before a step where their norm, of all parameters together, is larger (Pascanu et al.,
    arXiv:1211.5063, algorithm 1; torch.nn.utils.clip_grad_norm_).
    """

    def __init__(
        self, parameters: Sequence[Parameter], lr: float, weight_decay: float, max_norm: float = 0.0
    ) -> None:
        if not isinstance(parameters, Sequence):
            raise TypeError(f"give the optimiser model.parameters(), not a {type(parameters).__name__}")
        if not parameters:
            raise ValueError("the optimiser got no parameters")
        given = ("learning rate", lr), ("weight decay", weight_decay), ("largest norm", max_norm)
        for name, value in given:
            if not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        self.ops, self.parameters = parameters[0].ops, list(parameters)
        self.runs, self.homes = runs(parameters), [p.home for p in parameters]
        self.lr, self.weight_decay, self.max_norm = lr, weight_decay, max_norm
        self.steps = 0
        self.moments: dict[str, list[Array]] = {}

    def _new_moment(self, name: str) -> list[Array]:
        self.moments[name] = [self.ops.zeros(data.shape) for data, _ in self.runs]
        return self.moments[name]

    def step(self) -> None:
        """Move every parameter along its gradient, which stays as it is, but for what `max_norm` does."""
        self.clip()
        self.begin()
        for number, (data, _) in enumerate(self.runs):
            self.update(number, slice(0, data.size))

    def clip(self) -> None:
        """Scale the gradients down to `max_norm`, if that is given and they are larger."""
        if self.max_norm:
            self.ops.scale_to_norm([grad for _, grad in self.runs], self.max_norm)

    def begin(self) -> None:
        """Count a step. Whoever calls it calls `update` for every part of every run, each part once."""
        self.steps += 1

    def update(self, number: int, part: slice) -> None:
        """The step's work on a part of the vector `runs[number]`."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Host copies of what the next step depends on, but for the parameters and what a Schedule sets."""
        arrays = {f"{k}.{i}": self.ops.to_host(a) for k, v in self.moments.items() for i, a in enumerate(v)}
        return {"steps": self.ops.to_host(self.steps), **arrays}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a `state_dict`. Raises KeyError or ValueError if it is of other parameters."""
        for name, arrays in self.moments.items():
            for i, array in enumerate(arrays):
                found = state[f"{name}.{i}"]
                if found.shape != array.shape:
                    raise ValueError(f"optimiser: {name}.{i} has shape {found.shape}, expected {array.shape}")
                self.ops.copy(found, out=array)
        self.steps = int(state["steps"])


class Adam(Optimiser):
    """Adam (Kingma & Ba, arXiv:1412.6980, algorithm 1), one pass over one vector.

    m <- m + (1-b1)(g - m);   v <- v + (1-b2)(g^2 - v)
    w <- w - lr m_hat / (sqrt(v_hat) + eps),   m_hat = m/(1-b1^t),  v_hat = v/(1-b2^t)

    eps stands beside sqrt(v_hat) as in torch, not inside it. `weight_decay` adds weight_decay w to g
    (L2, as torch.optim.Adam; not AdamW).

    It keeps m/(1-b1) and v/(1-b2), so that g and g^2 are added as they are, and what else is constant goes
    into two numbers: with root = sqrt((1-b2)/(1-b2^t)), w -= [lr (1-b1)/((1-b1^t) root)] m' / (sqrt(v') +
    eps / root). Should a schedule change b1, m' first takes the ratio of the old 1-b1 to the new.
    """

    def __init__(
        self, parameters: Sequence[Parameter], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, max_norm: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, weight_decay, max_norm)
        if not all(0 <= b < 1 for b in betas):
            raise ValueError(f"Adam: betas must lie in [0, 1), got {betas}")
        if not eps > 0:
            raise ValueError(f"Adam: eps must be more than 0, got {eps}")
        self.betas, self.eps = betas, eps
        self.l2, self.shrink = self._decay()
        self.m, self.v = self._new_moment("m"), self._new_moment("v")
        self.units = (1.0, 1.0)  # what one of m and one of v stand for: 1-b1 and 1-b2 of the latest step

    def begin(self) -> None:
        super().begin()
        (b1, b2), (unit_m, unit_v), t = self.betas, self.units, self.steps
        root = ((1 - b2) / (1 - b2**t)) ** 0.5
        self.units = (1 - b1, 1 - b2)
        self.decay = (b1 * unit_m / (1 - b1), b2 * unit_v / (1 - b2))
        self.size, self.eps_root = self.lr * (1 - b1) / ((1 - b1**t) * root), self.eps / root
        self.l2, self.shrink = self._decay()

    def _decay(self) -> tuple[float, float]:
        """The weight decay as a part of the gradient, and as a share of the weight itself."""
        return self.weight_decay, 0.0

    def update(self, number: int, part: slice) -> None:
        data, grad = self.runs[number]
        w, g, m, v = data[part], grad[part], self.m[number][part], self.v[number][part]
        self.ops.adam(w, g, m, v, self.decay, self.size, self.eps_root, self.l2, self.shrink)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "units": self.ops.to_host(self.units)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        unit_m, unit_v = (float(u) for u in state.get("units", (1.0, 1.0)))  # older files hold m and v
        self.units = (unit_m, unit_v)


class AdamW(Adam):
    """Adam whose weight decay is a step of its own: w <- w - lr weight_decay w, beside Adam's.

    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101, algorithm 2, with torch's
    defaults. Every parameter decays, biases and normalisations too, as in torch.optim.AdamW.
    """

    def __init__(
        self, parameters: Sequence[Parameter], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.01, max_norm: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas, eps, weight_decay, max_norm)

    def _decay(self) -> tuple[float, float]:
        return 0.0, self.lr * self.weight_decay


class SGD(Optimiser):
    """Gradient descent with torch's momentum: velocity <- momentum velocity + g;  w <- w - lr velocity.

    With `nesterov`, w <- w - lr (g + momentum velocity): the gradient is taken as if the velocity had been
    followed already (Sutskever et al., ICML 2013, as torch.optim.SGD writes it, without dampening).
    """

    def __init__(
        self, parameters: Sequence[Parameter], lr: float = 1e-3, momentum: float = 0.0,
        weight_decay: float = 0.0, max_norm: float = 0.0, nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, weight_decay, max_norm)
        if not momentum >= 0:
            raise ValueError(f"SGD: momentum must be at least 0, got {momentum}")
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum of more than 0, got 0")
        self.momentum, self.nesterov = momentum, nesterov
        self.velocity: list[Array | None] = [None] * len(self.runs)
        if momentum:
            self.velocity = list(self._new_moment("velocity"))

    def update(self, number: int, part: slice) -> None:
        (data, grad), velocity = self.runs[number], self.velocity[number]
        speed = None if velocity is None else velocity[part]
        numbers = self.lr, self.momentum, self.weight_decay
        self.ops.sgd(data[part], grad[part], speed, *numbers, self.nesterov)
