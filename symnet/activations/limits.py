"""What a formula's tree may be, told before SymPy sees it (`symnet.activations.trees` has trees).

SymPy evaluates constants while an expression is built, without bounds on time or memory: a hundred
bytes of `cosh(sinh(sinh(7)))` or `9**9**9` never end. So a tree is first measured in plain Python,
part by part: every constant in it has a value in doubles, neither huge nor tiny, and its size is
bounded with its corners written out as pieces, which is what becomes of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import sympy
from sympy import Expr

from symnet.names import shortened

Tree: TypeAlias = Any
Functions: TypeAlias = Mapping[str, Callable[..., Expr]]

RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge}
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
FRACTION = re.compile(r"(-?[0-9]{1,400})/([0-9]{1,400})", re.ASCII)

DEPTH = 50
"""Parts within parts: SymPy calls itself some ten times for each, Python allows a thousand."""

SIZE = 1_000
"""Parts of a formula whose corners are written out as pieces."""

CONSTANT = 20
"""Parts of a constant: SymPy looks for ways to write each one shorter."""

POWER = 64
"""Of exponents, their denominators, and of powers of powers together."""

GAMMA = 100
"""Of constants in loggamma and digamma: SymPy writes out the factorial, or as many terms."""

DIGITS = 400
"""Of a number that is exact; ten times as many of those in one formula."""

MAGNITUDE = 1e100
"""Of constants, and its inverse: their squares and products are doubles too."""

FUNCTIONS = {"z": 6, "constants": 2}
"""Functions within functions, of z and of numbers alone."""

CORNERS = 2
"""Corners within what decides about corners; each level multiplies SymPy's work by hundreds."""

GROWTH = 2
"""Exponentials within exponentials: a third is beyond doubles, and beyond mpmath in its memory."""

_EXPONENTIALS = ("exp", "sinh", "cosh")
_CORNERS = ("abs", "sign", "min", "max")
_VARIADIC = ("add", "mul", "min", "max")
_Number: TypeAlias = Any  # a Fraction where it is exact, else a float


class _Part(NamedTuple):
    """What is known of a part: its constant value (None where z is in it), and its size.

    size: with corners written out. power: the degree in z and in functions of it. functions,
    corners, growth: how many of each are within each other.
    """

    value: _Number | None
    size: int = 1
    power: Fraction = Fraction(1)
    functions: int = 0
    corners: int = 0
    growth: int = 0


def check(tree: Tree, functions: Functions) -> None:
    """ValueError for what is no tree with these functions, or beyond the limits above."""
    _Measuring(functions).part(tree, 0)


class _Measuring:
    """Bottom-up; counts what has been seen."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.parts = 0
        self.digits = 0

    def part(self, tree: Tree, depth: int) -> _Part:
        self.parts += 1
        if depth > DEPTH or self.parts > SIZE:
            raise ValueError(f"formula is nested deeper than {DEPTH} or has over {SIZE} parts")
        found = self.leaf(tree) if _is_leaf(tree) else self.branch(tree, depth + 1)
        _check_part(tree, found)
        return found

    def leaf(self, tree: str | int | float) -> _Part:
        if tree == "z":
            return _Part(None)
        number = _number(tree)
        if isinstance(number, Fraction):
            self.digits += _digits(number)
            if self.digits > 10 * DIGITS:
                raise ValueError(f"formula has exact numbers of over {10 * DIGITS} digits")
        return _constant(tree, number)

    def branch(self, tree: Tree, depth: int) -> _Part:
        if not (_is_list(tree) and len(tree) > 1 and isinstance(tree[0], str)):
            raise ValueError(f"formula part {shown(tree)} is no number, name or [operation, ...]")
        operation, *arguments = tree
        if operation == "piecewise":
            return self.piecewise(arguments, depth)
        if operation not in ("add", "mul", "pow", *self.functions):
            known = ", ".join(("add", "mul", "pow", "piecewise", *self.functions))
            raise ValueError(f"formula operation {shown(operation)} is unknown (known: {known})")
        expected = len(arguments) if operation in _VARIADIC else 2 if operation == "pow" else 1
        if len(arguments) != expected:
            raise ValueError(
                f"formula operation {operation!r} has {len(arguments)} arguments, not {expected}"
            )
        parts = [self.part(argument, depth) for argument in arguments]
        if operation == "pow":
            _check_power(tree, *parts)
        size = _size(operation, parts)
        functions = max(part.functions for part in parts) + _is_function(operation, parts)
        if all(part.value is not None for part in parts):
            _check_gamma(tree, operation, parts[0])
            value = self.evaluated(tree, operation, [part.value for part in parts])
            return _constant(tree, value)._replace(size=size, functions=functions)
        return _Part(
            None,
            size,
            _power(operation, parts),
            functions,
            max(part.corners for part in parts) + (operation in _CORNERS),
            max(part.growth for part in parts) + _grows(operation, parts),
        )

    def evaluated(self, tree: Tree, operation: str, values: Sequence[_Number]) -> _Number:
        """The value of an operation on constants; exact where they are and it keeps them so."""
        if operation == "add":
            return sum(values, start=Fraction(0))
        try:
            value = self.result(operation, values)
        except OverflowError:
            value = math.inf
        except TypeError:  # SymPy's answer where a number is complex, or infinite all around
            raise ValueError(f"formula part {shown(tree)} is no real number") from None
        if not value and operation in ("mul", "pow") and all(values):
            raise ValueError(f"formula part {shown(tree)} is too small for double precision")
        return value

    def result(self, operation: str, values: Sequence[_Number]) -> _Number:
        if operation == "mul":
            return math.prod(values, start=Fraction(1))
        if operation == "pow":
            base, exponent = values
            return base ** int(exponent) if _whole(exponent) else float(base) ** float(exponent)
        # What vanishes only in double precision is left tiny, to be refused as such.
        found = self.functions[operation](*(sympy.Float(float(value)) for value in values))
        return float(found) or (math.ulp(0) if found else 0.0)

    def piecewise(self, arguments: Sequence[Tree], depth: int) -> _Part:
        *pieces, otherwise = arguments
        values, sides = [self.part(otherwise, depth)], []
        for piece in pieces:
            if not (_is_list(piece) and len(piece) == 2):
                raise ValueError(f"formula piece {shown(piece)} is not [value, condition]")
            values.append(self.part(piece[0], depth))
            sides += self.condition(piece[1], depth)
        parts = [*values, *sides]
        return _Part(
            None,  # even of constants: it is one only piece by piece
            sum(part.size for part in parts),
            max(part.power for part in values),
            max(part.functions for part in parts),
            max([1 + part.corners for part in sides] + [part.corners for part in values]),
            max(part.growth for part in parts),
        )

    def condition(self, tree: Tree, depth: int) -> list[_Part]:
        if not (_is_list(tree) and len(tree) == 3 and isinstance(tree[0], str)):
            raise ValueError(f"formula condition {shown(tree)} is not [relation, left, right]")
        relation, *sides = tree
        if relation not in RELATIONS:
            known = " ".join(RELATIONS)
            raise ValueError(f"formula relation {shown(relation)} is none of {known}")
        return [self.part(side, depth) for side in sides]


def _check_part(tree: Tree, part: _Part) -> None:
    within = "constants" if part.value is not None else "z"
    limits = {
        "parts, corners (abs, sign, min, max, piecewise) written out": (part.size, SIZE),
        "corners that decide about each other": (part.corners, CORNERS),
        "exponentials within each other": (part.growth, GROWTH),
        "functions within each other": (part.functions, FUNCTIONS[within]),
    }
    if within == "constants":
        limits["parts, as a constant"] = (part.size, CONSTANT)
    for what, (found, most) in limits.items():
        if found > most:
            raise ValueError(f"formula part {shown(tree)} has over {most} {what}")


def _is_leaf(tree: Tree) -> bool:
    return isinstance(tree, str | int | float) and not isinstance(tree, bool)


def _is_list(tree: Tree) -> bool:
    return isinstance(tree, list | tuple)


def _number(leaf: str | int | float) -> _Number:
    if isinstance(leaf, float):
        if not math.isfinite(leaf):
            raise ValueError(f"formula has the number {leaf}, expected a finite one")
        return leaf
    if isinstance(leaf, int):
        if abs(leaf) >= 10**DIGITS:
            raise ValueError(f"formula has an integer of more than {DIGITS} digits")
        return Fraction(leaf)
    if leaf in CONSTANTS:
        return float(CONSTANTS[leaf])
    if (found := FRACTION.fullmatch(leaf)) and int(found[2]):
        return Fraction(int(found[1]), int(found[2]))
    raise ValueError(f'formula part {shown(leaf)} is not "z", "pi", "e" or a fraction "1/3"')


def _constant(tree: Tree, value: _Number) -> _Part:
    if isinstance(value, Fraction) and _digits(value) > DIGITS:
        raise ValueError(f"formula part {shown(tree)} is a number of more than {DIGITS} digits")
    if value and not 1 / MAGNITUDE <= abs(value) <= MAGNITUDE:  # NaN is refused as well
        raise ValueError(
            f"formula part {shown(tree)} is too large or too small; constants are 0, or from "
            f"{1 / MAGNITUDE:g} to {MAGNITUDE:g}"
        )
    return _Part(value)


def _whole(number: _Number) -> bool:
    return int(number) == number


def _digits(number: Fraction) -> int:
    bits = abs(number.numerator).bit_length() + number.denominator.bit_length()
    return math.ceil(bits * math.log10(2))


def _check_power(tree: Tree, base: _Part, exponent: _Part) -> None:
    """ValueError for what has no value, and for powers that SymPy would multiply out for long."""
    if exponent.value is None:
        if base.value is not None and not base.value > 0:
            raise ValueError(
                f"formula part {shown(tree)}: the base of a power of z must be above 0"
            )
        return
    power, whole = abs(exponent.value), _whole(exponent.value)
    fine = isinstance(exponent.value, Fraction) and exponent.value.denominator > POWER
    if power * base.power > POWER or fine:
        raise ValueError(f"formula part {shown(tree)} has a power above {POWER}")
    if base.value is None:
        return
    if isinstance(base.value, Fraction) and _digits(base.value) * power > DIGITS:
        raise ValueError(f"formula part {shown(tree)} has more than {DIGITS} digits")
    if (base.value == 0 and exponent.value < 0) or (base.value < 0 and not whole):
        raise ValueError(f"formula part {shown(tree)} is no real number")


def _check_gamma(tree: Tree, operation: str, argument: _Part) -> None:
    """ValueError for constants whose factorials, or sums as long, SymPy would write out."""
    if operation in ("loggamma", "digamma") and abs(argument.value or 0) > GAMMA:
        raise ValueError(f"formula part {shown(tree)}: {operation} of a constant above {GAMMA}")


def _size(operation: str, parts: Sequence[_Part]) -> int:
    size = sum(part.size for part in parts)
    copies = {"abs": 3, "sign": 2, "min": len(parts), "max": len(parts)}
    return 1 + copies.get(operation, 1) * size


def _power(operation: str, parts: Sequence[_Part]) -> Fraction:
    if operation == "mul":
        return sum((part.power for part in parts if part.value is None), start=Fraction(0))
    if operation == "pow" and parts[1].value is not None:
        return parts[0].power * max(Fraction(1), Fraction(abs(parts[1].value)))
    if operation in ("add", "min", "max", "abs"):
        return max(part.power for part in parts)
    return Fraction(1)


def _is_function(operation: str, parts: Sequence[_Part]) -> bool:
    if operation == "pow":
        return parts[1].value is None or not _whole(parts[1].value)
    return operation not in ("add", "mul", *_CORNERS)


def _grows(operation: str, parts: Sequence[_Part]) -> bool:
    return operation in _EXPONENTIALS or (operation == "pow" and parts[1].value is None)


def shown(value: object) -> str:
    """A short form for error messages, however large or deep the value is."""
    try:
        return shortened(_spoken(value))
    except (RecursionError, ValueError):  # too deep, or an integer of too many digits
        return type(value).__name__


def _spoken(value: object) -> str:
    """`pow(-8, z)` for a tree that has been read, the value's own form for all else."""
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return f"{value[0]}({', '.join(map(_argument, value[1:]))})"
    return repr(value)


def _argument(value: object) -> str:
    return value if isinstance(value, str) else _spoken(value)
