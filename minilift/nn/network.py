"""A network: a tree of layers whose parameters are one vector; saved, copied and moved as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from os import PathLike
from typing import Any, TypeVar

from minilift.nn.dropout import Dropout
from minilift.nn.module import Module
from minilift.nn.params import ParamBuffer, Parameter, runs
from minilift.ops import Array, Ops, get_ops

Self = TypeVar("Self", bound="Network")


@dataclass
class Flat:
    """All parameters of a network as one vector, and their gradients as another."""

    data: Array
    grad: Array


class Network(Module):
    """A module that is trained as a whole: what a Trainer is given.

    `Sequential` is one. For any other shape, derive from Network: put the layers into `self.children`, by
    name, and write `forward(x, train)` and `backward(dy)`. All else is here and asks nothing of what the
    layers are. Training or evaluation is an argument of `forward`, never a switch that is left on.

    When its parameters are asked for they become views of one vector, `flat`, and its dropouts get streams
    of their own. So make the optimiser when the network is complete, and make it anew after `to`.
    """

    @property
    def device(self) -> str:
        return self.ops.device

    @property
    def dtype(self) -> str:
        return self.ops.dtype

    def parameters(self) -> list[Parameter]:
        """All parameters, in order; together they are `flat`."""
        found = super().parameters()
        if any(p.home is None for p in found) or len(runs(found)) > 1:
            self._gather(found)
        number_dropouts(self)
        return found

    def _gather(self, found: list[Parameter]) -> None:
        """One vector, and one set of operations with its threads and scratch memory."""
        for _, module in self.modules():
            module.ops = self.ops
        for parameter in found:
            parameter.ops = self.ops
        ParamBuffer(found, self.ops)

    @property
    def flat(self) -> Flat:
        found = runs(self.parameters())
        return Flat(*found[0]) if found else Flat(self.ops.zeros((0,)), self.ops.zeros((0,)))

    def predictor(self) -> Callable[..., Array]:
        """What evaluation uses: y = predict(x) with the weights as they are now, y valid until the next call.

        A network that predicts faster in another form than that in which it is trained overrides it.
        """

        def predict(x: Array) -> Array:
            with self.ops.parallel():
                return self.forward(x)

        return predict

    # ---- all that training changes -----------------------------------------------------------------
    def snapshot(self) -> dict[str, Any]:
        """Host arrays from which a run resumes to the bit: the `state_dict` and what layers count."""
        state = Module.state_dict(self)  # as the layers have it, whatever form files get
        for key, module, name in self._counted():
            state[key] = self.ops.to_host(getattr(module, name))
        return state

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to a `snapshot` of a network of the same layers. Raises ValueError if it does not fit."""
        counted = list(self._counted())
        state = {key: snapshot[key] for key in snapshot if key not in {key for key, _, _ in counted}}
        for key, module, name in counted:
            shape = getattr(getattr(module, name), "shape", ())
            if key not in snapshot or tuple(snapshot[key].shape) != tuple(shape):
                raise ValueError(f"snapshot does not fit the network: no {key!r} of shape {tuple(shape)}")
        Module.load_state_dict(self, state)
        for key, module, name in counted:
            if isinstance(getattr(module, name), int):
                setattr(module, name, int(snapshot[key]))
            else:
                self.ops.copy(snapshot[key], out=getattr(module, name))

    def _counted(self) -> list[tuple[str, Module, str]]:
        """Dotted name, module and attribute of all that is in a snapshot alone."""
        return [
            (f"{prefix}.{name}" if prefix else name, module, name)
            for prefix, module in self.modules()
            for name in module.resume_names
        ]

    # ---- files, copies, devices --------------------------------------------------------------------
    def save(self, path: str | PathLike[str]) -> None:
        """Write the `state_dict`, atomically: in PyTorch's format, or as .safetensors if so named."""
        from minilift.files.weights import save_state_dict

        save_state_dict(path, self.state_dict())

    def load(self, path: str | PathLike[str]) -> None:
        """Take the weights from a file that `save` or PyTorch wrote, wherever in it they are.

        Raises InputError naming the file, for one that cannot be read or is of another network.
        """
        from minilift.files.weights import exactly, load_state_dict

        fits = exactly(self.state_dict())
        self.load_state_dict(load_state_dict(path, fits, "give the weights of this network"))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copied or unpickled network: gather its parameters anew, for views do not survive a copy."""
        super().__setstate__(state)
        self.parameters()

    def to(self: Self, device: str, dtype: str | None = None, *, tf32: bool = False) -> Self:
        """Move to another device or dtype, in place, with all weights, statistics and counters.

        Arguments as of `minilift.ops.get_ops`, which raises InputError where the device cannot be had.
        Returns the network itself. Optimisers and training steps of before work on what was left behind.
        """
        _moved(self, self.ops, get_ops(device, dtype or self.dtype, tf32), {})
        self.parameters()
        return self

    # ---- for people --------------------------------------------------------------------------------
    def summary(self, shape: tuple[int, ...] | None = None) -> str:
        """The table of layers: name, kind, number of parameters; and what they add up to.

        With the `shape` of one row of input it has output shapes too, for layers one after the other.
        """
        rows = [("Layer", "Output shape", "Parameters")]
        for name, layer in self.modules():
            own = [getattr(layer, key) for key in layer.parameter_names]
            count = sum(prod(p.shape) for p in own if p is not None)
            if layer.children:
                if count:  # parameters of the network's own, besides those of its layers
                    rows.append((f"{name} ({type(layer).__name__})".strip(), "", f"{count:,}"))
                continue
            shape = None if shape is None else layer.output_shape(shape)
            shown = "" if shape is None else f"({', '.join(map(str, ('n', *shape)))})"
            rows.append((f"{name} ({type(layer).__name__})".strip(), shown, f"{count:,}"))
        if shape is None:
            rows = [(a, "", c) for a, _, c in rows]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        total = sum(p.size for p in self.parameters())
        megabytes = total * int(self.dtype.removeprefix("float")) / 8e6
        rule = "-" * len(lines[0])
        end = f"{total:,} trainable parameters, {megabytes:.1f} MB as {self.dtype}"
        return "\n".join([lines[0], rule, *lines[1:], rule, end])


def number_dropouts(module: Module) -> list[Dropout]:
    """Give every Dropout inside its own stream, so that no two draw the same mask; returns them."""
    dropouts = [layer for _, layer in module.modules() if isinstance(layer, Dropout)]
    for stream, layer in enumerate(dropouts):
        layer.stream = stream
    return dropouts


def _moved(value: Any, old: Ops, new: Ops, done: dict[int, Any]) -> Any:
    """`value` with all arrays in it on another device; modules and parameters stay the same objects."""
    if isinstance(value, Ops):
        return new
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, (Module, Parameter)):
        done[id(value)] = value
        if isinstance(value, Parameter):
            value.home = None
        for name, part in vars(value).items():
            value.__dict__[name] = _moved(part, old, new, done)
        return value
    if isinstance(value, dict):
        return {key: _moved(part, old, new, done) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_moved(part, old, new, done) for part in value)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        kind = str(value.dtype)
        made = new.zeros(tuple(value.shape), new.dtype if kind == old.dtype else kind)
        new.copy(old.to_host(value), out=made)
        return made
    return value
