"""Python to be read: the derivatives as a few lines of NumPy for each Program, nothing for speed.

Statements are as `ruff format` and Black leave them, in 88 columns: parts of long ones have names.

Every array has the axes (points, p, i, j, …, r), one long where nothing depends on it, so that
products and sums are broadcast; a direction's namesake is the same array with two axes swapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, count
from typing import ClassVar

from sympy import Add, Expr, Mul, Pow
from sympy.logic.boolalg import And, Or

from symnet.calculus.algebra import (
    DIRECTIONS,
    Quantity,
    X,
    along_directions,
    dot,
    entry,
    log_softmax,
    matvec,
    sigma,
    softmax,
)
from symnet.calculus.schemes import Choice
from symnet.languages.job import Job
from symnet.languages.matrixform import ArrayPrinter, Functions, MatrixText, name_of
from symnet.languages.printing import own_functions
from symnet.languages.pythontext import array, nested, unformatted
from symnet.lowering import elementary, programs
from symnet.lowering.loops import ScalarFunction
from symnet.names import array_name, together_name

_COLUMNS = 88
_TERMS = 3  # of a sum that a formatter writes a term a line
_LONG = 20  # letters of what has a name of its own in a long statement


class PlainPrinter(ArrayPrinter):
    """Elementwise expressions of arrays."""

    width: ClassVar[int] = _COLUMNS
    stop: ClassVar[str] = ""
    times: ClassVar[str] = " * "
    over: ClassVar[str] = " / "
    lacking: ClassVar[frozenset[str]] = elementary.LACKING | {"erf", "erfc"}
    functions: ClassVar[Mapping[str, str]] = {
        **{"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh"},
        **{"acosh": "arccosh", "atanh": "arctanh", "pow": "power", "ceiling": "ceil"},
    }

    def call(self, function: str, arguments: Sequence[str]) -> str:
        text = super().call(function, arguments)
        return text if function in self.lacking else f"np.{text}"

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        return f"np.where({condition}, {value}, {otherwise})"

    def condition(self, condition: object) -> str:
        if isinstance(condition, (And, Or)):
            word = " & " if isinstance(condition, And) else " | "
            return word.join(sorted(f"({self.condition(part)})" for part in condition.args))
        return super().condition(condition)


def source(job: Job) -> str:
    """The module: numbers, activations, one function of all orders, a test of itself."""
    functions: Functions = {}
    choice = list(programs.choices(job.network, job.order).values())[-1]
    body = _Body(job, choice, functions).lines()
    printer = PlainPrinter()
    head = "\n".join(job.head("", [together_name(job.order)]))
    lines = [f'"""{head}', '"""', "", "import numpy as np", ""]
    lines += unformatted(
        [array(name, values) for name, values in job.lowered.constants.items()], _COLUMNS
    )
    for function in own_functions(job.lowered, printer):
        lines += ["", "", *_scalar(function, printer)]
    for (activation, orders), name in functions.items():
        found = programs.scalar_function(name, job.network.activations[activation], orders)
        lines += ["", "", *_scalar(found, printer)]
    text = "\n".join(body)
    for name, helper in _HELPERS.items():
        if f"{name}(" in text:
            lines += ["", "", *helper.strip().splitlines()]
    return "\n".join([*lines, "", "", *body, "", "", *_test(job)]) + "\n"


def _scalar(function: ScalarFunction, printer: PlainPrinter) -> list[str]:
    printer.function()
    lines = [f"def {function.name}(z):"]
    for symbol, value in function.shared:
        lines += printer.assigned("let", symbol.name, value)
    if len(function.results) == 1:
        return [*lines, *printer.assigned("return", "", function.results[0])]
    returned, named = printer.results(function)
    return [*lines, *named, f"    return {', '.join(returned)}"]


class _Body(MatrixText):
    """The statements of one Program; `named` are expressions that have a name."""

    minus: ClassVar[str] = "(-1.0) * "

    def __init__(self, job: Job, choice: Choice, functions: Functions) -> None:
        super().__init__(job, choice, functions)
        self.named: dict[Expr, str] = {}
        self.numbers = count(1)

    def lines(self) -> list[str]:
        name = together_name(self.order)
        ones = ", 1" * (1 + self.order)
        results = [array_name(order) for order in self.choice.orders]
        shapes = [
            f"(N, {', '.join(map(str, [self.m, *[self.n] * r]))})" for r in self.choice.orders
        ]
        lines = [f"def {name}(x):", f'    """x (N, {self.n}) to ']
        lines[-1] += ", ".join(map(" ".join, zip(results, shapes, strict=True))) + '."""'
        lines += ["    points = len(x)", f"    x = np.reshape(x, (points{ones}, {self.n}))"]
        lines += ['    with np.errstate(all="ignore"):']
        lines += self.activations(X)
        for statement in self.program.statements:
            target = statement.target
            if not isinstance(statement.expression, sigma):
                width = self.program.shapes.spread(target, statement.expression)
                lines += self.assigned(name_of(target), statement.expression, width)
            lines += self.activations(target)
        found = [self.result(*pair) for pair in zip(self.choice.orders, results, strict=True)]
        return [*lines, *(f"    {line}" for line in found), f"    return {', '.join(results)}"]

    def activations(self, argument: Quantity) -> list[str]:
        return [
            f"        {', '.join(results)} = {function}({known})"
            for results, function, known in self.activated(argument)
        ]

    def assigned(self, name: str, expression: Expr, width: int | None = None) -> list[str]:
        """A statement; where it is too long for a line, its longest part is one before it.

        width: of a vector that repeats a single entry.
        """
        lines: list[str] = []
        while True:
            value = _plainly(self.vector(expression))
            value = f"np.repeat({value}, {width}, axis=-1)" if width else value
            line = f"        {name} = {value}"
            parts = self.parts(expression)
            if len(line) <= _COLUMNS or not (parts or isinstance(expression, Add)):
                return [*lines, line]
            terms = [] if width else self.terms(expression)
            if terms and max(map(len, terms)) <= _COLUMNS:
                return [*lines, f"        {name} = (", *terms, "        )"]
            if not parts:
                return [*lines, line]
            part = max(parts, key=lambda e: len(self.vector(e)))
            new = f"part{next(self.numbers)}"
            lines += self.assigned(new, part)
            self.named[part] = new

    def terms(self, expression: Expr) -> list[str]:
        """A sum, a term a line."""
        if len(expression.args) < _TERMS or not isinstance(expression, Add):
            return []
        return [f"            {text}" for text in self.signed(expression)]

    def parts(self, expression: Expr) -> list[Expr]:
        """What in an expression could have a name of its own."""
        found: list[Expr] = []
        for argument in expression.args:
            whole = isinstance(argument, (Add, Mul, Pow, matvec, dot, entry, softmax, log_softmax))
            long = isinstance(argument, Quantity) and len(self.vector(argument)) > _LONG
            if (whole or long) and argument not in self.named:
                found += [argument, *self.parts(argument)]
        return [part for part in found if len(self.vector(part)) < len(self.vector(expression)) - 8]

    def result(self, order: int, name: str) -> str:
        shape = f"(points, {', '.join(map(str, [self.m, *[self.n] * order]))})"
        output = self.program.outputs[self.choice.orders.index(order)]
        if output == 0:
            return f"{name} = np.zeros({shape})"
        text = name_of(output)
        statement = next(s for s in self.program.statements if s.target == output)
        if "p" not in along_directions(statement.expression):
            text = f"np.swapaxes({text}, 1, -1)"
        return f"{name} = filled({text}, {shape})"

    def axis(self, direction: str) -> int:
        return 1 if direction == "p" else 2 + DIRECTIONS.index(direction)

    def along(self, rows: str, axis: int) -> str:
        """A matrix as an array, its rows along an axis, its columns along the last."""
        places = ["None"] * axis + [":"] + ["None"] * (self.order + 1 - axis) + [":"]
        return f"{rows}[{', '.join(places)}]"

    def vector(self, expression: Expr) -> str:
        return self.named.get(expression) or super().vector(expression)

    def identity(self, size: int, direction: str) -> str:
        return self.along(f"np.eye({size})", self.axis(direction))

    def product(self, factors: Sequence[Expr]) -> str:
        """A @ between stars would take what is before it."""
        texts = [(self.vector(factor), isinstance(factor, matvec)) for factor in factors]
        return " * ".join(f"({text})" if applied else text for text, applied in texts)

    def matrix_product(self, matrix: str, turned: bool, v: Expr) -> str:
        return f"{self.factor(v)} @ {matrix if turned else f'{matrix}.T'}"

    def columns(self, matrix: str, direction: str) -> str:
        return self.along(f"{matrix}.T", self.axis(direction))

    def rows(self, matrix: str) -> str:
        return self.along(matrix, 1)

    def scalar_product(self, u: Expr, v: Expr) -> str:
        return f"np.sum({self.product([u, v])}, -1, keepdims=True)"

    def entries(self, v: Expr, direction: str) -> str:
        return f"np.swapaxes({self.vector(v)}, {self.axis(direction)}, -1)"

    def factor(self, expression: Expr) -> str:
        """An expression before @, which binds as * does."""
        text = self.vector(expression)
        return f"({text})" if isinstance(expression, (Mul, Pow, matvec)) else text

    def quantity(self, quantity: Quantity) -> str:
        if quantity.letter == "b":
            return str(quantity)
        text = name_of(quantity)
        directions = [d for d in quantity.along if d != "p"]
        for k, direction in reversed(list(enumerate(directions))):
            if 2 + k != self.axis(direction):
                text = f"np.swapaxes({text}, {2 + k}, {self.axis(direction)})"
        return text


def _plainly(text: str) -> str:
    """A sum as a statement's value, without its brackets."""
    depths = list(accumulate({"(": 1, ")": -1}.get(c, 0) for c in text))
    return text[1:-1] if text.startswith("(") and 0 not in depths[:-1] else text


_HELPERS = {
    "filled": '''
def filled(v, shape):
    """A result for each point, as an array of its full shape."""
    return np.broadcast_to(v, shape + (1,) * (v.ndim - len(shape))).reshape(shape)
''',
    "log_softmax_of": """
def log_softmax_of(z):
    z = z - np.max(z, -1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), -1, keepdims=True))
""",
    "softmax_of": """
def softmax_of(z):
    e = np.exp(z - np.max(z, -1, keepdims=True))
    return e / np.sum(e, -1, keepdims=True)
""",
}


def _test(job: Job) -> list[str]:
    """Points and another engine's values, compared where the file is run."""
    name = together_name(job.order)
    values = []
    for known in job.expected:
        lists = [nested(table.tolist(), 8) for table in (known.allowed, known.expected)]
        parts = [f"        {part},\n" for part in (str(known.stride), *lists)]
        values.append(f"    (\n{''.join(parts)}    ),\n")
    points = f"POINTS = {nested(job.points.tolist(), before=9)}"
    lines = unformatted([points, f"EXPECTED = [\n{''.join(values)}]"], _COLUMNS)
    call = f"{name}(POINTS)" if job.order else f"[{name}(POINTS)]"
    return [
        "# Of another engine, by order: every so many entries, errors allowed, values.",
        *lines,
        "",
        'if __name__ == "__main__":',
        "    worst = 0.0",
        f"    results = {call}",
        "    for result, (stride, allowed, values) in zip(results, EXPECTED):",
        "        result = result.reshape(len(POINTS), -1)[:, ::stride]",
        "        error = np.abs(result - values) / allowed",
        "        worst = max(worst, np.max(np.where(np.isnan(error), np.inf, error)))",
        '    verdict = "ok" if worst <= 1 else "WRONG"',
        '    told = f"{len(POINTS)} points, {worst:.2g} of the allowed error"',
        '    print(f"self-test {verdict}: {told}")',
        "    raise SystemExit(int(worst > 1))",
    ]
