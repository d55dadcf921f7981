"""Compiled functions of others' arrays: lazy in, lazy out; named in, named out.

f(X)    X a dask array (…, n)             lazy dask arrays (…, m), (…, m, n), (…, m, n, n)
        X an xarray DataArray with a      DataArrays with the dimensions "output", "input" and
        dimension of the inputs, or a     "input_2" in its place, their names as coordinates
        Dataset with a variable each
f(X)    X a data frame, a table, a        arrays; the columns are taken by their names
        record array or a dictionary,
        a column for each input, or a
        row of one; a list of such rows
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symnet.names import method_name, shortened
from symnet.network import Network

INPUT, OUTPUT = "input", "output"
"""The dimensions of xarray's results; a derivative's second is `input_2`, and so on."""

_NUMBERS = (float, int, np.float64)  # of which a list is told at once to be one of plain points


class Function(Protocol):
    """What is asked of a compiled function."""

    @property
    def network(self) -> Network: ...
    def __call__(self, X: Any) -> tuple[Any, ...]: ...
    def derivative(self, order: int, X: Any) -> Any: ...


def applied(function: Function, orders: Sequence[int], X: Any) -> tuple[Any, ...] | None:
    """The derivatives of these orders at X, an array of another library; None for any other X.

    orders: all from 0, or a single one. ValueError where X has another number of inputs, TypeError
    where it is not real.
    """
    if type(_first(X)) in _NUMBERS or (type(X) is np.ndarray and not X.dtype.names):
        return None  # at once: a single point takes little more than this
    home, kind = type(X).__module__.partition(".")[0], type(X).__name__
    if home == "dask" and kind == "Array":
        return _of_dask(function, orders, X)
    if home == "xarray" and kind in ("DataArray", "Dataset"):
        return _of_xarray(function, orders, X)
    points = named(function.network.input_names, X)
    if points is X:
        return None
    found = _block(function, tuple(orders), np.asarray(points))
    return found if len(orders) > 1 else (found,)


def named(names: Sequence[str], X: Any) -> Any:
    """The columns of these names as an array (…, n): of a data frame, a table, a mapping, a record.

    Of a row its entries, of a list of rows those of each. Whatever else X is, and what has none of
    the names, is left as it is. ValueError for what has some of them only, one twice, under several
    levels, or in columns of other lengths; TypeError where a column does not hold real numbers, and
    for a lazy frame.
    """
    if type(X) in (list, tuple):
        return [named(names, row) for row in X] if _labels(_first(X)) else X
    home, kind = type(X).__module__.partition(".")[0], type(X).__name__
    if kind == "LazyFrame":
        raise TypeError("the data is a LazyFrame, which has no numbers yet; give data.collect()")
    if (home, kind) == ("xarray", "DataArray"):
        points, axis = _points(list(names), X)
        return np.asarray(points.transpose(..., axis))
    if home == "dask":
        X = X.compute()  # at once: each column would run the graph anew
    _unmasked("the data", X)
    columns = _labels(X)
    if nested := [c for c in columns if isinstance(c, tuple) and not set(names).isdisjoint(c)]:
        raise ValueError(f"the data has columns of several levels, {nested[0]}; give those of one")
    if not (known := [name for name in names if name in columns]):
        return X
    for name in names:
        if (count := columns.count(name)) != 1:
            how = f"{count} columns {name!r}" if count else f"no column {name!r}, but {known[0]!r}"
            raise ValueError(
                f"the data has {shortened(how)}; the inputs are {shortened(', '.join(names))}"
            )
    columns_of = X._asdict() if _is_named_tuple(X) else X
    return _side_by_side({name: columns_of[name] for name in names})


def real(what: str, X: Any) -> NDArray[np.float64]:
    """A new array of doubles, of objects if they are numbers.

    TypeError for times, text and complex numbers, of which NumPy would make some; ValueError for
    masked entries.
    """
    try:
        found = np.asarray(X)
    except ValueError:
        raise ValueError(f"{what} is ragged: its rows have several lengths") from None
    _unmasked(what, X)
    try:
        if found.dtype.kind in "fiubO":
            return np.array(found, dtype=np.float64)
    except (TypeError, ValueError):
        pass  # of objects that are no numbers
    raise TypeError(f"{what} holds {found.dtype}; real numbers are needed")


def _first(X: Any) -> Any:
    """What a list begins with, or the lists in it; anything else itself."""
    while type(X) in (list, tuple) and X:
        X = X[0]
    return X


def _is_named_tuple(X: Any) -> bool:
    return isinstance(X, tuple) and hasattr(X, "_fields")


def _labels(X: Any) -> list[Any]:
    """The names of the columns of X, or of a row's entries; none of what has no names."""
    if _is_named_tuple(X):
        return list(X._fields)
    fields = getattr(getattr(X, "dtype", None), "names", None)
    if isinstance(X, Mapping) or fields:
        return list(fields or X)
    row = any(kind.__name__ == "Series" for kind in type(X).__mro__)
    for attribute in ("index",) if row else ("column_names", "columns"):
        found = getattr(X, attribute, None)
        if isinstance(found, Iterable):
            return list(found)
    return []


def _side_by_side(columns: Mapping[str, Any]) -> Any:
    """Columns (…) as an array (…, n); a single number is spread over the others' points."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    for name, array in arrays.items():
        _unmasked(f"column {name!r}", columns[name])
        if array.dtype.kind not in "fiub":
            raise TypeError(f"column {name!r} holds {array.dtype}; real numbers are needed")
    try:
        return np.stack(np.broadcast_arrays(*arrays.values()), axis=-1)
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"the columns differ in shape: {shortened(shapes)}") from None


def _unmasked(what: str, X: Any) -> None:
    if isinstance(X, np.ma.MaskedArray) and np.any(np.ma.getmaskarray(X)):
        raise ValueError(f"{what} has masked entries; of .filled(numpy.nan) they are NaN")


def _of_dask(function: Function, orders: Sequence[int], X: Any) -> tuple[Any, ...]:
    import dask.array as da

    n, m = function.network.n, function.network.m
    if X.ndim == 0 or X.shape[-1] != n:
        raise ValueError(f"X has shape {X.shape}, expected (..., {n}): one column per input")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X holds {X.dtype}; real numbers are needed")
    kept = np.float32 if X.dtype == np.float32 else np.float64
    shapes = [",".join(["m", *(f"i{k}" for k in range(r))]) for r in orders]
    results = da.apply_gufunc(
        partial(_block, function, tuple(orders)),
        "(n)->" + ",".join(f"({shape})" for shape in shapes),
        X,
        output_dtypes=[kept] * len(orders),
        output_sizes={"m": m} | {f"i{k}": n for k in range(max(orders))},
        allow_rechunk=True,  # the axis of the inputs is kept in one piece
    )
    return results if isinstance(results, tuple) else (results,)


def _block(function: Function, orders: tuple[int, ...], X: Any) -> Any:
    """What one chunk gives: an array for a single order, as dask wants it."""
    if len(orders) > 1:
        return function(X)
    return function.derivative(orders[0], X)


def _of_xarray(function: Function, orders: Sequence[int], X: Any) -> tuple[Any, ...]:
    import xarray

    names = list(function.network.input_names)
    outputs = list(function.network.output_names)
    points, axis = _points(names, X)
    along = [INPUT if k == 0 else f"{INPUT}_{k + 1}" for k in range(max(orders))]
    results = xarray.apply_ufunc(
        partial(_block, function, tuple(orders)),
        points,
        input_core_dims=[[axis]],
        output_core_dims=[[OUTPUT, *along[:r]] for r in orders],
        dask="allowed",  # of a lazy array the function gives lazy ones
    )
    found = []
    for r, result in zip(orders, results if len(orders) > 1 else (results,), strict=True):
        labels = {OUTPUT: outputs} | dict.fromkeys(along[:r], names)
        named = result.assign_coords(labels)
        found.append(named.rename(method_name(r)))
    return tuple(found)


def _points(names: list[str], X: Any) -> tuple[Any, Any]:
    """The points as a DataArray, its inputs in order, and the dimension in which they are."""
    import xarray

    if type(X).__name__ == "Dataset":
        if missing := [name for name in names if name not in X]:
            raise ValueError(
                f"the Dataset has no variable {missing[0]}; the inputs are "
                f"{shortened(', '.join(names))}"
            )
        parts = xarray.broadcast(*(X[name] for name in names))
        joined = xarray.concat(parts, INPUT, coords="minimal", compat="override", join="exact")
        return joined, INPUT
    for axis in X.dims:
        found = list(map(str, X[axis].values)) if axis in X.coords else []
        if sorted(found) == sorted(names):
            return X.isel({axis: [found.index(name) for name in names]}).drop_vars(axis), axis
    if INPUT in X.dims and INPUT not in X.coords and X.sizes[INPUT] == len(names):
        return X, INPUT
    raise ValueError(
        f"the DataArray has dimensions {', '.join(map(str, X.dims))}; one must be labelled with "
        f"the inputs {shortened(', '.join(names))}, or be called {INPUT!r} and as long as they are"
    )
