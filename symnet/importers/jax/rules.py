"""A rule for each primitive of JAX, with the primitive's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import exp, log

from symnet.activations import Z
from symnet.importers.folding import choices, functions, images, tables
from symnet.importers.folding.angles import angle
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.cumulating import cumulative
from symnet.importers.folding.forms import Form
from symnet.importers.folding.rounding import ROUNDED, remainder, rounded
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows
from symnet.importers.jax import questions, selecting, softmaxes
from symnet.importers.jax.selecting import Row, Which
from symnet.importers.jax.softmaxes import Soft

Parameters = Mapping[str, Any]
Rule = Callable[..., Value]


def plain(t: Tensors, x: Any) -> Value:
    """A form, or an array."""
    if isinstance(x, Soft | Condition | Row | Which):
        return x.forced(t)
    return x if isinstance(x, Form) else np.asarray(x)


def varies(x: Any) -> bool:
    """Whether it depends on the inputs."""
    return isinstance(x, Form | Soft | Condition | Row | Which)


def of_values(operation: Callable[..., Value]) -> Rule:
    """A rule that only needs its arguments."""
    return lambda t, parameters, *given: operation(t, *(plain(t, v) for v in given))


def named(name: str) -> Rule:
    return lambda t, parameters, x: t.apply(name, plain(t, x))


def _formula(name: str, value: Any) -> Rule:
    return lambda t, parameters, x: t.apply(value, plain(t, x), name)


# --- sums, products, softmax --------------------------------------------------------------------


def _sub(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    found = softmaxes.subtracted(t, x, y)
    return t.subtract(plain(t, x), plain(t, y)) if found is None else found


def _add(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    found = softmaxes.added(t, x, y)
    return t.add(plain(t, x), plain(t, y)) if found is None else found


def _div(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    found = softmaxes.divided(t, x, y)
    return t.divide(plain(t, x), plain(t, y)) if found is None else found


def _stepped(name: str, before: str, after: str) -> Rule:
    """A function that leads from one step of a softmax to the next."""

    def rule(t: Tensors, parameters: Parameters, x: Value) -> Value:
        if isinstance(x, Soft) and x.kind == before:
            return Soft(after, x.x, x.groups, x.places, x.stopped)
        return t.apply(name, plain(t, x))

    return rule


def _reduce_sum(t: Tensors, parameters: Parameters, x: Value) -> Value:
    found = softmaxes.summed(x, parameters["axes"]) if isinstance(x, Soft) else None
    return t.sum(plain(t, x), parameters["axes"], False) if found is None else found


def _reduce_max(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return softmaxes.peak(t.form(plain(t, x)), parameters["axes"])


def _reduce_min(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return questions.smallest(t, t.form(plain(t, x)), parameters["axes"])


def _reduce_prod(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return t.product(plain(t, x), parameters["axes"], False)


def _max(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    for peak, other in ((x, y), (y, x)):
        constant = not varies(other)
        if isinstance(peak, Soft) and constant and np.ndim(other) == 0 and np.isneginf(other):
            return peak
    return questions.extreme(t, plain(t, x), plain(t, y), True)


def _min(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    return questions.extreme(t, plain(t, x), plain(t, y), False)


def _stop_gradient(t: Tensors, parameters: Parameters, x: Value) -> Value:
    if isinstance(x, Soft) and x.kind == "peak":
        return Soft(x.kind, x.x, x.groups, x.places, True)
    raise ValueError("its derivative in JAX is not that of its value; symnet cannot hold it back")


def _is_finite(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return np.full(np.shape(x), True)


def _clamp(t: Tensors, parameters: Parameters, low: Value, x: Value, high: Value) -> Value:
    if isinstance(x, Which):  # a place, which is one of the cases
        return x
    return t.minimum(t.maximum(plain(t, x), plain(t, low)), plain(t, high))


def _convert(t: Tensors, parameters: Parameters, x: Value) -> Value:
    kind = np.dtype(parameters["new_dtype"])
    if isinstance(x, Condition | Row | Which) or kind.kind == "f" or "float" in str(kind):
        return x
    if kind.kind == "b":
        return choices.condition(t, plain(t, x))
    if kind.kind in "iu":
        return x if isinstance(x, Soft) else rounded(t, plain(t, x), "trunc")
    raise ValueError(f"it makes {kind} of what depends on the inputs")


def _select(t: Tensors, parameters: Parameters, which: Value, *cases: Value) -> Value:
    if isinstance(which, Which):
        return which.select(t, [plain(t, c) for c in cases])
    if isinstance(which, Form) and len(cases) > 2:
        return choices.by_number(t, which, [plain(t, c) for c in cases])
    which = plain(t, which) if isinstance(which, Soft) else which
    if isinstance(which, Condition | Form | Row) and len(cases) == 2:
        for case, other in (cases, cases[::-1]):
            if not varies(case) and np.isnan(case).all():
                t.fold.replaced = _NAN
                return t.broadcast(plain(t, other), np.shape(cases[0]))
        condition = choices.condition(t, which if isinstance(which, Condition) else plain(t, which))
        return choices.chosen(t, condition, *(plain(t, c) for c in cases))
    known = np.asarray(which).astype(np.int64)
    alone = cases[int(known.flat[0])] if known.size else cases[0]
    if np.unique(known).size == 1 and np.shape(alone) == np.shape(cases[0]):
        return alone
    whole = softmaxes.chosen(known, cases)
    if whole is not None:
        return whole
    wide = [t.broadcast(plain(t, c), np.shape(cases[0])) for c in cases]
    known = np.broadcast_to(known, wide[0].shape)
    return t.mixed(wide, lambda arrays: np.choose(known, arrays))


_NAN = "it gives NaN at points where symnet would have a value (where(condition, NaN, other))"


def _compare(name: str) -> Rule:
    def rule(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
        if name == "eq" and (found := questions.equal(t, x, y)) is not None:
            return found
        same = x is y
        x = plain(t, x)
        return choices.compared(t, name, x, x if same else plain(t, y))

    return rule


def _truth(t: Tensors, x: Value) -> Any:
    """A condition, or a constant."""
    return x if isinstance(x, Condition) else choices.condition(t, plain(t, x))


def _not(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return choices.negated(_truth(t, x))


def _joined(both: Any) -> Rule:
    return lambda t, parameters, x, y: choices.joined(both, _truth(t, x), _truth(t, y))


def _all_or_any(both: Any) -> Rule:
    return lambda t, parameters, x: choices.all_or_any(t, both, _truth(t, x), parameters["axes"])


def _argmax(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return selecting.which(x, parameters["axes"])


# --- matrices -----------------------------------------------------------------------------------


def _dot(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    """Contractions as matrix products: batch, free, contracted axes of x, then those of y."""
    x, y = plain(t, x), plain(t, y)
    (over_x, over_y), (batch_x, batch_y) = parameters["dimension_numbers"]
    free_x = [a for a in range(len(x.shape)) if a not in (*over_x, *batch_x)]
    free_y = [a for a in range(len(y.shape)) if a not in (*over_y, *batch_y)]
    batch = [x.shape[a] for a in batch_x]
    contracted = int(np.prod([x.shape[a] for a in over_x], dtype=np.int64))
    shape = (*batch, *(x.shape[a] for a in free_x), *(y.shape[a] for a in free_y))
    left = _arranged(t, x, (*batch_x, *free_x, *over_x), (*batch, -1, contracted))
    right = _arranged(t, y, (*batch_y, *over_y, *free_y), (*batch, contracted, -1))
    return t.reshape(t.matmul(left, right), shape)


def _arranged(t: Tensors, x: Value, order: Sequence[int], shape: Sequence[int]) -> Value:
    if 0 in x.shape:
        raise ValueError(f"a product of a tensor of the shape {x.shape}")
    return t.places(x, lambda a: np.ascontiguousarray(a.transpose(order)).reshape(shape))


def _pooled(larger: bool) -> Rule:
    """Windows over all axes, which are those of an image of one channel."""

    def rule(t: Tensors, parameters: Parameters, x: Value) -> Value:
        if set(parameters["base_dilation"]) != {1}:
            raise ValueError("it dilates what it pools")
        pads = parameters["padding"]
        sizes = parameters["window_dimensions"]
        windows = Windows.of(
            sizes,
            parameters["window_strides"],
            parameters["window_dilation"],
            [low for low, _ in pads] + [high for _, high in pads],
        )
        image = t.form(t.reshape(plain(t, x), (1, 1, *np.shape(x))))
        if larger:
            value = images.max_pool(t, image, windows)
        else:
            value = t.multiply(images.average_pool(t, image, windows, True), float(np.prod(sizes)))
        return t.reshape(value, value.shape[2:])

    return rule


def _cumsum(t: Tensors, parameters: Parameters, x: Value) -> Value:
    if isinstance(x, Row):
        found = selecting.summed(x, parameters["axis"], parameters["reverse"])
        if found is not None:
            return found
    return t.cumulated(plain(t, x), parameters["axis"], parameters["reverse"])


def _cumulative(operation: Callable[[Tensors, Value, Value], Value]) -> Rule:
    def rule(t: Tensors, parameters: Parameters, x: Value) -> Value:
        axis, reverse = int(parameters["axis"]), bool(parameters["reverse"])
        return cumulative(t, plain(t, x), axis, operation, reverse)

    return rule


def _round(t: Tensors, parameters: Parameters, x: Value) -> Value:
    to_even = int(parameters["rounding_method"]) == 1
    return rounded(t, plain(t, x), "round" if to_even else "round_half_away")


def _power(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return t.apply(functions.power(parameters["y"]), plain(t, x), "power")


RULES: Mapping[str, Rule] = {
    "add": _add,
    "add_any": _add,
    "sub": _sub,
    "mul": of_values(Tensors.multiply),
    "div": _div,
    **{name: _formula(name, ROUNDED[name]) for name in ("floor", "ceil")},
    "round": _round,
    "rem": lambda t, parameters, x, y: remainder(t, plain(t, x), plain(t, y), "trunc"),
    "neg": of_values(Tensors.negative),
    "max": _max,
    "min": _min,
    "pow": of_values(Tensors.power),
    "integer_pow": _power,
    "exp": _stepped("exp", "shifted", "exp"),
    "log": _stepped("log", "sum", "log"),
    "abs": _stepped("abs", "sum", "sum"),
    "sign": _formula("sign", functions.SIGN),
    "exp2": _formula("exp2", exp(log(2) * Z)),
    "logistic": named("sigmoid"),
    **{
        name: named(name)
        for name in (
            *("log1p", "expm1", "tanh", "erf", "erfc", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("sinh", "cosh", "asinh", "acosh", "atanh", "sqrt", "rsqrt", "square"),
        )
    },
    "erf_inv": named("erfinv"),
    "cbrt": named("cbrt"),
    "lgamma": of_values(tables.log_gamma),
    "digamma": named("digamma"),
    "clamp": _clamp,
    "select_n": _select,
    "convert_element_type": _convert,
    "stop_gradient": _stop_gradient,
    "is_finite": _is_finite,
    **{name: _compare(name) for name in choices.RELATIONS},
    **{f"{name}_to": _compare(name) for name in ("lt", "le", "gt", "ge", "eq")},
    "and": _joined(sympy.And),
    "or": _joined(sympy.Or),
    "not": _not,
    "reduce_and": _all_or_any(sympy.And),
    "reduce_or": _all_or_any(sympy.Or),
    "argmax": _argmax,
    "reduce_sum": _reduce_sum,
    "reduce_max": _reduce_max,
    "reduce_min": _reduce_min,
    "reduce_prod": _reduce_prod,
    "dot_general": _dot,
    "reduce_window_max": _pooled(True),
    "reduce_window_sum": _pooled(False),
    "cumsum": _cumsum,
    "cumprod": _cumulative(Tensors.multiply),
    "cummax": _cumulative(Tensors.maximum),
    "cummin": _cumulative(Tensors.minimum),
    "cumlogsumexp": _cumulative(Tensors.log_add),
    "atan2": of_values(angle),
}
