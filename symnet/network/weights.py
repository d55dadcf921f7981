"""Weights as read-only arrays: doubles, exact numbers and symbols.

An array is float64 when all its entries are floats. As soon as one is exact or a symbol it holds
SymPy objects: Integer, Rational and Symbol, and for a float the Float of the same 53 bits.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeGuard

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Symbol

from symnet.names import check_symbol, shortened

Array = NDArray[Any]

LONGEST_NUMBER = 4000
"""Decimal digits which an exact weight's numerator or denominator may have at most.

Python itself refuses to print integers of more than 4300 digits.
"""


def weight(entry: object, where: str) -> float | Expr:
    """One weight as a float, an exact SymPy number or a plain SymPy symbol.

    Raises ValueError, beginning with `where`, for anything else.
    """
    if isinstance(entry, bool | np.bool_):
        raise ValueError(f"{where} is {entry}, a truth value; weights are numbers or symbols")
    if isinstance(entry, float | np.float32 | np.float16):
        return _finite(float(entry), where)
    match entry:
        case int() | np.integer():
            return _exact(int(entry), 1, where)
        case Fraction() | sympy.Rational():
            return _exact(int(entry.numerator), int(entry.denominator), where)
        case sympy.Float():
            return _double(entry, where)
        case Symbol():
            return check_symbol(entry, where)
    raise ValueError(f"{where} is {_refusal(entry)}")


def _refusal(entry: object) -> str:
    shown = shortened(str(entry) if isinstance(entry, Expr) else repr(entry))
    match entry:
        case sympy.Number():  # nan, oo or -oo
            return f"{shown}; weights must be finite"
        case Expr():
            return f"the expression {shown}; use a number or one symbol"
        case complex() | np.complexfloating():
            return f"{shown}, a complex number; weights are real"
        case numbers.Real():
            return f"of type {type(entry).__name__}; convert it to float or Fraction first"
    return f"{shown}; use float, int, Fraction or a SymPy number or symbol"


def _finite(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{where} is {value}; weights must be finite")
    return value


def _exact(numerator: int, denominator: int, where: str) -> Expr:
    # Bits are counted: digits can't be, Python refuses to print the very number.
    bits = max(numerator.bit_length(), denominator.bit_length())
    if bits > LONGEST_NUMBER * math.log2(10):
        raise ValueError(f"{where} has more than {LONGEST_NUMBER} digits")
    return sympy.Rational(numerator, denominator)


def _double(value: sympy.Float, where: str) -> float:
    if value != sympy.Float(float(value), precision=value._prec):
        raise ValueError(f"{where} is a Float finer than double precision; use a Rational")
    return float(value)


def matrix(entries: object) -> Array:
    """A layer's weights, shape (neurons, inputs), from nested lists, an array or a SymPy Matrix.

    Raises ValueError for empty and ragged weights and for entries that `weight` refuses.
    """
    entries = _plain(entries)
    if _is_double(entries) and entries.ndim == 2 and entries.size:
        return _checked(entries, "weight")
    rows = [_listed(row, f"weights: row {i}") for i, row in enumerate(_listed(entries, "weights"))]
    if not rows or not rows[0]:
        raise ValueError("weights are empty; a layer needs at least one neuron and one input")
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"weights are ragged: row {i} has {len(row)} entries, but row 0 has {len(rows[0])}"
            )
    if {type(w) for row in rows for w in row} == {float}:
        return _checked(np.array(rows), "weight")  # as below, ten times faster
    flat = [
        weight(w, f"weight [{i}, {j}]") for i, row in enumerate(rows) for j, w in enumerate(row)
    ]
    return _array(flat, (len(rows), len(rows[0])))


def vector(entries: object, count: int) -> Array:
    """A layer's bias, shape (count,), from a list, an array or a SymPy Matrix of one row or column.

    An array may be the row that is added to `x @ W`, shape (1, count), or the column that is added
    to `W @ x`. Raises ValueError for another length and for entries that `weight` refuses.
    """
    if isinstance(entries, sympy.MatrixBase) and 1 in entries.shape:
        entries = list(entries)
    entries = _plain(entries)
    if isinstance(entries, np.ndarray) and entries.ndim == 2 and 1 in entries.shape:
        entries = entries.ravel()
    flat = _listed(entries, "bias")
    if len(flat) != count:
        raise ValueError(f"bias has {len(flat)} entries, but weights have {count} rows")
    if _is_double(entries) and entries.ndim == 1:
        return _checked(entries, "bias")
    return _array([weight(b, f"bias [{i}]") for i, b in enumerate(flat)], (count,))


def _plain(entries: object) -> object:
    """Arrays for array-likes, nested lists for matrices; anything else unchanged."""
    # Looking np.ma up imports it, in 5 ms; who has a masked array has done so.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(entries, masked.MaskedArray):
        raise ValueError("masked arrays are not accepted; fill the masked entries first")
    if isinstance(entries, sympy.MatrixBase):
        return entries.tolist()
    return np.asarray(entries) if hasattr(entries, "__array__") else entries


def _listed(entries: object, what: str) -> list[Any]:
    scalar = isinstance(entries, np.ndarray) and entries.ndim == 0
    if scalar or isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        raise ValueError(f"{what} must be a list of numbers, not {shortened(repr(entries))}")
    return list(entries)


def _is_double(entries: object) -> TypeGuard[Array]:
    # A wider float would be rounded here without a word; `weight` refuses it.
    return isinstance(entries, np.ndarray) and entries.dtype.kind == "f" and entries.itemsize <= 8


def _checked(entries: Array, what: str) -> Array:
    array = np.array(entries, dtype=np.float64, order="C")
    if not np.isfinite(array).all():
        index = np.argwhere(~np.isfinite(array))[0].tolist()
        _finite(float(array[tuple(index)]), f"{what} {index}")
    return _frozen(array)


def _array(entries: Sequence[float | Expr], shape: tuple[int, ...]) -> Array:
    if all(isinstance(entry, float) for entry in entries):
        return _frozen(np.array(entries, dtype=np.float64).reshape(shape))
    array = np.empty(len(entries), dtype=object)
    array[:] = [as_expression(entry) for entry in entries]
    return _frozen(array.reshape(shape))


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def as_expression(entry: float | Expr) -> Expr:
    """The entry as a SymPy object: for a float the Float of the same 53 bits."""
    return sympy.Float(entry, precision=53) if isinstance(entry, float) else entry


def doubles(array: Array, what: str) -> Array:
    """The array in double precision, each exact entry rounded once.

    ValueError for a symbol, or an integer or fraction beyond the range of doubles.
    """
    if array.dtype == np.float64:
        return array
    flat = [_rounded(entry, f"{what} {list(index)}") for index, entry in np.ndenumerate(array)]
    return _frozen(np.array(flat, dtype=np.float64).reshape(array.shape))


def _rounded(entry: Expr, where: str) -> float:
    if isinstance(entry, sympy.Float):
        return float(entry)
    if not isinstance(entry, sympy.Rational):
        raise ValueError(f"{where} is the symbol {entry}")
    try:
        return int(entry.p) / int(entry.q)  # Python rounds a quotient of integers correctly
    except OverflowError:
        raise ValueError(f"{where} is beyond the range of double precision") from None


def content(array: Array | None) -> object:
    """What equal arrays have in common, hashable: doubles bit by bit, SymPy objects as such."""
    if array is None:
        return None
    return array.shape, array.tobytes() if array.dtype == np.float64 else tuple(array.flat)


def is_exact(array: Array) -> bool:
    """Whether no entry is a float."""
    return array.dtype != np.float64 and not any(isinstance(e, sympy.Float) for e in array.flat)


def symbols(array: Array) -> frozenset[Symbol]:
    """The symbols among the entries."""
    if array.dtype == np.float64:
        return frozenset()
    return frozenset(entry for entry in array.flat if isinstance(entry, Symbol))


def replaced(array: Array, values: Mapping[Symbol, object]) -> Array:
    """The entries with these symbols replaced, not yet checked; shape as before."""
    if not symbols(array) & values.keys():
        return array
    result = np.empty(array.size, dtype=object)
    for i, entry in enumerate(array.flat):
        result[i] = values.get(entry, entry)
    return result.reshape(array.shape)
