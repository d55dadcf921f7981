"""One node of an ONNX graph with its arguments, as the functions that read operators see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np

from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array


@dataclass(frozen=True)
class Batch:
    """An axis of fixed size that may be a batch: 0 or −1, and its size."""

    axis: int
    size: int


@dataclass(frozen=True)
class Call:
    """A node: `inputs` are constants, forms, or None where an optional one is left out."""

    tensors: Tensors
    op: str
    label: str
    inputs: Sequence[Value | None]
    attributes: Mapping[str, Any]
    opset: int
    named: Sequence[bool]
    """Whether each result has a name: others are left out."""
    body: Callable[..., list[Value]]
    """Reads a graph that the node holds with values for its inputs: Graph.body."""
    batch: Batch | None = None
    """The axis that the model is read along with one point instead of its fixed size."""

    @property
    def results(self) -> int:
        """How many the node has, with and without names."""
        return len(self.named)

    def refuse(self, why: str) -> NoReturn:
        """ValueError with the node's name."""
        raise ValueError(why)

    def has(self, i: int) -> bool:
        """Whether there is an i-th input."""
        return i < len(self.inputs) and self.inputs[i] is not None

    def value(self, i: int) -> Value:
        """The i-th input, constant or not."""
        if not self.has(i):
            self.refuse(f"its input {i} is missing")
        return self.inputs[i]

    def form(self, i: int) -> Form:
        """The i-th input as a form."""
        return self.tensors.form(self.value(i))

    def constant(self, i: int, what: str) -> Array:
        """The i-th input, which has to be known."""
        found = self.value(i)
        if isinstance(found, Form):
            verb = "depend" if what.endswith("s") else "depends"
            self.refuse(f"its {what} {verb} on the inputs; symnet reads what is constant")
        return np.asarray(found)

    def second(self) -> Value:
        """The second of two arguments, placed as opsets below 7 say by `axis`."""
        y = self.value(1)
        if self.opset >= 7 or not self.get("broadcast", 0) or self.get("axis") is None:
            return y
        if isinstance(y, Condition):
            self.refuse("its second argument is a condition that is placed by axis (opset 6)")
        trailing = len(self.value(0).shape) - self.get("axis") % len(self.value(0).shape)
        return self.tensors.reshape(y, (*y.shape, *[1] * (trailing - len(y.shape))))

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def integers(self, name: str, i: int, before: int) -> list[int] | None:
        """Integers that are an attribute in opsets below `before`, then the i-th input."""
        if self.opset < before:
            found = self.get(name)
        else:
            found = self.constant(i, name).reshape(-1) if self.has(i) else None
        return None if found is None else [int(v) for v in found]

    def number(self, name: str, i: int, before: int) -> float | None:
        """One number that is an attribute in opsets below `before`, then the i-th input."""
        if self.opset < before:
            found = self.get(name)
            return None if found is None else float(found)
        return float(self.constant(i, name).reshape(-1)[0]) if self.has(i) else None


Result: TypeAlias = Any
"""A value, or a list of as many as the node has outputs."""

Reader: TypeAlias = Callable[[Call], Result]
