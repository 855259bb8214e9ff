"""What every layer has: parameters, buffers, a name for each, and a printed form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from minilift.nn.params import Parameter
from minilift.ops import Array, Ops, Portable, get_ops


class Module(Portable):
    """Base of all layers.

    forward(x, train)  computes y from x and keeps what backward needs
    backward(dy)       from dL/dy computes dL/dx, and assigns dL/dw to the `grad` of each parameter

    Neither writes into its argument. The arrays that they return belong to the layer and are valid until
    its next call: copy what must live longer (and where a layer changes nothing, as Dropout in evaluation,
    they are the argument itself). `backward` differentiates the latest `forward`, whether that was in
    training or in evaluation mode.
    """

    parameter_names: tuple[str, ...] = ()  # attributes that hold a Parameter (or None)
    state_names: tuple[str, ...] = ()  # saved but not trained: running statistics
    resume_names: tuple[str, ...] = ()  # what only a resumed run needs: `Network.snapshot`

    def __init__(self, ops: Ops | None = None) -> None:
        self.ops: Ops = ops or get_ops()
        self.children: dict[str, Module] = {}
        self._buffers: dict[str, Array] = {}

    def forward(self, x: Array, train: bool = False) -> Array:
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        raise NotImplementedError

    def backward_parameters(self, dy: Array) -> None:
        """`backward` where nothing comes before this: the gradients of its parameters, without dx."""
        self.backward(dy)

    def __call__(self, x: Array, train: bool = False) -> Array:
        return self.forward(x, train)

    def backward_add(self, dy: Array) -> Array:
        """`backward` that adds to the gradients that are there, for a second pass in the same step."""
        before = [self.ops.empty(p.shape) for p in self.parameters()]
        for p, grad in zip(self.parameters(), before, strict=True):
            self.ops.copy(p.grad, out=grad)
        dx = self.backward(dy)
        for p, grad in zip(self.parameters(), before, strict=True):
            self.ops.add(p.grad, grad, out=p.grad)
        return dx

    def buffer(self, name: str, shape: tuple[int, ...]) -> Array:
        """The layer's own array of that name: made once for the largest batch seen, the first of its axes."""
        have = self._buffers.get(name)
        if have is None or len(have) < shape[0] or have.shape[1:] != tuple(shape[1:]):
            have = self._buffers[name] = self.ops.empty(tuple(shape))
        return have if len(have) == shape[0] else have[: shape[0]]

    def _input(self, x: Any, features: int | None = None, axes: int | None = None) -> Array:
        """x on the layer's device; its last axis must have `features` elements, and it must have `axes`."""
        x = self.ops.asarray(x)
        if x.ndim < 1 or x.ndim != (axes or x.ndim) or x.shape[-1] != (features or x.shape[-1]):
            last = "features" if features is None else str(features)
            wanted = f"({'batch' if axes == 2 else '...'}, {last})"
            raise ValueError(f"{self.describe()}: expected input of shape {wanted}, got {tuple(x.shape)}")
        return x

    def _gradient(self, dy: Any, y: Array | None) -> Array:
        if y is None:
            raise RuntimeError(f"{self.describe()}: call forward before backward")
        dy = self.ops.asarray(dy)
        if dy.shape != y.shape:
            raise ValueError(f"{self.describe()}: expected dy of shape {y.shape}, got {tuple(dy.shape)}")
        return dy

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a row of output, from that of a row of input."""
        return shape

    # ---- parameters and state ------------------------------------------------------------------
    def modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, in order, with dotted names."""
        yield prefix, self
        for name, child in self.children.items():
            yield from child.modules(f"{prefix}.{name}" if prefix else name)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        for prefix, module in self.modules():
            for name in module.parameter_names:
                parameter = getattr(module, name)
                if parameter is not None:
                    yield f"{prefix}.{name}" if prefix else name, parameter

    def parameters(self) -> list[Parameter]:
        return [parameter for _, parameter in self.named_parameters()]

    def state_dict(self) -> dict[str, Any]:
        """NumPy copies of all parameters and buffers, in torch's order, under torch's names."""
        state = {}
        for prefix, module in self.modules():
            for name in module.parameter_names + module.state_names:
                value = getattr(module, name)
                if value is not None:
                    value = value.data if isinstance(value, Parameter) else value
                    state[f"{prefix}.{name}" if prefix else name] = self.ops.to_host(value)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy arrays in, by name. Raises ValueError if a key is missing, unknown or misshapen."""
        own = self.state_dict()
        problems = [f"missing {k!r}" for k in own if k not in state]
        problems += [f"unexpected {k!r}" for k in state if k not in own]
        problems += [
            f"{k!r} has shape {tuple(state[k].shape)}, expected {own[k].shape}"
            for k in own
            if k in state and tuple(state[k].shape) != own[k].shape
        ]
        if problems:
            more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
            raise ValueError("weights do not fit the model: " + "; ".join(problems[:3]) + more)
        for prefix, module in self.modules():
            for name in module.parameter_names + module.state_names:
                value = getattr(module, name)
                key = f"{prefix}.{name}" if prefix else name
                if isinstance(value, Parameter):
                    self.ops.copy(state[key], out=value.data)
                elif isinstance(value, int):
                    setattr(module, name, int(state[key]))
                elif value is not None:
                    self.ops.copy(state[key], out=value)

    # ---- printed form --------------------------------------------------------------------------
    def extra_repr(self) -> str:
        return ""

    def describe(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def __repr__(self) -> str:
        if not self.children:
            return self.describe()
        lines = []
        for name, child in self.children.items():
            first, *rest = repr(child).split("\n")
            lines += [f"  ({name}): {first}", *("  " + line for line in rest)]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])
