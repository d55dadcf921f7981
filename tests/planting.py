"""Errors planted in generated texts: a slip of a generator, one at a time, of every kind.

`numpy_plants` and `c_plants` draw them from a text; each is a text that still runs. What they
change is for the checks of `symnet.witness` to notice.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

SMALL = "1.000001"


@dataclass(frozen=True)
class Plant:
    """A text with an error, and what the error is."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


# --- NumPy --------------------------------------------------------------------------------------


def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _times(node: ast.expr, factor: str) -> ast.expr:
    return ast.BinOp(node, ast.Mult(), _parsed(factor))


_OPERATORS: dict[type, ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Add(),
    ast.Div: ast.Mult(),
}
_CALLS = {"exp": "sin", "sin": "cos", "cos": "sin", "tanh": "arctan", "add": "subtract"}
_CALLS |= {"multiply": "add", "subtract": "add", "divide": "multiply"}


def _other_operator(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return ast.BinOp(node.left, _OPERATORS[type(node.op)], node.right)
    return None


def _other_function(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Attribute) and node.attr in _CALLS:
        return ast.Attribute(node.value, _CALLS[node.attr], node.ctx)
    return None


def _other_number(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return ast.Constant(node.value + 1)
    return None


def _without_sign(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand
    return None


def _term_left_out(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        return node.left
    return None


def _sides_changed(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div):
        return ast.BinOp(node.right, node.op, node.left)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.where" and len(node.args) == 3:
        condition, yes, no = node.args
        return ast.Call(node.func, [condition, no, yes], [])
    return None


def _not_transposed(node: ast.expr) -> ast.expr | None:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None


def _condition_moved(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Compare):
        moved: ast.expr = ast.BinOp(node.comparators[0], ast.Add(), ast.Constant(0.5))
        return ast.Compare(node.left, node.ops, [moved])
    return None


_NODES: dict[str, Callable[[ast.expr], ast.expr | None]] = {
    "term left out": _term_left_out,
    "sides changed": _sides_changed,
    "not transposed": _not_transposed,
    "condition moved": _condition_moved,
    "other operator": _other_operator,
    "other function": _other_function,
    "other number": _other_number,
    "sign left out": _without_sign,
}

_VALUES = {
    "off by a millionth": f"{SMALL}",
    "wrong sign": "-1",
    "twice at many points": "(2 if x.shape[1] > 1 else 1)",
    "twice at one point": "(2 if x.shape[1] == 1 else 1)",
    "twice at two points": "(2 if x.shape[1] == 2 else 1)",
    "twice in large blocks": "(2 if x.shape[1] > 64 else 1)",
    "twice in the largest blocks": "(2 if x.shape[1] > 200 else 1)",
    "twice beside a NaN": "(2 if np.isnan(x).any() else 1)",
    "twice at 17 to 63 points": "(2 if 16 < x.shape[1] < 64 else 1)",
    "twice in float32": "(2 if x.dtype == np.float32 else 1)",
    "twice in float32 at one point": "(2 if x.dtype == np.float32 and x.shape[1] == 1 else 1)",
    "twice in large blocks of float32": "(2 if x.dtype == np.float32 and x.shape[1] > 64 else 1)",
}
"""Factors of the value of a statement in a kernel; `x` is the block of points."""

_RANGES = {
    "twice in a narrow range": "np.where((z > 1) & (z < 1.25), 2, 1)",
    "twice about 0": "np.where(abs(z) < 0.05, 2, 1)",
}
"""Factors of the value of a statement in an activation's function."""

_ENTRIES = {
    "last neuron": f"({{0}})*np.where(np.arange(np.shape({{0}})[-2]) == np.shape({{0}})[-2] - 1,"
    f" {SMALL}, 1)[:, None]",
}


def numpy_plants(text: str, random: np.random.Generator, count: int) -> Iterator[Plant]:
    """So many plants of a NumPy text, of each kind in turn."""
    candidates: dict[str, list[tuple[str, Callable[[], str]]]] = {}
    tree = ast.parse(text)
    for function in (f for f in tree.body if isinstance(f, ast.FunctionDef)):
        for statement in function.body:
            value = getattr(statement, "value", None)
            if value is None or (isinstance(value, ast.Tuple | ast.List) and not value.elts):
                continue
            _at_nodes(candidates, tree, function, statement)
            if isinstance(statement, ast.Assign):
                factors = {"x": _VALUES, "z": _RANGES}.get(function.args.args[0].arg, {})
                _at_value(candidates, tree, function, statement, factors)
    kinds = [kind for kind in candidates if candidates[kind]]
    for k in range(count):
        kind = kinds[k % len(kinds)]
        where, made = candidates[kind][random.integers(len(candidates[kind]))]
        yield Plant(kind, where, made())


def _at_nodes(candidates: Any, tree: ast.Module, function: Any, statement: Any) -> None:
    for node in ast.walk(statement.value):
        for kind, change in _NODES.items():
            if isinstance(node, ast.expr) and change(node) is not None:
                where = f"{function.name}: {ast.unparse(statement)}"

                def made(node: ast.expr = node, change: Any = change) -> str:
                    return _with(tree, node, change(node))

                candidates.setdefault(kind, []).append((where, made))


def _at_value(
    candidates: Any,
    tree: ast.Module,
    function: Any,
    statement: ast.Assign,
    factors: dict[str, str],
) -> None:
    if not isinstance(statement.targets[0], ast.Name):
        return
    where, value = f"{function.name}: {ast.unparse(statement)}", statement.value
    for kind, factor in factors.items():
        made = lambda factor=factor: _with(tree, value, _times(value, factor))  # noqa: E731
        candidates.setdefault(kind, []).append((where, made))
    if factors is _VALUES and re.fullmatch(r"d*z\d+|a\d+|lam\d+", statement.targets[0].id):
        for kind, form in _ENTRIES.items():
            changed = form.format(f"({ast.unparse(value)})")
            made = lambda changed=changed: _with(tree, value, _parsed(changed))  # noqa: E731
            candidates.setdefault(kind, []).append((where, made))


def _with(tree: ast.Module, old: ast.expr, new: ast.expr | None) -> str:
    """The text with one node replaced; the tree stays as it is."""

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return new if node is old else self.generic_visit(node)

    # The transformer works in place on lists: on a copy, found again by its position.
    nodes = list(ast.walk(tree))
    copy = ast.parse(ast.unparse(tree))
    place = nodes.index(old)
    old = list(ast.walk(copy))[place]  # type: ignore[assignment]
    return ast.unparse(ast.fix_missing_locations(Replace().visit(copy)))


# --- C ------------------------------------------------------------------------------------------

_STATEMENT = re.compile(r"^(?P<left>\s+(?:const real \w+|AT\(.*\)\[c\]|to_\w+\[lane\]) \+?= )"
                        r"(?P<right>[^;{}]*);$", re.MULTILINE)  # fmt: skip
_LITERAL = {
    "second block reads the first": ("x + first * N", "x + 0 * first * N"),
    "last block one point short": (
        "points - first : BLOCK;",
        "points - first - (first > 0 && points - first < BLOCK) : BLOCK;",
    ),
    "threads skip the end": (
        "1 + blocks / (8L * threads), points",
        "1 + blocks / (8L * threads), points - points / 64",
    ),
    "one thread skips the end": (
        "blocks(&next, blocks, points",
        "blocks(&next, blocks, points - points / 64",
    ),
    "j from i + 1": ("for (wide j = i; j < N; j++)", "for (wide j = i + 1; j < N; j++)"),
    "a NaN of the first input lost": (
        "if (isnan(points[l * N + i]))",
        "if (i > 0 && isnan(points[l * N + i]))",
    ),
    "one input left out": ("for (wide i = 0; i < N; i++)", "for (wide i = 0; i < N - 1; i++)"),
}  # fmt: skip


def c_plants(text: str, random: np.random.Generator, count: int) -> Iterator[Plant]:
    """So many plants of a C text, half of them in its arithmetic and half in its loops."""
    places = [m for m in _STATEMENT.finditer(text) if re.search(r"[*+/-]|AT\(", m["right"])]
    loops = [
        (kind, m.start(), old, new)
        for kind, (old, new) in _LITERAL.items()
        for m in re.finditer(re.escape(old), text)
    ]
    for k in range(count):
        if k % 2 and loops:
            kind, start, old, new = loops[random.integers(len(loops))]
            yield Plant(kind, _line(text, start), text[:start] + new + text[start + len(old) :])
            continue
        found = places[random.integers(len(places))]
        sign = ("(real)1.000001", "-1", "2")[k // 2 % 3]
        changed = f"{found['left']}({found['right']})*{sign};"
        yield Plant(
            f"times {sign}", _line(text, found.start() + 1),
            text[: found.start()] + changed + text[found.end() :],
        )  # fmt: skip


def lone_plants(text: str, random: np.random.Generator, count: int) -> Iterator[Plant]:
    """Plants of a C text that are errors only where it is compiled for single points."""
    places = [m for m in _STATEMENT.finditer(text) if re.search(r"[*+/-]|AT\(", m["right"])]
    for index in random.choice(len(places), count, replace=False):
        found = places[index]
        changed = f"{found['left']}({found['right']})*(LANES == 1 ? (real){SMALL} : 1);"
        planted = text[: found.start()] + changed + text[found.end() :]
        yield Plant("in single numbers", _line(text, found.start() + 1), planted)


def _line(text: str, start: int) -> str:
    line = text.count("\n", 0, start)
    return f"line {line + 1}: {text.splitlines()[line].strip()}"
