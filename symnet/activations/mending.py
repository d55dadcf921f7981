"""Which patch an expression gets, by where it is wrong and what is right there."""

from __future__ import annotations

import math

import numpy as np
import sympy
from sympy import Expr, Rational

from symnet.activations import accuracy, digits, patches
from symnet.activations.accuracy import LARGEST, Fault
from symnet.activations.arithmetic import doubles
from symnet.activations.digits import Number
from symnet.activations.systems import differentiated

_FAR = 10.0
_OVERFLOW = 1e300  # from here on a result is given as infinite
_HALVINGS = 20
_NEAR = 1.5  # of a removable point
_CLOSEST, _FARTHEST = 0.05, 32.0  # sizes of z where polynomials beside it are of use
_FEW = 8  # faults that are worth polynomials
_OUTWARD = 20  # sixty-fourths from a fault to the middle of a polynomial


def mended(
    expression: Expr, arm: Expr, order: int, wrong: list[Fault], marks: tuple[Expr, ...]
) -> Expr | None:
    """The expression with what is wrong patched, far out or around a point."""
    nearest = [min(marks, key=lambda mark: abs(fault.z - float(mark))) for fault in wrong]
    apart = [fault.z - float(mark) for fault, mark in zip(wrong, nearest, strict=True)]
    left = all(step < 0 for step, other in zip(apart, nearest, strict=True) if other == nearest[0])
    side = -1 if left else 1
    near = [
        abs(step) < _NEAR or abs(step) < patches.reach(mark, arm, order, side)
        for step, mark in zip(apart, nearest, strict=True)
    ]
    far = [
        fault
        for fault, close in zip(wrong, near, strict=True)
        if abs(fault.z) >= _FAR and not close
    ]
    beyond = [fault for fault in far if fault.truth is not None and abs(fault.truth) > LARGEST]
    if beyond and (infinite := _overflowing(expression, arm, order, beyond)) is not None:
        return infinite
    for part in (far, [f for f in far if f.z > 0], [f for f in far if f.z < 0]):
        bound = _vanished(arm, order, part) if part else None
        if bound is not None:
            return patches.clipped(expression, bound, {math.copysign(1, f.z) for f in part})
    if far:
        outward = int(math.copysign(1, far[0].z))
        return (
            _levelled(expression, arm, order, far)
            or patches.continued(expression, arm, order, outward, inward=False)
            or (arm.has(sympy.log) and _of_derivative(expression, arm, order, outward))
            or _unresolved(expression, arm, far)
        )
    if not all(near):
        return beside(expression, arm, order, wrong)
    mark = nearest[0]
    series = mark == 0 and patches.continued(expression, arm, order, side, inward=True)
    return series or patches.patched(expression, mark, arm, order, side)


def _of_derivative(expression: Expr, arm: Expr, order: int, side: int) -> Expr | None:
    """The series of a derivative where the formula has none: 1/z, of log z."""
    return patches.continued(expression, differentiated(arm, order), 0, side, inward=False)


def beside(
    expression: Expr, arm: Expr, order: int, wrong: list[Fault], marks: tuple[Expr, ...] = ()
) -> Expr | None:
    """Taylor's polynomial where the fault nearest to 0 is, a little further out."""
    nearest = min((fault.z for fault in wrong), key=abs)
    if len(wrong) > _FEW or not _CLOSEST < abs(nearest) < _FARTHEST:
        return None
    place = Rational(round(nearest * 64) + int(math.copysign(_OUTWARD, nearest)), 64)
    return patches.patched(expression, place, arm, order)


def _overflowing(expression: Expr, arm: Expr, order: int, beyond: list[Fault]) -> Expr | None:
    """The expression, infinite from where the derivative is too large for a double."""
    side = int(math.copysign(1, beyond[0].z))
    known = {size: _truth(arm, order, side * size) for size in sorted(accuracy.SIZES)}
    small = [size for size, truth in known.items() if truth is None or abs(truth) < _OVERFLOW]
    large: dict[float, Number] = {s: truth for s, truth in known.items() if s not in small}
    if (
        not small
        or not large
        or max(small) > min(large)
        or len({t > 0 for t in large.values()}) > 1
    ):
        return None
    low, high = max(small), min(large)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        truth = _truth(arm, order, side * middle)
        low, high = (low, middle) if truth is None or abs(truth) > _OVERFLOW else (middle, high)
    before = np.array(sorted(side * share * high for share in (0.9, 0.99, 0.999)))
    if any(accuracy.faults((), {order: expression}, arm, accuracy.Grid(before))):
        return None
    return patches.infinite(expression, high, side, 1 if large[max(large)] > 0 else -1)


def _truth(arm: Expr, order: int, z: float) -> Number:
    found = accuracy.truths(arm, z, max(order, 2), 1, 0)
    return None if found is None else found[order]


def _vanished(arm: Expr, order: int, far: list[Fault]) -> float | None:
    """A size of z from which the derivative is 0, on the sides where something is wrong."""
    sides = {math.copysign(1, fault.z) for fault in far}
    nearest = min(abs(fault.z) for fault in far)
    bound = None
    for size in sorted(accuracy.SIZES, reverse=True):
        known = [accuracy.truths(arm, side * size, max(order, 2), 1, 360) for side in sides]
        if any(side is None or abs(side[order]) > 1e-310 for side in known):
            break
        bound = size
    return bound if bound is not None and bound <= nearest else None


def _levelled(expression: Expr, arm: Expr, order: int, far: list[Fault]) -> Expr | None:
    """The expression, a number from where the derivative is one to the last digit, on one side."""
    side = int(math.copysign(1, far[0].z))
    nearest = min(abs(fault.z) for fault in far if fault.z * side > 0)
    level: Number | None = None
    bound = None
    for size in sorted((*accuracy.SIZES, *accuracy.FAR), reverse=True):
        truth = _truth(arm, order, side * size)
        level = truth if level is None else level
        if truth is None or not abs(truth - level) <= 1e-20 * abs(level) < LARGEST * 1e-20:
            break
        bound = size
    if bound is None or bound > nearest or level is None:
        return None
    return patches.level(expression, bound, side, float(level))


def _unresolved(expression: Expr, arm: Expr, far: list[Fault]) -> Expr | None:
    """sin(z^2) of z where z^2 is a double: a z so large stands for any phase."""
    lost = any(not math.isfinite(fault.found) for fault in far)
    if not lost or not arm.has(*digits.SINES):
        return None
    for bound in (1e150, 1e100, 1e75, 1e50, 1e25, 700.0):
        found = patches.clipped(expression, bound)
        if np.isfinite(doubles(found, np.array([fault.z for fault in far]))).all():
            return found
    return None
