"""Arithmetic of tensors that are constants (arrays) or affine forms: what all readers share.

Where all arguments are constants NumPy computes the result; where one depends on the inputs it is
folded. Names and arguments are NumPy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from sympy import Expr, Piecewise

from symnet.activations import Z
from symnet.importers.folding import forms, functions, infinite, matrices
from symnet.importers.folding.axes import grouped, product_shape, sums
from symnet.importers.folding.evaluating import evaluated
from symnet.importers.folding.fold import Folding
from symnet.importers.folding.forms import Form, Shape
from symnet.network.weights import Array

Value: TypeAlias = Any
"""An array, or a Form."""

_FACTORS = 256
_LARGEST = float(np.finfo(np.float64).max)


class Tensors:
    """The operations, on the forms of one model."""

    def __init__(self) -> None:
        self.fold = Folding()

    def form(self, x: Value) -> Form:
        """The value as a form."""
        return x if isinstance(x, Form) else forms.constant(x)

    # --- arithmetic -----------------------------------------------------------------------------

    @infinite.apart(infinite.in_sum)
    def add(self, x: Value, y: Value) -> Value:
        """x + y."""
        if isinstance(x, Form) and isinstance(y, Form):
            return self.fold.added(x, y)
        if isinstance(x, Form):
            return self.fold.shifted(x, y)
        return self.fold.shifted(y, x) if isinstance(y, Form) else np.add(x, y)

    def negative(self, x: Value) -> Value:
        """−x."""
        return self.fold.scaled(x, -1.0) if isinstance(x, Form) else np.negative(x)

    def subtract(self, x: Value, y: Value) -> Value:
        """x − y."""
        if isinstance(x, Form) or isinstance(y, Form):
            return self.add(x, self.negative(y))
        return np.subtract(x, y)

    @infinite.apart(infinite.refused)
    def multiply(self, x: Value, y: Value) -> Value:
        """x ⊙ y."""
        if isinstance(x, Form) and isinstance(y, Form):
            return self.fold.product(x, y)
        if isinstance(x, Form):
            return self.fold.scaled(x, y)
        return self.fold.scaled(y, x) if isinstance(y, Form) else np.multiply(x, y)

    @infinite.apart(infinite.in_quotient)
    def divide(self, x: Value, y: Value) -> Value:
        """x / y; of integers as C has it, rounded towards 0."""
        if isinstance(x, Form) and isinstance(y, Form):
            return self.fold.quotient(x, y)
        if isinstance(y, Form):
            return self._constant_over(x, y)
        self._check_divisor(y)
        if isinstance(x, Form):
            divisor = np.asarray(y, dtype=np.float64)
            return self.fold.scaled(x, 1 / divisor)
        if np.asarray(x).dtype.kind in "iu" and np.asarray(y).dtype.kind in "iu":
            return np.trunc(np.divide(x, y)).astype(np.asarray(x).dtype)
        return np.divide(x, y)

    def _check_divisor(self, y: Value) -> None:
        if not np.all(np.asarray(y)):
            raise ValueError("it divides by 0")

    def _constant_over(self, c: Value, y: Form) -> Value:
        array = np.asarray(c, dtype=np.float64)
        if array.size == 1:
            over = self.fold.applied(y, functions.number(array.item()) / Z, "reciprocal")
            return self._spread(over, array.shape)
        return self.multiply(array, self.fold.applied(y, 1 / Z, "reciprocal"))

    def _spread(self, x: Form, shape: Shape) -> Form:
        return self.fold.broadcast(x, np.broadcast_shapes(x.shape, shape))

    @infinite.apart(infinite.refused)
    def power(self, x: Value, y: Value) -> Value:
        """x to the power y; of two that vary exp(y log x)."""
        if not isinstance(x, Form) and not isinstance(y, Form):
            return np.power(np.asarray(x), y)
        if isinstance(x, Form) and not isinstance(y, Form):
            return self._elementwise(x, y, functions.power, "power")
        if not isinstance(x, Form):
            if not np.all(np.asarray(x) > 0):
                raise ValueError("a power of a constant that is not positive")
            return self.apply("exp", self.multiply(np.log(np.asarray(x, dtype=np.float64)), y))
        found = self.fold.combined(x, y, lambda a, b: a**b, "power")
        return found or self.apply("exp", self.multiply(y, self.apply("log", x)))

    def _elementwise(
        self, x: Form, constants: Value, formula: Callable[[Any], Expr], hint: str
    ) -> Form:
        """A function with a parameter that may differ from entry to entry."""
        given = np.asarray(constants, dtype=np.float64)
        shape = np.broadcast_shapes(x.shape, given.shape)
        x, flat = self.fold.broadcast(x, shape), np.broadcast_to(given, shape).reshape(-1)
        different = np.unique(flat)
        if len(different) == 1:
            return self.fold.applied(x, formula(different[0]), hint)
        if len(different) > 64:
            raise ValueError(f"{hint} with {len(different)} different parameters")
        groups = [np.flatnonzero(flat == c) for c in different]
        parts = [
            self.fold.applied(self.fold.selected(x, members), formula(c), hint)
            for c, members in zip(different, groups, strict=True)
        ]
        places = np.argsort(np.concatenate(groups))
        return self.fold.selected(self.fold.stacked(parts), places.reshape(shape))

    # --- functions ------------------------------------------------------------------------------

    def apply(self, function: str | Expr, x: Value, hint: str = "function") -> Value:
        """A function by its name in `functions.PLAIN`, or a formula of Z, entry by entry."""
        name = function if isinstance(function, str) else hint
        value = functions.PLAIN[function] if isinstance(function, str) else function
        return self._applied(x, value, name)

    @infinite.apart()
    def _applied(self, x: Value, value: Expr, name: str) -> Value:
        if isinstance(x, Form):
            return self.fold.applied(x, value, name)
        return evaluated(name, value, np.asarray(x, dtype=np.float64))

    @infinite.apart(infinite.in_maximum)
    def maximum(self, x: Value, y: Value) -> Value:
        """The larger: clip for a number, else y + relu(x − y)."""
        return self._extreme(x, y, True)

    @infinite.apart(infinite.in_minimum)
    def minimum(self, x: Value, y: Value) -> Value:
        """The smaller: clip for a number, else x − relu(x − y)."""
        return self._extreme(x, y, False)

    def _extreme(self, x: Value, y: Value, larger: bool) -> Value:
        if not isinstance(x, Form):
            x, y = y, x
        if not isinstance(x, Form):
            return np.maximum(x, y) if larger else np.minimum(x, y)
        if not isinstance(y, Form):
            wide = self._spread(x, np.shape(y))
            if np.unique(y).size == 1:
                c = float(np.ravel(y)[0])
                return self.clip(wide, c, None) if larger else self.clip(wide, None, c)
        else:
            found = self.fold.combined(x, y, _larger if larger else _smaller, "extreme")
            if found is not None:
                return found
        above = self.apply("relu", self.subtract(x, y))
        return self.add(y, above) if larger else self.subtract(x, above)

    def clip(self, x: Value, low: Any, high: Any) -> Value:
        """min(max(x, low), high), of which either may be None; clips of clips are one.

        The least and the largest of all numbers are no bounds. ValueError for one that is NaN.
        """
        least = -math.inf if low is None else float(low)
        most = math.inf if high is None else float(high)
        if math.isnan(least) or math.isnan(most):
            raise ValueError("a bound of it is NaN")
        if not isinstance(x, Form):
            return np.clip(x, low, high)
        if least >= most:
            return np.full(x.shape, most)
        low, high = least if least > -_LARGEST else None, most if most < _LARGEST else None
        for base, law in x.functions().items():
            if (before := functions.bounds(law)) is None or base.size != x.size:
                continue
            lows = [c for c in (low, before[0]) if c is not None]
            highs = [c for c in (high, before[1]) if c is not None]
            if lows and highs and max(lows) >= min(highs):
                continue
            value = functions.clip(max(lows, default=None), min(highs, default=None))
            if base is not x and law != Z:
                return self.fold.reshaped(self.fold.applied(base, value, "clip"), x.shape)
        return self.fold.applied(x, functions.clip(low, high), "clip")

    def prelu(self, x: Value, slopes: Value) -> Value:
        """x where it is positive, else slope x."""
        if isinstance(x, Form) and not isinstance(slopes, Form):
            return self._elementwise(x, slopes, functions.leaky, "leaky_relu")
        below = self.multiply(slopes, self.subtract(x, self.apply("relu", x)))
        return self.add(self.apply("relu", x), below)

    # --- places ---------------------------------------------------------------------------------

    def places(self, x: Value, change: Callable[[Array], Array]) -> Value:
        """What only moves entries: `change` of the array, or of the places of a form's entries."""
        if not isinstance(x, Form):
            return change(np.asarray(x))
        return self.fold.selected(x, change(np.arange(x.size).reshape(x.shape)))

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """The same entries in another shape; one −1 is found."""
        return self.places(x, lambda a: a.reshape([int(s) for s in shape]))

    def broadcast(self, x: Value, shape: Sequence[int]) -> Value:
        """The tensor spread to a larger shape."""
        whole = np.broadcast_shapes(x.shape, tuple(shape))
        matrices.check_size(math.prod(whole), f"a tensor of the shape {whole}")
        return self.places(x, lambda a: np.broadcast_to(a, whole))

    def mixed(self, parts: Sequence[Value], arrange: Callable[[list[Array]], Array]) -> Value:
        """A tensor of the entries of several: `arrange` puts arrays, or their places, together."""
        arrays = [part for part in parts if not isinstance(part, Form)]
        if len(arrays) == len(parts):
            return arrange([np.asarray(part) for part in parts])
        placed = [self.form(part) for part in parts]
        start, places = 0, []
        for part in placed:
            places.append(np.arange(start, start + part.size).reshape(part.shape))
            start += part.size
        return self.fold.selected(self.fold.stacked(placed), arrange(places))

    def concatenate(self, parts: Sequence[Value], axis: int) -> Value:
        """The parts after each other along an axis."""
        return self.mixed(parts, lambda arrays: np.concatenate(arrays, axis))

    def pad(self, x: Value, widths: Sequence[tuple[int, int]], constant: Value = 0.0) -> Value:
        """Constants around the tensor; negative widths cut it."""
        cut = tuple(slice(max(0, -a), None if b >= 0 else b) for a, b in widths)
        x = self.places(x, lambda a: a[cut])
        around = [(max(0, a), max(0, b)) for a, b in widths]
        size = math.prod(s + a + b for s, (a, b) in zip(x.shape, around, strict=True))
        matrices.check_size(size, "a padded tensor")
        if not isinstance(x, Form):
            return np.pad(x, around, constant_values=float(np.ravel(constant)[0]))

        def arrange(arrays: list[Array]) -> Array:
            return np.pad(arrays[0], around, constant_values=int(arrays[1].reshape(-1)[0]))

        return self.mixed([x, np.asarray(constant, dtype=np.float64)], arrange)

    # --- sums -----------------------------------------------------------------------------------

    def sum(self, x: Value, axes: Sequence[int] | None, keep: bool, mean: bool = False) -> Value:
        """The sum, or the mean, over axes, None for all."""
        if not isinstance(x, Form):
            over = None if axes is None else tuple(axes)
            return (np.mean if mean else np.sum)(np.asarray(x), axis=over, keepdims=keep)
        groups, shape = grouped(x.shape, axes, keep)
        if groups.shape[1] == 1:
            return self.fold.reshaped(x, shape)
        weight = 1 / groups.shape[1] if mean else 1.0
        return self.fold.times(x, sums(groups, x.size, weight), shape)

    def product(self, x: Value, axes: Sequence[int] | None, keep: bool) -> Value:
        """The product over axes, None for all, two by two."""
        if not isinstance(x, Form):
            return np.prod(np.asarray(x), axis=None if axes is None else tuple(axes), keepdims=keep)
        groups, shape = grouped(x.shape, axes, keep)
        if groups.shape[1] > _FACTORS:
            raise ValueError(
                f"a product of {groups.shape[1]} factors; symnet reads up to {_FACTORS}"
            )
        parts: list[Value] = [self.fold.selected(x, column) for column in groups.T]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            odd = parts[-1:] if len(parts) % 2 else []
            parts = [self.multiply(a, b) for a, b in pairs] + odd
        return self.reshape(parts[0], shape)

    def cumulated(
        self, x: Value, axis: int, reverse: bool = False, exclusive: bool = False
    ) -> Value:
        """Sums of all entries up to each along an axis, from its end backwards if `reverse`."""
        ones = np.tri(x.shape[axis], k=-1 if exclusive else 0)
        moved = self.places(x, lambda a: np.moveaxis(a, axis, -1))
        summed = self.matmul(moved, ones if reverse else ones.T)
        return self.places(summed, lambda a: np.moveaxis(a, -1, axis))

    def log_add(self, x: Value, y: Value) -> Value:
        """log(exp x + exp y), entry by entry."""
        return self.add(y, self.apply("softplus", self.subtract(x, y)))

    def log_sum_exp(self, x: Value, axes: Sequence[int] | None, keep: bool) -> Value:
        """log Σ exp x over axes, as z₀ − log_softmax(z)₀, which no large value overflows."""
        groups, shape = grouped(x.shape, axes, keep)
        return self.reshape(self.log_sums(self.form(x), groups), shape)

    def log_sums(self, x: Form, groups: Array) -> Value:
        """The same of each row of flat places; the z₀ is none that a mask leaves nothing of."""
        whole = self.fold.softmax(x, list(groups), "log_softmax")
        first = groups[np.arange(len(groups)), x.full_bias[groups].argmax(axis=1)]
        return self.subtract(self.fold.selected(x, first), self.fold.selected(whole, first))

    def extreme(self, x: Value, axes: Sequence[int] | None, keep: bool, larger: bool) -> Value:
        """The largest or smallest over axes, None for all."""
        if not isinstance(x, Form):
            over = None if axes is None else tuple(axes)
            return (np.max if larger else np.min)(np.asarray(x), axis=over, keepdims=keep)
        groups, shape = grouped(x.shape, axes, keep)
        return self.fold.reshaped(self._tree(x, groups, larger), shape)

    def _tree(self, x: Form, groups: Array, larger: bool) -> Form:
        """The extreme of x.flat[groups] along its last axis, by halves."""
        values = self.fold.selected(x, groups)
        while values.shape[1] > 1:
            half, odd = divmod(values.shape[1], 2)
            columns = np.arange(values.size).reshape(values.shape)
            first, second, last = np.split(columns, [half, 2 * half], axis=1)
            halves = self.fold.selected(values, first), self.fold.selected(values, second)
            best = self.form((self.maximum if larger else self.minimum)(*halves))
            rest = self.fold.selected(values, last)
            values = self.concatenate([best, rest], 1) if odd else best
        return values

    def matmul(self, x: Value, y: Value) -> Value:
        """NumPy's x @ y."""
        if not isinstance(x, Form) and not isinstance(y, Form):
            return np.matmul(x, y)
        if isinstance(x, Form) and isinstance(y, Form):
            return self._bilinear(x, y)
        if isinstance(x, Form):
            weights = np.asarray(y, dtype=np.float64)
            if weights.ndim == 2 and x.shape[-1:] == (x.size,) == weights.shape[:1]:
                shape = (*x.shape[:-1], weights.shape[1])
                return self.fold.times(x, np.ascontiguousarray(weights.T), shape, True)
            return self._contracted(weights, x, False)
        weights = np.asarray(x, dtype=np.float64)
        if weights.ndim == 2 and y.shape in ((weights.shape[1],), (weights.shape[1], 1)):
            return self.fold.times(y, weights, (len(weights), *y.shape[1:]), True)
        return self._contracted(weights, y, True)

    def _contracted(self, weights: Array, x: Form, left: bool) -> Form:
        """A product with constants in which x has several rows, as one sparse matrix."""
        places = np.arange(x.size).reshape(x.shape)
        a, b = (weights, places) if left else (places, weights)
        shape = product_shape(a.shape, b.shape)
        a = a[None, :] if a.ndim == 1 else a
        b = b[:, None] if b.ndim == 1 else b
        a, b = a[..., :, None, :], np.swapaxes(b, -1, -2)[..., None, :, :]
        whole = np.broadcast_shapes(a.shape, b.shape)
        matrices.check_size(math.prod(whole), f"a product of the shapes {weights.shape}, {x.shape}")
        values, columns = (np.broadcast_to(v, whole) for v in ((a, b) if left else (b, a)))
        M = matrices.from_rows(columns.reshape(-1, whole[-1]), values.reshape(-1), x.size)
        return self.fold.times(x, M, shape, True)

    def _bilinear(self, x: Form, y: Form) -> Form:
        """x @ y of two that vary: products of all pairs, and sums of them."""
        shape = product_shape(x.shape, y.shape)
        a = self.places(x, lambda v: v[None, :] if v.ndim == 1 else v)
        b = self.places(y, lambda v: v[:, None] if v.ndim == 1 else v)
        left = self.places(a, lambda v: v[..., :, None, :])
        right = self.places(b, lambda v: np.swapaxes(v, -1, -2)[..., None, :, :])
        pairs = np.broadcast_shapes(left.shape, right.shape)
        matrices.check_size(math.prod(pairs), "a product of two tensors that vary")
        return self.fold.reshaped(self.sum(self.multiply(left, right), [-1], False), shape)

    # --- normalisation --------------------------------------------------------------------------

    def softmax(self, x: Value, axes: Sequence[int], log: bool = False) -> Value:
        """exp(x)/Σ exp(x) over axes, or its logarithm."""
        if not isinstance(x, Form):
            shifted = np.asarray(x, dtype=np.float64)
            shifted = shifted - shifted.max(axis=tuple(axes), keepdims=True)
            total = np.exp(shifted).sum(axis=tuple(axes), keepdims=True)
            return shifted - np.log(total) if log else np.exp(shifted) / total
        groups, _ = grouped(x.shape, axes, True)
        return self.fold.softmax(x, list(groups), "log_softmax" if log else "softmax")

    def normalised(
        self, x: Value, axes: Sequence[int], epsilon: float, centre: bool = True
    ) -> Value:
        """(x − mean)/sqrt(variance + ε) over axes, the variance by their number.

        Without `centre` x/sqrt(mean of squares + ε).
        """
        x = self.centred(x, axes)[0] if centre else self.fold.node(self.form(x))
        return self.multiply(x, self.inverse_spread(x, axes, epsilon))

    def centred(self, x: Value, axes: Sequence[int]) -> tuple[Form, Value]:
        """x − mean over axes, and the mean."""
        mean = self.sum(x, axes, True, mean=True)
        return self.fold.node(self.form(self.subtract(x, mean))), mean

    def inverse_spread(self, x: Value, axes: Sequence[int], epsilon: float) -> Value:
        """1/sqrt(mean of x² + ε) over axes."""
        spread = self.sum(self.apply("square", x), axes, True, mean=True)
        return self.apply("rsqrt", self.add(spread, epsilon))


def _larger(a: Expr, b: Expr) -> Expr:
    return Piecewise((b, a <= b), (a, True))


def _smaller(a: Expr, b: Expr) -> Expr:
    return Piecewise((a, a <= b), (b, True))
