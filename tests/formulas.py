"""Random formulas of z: each refused in one line, or right in NumPy and in C.

    python tests/formulas.py SEED FIRST LAST

checks the cases of these numbers, each of them a seed of its own, and prints what is wrong.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Iterator, Sequence

import mpmath
import numpy as np
import sympy
from sympy import Abs, Expr, Max, Min, Piecewise, Rational, sqrt

import effort
import symnet
from symnet.activations import Activation, Z, digits, from_tree
from symnet.activations.functions import rint

SECONDS = 5.0
ORDER = 2
TOLERANCE = 4e-12  # of the size of the terms, as `symnet.check` allows
SIZES = (1e-8, 0.3, 1.0, 30.0, 800.0)
POINTS = (0.0, *SIZES, *(-size for size in SIZES))

UNARY = (
    *(sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos, sympy.atan),
    *(sympy.sinh, sympy.cosh, sympy.tanh, sympy.asinh, sympy.acosh, sympy.atanh, sympy.erf),
    *(sympy.erfc, sympy.floor, sympy.ceiling, Abs, sympy.sign, sqrt, sympy.sech, sympy.coth),
    *(sympy.Heaviside, sympy.frac, sympy.erfinv, sympy.loggamma, sympy.digamma, rint),
    *(lambda u: 1 / (1 + sympy.exp(-u)), lambda u: sympy.log(1 + sympy.exp(u))),
    *(lambda u: Max(u, 0), lambda u: Min(u, 1), lambda u: u**2, lambda u: 1 / u, lambda u: u**3),
    *(lambda u: u ** Rational(1, 3), lambda u: sympy.exp(-(u**2)), lambda u: 1 / sqrt(1 + u**2)),
)
BINARY = (
    *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a * b),
    *(lambda a, b: a / b, Max, Min, lambda a, b: Piecewise((a, Z < 0), (b, True))),
    lambda a, b: Piecewise((a, Z <= 1), (b, Z <= 2), (a, True)),
)
NUMBERS = (
    *(sympy.Integer(k) for k in (-2, -1, 1, 2, 3)),
    *(Rational(1, 2), Rational(-1, 3), sqrt(2), sympy.pi, sympy.E, sympy.log(2)),
    *(sympy.GoldenRatio, sympy.Float(0.1), sympy.Float(-2.5)),
)


def formula(chance: random.Random, depth: int) -> Expr:
    """A formula of at most so many functions within each other."""
    if depth == 0:
        return Z if chance.random() < 0.75 else chance.choice(NUMBERS)
    if chance.random() < 0.5:
        return chance.choice(UNARY)(formula(chance, depth - 1))
    return chance.choice(BINARY)(formula(chance, depth - 1), formula(chance, depth - 1))


def usable(seed: int) -> Expr:
    """The formula of a seed: one that SymPy itself makes a real number of."""
    chance = random.Random(seed)
    while True:
        try:
            found = formula(chance, chance.choice((1, 2, 2, 3)))
        except (AttributeError, ValueError, TypeError):  # complex numbers, compared by SymPy
            continue
        if not found.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I, sympy.AccumBounds):
            return found


def wrong(value: Expr, backends: Sequence[str] = ("numpy", "c")) -> str | None:
    """What is wrong with what becomes of a formula; None where it is right, or is refused."""
    started = time.process_time()
    try:
        own = Activation("own", value)
        derivation = symnet.derive(symnet.Network([symnet.Layer([[1.0]], None, own)]), ORDER)
        functions = {name: derivation.compile(name) for name in backends}
        derivation.network.expression()
        if from_tree("own", own.tree) != own:
            return "another when it is read again"
    except ValueError as error:
        return None if "\n" not in str(error) else f"refused in lines: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        taken = time.process_time() - started
        if effort.over(taken, SECONDS):
            return f"took {taken:.1f} s"  # noqa: B012
    points = [*POINTS, *(float(k) for k in own.kinks[:4] if Rational(float(k)) == k)]
    for name, function in functions.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = [part.ravel() for part in function(np.array(points)[:, None])]
        for row, z in enumerate(points):
            for r in range(ORDER + 1):
                said = _fault(own, z, r, float(found[r][row]))
                if said:
                    return f"{name}: order {r} at z = {z!r} is {found[r][row]!r}, not {said}"
    return None


def _fault(own: Activation, z: float, order: int, found: float) -> str | None:
    """The truth where `found` is not it, nor between those of the two sides."""
    value = own.value
    sides = [side for side in _sides(value, z) if side is not None]
    if not sides:
        return None if np.isnan(found) or _at_end(own, z) else "undefined"
    if _at_end(own, z) or len(sides) == 1:
        return None
    beside = 1e-24 * (abs(z) or 1.0)
    for side in sides:
        truth, slope = side[order], side[order + 1]
        if abs(truth) > 1e290:
            if abs(found) > 1e290 and (found > 0) == (truth > 0):
                return None
            continue
        allowed = TOLERANCE * (abs(truth) + abs(z * slope)) + beside * abs(slope) + 1e-290
        if np.isfinite(found) and abs(found - truth) <= allowed:
            return None
    here = digits.value(value, mpmath.mpf(z))
    if order == 0 and here is not None and abs(found - here) <= TOLERANCE * abs(here):
        return None
    low, high = (pick(side[order] for side in sides) for pick in (min, max))
    if low <= found <= high or _steep(sides):
        return None
    return mpmath.nstr(sides[0][order], 17)


def _sides(value: Expr, z: float) -> Iterator[list[digits.Number] | None]:
    for side in (1, -1):
        yield digits.derivatives(value, mpmath.mpf(z), ORDER + 1, side, 500)


def _at_end(own: Activation, z: float) -> bool:
    """Whether z is at a pole or an end of the domain: nothing is promised of the point itself."""
    ends = {end for pair in own.domain for end in pair if end.is_finite}
    return any(abs(float(end) - z) < 1e-12 * (1 + abs(z)) for end in ends)


def _steep(sides: Sequence[list[digits.Number]]) -> bool:
    """An infinite slope, as that of the cube root at 0."""
    return any(abs(side[1]) > 1e9 and abs(side[2]) > 1e20 for side in sides)


def main(seed: int, first: int, last: int) -> int:
    count = 0
    for number in range(first, last):
        value = usable(1_000_000 * seed + number)
        started = time.process_time()
        said = wrong(value, ("numpy", "c") if number % 4 == 0 else ("numpy",))
        if said:
            count += 1
            print(f"{number}: {value}: {said} ({time.process_time() - started:.1f} s)", flush=True)
    return count


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
