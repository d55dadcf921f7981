"""JAX's primitives that move entries only: JAX runs them on the places of a form's entries."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.folding import matrices
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.largest import passed_back
from symnet.importers.folding.scattering import put
from symnet.importers.folding.sorting import sorted_along
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows
from symnet.importers.jax import selecting
from symnet.importers.jax.convolving import convolved
from symnet.importers.jax.indexing import CHOOSING
from symnet.importers.jax.rules import Parameters, plain, varies
from symnet.importers.jax.softmaxes import Soft
from symnet.network.weights import Array


def bound(equation: Any, arguments: Sequence[Any], parameters: Parameters) -> Sequence[Any]:
    """The primitive's own results, by JAX."""
    primitive = equation.primitive
    given = primitive.get_bind_params(parameters)
    functions_, more = given if isinstance(given, tuple) else ((), given)
    result = primitive.bind(*functions_, *arguments, **more)
    return result if primitive.multiple_results else [result]


def _moved(*which: int) -> Callable[[Tensors, Any, list[Any]], Sequence[Value]]:
    """JAX's own primitive on the places of entries, of these of its arguments, or all."""

    def rule(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Value]:
        where = which or tuple(range(len(given)))
        moving = [given[k] for k in where]
        name = equation.primitive.name
        if name in ("stack", "concatenate"):
            axis = equation.params["axis" if name == "stack" else "dimension"]
            row = selecting.beside(t, axis, name == "stack", moving)
            if row is not None:
                return [row]
        if any(varies(v) and k not in where for k, v in enumerate(given)):
            if name in CHOOSING:
                return [CHOOSING[name](t, equation, [plain(t, v) for v in given])]
            raise ValueError("its indices depend on the inputs")

        parameters = {**equation.params, **({"fill_value": 0} if name == "gather" else {})}

        def run(*arrays: Array) -> list[Array]:
            arguments = list(given)
            for k, array in zip(where, arrays, strict=True):
                arguments[k] = array
            return [np.asarray(a) for a in bound(equation, arguments, parameters)]

        if name == "gather" and (filled := _filled(t, equation.params, moving[0], run)) is not None:
            return [filled]
        if len(moving) == 1 and isinstance(moving[0], Soft):
            return [moving[0].moved(lambda a: run(a)[0])]
        if len(moving) == 1 and isinstance(moving[0], Condition):
            (shape,) = (v.aval.shape for v in equation.outvars)
            return [moving[0].moved(shape, lambda a: run(a)[0], t)]
        parts = [t.form(plain(t, v)) for v in moving]
        starts = np.cumsum([0, *(part.size for part in parts)])
        places = [
            np.arange(start, start + part.size).reshape(part.shape)
            for start, part in zip(starts, parts, strict=False)
        ]
        whole = parts[0] if len(parts) == 1 else t.fold.stacked(parts)
        return [_taken(t, whole, index) for index in run(*places)]

    return rule


def _filled(t: Tensors, parameters: Parameters, x: Any, run: Any) -> Value | None:
    """Entries, and a constant for those from outside of the tensor; None where there are none."""
    if "FILL" not in str(parameters["mode"]):
        return None
    (places,) = run(np.arange(1, math.prod(x.shape) + 1).reshape(x.shape))
    if places.all():
        return None
    fill = parameters["fill_value"]
    if fill is None or not np.isfinite(fill) or not isinstance(x, Form):
        raise ValueError("it gives NaN, or what is no number, for places outside of the tensor")
    return t.fold.selected(t.fold.stacked([t.form(np.array([float(fill)])), x]), places)


def _joined(how: str) -> Callable[[Tensors, Any, list[Any]], Sequence[Value]]:
    """scatter-add and its kin: updates joined with what is at their places."""

    def rule(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Value]:
        x, indices, updates = given
        if varies(indices):
            raise ValueError("its indices depend on the inputs")
        flat = _targets(equation.params, np.shape(x), np.asarray(indices), np.shape(updates))
        kept = np.flatnonzero(flat >= 0)  # what is outside of the tensor is left out
        new = t.places(plain(t, updates), lambda a: a.reshape(-1)[kept])
        return [put(t, plain(t, x), new, flat[kept], how)]

    return rule


def _targets(parameters: Parameters, shape: Any, indices: Array, updates: Any) -> Array:
    """Flat places that updates are added to, −1 outside: the transpose takes numbers from there."""
    jax = needed("jax", "jax")
    names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
    more = {name: parameters[name] for name in names}
    numbers = np.arange(1.0, math.prod(shape) + 1).reshape(shape)

    def added(values: Any) -> Any:
        return jax.lax.scatter_add(jax.numpy.zeros(shape), indices, values, **more)

    matrices.check_size(2**3 * math.prod(shape), "a scattered tensor")
    _, back = jax.vjp(added, jax.numpy.zeros(updates))
    (found,) = back(jax.numpy.asarray(numbers))
    return np.rint(np.asarray(found, dtype=np.float64)).astype(np.int64).reshape(-1) - 1


def _sorted(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Any]:
    if len(given) != 1:
        raise ValueError("it orders one tensor by another: its places have no derivative")
    return [sorted_along(t, plain(t, given[0]), equation.params["dimension"])]


def _top(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Any]:
    k, axis = equation.params["k"], equation.params.get("axis", -1)
    whole = sorted_along(t, plain(t, given[0]), axis, True)
    return [t.places(whole, partial(np.take, indices=range(k), axis=axis)), None]


def _pooled_back(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Value]:
    """The derivative of a maximum of windows: each value at the window's largest entry."""
    values, x = (plain(t, v) for v in given)
    own = equation.params
    pads = [low for low, _ in own["padding"]] + [high for _, high in own["padding"]]
    windows = Windows.of(own["window_dimensions"], own["window_strides"], None, pads)
    seen = windows.places(np.shape(x)).reshape(np.size(values), -1)
    larger = str(own["select_prim"]) == "ge"
    found: Value = np.zeros(np.shape(x))
    for part, places in passed_back(t, t.form(x), seen, values, larger):
        found = put(t, found, part, places, "add")
    return [found]


def _taken(t: Tensors, whole: Form, places: Array) -> Form:
    """The entries at these flat places, with where they come from."""
    form = t.fold.selected(whole, places)
    base, earlier = whole.origin or (whole, np.arange(whole.size))
    return replace(form, origin=(base, earlier.reshape(-1)[places]))


MOVES: Mapping[str, Callable[[Tensors, Any, list[Any]], Sequence[Value]]] = {
    **dict.fromkeys(
        ("reshape", "broadcast_in_dim", "squeeze", "expand_dims", "transpose", "rev", "slice"),
        _moved(0),
    ),
    **dict.fromkeys(
        ("dynamic_slice", "gather", "split", "unstack", "tile", "copy", "copy_p"), _moved(0)
    ),
    **dict.fromkeys(("concatenate", "stack", "pad", "optimization_barrier"), _moved()),
    "dynamic_update_slice": _moved(0, 1),
    "scatter": _moved(0, 2),
    "conv_general_dilated": convolved,
    "sort": _sorted,
    "top_k": _top,
    "select_and_scatter_add": _pooled_back,
    "scatter-add": _joined("add"),
    "scatter-mul": _joined("mul"),
    "scatter-max": _joined("max"),
    "scatter-min": _joined("min"),
}
"""Primitives that move entries only, and which of their arguments have such entries.

A result that is None is of places, and not read.
"""
