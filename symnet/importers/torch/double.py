"""A PyTorch module in double precision: a copy of it, or its exported program where that narrows.

module.double()            whose parameters, buffers and inputs are doubles
exported program           each operation by PyTorch, no type lower than double
"""

from __future__ import annotations

import copy
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import numpy as np

from symnet.importers import comparing
from symnet.importers.torch import program
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic
from symnet.witness.checking import CheckError

_ROUNDED = 0.1  # of values: more than bfloat16 makes of them
_NARROW = ("torch.float32", "torch.float16", "torch.bfloat16")


def compared(torch: Any, net: Network, module: Any, programs: tuple[Any, Any], given: Any) -> str:
    """What is to be said of a comparison by values; CheckError where they differ.

    `programs`: the exported one, and what it is taken apart into where operations are not read as
    they are. PyTorch's own slope of hardsigmoid is 1/6 in single precision, for doubles too; taken
    apart it is exact.
    """
    exported, apart = programs
    tensors = _tensors(torch, given)
    sources: list[tuple[str, Callable[[], Any]]] = []
    if not program.narrows(exported):
        sources.append(("PyTorch in double precision", lambda: _twin(torch, module, given)))
    sources.append(("its exported program in double precision", lambda: _run(torch, exported)))
    if apart is not exported:
        sources.append(("its program taken apart by PyTorch", lambda: _run(torch, apart)))
    _check_near(torch, net, module, given)
    wrong: CheckError | None = None
    for against, make in sources:
        call = make()
        X, expected = _defined(torch, call, tensors, comparing.points(net.n))
        if not len(X):
            continue
        try:
            text = comparing.compared(net, lambda _: expected, against, X)  # noqa: B023
        except CheckError as error:  # of numbers that are made as the inputs are: Normal(x, 1.3)
            wrong = wrong or error
            continue
        return text + _slopes(torch, net, call, tensors) if program.holds_back(exported) else text
    if wrong is not None:
        raise wrong
    return "not compared: PyTorch does not compute it in double precision"


def _check_near(torch: Any, net: Network, module: Any, given: Any) -> None:
    """CheckError where the program that was traced is far from the module that it was traced of."""
    call, tensors = _twin(torch, module, given), _tensors(torch, given)
    X, expected = _defined(torch, call, tensors, comparing.points(net.n))
    if not len(X):
        return
    far = comparing.distance(analytic.value(net, X), expected.reshape(len(X), -1))
    if far is not None and far > _ROUNDED:
        raise CheckError(
            f"the traced module differs from PyTorch by {far:.1e} of its values: tracing has made "
            "constants of what it computes outside of PyTorch (NumPy, random)"
        )


def traced(torch: Any, net: Network, module: Any, given: Any) -> str | None:
    """What is to be said of a network by torch.fx; None where it may not be the module's.

    Its derivatives are compared along one direction of the outputs: vᵀ J of two points.
    """
    tensors = _tensors(torch, given)
    try:
        call = _twin(torch, module, given)
        against = "PyTorch in double precision"
        text = comparing.compared(net, lambda X: _values(torch, call, tensors, X), against)
        for x in comparing.points(net.n, 2):
            point = torch.from_numpy(x.copy()).requires_grad_()
            y = _flat(torch, call(tensors(point)))
            v = np.linspace(0.5, 1.5, net.m)
            (found,) = torch.autograd.grad(y @ torch.from_numpy(v), point)
            expected = v @ analytic.jacobian(net, x)
            size = np.abs(expected).max(initial=0.0) or 1.0
            if not np.abs(found.numpy() - expected).max() <= comparing.TOLERANCE * size:
                return None
    except Exception:  # then torch.export reads it, or says what is wrong
        return None
    return text


def check_apart(torch: Any, module: Any, given: Any) -> tuple[str, ...]:
    """ValueError where the module mixes the points of a batch."""
    sizes = [math.prod(shape) for shape in given.shapes]
    cuts = np.cumsum(sizes)[:-1]

    def call(points: Array) -> list[Array]:
        parts = zip(np.split(points, cuts, axis=1), given.shapes, strict=True)
        tensors = [torch.from_numpy(p.reshape(len(p), *shape[1:])) for p, shape in parts]
        found = given.outputs(torch, wide, tensors)
        return [leaf.detach().numpy() for leaf in found]

    try:
        wide = _double(torch, module)
    except Exception:  # what cannot be copied
        return ()
    return comparing.check_apart("module", call, sum(sizes))


def _tensors(torch: Any, given: Any) -> Callable[[Any], list[Any]]:
    """The tensors of one flat point."""
    sizes = [math.prod(shape) for shape in given.shapes]

    def parts(point: Any) -> list[Any]:
        cut = torch.split(point, sizes)
        return [part.reshape(shape) for part, shape in zip(cut, given.shapes, strict=True)]

    return parts


def _values(torch: Any, call: Any, tensors: Any, X: Array) -> Array:
    # It is needed where something is compiled, and its first use takes a second.
    compiled = "torch._dynamo" in sys.modules
    stance = getattr(torch.compiler, "set_stance", None) if compiled else None
    with stance("force_eager") if stance else nullcontext():
        points = torch.from_numpy(np.array(X))
        try:
            with torch.no_grad():
                rows = [_flat(torch, call(tensors(point))) for point in points]
        except Exception:  # it takes derivatives itself
            rows = [_flat(torch, call(tensors(point))) for point in points]
        return np.array([row.detach().numpy() for row in rows])


def _defined(torch: Any, call: Any, tensors: Any, X: Array) -> tuple[Array, Array]:
    """The points at which it does not raise, perhaps none, and its values there."""
    try:
        return comparing.defined(lambda P: _values(torch, call, tensors, P), X)
    except Exception:  # a module that makes single precision itself takes no doubles
        return X[:0], X[:0]


def _flat(torch: Any, leaves: Sequence[Any]) -> Any:
    return torch.cat([leaf.reshape(-1).double() for leaf in leaves])


def _twin(torch: Any, module: Any, given: Any) -> Callable[[Sequence[Any]], list[Any]]:
    wide = _double(torch, module)
    return lambda tensors: list(given.outputs(torch, wide, tensors))


def _double(torch: Any, module: Any) -> Any:
    """A copy in double precision and evaluation mode."""
    with warnings.catch_warnings(), suppress(NotImplementedError):
        warnings.simplefilter("ignore")  # of what copying an exported module uses
        wide = copy.deepcopy(module).double()
        wide.eval()
    for part, own in zip(wide.modules(), module.modules(), strict=True):
        if isinstance(part, torch.nn.RMSNorm) and part.eps is None:
            kinds = [p.dtype for p in own.parameters()] or [torch.get_default_dtype()]
            part.eps = torch.finfo(kinds[0]).eps  # of the precision that it was trained in
    return wide


def _run(torch: Any, exported: Any) -> Callable[[Sequence[Any]], list[Any]]:
    """The exported program, operation by operation, with doubles for every narrower type."""

    class Wide(torch.fx.Interpreter):
        def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
            if program.name_of(target) == "_assert_tensor_metadata":
                return None
            if _takes_tensors(torch, (args, kwargs)):  # what is made of nothing is as it is
                args, kwargs = _widened(torch, args), _widened(torch, kwargs)
            return _widened(torch, super().call_function(target, args, kwargs))

    stored = {**exported.state_dict, **exported.constants}
    known = [
        _widened(torch, stored[spec.target])
        for spec in exported.graph_signature.input_specs
        if spec.target is not None and spec.target in stored
    ]
    runner = Wide(exported.graph_module)

    def call(tensors: Sequence[Any]) -> list[Any]:
        found = runner.run(*known, *tensors)
        return [leaf for leaf in found if leaf is not None]

    return call


def _takes_tensors(torch: Any, tree: Any) -> bool:
    return any(isinstance(leaf, torch.Tensor) for leaf in torch.utils._pytree.tree_leaves(tree))


def _widened(torch: Any, tree: Any) -> Any:
    def wide(leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor) and str(leaf.dtype) in _NARROW:
            return leaf.double()
        return torch.float64 if str(leaf) in _NARROW else leaf

    return torch.utils._pytree.tree_map(wide, tree)


def _slopes(torch: Any, net: Network, call: Any, tensors: Any) -> str:
    """The Jacobian beside autograd's, where the module keeps derivatives from passing."""
    X, _ = _defined(torch, call, tensors, comparing.points(net.n, 4))

    def flat(point: Any) -> Any:
        return _flat(torch, call(tensors(point)))

    points = torch.from_numpy(X).requires_grad_()
    try:
        if not len(X) or not flat(points[0]).requires_grad:
            return ", which gives no derivatives itself"
        expected = np.array([torch.autograd.functional.jacobian(flat, x).numpy() for x in points])
    except Exception:  # whatever users' modules raise for an input that takes gradients
        return ", of which PyTorch has no derivatives"
    found = analytic.jacobian(net, X)
    size = np.abs(expected).max(axis=(0, 2), initial=0)[None, :, None]
    error = np.abs(found - expected) / np.where(size > 0, size, 1)
    if not error.max(initial=0.0) <= comparing.TOLERANCE:
        raise CheckError(
            "the module's Jacobian in PyTorch is not that of its values: it keeps derivatives from "
            "passing (detach, no_grad), which symnet cannot take over; check=False gives the "
            "slopes of its values"
        )
    return f", its Jacobian {error.max(initial=0.0):.1e}"
