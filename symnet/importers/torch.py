"""PyTorch modules, by `torch.export`: what their `forward` computes, with parameters as they are.

The module is exported in evaluation mode and left in the mode it was in. The exported program
keeps softplus, silu, gelu and batch_norm whole.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from symnet.importers import comparing
from symnet.importers.extras import needed
from symnet.importers.imported import Imported, Model, Options, exactness
from symnet.importers.tensors import Tensors, Value
from symnet.importers.torchrules import RULES
from symnet.network import Network
from symnet.network.weights import Array


def from_torch(
    module: Any,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    shape: Sequence[int] | Sequence[Sequence[int]] | None = None,
    check: bool = True,
) -> Network:
    """The network of a module.

    Args:
        shape: of the input without its batch, or of each of several inputs, which are laid side
            by side; by default that of the first layer, (n,). Several outputs are, too.
        check: compare the values with those of a copy of the module in double precision.

    ValueError names the operation that is not read; CheckError where the values differ.
    """
    options = Options(
        None if inputs is None else list(inputs),
        None if outputs is None else list(outputs),
        check=check,
    )
    return imported(module, options, shape).network


def imported(
    module: Any,
    options: Options,
    shape: Sequence[int] | Sequence[Sequence[int]] | None = None,
) -> Imported:
    """The same with what is to be said about it."""
    torch = needed("torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"{type(module).__name__} is no torch.nn.Module")
    shapes = _shapes(torch, module, shape)
    with _evaluating(module):
        kind = _dtype(torch, module)
        example = tuple(torch.zeros(size, dtype=kind) for size in shapes)
        try:
            program = torch.export.export(module, example)
        except Exception as error:  # what is no graph fails in many ways, all said by torch
            first = str(error).strip().splitlines() or [type(error).__name__]
            what = f"torch.export cannot trace the module ({first[0]})"
            raise ValueError(f"{what}; its steps must not depend on values") from None
        with torch.no_grad():
            places = _leaves(torch, module(*example))
    t = Tensors()
    given = [
        t.reshape(form, size) for form, size in zip(t.fold.inputs_of(shapes), shapes, strict=True)
    ]
    results = _read(torch, t, program, given)
    names = [name for name, _ in places]
    sizes = tuple((name, math.prod(s)) for name, s in zip(_takes(program), shapes, strict=True))
    net = Model(t, sizes, tuple(zip(names, results, strict=True))).network(options)
    dtypes = {
        str(p.dtype).removeprefix("torch.")
        for p in module.state_dict().values()
        if p.is_floating_point()
    }
    text = "not compared"
    if options.check:
        text = comparing.compared(
            net, _double(torch, module, shapes), "PyTorch in double precision"
        )
    return Imported(net, "PyTorch", exactness(dtypes), (), (), text)


def _shapes(torch: Any, module: Any, shape: Any) -> list[tuple[int, ...]]:
    """Each input's shape with a batch of one."""
    if shape is None:
        return [(1, _first_width(torch, module))]
    whole = list(shape)
    several = bool(whole) and not all(isinstance(s, int | np.integer) for s in whole)
    return [(1, *(int(s) for s in one)) for one in (whole if several else [whole])]


def _first_width(torch: Any, module: Any) -> int:
    for part in module.modules():
        if isinstance(part, torch.nn.Linear):
            return int(part.in_features)
    raise ValueError(
        "the module has no Linear layer; say its input's shape: from_torch(m, shape=(3,))"
    )


def _leaves(torch: Any, tree: Any) -> list[tuple[str, Any]]:
    """The tensors that a module gives, each with a name: y, or its place in a tuple or dict."""
    pytree = torch.utils._pytree
    found = pytree.tree_flatten_with_path(tree)[0]
    if len(found) == 1:
        return [("y", found[0][1])]
    plain = [re.sub(r"\W+", "_", pytree.keystr(path)).strip("_") for path, _ in found]
    names = [name if name.isidentifier() else f"y_{name}" for name in plain]
    return [(name, tensor) for name, (_, tensor) in zip(names, found, strict=True)]


def _takes(program: Any) -> list[str]:
    """The names of the arguments of forward; x where there is only one."""
    names = list(program.graph_signature.user_inputs)
    return ["x"] if len(names) == 1 else names


def _dtype(torch: Any, module: Any) -> Any:
    floats = [p.dtype for p in module.state_dict().values() if p.is_floating_point()]
    return floats[0] if floats else torch.get_default_dtype()


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Evaluation mode, and each part's own mode afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def _read(torch: Any, t: Tensors, program: Any, given: Sequence[Value]) -> list[Value]:
    """The values of the exported program's outputs."""
    waiting = list(given)
    values: dict[str, Any] = {}
    stored = {**program.state_dict, **program.constants}
    for spec in program.graph_signature.input_specs:
        name = getattr(spec.arg, "name", None)
        if spec.target is not None and spec.target in stored:
            values[str(name)] = _array(stored[spec.target])
        else:
            values[str(name)] = waiting.pop(0)
    for node in program.graph.nodes:
        if node.op == "call_function":
            values[node.name] = _called(torch, t, node, values)
        elif node.op == "output":
            (results,) = node.args
            return [_result(values, result) for result in results]
    raise ValueError("the module gives nothing")


def _result(values: dict[str, Any], result: Any) -> Value:
    if getattr(result, "name", None) not in values:
        raise ValueError(f"the module gives {result!r}, which is no tensor")
    return values[result.name]


def _array(tensor: Any) -> Array:
    array = tensor.detach().cpu()
    return np.asarray(array.double() if array.is_floating_point() else array)


def _called(torch: Any, t: Tensors, node: Any, values: dict[str, Any]) -> Any:
    name = str(node.target).removeprefix("aten.").split(".")[0]
    name = getattr(node.target, "__name__", name) if "aten" not in str(node.target) else name
    rule = RULES.get(name)
    where = f"node {node.name!r} ({node.target})"
    if rule is None:
        raise ValueError(f"{where}: symnet has no rule for it")

    def known(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            return values[argument.name]
        return [known(a) for a in argument] if isinstance(argument, list | tuple) else argument

    try:
        return rule(t, *known(node.args), **{k: known(v) for k, v in node.kwargs.items()})
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise ValueError(f"{where}: {error}") from None


def _double(torch: Any, module: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
    """The values of a copy of the module in double precision, point by point."""
    wide = copy.deepcopy(module).double().eval()
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]

    def value(point: Array) -> Array:
        parts = zip(np.split(point, ends), shapes, strict=True)
        tensors = [torch.from_numpy(part.reshape(shape)) for part, shape in parts]
        leaves = [leaf for _, leaf in _leaves(torch, wide(*tensors))]
        return np.concatenate([leaf.numpy().ravel() for leaf in leaves])

    def values(X: Array) -> Array:
        with torch.no_grad():
            return np.array([value(point) for point in X])

    return values
