"""NumPy source text for rows of data: one derivative of a network, and its adjoint in the weights.

Unlike in `backends.numpy.layers`, the weights change from call to call, every row has its own
directions, and a leading axis of particles may run through everything:

    x, x_i, x_j (n, rows)    W (…, out, in)    b (…, out, 1)    e (m, rows)    y_ij (…, m, rows)

so that a swarm is one batched matrix product a layer. The text is written once for a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sympy import Expr, Mul
from sympy.printing.precedence import PRECEDENCE

from symnet.backends.numpy.elements import ElementPrinter, activation_function, call_name
from symnet.calculus.algebra import DIRECTIONS, OUTPUT, Quantity, X, sigma
from symnet.calculus.program import Statement, parameters
from symnet.calculus.reverse import BAR, Sweep, sweep
from symnet.calculus.shapes import Shapes
from symnet.network import Network


def source(network: Network, orders: Iterable[int]) -> str:
    """The text of `value_r` and `adjoint_r` for each derivative order r in `orders`.

        value_r(x, x_i, …, W1, b1, …)       the derivative along the rows' directions
        adjoint_r(x, x_i, …, W1, b1, …, e)  that, and a list of ∂(e·derivative)/∂W1, ∂/∂b1, …

    The covector e may depend on the derivative, as a loss's does: it is handed over as a function
    of it.

    `outer(t̄, v)` and `column(t̄)`, which sum the adjoints of rows or keep them apart, are the
    caller's: they must be in the namespace in which the text is executed.
    """
    rules, symbols = network.activations, parameters(network).values()
    shapes = Shapes.of(network)
    calls: set[tuple[str, tuple[int, ...]]] = set()
    functions = []
    for order in orders:
        derived = sweep(network, order, symbols)
        arguments = [X, *(X.toward(d) for d in DIRECTIONS[:order]), *symbols]
        for write in (_value, _adjoint):
            printer = _RowPrinter(derived.applied, shapes)
            functions.append(write(order, arguments, derived, printer))
            calls |= printer.calls
    used = [activation_function(rules[name], wanted) for name, wanted in sorted(calls)]
    return "\n\n".join([*used, *functions])


def _value(order: int, arguments: Sequence[Quantity], derived: Sweep, printer: _RowPrinter) -> str:
    lines = printer.lines(derived.forward, derived.forward)
    return _function(f"value_{order}", arguments, lines, printer.doprint(derived.output))


def _adjoint(
    order: int, arguments: Sequence[Quantity], derived: Sweep, printer: _RowPrinter
) -> str:
    output = printer.doprint(derived.output)
    lines = printer.lines(derived.forward, (*derived.forward, *derived.backward))
    lines += [f"e = e({output})"] if derived.backward else []
    lines += printer.lines(derived.backward, ())
    gradients = ", ".join(printer.gradient(*item) for item in derived.gradients.items())
    result = f"{output}, [{gradients}]"
    return _function(f"adjoint_{order}", [*arguments, OUTPUT], lines, result)


def _function(name: str, arguments: Sequence[Quantity], lines: Sequence[str], result: str) -> str:
    head = f"def {name}({', '.join(map(code_name, arguments))}):"
    return "\n    ".join([head, *lines, f"return {result}"]) + "\n"


def code_name(quantity: Quantity) -> str:
    """A quantity's variable, its directions spelled out: z2_i for ∂z₂ along i, zbar2 for z̄₂."""
    if quantity == OUTPUT:
        return quantity.letter
    return str(quantity.name).replace(BAR, "bar")


class _RowPrinter(ElementPrinter):
    """Layer-level expressions whose quantities are arrays (…, width, rows)."""

    def __init__(self, applied: Mapping[tuple[str, Expr], int], shapes: Shapes) -> None:
        super().__init__()
        self.applied, self.shapes = applied, shapes
        self.calls: set[tuple[str, tuple[int, ...]]] = set()

    def lines(self, statements: Sequence[Statement], users: Sequence[Statement]) -> list[str]:
        """One line a statement, one call for the derivatives of an activation that `users` use."""
        wanted: dict[tuple[str, Expr], set[int]] = {}
        for statement in users:
            for node in statement.expression.atoms(sigma):
                wanted.setdefault((node.name, node.argument), set()).add(node.order)
        arguments: dict[Expr, list[str]] = {}
        for (name, argument), orders in sorted(wanted.items(), key=str):
            line = self._call(name, argument, tuple(sorted(orders)))
            arguments.setdefault(argument, []).append(line)
        written = arguments.get(X, [])
        for statement in statements:
            target, text = statement.target, self.doprint(statement.expression)
            width = self.shapes.spread(target, statement.expression)
            if width and not target.letter.endswith(BAR):
                text = f"np.repeat({text}, {width}, axis=-2)"
            written.append(f"{code_name(target)} = {text}")
            written += arguments.get(target, [])
        return written

    def gradient(self, parameter: Quantity, adjoint: Expr) -> str:
        """A parameter's adjoint: a sum of `outer`s for a matrix, one `column` for a bias."""
        text = self.doprint(adjoint)
        return f"column({text})" if parameter.letter == "b" and adjoint != 0 else text

    def _call(self, name: str, argument: Expr, orders: tuple[int, ...]) -> str:
        self.calls.add((name, orders))
        targets = ", ".join(self._derivative(name, argument, r) for r in orders)
        return f"{targets} = {call_name(name, orders)}({code_name(argument)})"

    def _derivative(self, name: str, argument: Expr, order: int) -> str:
        return f"s{self.applied[name, argument]}_{order}"

    def _print_Quantity(self, quantity: Quantity) -> str:
        return code_name(quantity)

    def _print_sigma(self, node: sigma) -> str:
        return self._derivative(node.name, node.argument, node.order)

    def _print_transposed(self, node: Expr) -> str:
        return f"np.swapaxes({self._print(node.args[0])}, -1, -2)"

    def _print_matvec(self, node: Expr) -> str:
        matrix, vector = node.args
        return f"({self._print(matrix)} @ {self.parenthesize(vector, PRECEDENCE['Pow'])})"

    _print_column = _print_matvec

    def _print_dot(self, node: Expr) -> str:
        return f"np.sum({self._print(Mul(*node.args))}, axis=-2, keepdims=True)"

    _print_entry = _print_dot

    def _print_softmax(self, node: Expr) -> str:
        return f"{type(node).__name__}({self._print(node.args[0])})"

    _print_log_softmax = _print_softmax

    def _print_outer(self, node: Expr) -> str:
        return f"outer({', '.join(map(self._print, node.args))})"
