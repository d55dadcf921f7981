"""The graph of an ONNX model, node by node, as forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symnet.importers.extras import needed
from symnet.importers.folding.forms import Shape
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Model
from symnet.importers.onnx import arithmetic, choices, learned, nonlinear, places, refusals
from symnet.importers.onnx.call import Call, Reader
from symnet.importers.onnx.files import array_of
from symnet.names import shortened

_READERS: Mapping[str, Reader] = {
    **places.READERS,
    **arithmetic.READERS,
    **nonlinear.READERS,
    **choices.READERS,
}
_DOMAINS = {"": _READERS, "ai.onnx": _READERS, "ai.onnx.ml": learned.READERS}
_REAL = (1, 10, 11, 16)  # float, float16, double, bfloat16: other outputs are labels
_SEEN = {"MatMul", "Gemm", "Add", "Constant", *nonlinear.READERS}  # what a reader expects to stay
_OLDEST = 6


@dataclass(frozen=True)
class Unread:
    """What no reader reads; it is an error where an output needs it."""

    why: str


@dataclass
class Graph:
    """A model as it is read: the values found so far, and what was met on the way."""

    proto: Any
    opset: int
    tensors: Tensors = field(default_factory=Tensors)
    values: dict[str, Value] = field(default_factory=dict)
    dtypes: set[str] = field(default_factory=set)
    met: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, model: Any) -> Graph:
        """ValueError for an opset that symnet or the installed onnx does not know."""
        onnx = needed("onnx", "onnx")
        versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
        opset = versions[0] if versions else 1
        newest = onnx.defs.onnx_opset_version()
        if not _OLDEST <= opset <= newest:
            raise ValueError(
                f"its opset is {opset}; symnet reads {_OLDEST} to {newest}, "
                "which the installed onnx knows"
            )
        return cls(model.graph, opset)

    def inputs(self) -> list[tuple[str, list[int | str]]]:
        """Names and shapes of the inputs that are no initializers; unknown sizes are words."""
        known = {tensor.name for tensor in self.proto.initializer}
        return [(v.name, _dimensions(v)) for v in self.proto.input if v.name not in known]

    def outputs(self) -> list[tuple[str, list[int | str]]]:
        """Names and declared shapes of the outputs."""
        return [(v.name, _dimensions(v)) for v in self.proto.output]

    def read(
        self, shapes: list[tuple[str, Shape]], name: str | None, wanted: Sequence[str] | None = None
    ) -> Model:
        """The model's outputs as forms of inputs of these shapes; labels among them are left out.

        ValueError where a wanted one (all by default) cannot be read.
        """
        if not shapes:
            raise ValueError("the model has no inputs: its outputs are constants")
        for tensor in self.proto.initializer:
            self.values[tensor.name] = self._number(tensor)
        if self.proto.sparse_initializer:
            raise ValueError("it has sparse initializers; export it with full ones")
        entries = self.tensors.fold.inputs_of([shape for _, shape in shapes])
        for (input_name, _), form in zip(shapes, entries, strict=True):
            self.values[input_name] = form
        for node in self.proto.node:
            self._node(node)
        outputs = self._read_outputs(wanted)
        sizes = [(key, form.size) for (key, _), form in zip(shapes, entries, strict=True)]
        return Model(self.tensors, tuple(sizes), tuple(outputs), name)

    def _read_outputs(self, wanted: Sequence[str] | None) -> list[tuple[str, Value]]:
        outputs, first = [], None
        for declared in self.proto.output:
            output = declared.name
            if output not in self.values:
                raise ValueError(f"no node computes the output {output!r}")
            value = self.values[output]
            if not isinstance(value, Unread):
                outputs.append((output, value))
                continue
            needed_ = wanted is None and declared.type.tensor_type.elem_type in _REAL
            if needed_ or output in (wanted or ()):
                raise ValueError(value.why)
            first = first or value.why
            self.left_out.append(output)
        if not outputs:
            raise ValueError(first or "it has no outputs")
        return [(output, choices.number(self.tensors, value)) for output, value in outputs]

    @property
    def folded(self) -> tuple[str, ...]:
        """The operators that are in the matrices now: `2 BatchNormalization`."""
        return tuple(f"{times} {op}" for op, times in sorted(self.met.items()) if op not in _SEEN)

    def _number(self, tensor: Any) -> Any:
        found = array_of(tensor)
        if found.dtype.kind == "f":
            onnx = needed("onnx", "onnx")
            self.dtypes.add(str(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)))
            if not np.isfinite(found).all():
                place = np.argwhere(~np.isfinite(found))[0].tolist()
                entry = f"the entry {found[tuple(place)]} at {place}"
                name = tensor.name or "a constant"
                raise ValueError(f"{name} has {entry}; weights must be finite")
        return found

    def _node(self, node: Any) -> None:
        label = f"node {node.name or (node.output[0] if node.output else '')!r} ({node.op_type})"
        try:
            results = self._results(node)
        except ValueError as error:
            results = [Unread(f"{shortened(label, 100)}: {error}")] * len(node.output)
        except (TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
            what = f"its arguments do not fit ({type(error).__name__}: {error})"
            results = [Unread(f"{shortened(label, 100)}: {what}")] * len(node.output)
        for output, value in zip(node.output, results, strict=False):
            if output:
                self.values[output] = value

    def _results(self, node: Any) -> list[Value]:
        onnx = needed("onnx", "onnx")
        self.met[node.op_type] += 1
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
            return [self._constant(node)]
        reader = _DOMAINS.get(node.domain, {}).get(node.op_type)
        arguments = [self._argument(name) for name in node.input]
        for argument in arguments:
            if isinstance(argument, Unread):
                return [argument] * len(node.output)
        if reader is None:
            raise ValueError(refusals.reason(node.op_type, node.domain))
        attributes = {
            a.name: self._number(a.t) if a.HasField("t") else onnx.helper.get_attribute_value(a)
            for a in node.attribute
        }
        if node.op_type not in choices.TAKING:
            arguments = [choices.number(self.tensors, argument) for argument in arguments]
        results = reader(
            Call(
                self.tensors,
                node.op_type,
                node.name,
                arguments,
                attributes,
                self.opset,
                len(node.output),
            )
        )
        return results if isinstance(results, list) else [results]

    def _argument(self, name: str) -> Value | None:
        if not name:
            return None
        if name not in self.values:
            raise ValueError(f"its input {shortened(name)!r} is computed by no node before it")
        return self.values[name]

    def _constant(self, node: Any) -> Value:
        for attribute in node.attribute:
            if attribute.name == "value":
                return self._number(attribute.t)
            if attribute.name in ("value_float", "value_int"):
                whole = attribute.name == "value_int"
                return np.array(attribute.i if whole else attribute.f)
            if attribute.name in ("value_floats", "value_ints"):
                whole = attribute.name == "value_ints"
                numbers = attribute.ints if whole else attribute.floats
                return np.array(numbers, dtype=np.int64 if whole else np.float64)
        raise ValueError("it is no constant of numbers")


def _dimensions(value: Any) -> list[int | str]:
    """A declared shape; a size that is not fixed is its name, or ?."""
    if not value.type.HasField("tensor_type"):
        raise ValueError(f"{value.name!r} is no tensor but a sequence, map or optional")
    found: list[int | str] = []
    for dimension in value.type.tensor_type.shape.dim:
        if dimension.HasField("dim_value") and dimension.dim_value > 0:
            found.append(int(dimension.dim_value))
        else:
            found.append(dimension.dim_param or "?")
    return found
