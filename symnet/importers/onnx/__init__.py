"""ONNX models (`.onnx`), opsets 6 to the newest that the installed onnx knows.

A batch is what the model treats row by row: a dimension without a fixed size, or a fixed one that
all inputs and outputs begin or end with, when the model's values at several points at once are
those of each point. Everything else is a dimension of the input vector.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers import comparing
from symnet.importers.folding.forms import Shape
from symnet.importers.imported import FilePath, Imported, Options, exactness, label_of
from symnet.importers.imported import renamed as _renamed
from symnet.importers.onnx import double, foreseen
from symnet.importers.onnx.call import Batch
from symnet.importers.onnx.files import loaded
from symnet.importers.onnx.graph import Graph
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic
from symnet.witness.checking import CheckError

__all__ = ["read"]

_LARGE = 500_000  # weights, beyond which onnx's evaluator takes its time at every point
_SAME = 1e-9
_ALIKE, _OTHER = 1e-5, 1e-3  # what single precision may be off, and what it is not
_ROUNDED = 1e-2  # of the terms; rounding to single precision gives 1e-8 to 1e-5


class _RuntimeDiffers(CheckError):
    """onnxruntime has other values, which may be its own fault."""


def read(path: FilePath, options: Options) -> Imported:
    """The network in an ONNX file. ValueError names the node that cannot be read, and why."""
    options.check_complete()
    model = loaded(path)
    inputs = Graph.of(model).inputs()
    fixed = [(name, tuple(s if isinstance(s, int) else 1 for s in dims)) for name, dims in inputs]
    error: Exception | None = None
    for batch in (*_batches(Graph.of(model)), None):
        shapes = fixed if batch is None else [(name, _single(s, batch)) for name, s in fixed]
        try:
            return _read(path, options, model, shapes, batch)
        except CheckError:
            if batch is None:
                raise
        except ValueError as found:
            error = error or (found if batch is None else None)
    free = sorted(_free(inputs))
    if free and error is not None:
        raise ValueError(
            f"{error}; the sizes {', '.join(free)} of its inputs are not fixed, and read as 1: "
            "give them numbers by onnx.tools.update_model_dims"
        )
    assert error is not None
    raise error


def _free(inputs: Sequence[tuple[str, list[int | str]]]) -> set[str]:
    """Sizes that are not fixed, beside those of the batch."""
    return {str(s) for _, dims in inputs for s in dims[1:] if not isinstance(s, int)}


def _batches(graph: Graph) -> Iterator[Batch]:
    """Axes of one fixed size larger than 1 in all inputs and outputs."""
    tensors = [dims for _, dims in (*graph.inputs(), *graph.outputs())]
    if any(len(dims) < 2 for dims in tensors):
        return
    # Of one or of any number: then the batch is the first axis already.
    known = all(dims[0] == 1 or not isinstance(dims[0], int) for dims in tensors)
    for axis in () if known else (0, -1):
        sizes = {dims[axis] for dims in tensors}
        if len(sizes) == 1 and isinstance(size := sizes.pop(), int) and size > 1:
            yield Batch(axis, size)


def _single(shape: Shape, batch: Batch) -> Shape:
    changed = list(shape)
    changed[batch.axis] = 1
    return tuple(changed)


def _read(
    path: FilePath,
    options: Options,
    model: Any,
    shapes: list[tuple[str, Shape]],
    batch: Batch | None,
) -> Imported:
    graph = Graph.of(model, batch)
    foreseen.check(model, shapes, graph.needed(options.select))
    found = graph.read(shapes, label_of(path), options.select)
    whole = found.network(Options())
    names = [name for name, _ in found.outputs]
    model = double.pruned(model, names)
    if batch is not None:
        _check_rows(model, Graph.of(model), whole, shapes, batch)
    notes = [f"{name} is left out: it is no number" for name in graph.left_out]
    notes += [f"{name} is of {kind}: read as real ones" for name, kind in graph.not_real().items()]
    notes += [*found.tensors.fold.assumed, *_of_batch(graph, batch)]
    free = _free(graph.inputs())
    if free:
        notes.append(f"the sizes {', '.join(sorted(free))} are not fixed: read as 1")
    if len(found.outputs) > 1 and options.select is None:
        notes.append(f"outputs side by side: {', '.join(name for name, _ in found.outputs)}")
    if len(found.inputs) > 1:
        notes.append(f"inputs side by side: {', '.join(name for name, _ in found.inputs)}")
    compared = _compared(model, Graph.of(model), whole, shapes, batch) if options.check else ""
    plain = options.select is None
    net = _renamed(whole, options) if plain else found.network(options)
    source = f"ONNX, opset {graph.opset}"
    return Imported(net, source, exactness(graph.dtypes), graph.folded, tuple(notes), compared)


def _of_batch(graph: Graph, batch: Batch | None) -> list[str]:
    """That one point of a batch is read; or that an axis may be one, and is no batch here."""
    if batch is not None:
        return [f"an axis of {batch.size} is a batch: one point is read"]
    sizes = sorted({found.size for found in _batches(graph)})
    return [
        f"all inputs and outputs have an axis of {size}, which is no batch by its shapes: it is "
        "read as part of the vectors; if it is one, export the model with a batch of 1"
        for size in sizes
    ]


def _check_rows(
    model: Any, graph: Graph, net: Network, shapes: Sequence[tuple[str, Shape]], batch: Batch
) -> None:
    """CheckError where the model's values at several points are not those of each point."""
    count = min(batch.size, 1000)
    X = np.resize(comparing.points(net.n, count), (batch.size, net.n))
    feed, start = {}, 0
    for name, shape in shapes:
        size = math.prod(shape)
        rows = X[:, start : start + size].reshape(batch.size, *shape)
        feed[name] = np.concatenate(list(rows), axis=batch.axis)
        start += size
    names = [name for name, _ in graph.outputs()]
    joined = [(name, feed[name].shape) for name, _ in shapes]
    flat = np.concatenate([feed[name].reshape(-1) for name, _ in shapes])
    try:
        values = double.evaluator(model, joined)(flat[None, :], names)[0]
    except Exception as error:  # whatever the evaluator raises: then the axis is not told apart
        raise CheckError(f"onnx's evaluator does not run the model: {error}") from None
    expected = _by_rows(values, graph, batch)
    distance = comparing.distance(analytic.value(net, X), expected)
    if distance is None or distance > _SAME:
        raise CheckError("the model does not treat the axis as a batch")


def _by_rows(values: Array, graph: Graph, batch: Batch) -> Array:
    """The outputs of all points, laid flat one after the other, as one row a point."""
    parts, start = [], 0
    for _, dims in graph.outputs():
        shape = [int(s) if isinstance(s, int) else 1 for s in dims]
        size = math.prod(shape)
        tensor = values[start : start + size].reshape(shape)
        parts.append(np.moveaxis(tensor, batch.axis, 0).reshape(batch.size, -1))
        start += size
    return np.concatenate(parts, axis=1)


def _compared(
    model: Any,
    graph: Graph,
    net: Network,
    shapes: Sequence[tuple[str, Shape]],
    batch: Batch | None,
) -> str:
    if batch is not None:
        return f"compared with onnx in double precision ({batch.size} points at once)"
    names = [name for name, _ in graph.outputs()]
    X = comparing.points(net.n, comparing.POINTS if net.weights_count < _LARGE else 4)
    try:
        evaluate = double.evaluator(model, shapes)
        X, expected = comparing.defined(lambda P: evaluate(P, names), X)
    except Exception as error:  # it lacks operators, and raises what it likes for them
        apart = _in_single(model, net, shapes, names, X)
        if apart is None:
            return f"not compared: onnx's evaluator does not run it ({type(error).__name__})"
        return f"compared with onnxruntime in single precision: worst difference {apart:.1e}"
    try:
        text = comparing.compared(net, lambda _: expected, "onnx in double precision", X)
    except CheckError as error:
        apart = _in_single(model, net, shapes, names, X)
        if apart is None:
            raise CheckError(f"{error}; {_perhaps_onnx_errs()}") from None
        if apart > _ALIKE or not _far(net, expected, X):
            raise
        return (
            f"compared with onnxruntime in single precision: worst difference {apart:.1e} "
            "(onnx's own evaluator has other values)"
        )
    try:
        apart = _in_single(model, net, shapes, names, X)
    except _RuntimeDiffers as error:
        return f"{text}; {str(error).partition(':')[0]}: it disagrees with onnx's own evaluator"
    return text if apart is None else f"{text}, onnxruntime in single precision {apart:.1e}"


def _perhaps_onnx_errs() -> str:
    version = needed("onnx", "onnx").__version__
    return (
        f"or onnx {version} errs, as its evaluator does in some versions for Resize and "
        "AveragePool: pip install onnxruntime, which is then asked too, or another version of onnx"
    )


def _far(net: Network, values: Array, X: Array) -> bool:
    """Whether values are others, beyond what single precision could tell apart."""
    found = analytic.value(net, X)
    if found.shape != values.shape:
        return True
    apart = comparing.distance(found, values)
    return apart is not None and apart > _OTHER


def _in_single(
    model: Any,
    net: Network,
    shapes: Sequence[tuple[str, Shape]],
    names: Sequence[str],
    X: Array,
) -> float | None:
    """How far onnxruntime is away, where it is installed and the model is in single precision.

    CheckError where that is more than rounding: more than a hundredth of the terms, and more than
    a thousand times what the last bit of the inputs changes.
    """
    if not any(v.type.tensor_type.elem_type == 1 for v in model.graph.input):
        return None
    try:
        runtime = double.single(copy.deepcopy(model).SerializeToString(), shapes)
        values = None if runtime is None else runtime(X, names)
    except Exception:  # a runtime's own limits are no matter of the network
        return None
    if values is None:
        return None
    rounded = X.astype(np.float32).astype(np.float64)
    found = analytic.value(net, rounded)
    if found.shape != values.shape:
        raise CheckError(f"values of the shape {found.shape}, by onnxruntime {values.shape}")
    if (np.isnan(found) & np.isfinite(values)).any():
        raise CheckError(
            "the network has no finite value where onnxruntime has one: it was read wrongly; "
            "please report the model"
        )
    with np.errstate(all="ignore"):
        apart = np.abs(found - values)
        apart[apart < np.finfo(np.float32).tiny] = 0  # single precision ends there
        shaken = np.abs(analytic.value(net, rounded * (1 + np.finfo(np.float32).eps)) - found)
        terms = np.maximum(analytic.scale(net, rounded, 0), np.abs(found))
        kept = np.isfinite(apart) & np.isfinite(terms)  # else it is beyond single precision
        size = np.where(kept, terms, 0).max(axis=0)
        share = np.where(kept, apart, 0) / np.where(size > 0, size, 1)
        if (kept & (share > _ROUNDED) & ~(apart < 1000 * shaken)).any():
            raise _RuntimeDiffers(
                f"the network differs from onnxruntime by {share.max():.1e} of its terms, which is "
                "no rounding: it was read wrongly, or onnxruntime errs; please report the model"
            )
    return float(share.max(initial=0.0)) if kept.any() else None
