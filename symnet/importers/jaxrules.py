"""A rule for each primitive of JAX, with the primitive's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import exp, log

from symnet.activations import Z
from symnet.importers import functions, images, jaxchoices, jaxsoftmax
from symnet.importers.forms import Form
from symnet.importers.jaxchoices import Condition
from symnet.importers.jaxsoftmax import Soft
from symnet.importers.tensors import Tensors, Value
from symnet.importers.windows import Windows
from symnet.network.weights import Array

Parameters = Mapping[str, Any]
Rule = Callable[..., Value]


def _value(t: Tensors, x: Any) -> Value:
    """A form, or an array."""
    if isinstance(x, Soft | Condition):
        return x.forced(t)
    return x if isinstance(x, Form) else np.asarray(x)


def _with(operation: Callable[..., Value]) -> Rule:
    """A rule that only needs its arguments."""
    return lambda t, parameters, *given: operation(t, *(_value(t, v) for v in given))


def _plain(name: str) -> Rule:
    return lambda t, parameters, x: t.apply(name, _value(t, x))


def _formula(name: str, value: Any) -> Rule:
    return lambda t, parameters, x: t.apply(value, _value(t, x), name)


# --- sums, products, softmax --------------------------------------------------------------------


def _sub(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    found = jaxsoftmax.subtracted(t, x, y)
    return t.subtract(_value(t, x), _value(t, y)) if found is None else found


def _add(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    found = jaxsoftmax.added(t, x, y)
    return t.add(_value(t, x), _value(t, y)) if found is None else found


def _div(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    found = jaxsoftmax.divided(t, x, y)
    return t.divide(_value(t, x), _value(t, y)) if found is None else found


def _stepped(name: str, before: str, after: str) -> Rule:
    """A function that leads from one step of a softmax to the next."""

    def rule(t: Tensors, parameters: Parameters, x: Value) -> Value:
        if isinstance(x, Soft) and x.kind == before:
            return Soft(after, x.x, x.groups, x.places, x.stopped)
        return t.apply(name, _value(t, x))

    return rule


def _reduce_sum(t: Tensors, parameters: Parameters, x: Value) -> Value:
    found = jaxsoftmax.summed(x, parameters["axes"]) if isinstance(x, Soft) else None
    return t.sum(_value(t, x), parameters["axes"], False) if found is None else found


def _reduce_max(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return jaxsoftmax.peak(t.form(_value(t, x)), parameters["axes"])


def _reduce_min(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return t.extreme(_value(t, x), parameters["axes"], False, False)


def _max(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    for peak, other in ((x, y), (y, x)):
        constant = not isinstance(other, Form | Soft | Condition)
        if isinstance(peak, Soft) and constant and np.ndim(other) == 0 and np.isneginf(other):
            return peak
    return t.maximum(_value(t, x), _value(t, y))


def _stop_gradient(t: Tensors, parameters: Parameters, x: Value) -> Value:
    if isinstance(x, Soft) and x.kind == "peak":
        return Soft(x.kind, x.x, x.groups, x.places, True)
    raise ValueError("its derivative in JAX is not that of its value; symnet cannot hold it back")


def _is_finite(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return np.full(np.shape(x), True)


def _clamp(t: Tensors, parameters: Parameters, low: Value, x: Value, high: Value) -> Value:
    return t.minimum(t.maximum(_value(t, x), _value(t, low)), _value(t, high))


def _convert(t: Tensors, parameters: Parameters, x: Value) -> Value:
    if np.dtype(parameters["new_dtype"]).kind == "f" or "float" in str(parameters["new_dtype"]):
        return x.forced(t) if isinstance(x, Condition) else x
    if isinstance(x, Condition):
        return x.forced(t)
    raise ValueError(f"it makes {parameters['new_dtype']} of what depends on the inputs")


def _select(t: Tensors, parameters: Parameters, which: Value, *cases: Value) -> Value:
    if isinstance(which, Condition):
        return jaxchoices.chosen(t, which, *(_value(t, c) for c in cases))
    known = np.asarray(which).astype(np.int64)
    alone = cases[int(known.flat[0])] if known.size else cases[0]
    if np.unique(known).size == 1 and np.shape(alone) == np.shape(cases[0]):
        return alone
    wide = [t.broadcast(_value(t, c), np.shape(cases[0])) for c in cases]
    known = np.broadcast_to(known, wide[0].shape)
    return t.mixed(wide, lambda arrays: np.choose(known, arrays))


def _compare(name: str) -> Rule:
    def rule(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
        same = x is y
        x = _value(t, x)
        return jaxchoices.compared(t, name, x, x if same else _value(t, y))

    return rule


def _not(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return jaxchoices.negated(x)


def _joined(both: Any) -> Rule:
    return lambda t, parameters, x, y: jaxchoices.joined(both, x, y)


# --- matrices -----------------------------------------------------------------------------------


def _dot(t: Tensors, parameters: Parameters, x: Value, y: Value) -> Value:
    """Contractions as matrix products: batch, free, contracted axes of x, then those of y."""
    x, y = _value(t, x), _value(t, y)
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


def _conv(t: Tensors, parameters: Parameters, x: Value, weights: Value) -> Value:
    if not isinstance(x, Form) or isinstance(weights, Form):
        raise ValueError("its weights depend on the inputs")
    if set(parameters["lhs_dilation"]) != {1} or parameters["batch_group_count"] != 1:
        raise ValueError("it is transposed, or groups the batch")
    numbers = parameters["dimension_numbers"]
    image = t.places(x, lambda a: a.transpose(numbers.lhs_spec))
    kernel = np.asarray(weights).transpose(numbers.rhs_spec)
    pads = parameters["padding"]
    windows = Windows.of(
        kernel.shape[2:],
        parameters["window_strides"],
        parameters["rhs_dilation"],
        [low for low, _ in pads] + [high for _, high in pads],
    )
    value = images.conv(t, image, kernel, None, windows, parameters["feature_group_count"])
    return t.places(value, lambda a: a.transpose(np.argsort(numbers.out_spec)))


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
        image = t.form(t.reshape(_value(t, x), (1, 1, *np.shape(x))))
        if larger:
            value = images.max_pool(t, image, windows)
        else:
            value = t.multiply(images.average_pool(t, image, windows, True), float(np.prod(sizes)))
        return t.reshape(value, value.shape[2:])

    return rule


def _cumsum(t: Tensors, parameters: Parameters, x: Value) -> Value:
    axis, x = parameters["axis"], _value(t, x)
    ones = np.tri(x.shape[axis])
    ones = ones if parameters["reverse"] else ones.T
    moved = t.places(x, lambda a: np.moveaxis(a, axis, -1))
    return t.places(t.matmul(moved, ones), lambda a: np.moveaxis(a, -1, axis))


def _power(t: Tensors, parameters: Parameters, x: Value) -> Value:
    return t.apply(functions.power(parameters["y"]), _value(t, x), "power")


RULES: Mapping[str, Rule] = {
    "add": _add,
    "add_any": _add,
    "sub": _sub,
    "mul": _with(Tensors.multiply),
    "div": _div,
    "neg": _with(Tensors.negative),
    "max": _max,
    "min": _with(Tensors.minimum),
    "pow": _with(Tensors.power),
    "integer_pow": _power,
    "exp": _stepped("exp", "shifted", "exp"),
    "log": _stepped("log", "sum", "log"),
    "abs": _stepped("abs", "sum", "sum"),
    "exp2": _formula("exp2", exp(log(2) * Z)),
    "logistic": _plain("sigmoid"),
    **{
        name: _plain(name)
        for name in (
            *("log1p", "expm1", "tanh", "erf", "erfc", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("sinh", "cosh", "asinh", "acosh", "atanh", "sqrt", "rsqrt", "square"),
        )
    },
    "clamp": _clamp,
    "select_n": _select,
    "convert_element_type": _convert,
    "stop_gradient": _stop_gradient,
    "is_finite": _is_finite,
    **{name: _compare(name) for name in jaxchoices.RELATIONS},
    "and": _joined(sympy.And),
    "or": _joined(sympy.Or),
    "not": _not,
    "reduce_sum": _reduce_sum,
    "reduce_max": _reduce_max,
    "reduce_min": _reduce_min,
    "dot_general": _dot,
    "conv_general_dilated": _conv,
    "reduce_window_max": _pooled(True),
    "reduce_window_sum": _pooled(False),
    "cumsum": _cumsum,
}


def bound(equation: Any, arguments: Sequence[Any], parameters: Parameters) -> Sequence[Any]:
    """The primitive's own results, by JAX."""
    primitive = equation.primitive
    given = primitive.get_bind_params(parameters)
    functions_, more = given if isinstance(given, tuple) else ((), given)
    result = primitive.bind(*functions_, *arguments, **more)
    return result if primitive.multiple_results else [result]


# --- places -------------------------------------------------------------------------------------


def _moved(count: int | None) -> Callable[[Tensors, Any, list[Any]], Sequence[Value]]:
    """JAX's own primitive on the places of entries, of its first arguments or all."""

    def rule(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Value]:
        moving, rest = (given, []) if count is None else (given[:count], given[count:])
        if any(isinstance(v, Form | Soft | Condition) for v in rest):
            raise ValueError("its indices depend on the inputs")

        def run(*arrays: Array) -> list[Array]:
            return [np.asarray(a) for a in bound(equation, [*arrays, *rest], equation.params)]

        if len(moving) == 1 and isinstance(moving[0], Soft):
            return [moving[0].moved(lambda a: run(a)[0])]
        if len(moving) == 1 and isinstance(moving[0], Condition):
            (shape,) = (v.aval.shape for v in equation.outvars)
            return [moving[0].moved(shape, lambda a: run(a)[0], t)]
        parts = [t.form(_value(t, v)) for v in moving]
        starts = np.cumsum([0, *(part.size for part in parts)])
        places = [
            np.arange(start, start + part.size).reshape(part.shape)
            for start, part in zip(starts, parts, strict=False)
        ]
        whole = parts[0] if len(parts) == 1 else t.fold.stacked(parts)
        return [t.fold.selected(whole, _inside(index, whole.size)) for index in run(*places)]

    return rule


def _inside(places: Array, size: int) -> Array:
    if places.size and (places.min() < 0 or places.max() >= size):
        raise ValueError("an index is outside of the tensor")
    return places


MOVES: Mapping[str, Callable[[Tensors, Any, list[Any]], Sequence[Value]]] = {
    **dict.fromkeys(
        ("reshape", "broadcast_in_dim", "squeeze", "expand_dims", "transpose", "rev", "slice"),
        _moved(1),
    ),
    **dict.fromkeys(
        ("dynamic_slice", "gather", "split", "unstack", "tile", "copy", "copy_p"), _moved(1)
    ),
    **dict.fromkeys(("concatenate", "stack", "pad", "optimization_barrier"), _moved(None)),
    "dynamic_update_slice": _moved(2),
}
"""Primitives that move entries only, and how many of their arguments have such entries."""
