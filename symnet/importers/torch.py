"""PyTorch modules, by `torch.export`: what their `forward` computes, with parameters as they are.

The module is exported in evaluation mode and left in the mode it was in. The exported program
keeps softplus, silu, gelu and batch_norm whole.
"""

from __future__ import annotations

import copy
import math
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
    shape: Sequence[int] | None = None,
    check: bool = True,
) -> Network:
    """The network of a module of one tensor.

    Args:
        shape: of the input without its batch; by default that of the first layer, (n,).
        check: compare the values with those of a copy of the module in double precision.

    ValueError names the operation that is not read; CheckError where the values differ.
    """
    options = Options(
        None if inputs is None else list(inputs),
        None if outputs is None else list(outputs),
        check=check,
    )
    return imported(module, options, shape).network


def imported(module: Any, options: Options, shape: Sequence[int] | None = None) -> Imported:
    """The same with what is to be said about it."""
    torch = needed("torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"{type(module).__name__} is no torch.nn.Module")
    fixed = (1, *(_first_width(torch, module) if shape is None else map(int, shape)))
    with _evaluating(module):
        example = torch.zeros(fixed, dtype=_dtype(torch, module))
        try:
            program = torch.export.export(module, (example,))
        except Exception as error:  # what is no graph fails in many ways, all said by torch
            first = str(error).strip().splitlines() or [type(error).__name__]
            what = f"torch.export cannot trace the module ({first[0]})"
            raise ValueError(f"{what}; its steps must not depend on values") from None
    t = Tensors()
    x = t.reshape(t.fold.inputs_of([fixed])[0], fixed)
    value = _read(torch, t, program, x)
    net = Model(t, (("x", math.prod(fixed)),), (("y", value),)).network(options)
    dtypes = {
        str(p.dtype).removeprefix("torch.")
        for p in module.state_dict().values()
        if p.is_floating_point()
    }
    text = "not compared"
    if options.check:
        text = comparing.compared(net, _double(torch, module, fixed), "PyTorch in double precision")
    return Imported(net, "PyTorch", exactness(dtypes), (), (), text)


def _first_width(torch: Any, module: Any) -> tuple[int]:
    for part in module.modules():
        if isinstance(part, torch.nn.Linear):
            return (part.in_features,)
    raise ValueError(
        "the module has no Linear layer; say its input's shape: from_torch(m, shape=(3,))"
    )


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


def _read(torch: Any, t: Tensors, program: Any, x: Value) -> Value:
    """The value of the exported program's only output."""
    values: dict[str, Any] = {}
    stored = {**program.state_dict, **program.constants}
    for spec in program.graph_signature.input_specs:
        name = getattr(spec.arg, "name", None)
        if spec.target is not None and spec.target in stored:
            values[str(name)] = _array(stored[spec.target])
        else:
            values[str(name)] = x
    for node in program.graph.nodes:
        if node.op == "call_function":
            values[node.name] = _called(torch, t, node, values)
        elif node.op == "output":
            (result,) = node.args
            if len(result) != 1:
                raise ValueError(f"the module gives {len(result)} tensors; symnet reads one")
            return values[result[0].name]
    raise ValueError("the module gives nothing")


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


def _double(torch: Any, module: Any, shape: tuple[int, ...]) -> Any:
    """The values of a copy of the module in double precision, point by point."""
    wide = copy.deepcopy(module).double().eval()

    def values(X: Array) -> Array:
        with torch.no_grad():
            rows = [wide(torch.from_numpy(point.reshape(shape))).numpy().ravel() for point in X]
        return np.array(rows)

    return values
