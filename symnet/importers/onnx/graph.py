"""The graph of an ONNX model, node by node, as forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symnet.extras import needed
from symnet.importers.folding.forms import Shape
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Model
from symnet.importers.onnx import (
    choices,
    constants,
    contributed,
    defined,
    quadrants,
    refusals,
    whole,
)
from symnet.importers.onnx.call import Batch, Call
from symnet.importers.onnx.operators import DOMAINS, SEEN, TAKING
from symnet.names import shortened

_ONNX = ("", "ai.onnx")
_REAL = (1, 10, 11, 16)  # float, float16, double, bfloat16: other outputs are labels
_STRING = 8
_OLDEST = 6
_STEPS = 20_000  # nodes of branches, loops and definitions, beside those of the graph itself


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
    taken: list[int] = field(default_factory=lambda: [0])
    """Nodes read in bodies so far, one number for all of a model's."""
    angles: Mapping[str, quadrants.Angle] = field(default_factory=dict)
    batch: Batch | None = None
    whole: set[str] = field(default_factory=set)
    """Names of tensors of whole numbers or truth values that depend on the inputs."""
    inner: bool = False

    @classmethod
    def of(cls, model: Any, batch: Batch | None = None) -> Graph:
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
        return cls(model.graph, opset, batch=batch, angles=quadrants.angles(model.graph.node))

    def inputs(self) -> list[tuple[str, list[int | str]]]:
        """Names and shapes of the inputs that are numbers; unknown sizes are words."""
        given = [v for v in self._given() if not _is_of_words(v)]
        for value in given:
            if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape"):
                raise ValueError(
                    f"its input {shortened(value.name)!r} has no shape; export the model with the "
                    "shapes of its inputs"
                )
        return [(v.name, _dimensions(v)) for v in given]

    def words(self) -> list[str]:
        """The inputs that are words: labels that are passed on, categories."""
        return [v.name for v in self._given() if _is_of_words(v)]

    def not_real(self) -> dict[str, str]:
        """The inputs that are declared as whole numbers or truth values, and as which."""
        kinds = {v.name: whole.kind(v) for v in self._given()}
        return {name: kind for name, kind in kinds.items() if kind}

    def _given(self) -> list[Any]:
        """The inputs that are no initializers."""
        known = {tensor.name for tensor in self.proto.initializer}
        return [v for v in self.proto.input if v.name not in known]

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
        self._check_names()
        self._initialize()
        entries = self.tensors.fold.inputs_of([shape for _, shape in shapes])
        for (input_name, _), form in zip(shapes, entries, strict=True):
            self.values[input_name] = form
        self.whole.update(self.not_real())
        for word in self.words():
            self.values[word] = Unread(f"the input {shortened(word)!r} is of words, not of numbers")
        for node in self.proto.node:
            self._node(node)
        outputs = self._read_outputs(wanted)
        sizes = [(key, form.size) for (key, _), form in zip(shapes, entries, strict=True)]
        return Model(self.tensors, tuple(sizes), tuple(outputs), name)

    def _check_names(self) -> None:
        """ValueError for a tensor that is made twice: programs take the one or the other."""
        made = Counter(v.name for v in self._given())
        made.update(tensor.name for tensor in self.proto.initializer)
        made.update(name for node in self.proto.node for name in node.output if name)
        twice = [name for name, times in made.items() if times > 1]
        if twice:
            raise ValueError(
                f"it makes {shortened(twice[0])!r} {made[twice[0]]} times, by nodes, inputs or "
                "initializers; give each tensor a name of its own"
            )

    def _check_apart(self, around: Mapping[str, Value]) -> None:
        """ValueError for a name of its own that has another meaning around it."""
        for tensor in self.proto.initializer:
            if tensor.name in around:
                raise ValueError(
                    f"it makes {shortened(tensor.name)!r} again, which is there around it: "
                    "programs take the one or the other; give each tensor a name of its own"
                )

    def _initialize(self) -> None:
        given: list[tuple[str, Any, Any]] = [
            (tensor.name, tensor, self._number) for tensor in self.proto.initializer
        ]
        for sparse in self.proto.sparse_initializer:
            given.append((sparse.values.name, sparse, self._sparse))
        for name, tensor, found in given:
            try:
                self.values[name] = found(tensor)
            except ValueError as error:  # words for labels, of which no number is made
                self.values[name] = Unread(str(error))

    def body(self, body: Any, given: Mapping[str, Value], closed: bool = False) -> list[Value]:
        """The outputs of a branch, of a loop's step, or (`closed`) of an operator's definition.

        What is not closed sees the values around it. ValueError where an output is not read.
        """
        values = dict(given) if closed else {**self.values, **given}
        opset = defined.opset_of(body, self.opset) if closed else self.opset
        inner = replace(self, proto=body, opset=opset, values=values, met=Counter(), left_out=[])
        inner.inner, inner.whole = True, set() if closed else self.whole - given.keys()
        if not closed:
            inner._check_apart(self.values)
            inner._initialize()
        self.taken[0] += len(body.node)
        if self.taken[0] > _STEPS:
            raise ValueError(f"its branches and loops take more than {_STEPS:,} nodes")
        for node in body.node:
            inner._node(node)
        names = [output if closed else output.name for output in body.output]
        results = [inner.values.get(name) for name in names]
        for name, value in zip(names, results, strict=True):
            if isinstance(value, Unread):
                raise ValueError(value.why)
            if value is None and not closed:
                raise ValueError(f"no node in it computes {shortened(name)!r}")
        return results

    def needed(self, wanted: Sequence[str] | None) -> list[str]:
        """The outputs that must be read: those that are wanted, by default all that are real."""
        real = [v.name for v in self.proto.output if v.type.tensor_type.elem_type in _REAL]
        return real if wanted is None else list(wanted)

    def _read_outputs(self, wanted: Sequence[str] | None) -> list[tuple[str, Value]]:
        outputs, first, must = [], None, self.needed(wanted)
        for declared in self.proto.output:
            output = declared.name
            if output not in self.values:
                raise ValueError(f"no node computes the output {output!r}")
            value = self.values[output]
            if not isinstance(value, Unread):
                outputs.append((output, value))
                continue
            if output in must:
                raise ValueError(value.why)
            first = first or value.why
            self.left_out.append(output)
        if not outputs:
            raise ValueError(first or "it has no outputs")
        return [(output, choices.number(self.tensors, value)) for output, value in outputs]

    @property
    def folded(self) -> tuple[str, ...]:
        """The operators that are in the matrices now: `2 BatchNormalization`."""
        return tuple(f"{times} {op}" for op, times in sorted(self.met.items()) if op not in SEEN)

    def _number(self, tensor: Any) -> Any:
        found, kind = constants.number(tensor)
        if kind:
            self.dtypes.add(kind)
        return found

    def _sparse(self, sparse: Any) -> Any:
        return constants.dense(sparse, self._number)

    def _node(self, node: Any) -> None:
        try:
            results = self._results(node)
        except ValueError as error:
            results = [Unread(f"{label(node)}: {error}")] * len(node.output)
        except (TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
            what = f"its arguments do not fit ({type(error).__name__}: {error})"
            results = [Unread(f"{label(node)}: {what}")] * len(node.output)
        for output, value in zip(node.output, results, strict=False):
            if output and value is None:
                value = Unread(f"{label(node)}: {shortened(output)} is no number")
            if output:
                self.values[output] = value

    def _results(self, node: Any) -> list[Value]:
        self.met[node.op_type] += 1
        not_real = [name for name in node.input if name in self.whole]
        kept = [whole.keeps(node, name, self.inner) for name in not_real]
        if any(kept):
            self.whole.update(filter(None, node.output))
        if node.op_type == "Constant" and node.domain in _ONNX:
            return [constants.constant(node, self._number)]
        if node.output and node.output[0] in self.angles:
            value = quadrants.value(self.tensors, self.angles[node.output[0]], self.values)
            if value is not None:
                return [value]
        arguments = [self._argument(name) for name in node.input]
        for argument in arguments:
            if isinstance(argument, Unread):
                return [argument] * len(node.output)
        if whole.makes(node) and choices.varies(arguments[0]):
            self.whole.update(node.output)
        if node.op_type not in TAKING:
            arguments = [choices.number(self.tensors, argument) for argument in arguments]
        reader = DOMAINS.get(node.domain, {}).get(node.op_type)
        if reader is None or (node.domain in _ONNX and constants.computed(node, arguments)):
            return self._without_rule(node, arguments)
        results = reader(
            Call(
                self.tensors,
                node.op_type,
                node.name,
                arguments,
                constants.attributes(node, self._number, self.opset),
                self.opset,
                [bool(name) for name in node.output],
                self.body,
                self.batch,
            )
        )
        found = results if isinstance(results, list) else [results]
        if node.domain in _ONNX and node.op_type not in contributed.PLAIN:
            found = constants.in_their_type(node, arguments, found, self.opset)
        return found

    def _without_rule(self, node: Any, arguments: Sequence[Value | None]) -> list[Value]:
        """What onnx itself computes of constants, or defines by other operators."""
        if node.domain in _ONNX:
            if constants.computed(node, arguments):
                return constants.results(node, arguments, self.opset)
            body = defined.definition(node, arguments, self.opset)
            if body is not None:
                given = dict(zip(body.input, arguments, strict=False))
                rest = dict.fromkeys(body.input[len(arguments) :])
                return self.body(body, {**given, **rest}, closed=True)[: len(node.output)]
        raise ValueError(refusals.reason(node.op_type, node.domain))

    def _argument(self, name: str) -> Value | None:
        if not name:
            return None
        if name not in self.values:
            raise ValueError(f"its input {shortened(name)!r} is computed by no node before it")
        return self.values[name]


def label(node: Any) -> str:
    """What errors call a node."""
    name = node.name or (node.output[0] if node.output else "")
    return shortened(f"node {name!r} ({node.op_type})", 100)


def is_read(node: Any) -> bool:
    """Whether its operator has a rule, or may have a definition by other operators."""
    if node.op_type in DOMAINS.get(node.domain, {}):
        return True
    return node.domain in _ONNX and defined.is_defined(node.op_type)


def _is_of_words(value: Any) -> bool:
    return bool(value.type.tensor_type.elem_type == _STRING)


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
