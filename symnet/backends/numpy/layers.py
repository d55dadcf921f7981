"""NumPy source text of Programs, written by `sympy.lambdify` from their own statements.

One line a statement, one function an activation; the layout of the arrays is `runtime`'s. No
search for common subexpressions is needed: the statements are the shared quantities, so
lambdify's `cse=` argument is handed a function that returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sympy import Expr, Function, Mul, Symbol, Tuple
from sympy.printing.precedence import PRECEDENCE

from symnet.backends.numpy.elements import (
    Assignment,
    ElementPrinter,
    activation_function,
    call_name,
    lambdified,
)
from symnet.calculus.algebra import (
    DIRECTIONS,
    OUTPUT,
    SPELLED,
    Head,
    Quantity,
    X,
    along_directions,
    column,
    is_direction,
    outside,
    row,
    sigma,
    sigmas,
)
from symnet.calculus.program import Application, Program, parameters
from symnet.network import Network


def kernels(programs: Mapping[str, Program], network: Network) -> str:
    """The text of one function `def name(x, W1, b1, …)` for each of `programs`.

    A kernel takes a block of points x (n, points), weights as they are and biases as columns
    (neurons, 1). It returns a list with one part an output of its Program, as `runtime.fill`
    takes it. The functions and index arrays that the kernels call come first.
    """
    calls: dict[str, str] = {}
    gathers: dict[str, str] = {}
    texts = []
    for name, program in programs.items():
        printer = _LayerPrinter(program, network.m)
        arguments = [X, *parameters(network).values()]
        texts.append(lambdified(name, arguments, *_body(program, printer), printer))
        for activation, orders in printer.calls:
            text = activation_function(program.activations[activation], orders)
            calls[call_name(activation, orders)] = text
        for members, order in printer.gathers:
            gather = _gather_name(members, order)
            gathers[gather] = f"{gather} = positions({network.n}, {members}, {order})"
    indices = ["\n".join(gathers[name] for name in sorted(gathers)) + "\n"] if gathers else []
    return "\n\n".join([*(calls[name] for name in sorted(calls)), *indices, *texts])


@lru_cache(maxsize=2**14)
def code_name(quantity: Quantity) -> str:
    """A quantity's variable: z2 for z₂, dz2 for ∂z₂, ddz2 for ∂²z₂, lam2 for λ₂, W4_3 for W₄₃."""
    if quantity.index is not None:
        return str(quantity.name)
    letter = SPELLED.get(quantity.letter, quantity.letter)
    directions = _directions(quantity)
    return "d" * len(directions) + letter + ("" if quantity.layer is None else str(quantity.layer))


def _body(program: Program, printer: _LayerPrinter) -> tuple[list[Assignment], list[Expr]]:
    """The lines of a kernel, and its results."""
    lines: list[Assignment] = printer.activation_lines(X)
    for statement in program.statements:
        target, expression = statement.target, statement.expression
        if not isinstance(expression, sigma):
            lines.append((Symbol(code_name(target)), _Aligned(target, expression)))
        lines += printer.activation_lines(target)
    results = [_Result(output) for output in program.outputs]
    return _released(lines, results, printer), results


def _released(
    lines: Sequence[Assignment], results: Sequence[Expr], printer: _LayerPrinter
) -> list[Assignment]:
    """The lines, and `del z1, a1` where two arrays or more were used for the last time.

    What is freed is used again while it is in the cache: 10 to 14 % of the time of a large batch.
    """
    last: dict[str, int] = {}
    for k, (target, expression) in enumerate(lines):
        if not printer.is_view(expression):
            last |= dict.fromkeys(sorted(s.name for s in target.free_symbols), k)
        last |= dict.fromkeys(printer.reads(expression) & last.keys(), k)
    ends: dict[int, list[str]] = {}
    for name in last.keys() - set().union(*map(printer.reads, results)):
        ends.setdefault(last[name], []).append(name)
    released: list[Assignment] = []
    waiting: list[str] = []
    for k, line in enumerate(lines[:-1]):
        released.append(line)
        waiting += sorted(ends.get(k, []))
        if len(waiting) > 1:
            # lambdify's way to delete a name.
            released.append((Symbol(", ".join(waiting)), None))
            waiting = []
    return [*released, *lines[-1:]]


_function = lru_cache(maxsize=256)(Function)  # SymPy makes a class of each name each time


class _Aligned(Head):
    """target, expression: the expression in the layout of the target."""

    nargs = 2


class _Result(Head):
    """An output in the layout (m, combinations, points)."""

    nargs = 1


class _LayerPrinter(ElementPrinter):
    """Layer-level expressions of one Program.

    Axes of an array, in order: output p of an adjoint (only when m > 1), combination of
    directions, neuron, point. A factor with fewer directions than its statement is gathered along
    the combinations, a factor without p or without directions broadcasts.
    """

    def __init__(self, program: Program, m: int) -> None:
        super().__init__()
        self.program, self.m = program, m
        self.calls: set[tuple[str, tuple[int, ...]]] = set()
        self.gathers: set[tuple[tuple[int, ...], int]] = set()
        self._target: tuple[str, ...] = ()
        self._result = False  # whether what is printed is an adjoint's result, [p][combination]

    def activation_lines(self, argument: Quantity) -> list[Assignment]:
        """a1, ds1, dds1 = sigmoid_012(z1): a line for each activation of this argument."""
        lines: list[Assignment] = []
        for used in self.program.applied_to.get(argument, ()):
            self.calls.add((used.name, used.orders))
            targets = [Symbol(self._derivative(used, r)) for r in used.orders]
            call = _function(call_name(used.name, used.orders))(argument)
            lines.append((Tuple(*targets) if len(targets) > 1 else targets[0], call))
        return lines

    def reads(self, expression: Expr) -> set[str]:
        """The variables in the text of a line's expression, and of what it is aligned to."""
        derivatives = {self._print_sigma(node) for node in sigmas(expression)}
        return derivatives | set(map(code_name, outside(expression)))

    def is_view(self, expression: Expr) -> bool:
        """Whether a line's array is a view of a weight matrix."""
        found = expression.args[1] if isinstance(expression, _Aligned) else expression
        return isinstance(found, (column, row))

    def _derivative(self, used: Application, order: int) -> str:
        if order == 0 and used.value is not None:
            return code_name(used.value)
        return f"{'d' * order}s{used.number or ''}"

    def _print_Tuple(self, expr: Tuple) -> str:
        return ", ".join(map(self._print, expr))

    def _print__Aligned(self, expr: Expr) -> str:
        target, expression = expr.args
        self._target = _directions(target)
        self._result = target.letter == "y" and "p" in along_directions(expression)
        text = str(self._print(expression))
        width = self.program.shapes.spread(target, expression)
        return f"np.repeat({text}, {width}, axis=-2)" if width else text

    def _print__Result(self, expr: Expr) -> str:
        output = expr.args[0]
        if output == 0:
            return "0.0"
        name = code_name(output)
        tangent = _directions(output) and not _is_adjoint(self.program, output)
        return f"{name}.swapaxes(0, 1)" if tangent and self.m > 1 else name

    def _print_Quantity(self, quantity: Quantity) -> str:
        if quantity == OUTPUT:
            return "1" if self.m == 1 else f"unit({self.m}, x)"
        directions = _directions(quantity)
        if not directions or directions == self._target:
            return self._array(quantity)
        members = tuple(self._target.index(d) for d in directions)
        return self._gathered(quantity, members, len(self._target))

    def _array(self, quantity: Quantity) -> str:
        """The quantity's variable; the unit directions, which have none, in full."""
        if is_direction(quantity):
            return f"unit({self.program.shapes.n}, x)"
        return code_name(quantity)

    def _print_sigma(self, node: sigma) -> str:
        return self._derivative(self.program.applications[node.name, node.argument], node.order)

    def _print_transposed(self, node: Expr) -> str:
        return f"{self._print(node.args[0])}.T"

    def _print_matvec(self, node: Expr) -> str:
        matrix, vector = node.args
        return f"{self._print(matrix)} @ {self.parenthesize(vector, PRECEDENCE['Pow'])}"

    def _print_column(self, node: Expr) -> str:
        text = f"{self._print(node.args[0])}.T[:, :, None]"
        directions = _directions(node.args[1])
        if directions == self._target:
            return text
        members = tuple(self._target.index(d) for d in directions)
        self.gathers.add((members, len(self._target)))
        return f"{text}[{_gather_name(members, len(self._target))}]"

    def _print_row(self, node: Expr) -> str:
        name = self._print(node.args[0])
        return f"{name}.T" if self.m == 1 else f"{name}[:, :, None]"

    def _print_entry(self, node: Expr) -> str:
        """One entry of a vector for each direction or output: its axis becomes theirs."""
        vector, unit = node.args
        if unit == OUTPUT and _all_directions(vector):
            return f"np.swapaxes({self._print(vector)}, 0, 1)"
        if self._result and unit != OUTPUT:
            return self._print(vector)
        if unit == OUTPUT and self.m == 1:
            return self.parenthesize(vector, PRECEDENCE["Atom"])
        return f"{self.parenthesize(vector, PRECEDENCE['Atom'])}[:, None]"

    def _print_dot(self, node: Expr) -> str:
        if not self._result:
            return f"np.sum({self._print(Mul(*node.args))}, axis=-2, keepdims=True)"
        factors = [factor for part in node.args for factor in Mul.make_args(part)]
        moving = [f for f in factors if _all_directions(f)]
        weight = Mul(*(f for f in factors if not _all_directions(f)))
        if _is_pair(moving):
            return f"symmetric({self._print(weight)}, {self._array(moving[0])})"
        scale = self._print(weight)
        if self.m > 1 and "p" in along_directions(weight):
            scale = f"({scale})[:, None]"
        return f"np.sum({scale}*{self.parenthesize(Mul(*moving), PRECEDENCE['Mul'])}, axis=-2)"

    def _gathered(self, quantity: Quantity, members: tuple[int, ...], order: int) -> str:
        self.gathers.add((members, order))
        return f"{self._array(quantity)}[{_gather_name(members, order)}]"


def _is_pair(factors: Sequence[Expr]) -> bool:
    """Whether a product is t_i t_j, of one family."""
    return (
        len(factors) == 2
        and all(isinstance(f, Quantity) and f.order == 1 for f in factors)
        and factors[0].family == factors[1].family
    )


@lru_cache(maxsize=2**14)
def _directions(quantity: Quantity) -> tuple[str, ...]:
    return tuple(d for d in quantity.along if d != "p")


def _all_directions(expression: Expr) -> bool:
    return bool(along_directions(expression) - {"p"})


def _gather_name(members: tuple[int, ...], order: int) -> str:
    return "".join(DIRECTIONS[m] for m in members) + "_" + DIRECTIONS[:order]


def _is_adjoint(program: Program, output: Quantity) -> bool:
    (statement,) = (s for s in program.statements if s.target == output)
    return "p" in along_directions(statement.expression)
