"""An ONNX model whose outputs are y, jacobian and hessian, for a batch of points.

Input `x` (points, n); outputs `y` (points, m), `jacobian` (points, m, n), `hessian`
(points, m, n, n). Opset 17, no functions of its own.

Every tensor of the model has the axes (points, p, i, j, …, r), one long where nothing depends on
it, so that products and sums are broadcast; a direction's namesake is the same tensor with two
axes exchanged. It needs the package onnx: pip install 'symnet[onnx]'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sympy import Add, Expr, Mul, Piecewise, Pow, S, Symbol, sign
from sympy.logic.boolalg import And, Or

from symnet.activations import Z
from symnet.calculus.algebra import DIRECTIONS, Quantity, X, along_directions
from symnet.calculus.schemes import Choice
from symnet.extras import needed
from symnet.languages.job import Job
from symnet.languages.matrixform import MatrixForm
from symnet.lowering import elementary, programs
from symnet.names import array_name, together_name

OPSET = 17
_OPERATORS = {
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
    "abs": "Abs",
    "floor": "Floor",
    "ceiling": "Ceil",
    "rint": "Round",
    "sin": "Sin",
    "cos": "Cos",
}
_RELATIONS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual"}


def model(job: Job) -> Any:
    """The ModelProto. ImportError that names the extra where onnx is not installed."""
    onnx = needed("onnx", "onnx")
    choice = list(programs.choices(job.network, job.order).values())[-1]
    return _Model(job, choice, onnx).proto()


def content(job: Job) -> bytes:
    """The file's bytes."""
    return bytes(model(job).SerializeToString())


class _Model(MatrixForm):
    """The nodes of a model, made statement by statement."""

    def __init__(self, job: Job, choice: Choice, onnx: Any) -> None:
        super().__init__(job, choice)
        self.onnx = onnx
        self.kind = np.float32 if job.precision == "float" else np.float64
        self.rank = 3 + self.order  # points, p, directions, r
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.tensors: dict[tuple, str] = {}
        self.sigmas: dict[tuple[str, Expr, int], str] = {}
        self.parameters = job.network.numeric().parameters

    def proto(self) -> Any:
        helper = self.onnx.helper
        shape = self.ints("input_shape", [-1, *[1] * (self.rank - 2), self.n])
        self.tensors[X.family] = self.op("Reshape", "x", shape)
        self.activate(X)
        for statement in self.program.statements:
            target, tensor = statement.target, self.vector(statement.expression)
            if width := self.program.shapes.spread(target, statement.expression):
                shape = self.ints(f"width_{width}", [*[1] * (self.rank - 1), width])
                tensor = self.op("Expand", tensor, shape)
            self.tensors.setdefault(target.family, tensor)
            self.activate(target)
        outputs = [
            self.result(order, output)
            for order, output in zip(self.choice.orders, self.program.outputs, strict=True)
        ]
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.kind))
        graph = helper.make_graph(
            self.nodes,
            self.job.name,
            [helper.make_tensor_value_info("x", kind, ["points", self.n])],
            [
                helper.make_tensor_value_info(name, kind, ["points", self.m, *[self.n] * order])
                for order, name in outputs
            ],
            list(self.constants.values()),
            doc_string="\n".join(self.job.head("", [together_name(self.order)])),
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        made.producer_name = "symnet"
        self.onnx.checker.check_model(made, full_check=True)
        return made

    # --- nodes and constants --------------------------------------------------------------------

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes) + 1}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, values: Any) -> str:
        if name not in self.constants:
            array = np.asarray(values, self.kind)
            self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def ints(self, name: str, values: Sequence[int]) -> str:
        if name not in self.constants:
            array = np.asarray(values, np.int64)
            self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def folded(self, kind: str, parts: Iterable[str]) -> str:
        first, *rest = parts
        for part in rest:
            first = self.op(kind, first, part)
        return first

    def exchanged(self, tensor: str, a: int, b: int) -> str:
        axes = list(range(self.rank))
        axes[a], axes[b] = axes[b], axes[a]
        return tensor if a == b else self.op("Transpose", tensor, perm=axes)

    def placed(self, name: str, array: Any, axis: int) -> str:
        """A matrix as a constant, its rows along an axis, its columns along the last."""
        shape = [1] * self.rank
        shape[axis], shape[-1] = array.shape
        return self.constant(name, np.reshape(array, shape))

    # --- vectors --------------------------------------------------------------------------------

    def axis(self, direction: str) -> int:
        return 1 if direction == "p" else 2 + DIRECTIONS.index(direction)

    def number(self, value: Any) -> str:
        return self.constant(f"c{float(value)!r}", float(value))

    def identity(self, size: int, direction: str) -> str:
        name = "p" if direction == "p" else self.axis(direction)
        return self.placed(f"identity_{name}", np.eye(size), self.axis(direction))

    def derivative(self, name: str, argument: Expr, order: int) -> str:
        return self.sigmas[name, argument, order]

    def sum(self, expression: Add) -> str:
        return self.folded("Add", map(self.vector, expression.args))

    def product(self, factors: Sequence[Expr]) -> str:
        return self.folded("Mul", map(self.vector, factors))

    def matrix_product(self, matrix: str, turned: bool, v: Expr) -> str:
        vector, array = self.vector(v), self.parameters[matrix]
        factor = self.constant(matrix, array) if turned else self.constant(f"{matrix}_t", array.T)
        return self.op("MatMul", vector, factor)

    def columns(self, matrix: str, direction: str) -> str:
        axis = self.axis(direction)
        return self.placed(f"{matrix}_columns_{axis}", self.parameters[matrix].T, axis)

    def rows(self, matrix: str) -> str:
        return self.placed(f"{matrix}_rows", self.parameters[matrix], 1)

    def scalar_product(self, u: Expr, v: Expr) -> str:
        return self.op("ReduceSum", self.product([u, v]), self.ints("last", [-1]), keepdims=1)

    def entries(self, v: Expr, direction: str) -> str:
        return self.exchanged(self.vector(v), self.axis(direction), self.rank - 1)

    def normalized(self, function: str, v: Expr) -> str:
        kind = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}[function]
        return self.op(kind, self.vector(v), axis=-1)

    def quantity(self, quantity: Quantity) -> str:
        if quantity.letter == "b":
            return self.constant(str(quantity), self.parameters[str(quantity)])
        tensor = self.tensors[quantity.family]
        directions = [d for d in quantity.along if d != "p"]
        for k, direction in reversed(list(enumerate(directions))):
            tensor = self.exchanged(tensor, 2 + k, self.axis(direction))
        return tensor

    def result(self, order: int, output: Expr) -> tuple[int, str]:
        """An output with the axes (points, m, n, …)."""
        name = array_name(order)
        shape = [-1, self.m, *[self.n] * order]
        if output == 0:
            tensor = self.number(0)
        else:
            tensor = self.tensors[output.family]
            statement = next(s for s in self.program.statements if s.target == output)
            if "p" not in along_directions(statement.expression):
                tensor = self.exchanged(tensor, 1, self.rank - 1)
        rest = [self.m, *[self.n] * order, *[1] * (self.rank - 2 - order)]
        points = self.op("Shape", "x", start=0, end=1)
        full = self.op("Concat", points, self.ints(f"rest_{order}", rest), axis=0)
        grown = self.op("Expand", tensor, full)
        shape_name = self.ints(f"shape_{order}", shape)
        self.nodes.append(self.onnx.helper.make_node("Reshape", [grown, shape_name], [name]))
        return order, name

    # --- activations ----------------------------------------------------------------------------

    def activate(self, argument: Quantity) -> None:
        for used in self.program.applied_to.get(argument, ()):
            activation = self.program.activations[used.name]
            shared, results = activation.forms(max(used.orders)).only(used.orders)
            known: dict[Expr, str] = {Z: self.quantity(argument)}
            for symbol, value in shared:
                known[symbol] = self.scalar(value, known)
            for order, value in zip(used.orders, results, strict=True):
                self.sigmas[used.name, argument, order] = self.scalar(value, known)

    def scalar(self, expression: Expr, known: dict[Expr, str]) -> str:
        """An elementwise function, in operators that runtimes have for doubles too."""
        inner: Callable[[Expr], str] = lambda e: self.scalar(e, known)  # noqa: E731
        if expression in known:
            return known[expression]
        if expression.is_number:
            return self.number(expression.evalf(25))
        match expression:
            case Add():
                return self.folded("Add", [inner(a) for a in expression.args])
            case Mul():
                above = [a for a in expression.args if not _divides(a)] or [S.One]
                found = self.folded("Mul", [inner(a) for a in above])
                for divisor in filter(_divides, expression.args):
                    found = self.op("Div", found, inner(1 / divisor))
                return found
            case Pow(args=(base, power)):
                if _divides(expression):
                    return self.op("Div", self.number(1), inner(1 / expression))
                if power == S.Half:
                    return self.op("Sqrt", inner(base))
                return self.op("Pow", inner(base), inner(power))
            case Piecewise(args=(*pieces, last)):
                found = inner(last.args[0])
                for value, condition in reversed(pieces):
                    holds = self.condition(condition, inner)
                    found = self.op("Where", holds, inner(value), found)
                return found
            case sign(args=(x,)):
                return inner(Piecewise((-1, x < 0), (1, x > 0), (x, True)))
        name = type(expression).__name__.lower()
        if name == "undefined":
            return self.constant("undefined", np.nan)
        argument = inner(expression.args[0])
        if name in _OPERATORS:
            return self.op(_OPERATORS[name], argument)
        own = elementary.own(name)
        inside: dict[Expr, str] = {Symbol("z", real=True): argument}
        for symbol, value in own.shared:
            inside[symbol] = self.scalar(value, inside)
        return self.scalar(own.results[0], inside)

    def condition(self, condition: Any, inner: Callable[[Expr], str]) -> str:
        """A comparison, or several joined by and, or."""
        if isinstance(condition, (And, Or)):
            parts = [self.condition(part, inner) for part in condition.args]
            return self.folded("And" if isinstance(condition, And) else "Or", parts)
        relation = _RELATIONS[condition.rel_op]
        return self.op(relation, inner(condition.lhs), inner(condition.rhs))


def _divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.is_number and bool(factor.exp < 0)
