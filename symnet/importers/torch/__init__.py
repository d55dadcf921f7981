"""PyTorch modules, by `torch.export`: what their `forward` computes, with parameters as they are.

The module is exported in evaluation mode and left in the mode it was in. The exported program
keeps softplus, silu, gelu and batch_norm whole.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from symnet.extras import needed
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Imported, Model, Options, exactness, shape_of
from symnet.importers.torch import double, exporting, program, refusals, traced
from symnet.network import Network
from symnet.network.mistaken import unlike

__all__ = ["from_torch", "imported"]

Shapes = int | Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def from_torch(
    module: Any,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    shape: Shapes | None = None,
    check: bool = True,
) -> Network:
    """The network of a module, or of what torch.export has made of one.

    Args:
        inputs, outputs: names, one for each entry; by default x1, x2, … and y, or after the
            arguments and results where there are several.
        shape: of the input without its batch, n for (n,), or of each of several inputs, which are
            laid side by side; by default that of the first layer, or what was exported. A
            dictionary of shapes is of keyword arguments, or else of the entries of one dictionary
            that `forward` takes. Several outputs are laid side by side, too.
        check: compare the values with those of a copy of the module in double precision; its
            Jacobian too, where the module keeps derivatives from passing (`detach`, `no_grad`).

    ValueError names the operation that is not read; CheckError where the values differ.
    """
    try:
        options = Options(inputs, outputs, check=check)
    except TypeError as error:
        raise TypeError(f"{error}; a tensor's shape is said as shape=(3,)") from None
    return imported(module, options, shape).network


def imported(module: Any, options: Options, shape: Shapes | None = None) -> Imported:
    """The same with what is to be said about it."""
    torch = needed("torch", "torch")
    if isinstance(module, torch.export.ExportedProgram):
        module, shape = module.module(), shape or _exported_shapes(module)
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"a torch.nn.Module is needed, got {unlike(module)}")
    module = getattr(module, "_orig_mod", module)  # what torch.compile has wrapped
    refusals.check_numbers(torch, module)
    given = _arguments(torch, module, shape)
    dtypes = {
        str(p.dtype).removeprefix("torch.")
        for p in module.state_dict().values()
        if p.is_floating_point()
    }
    t, net, text = _plain(torch, module, given, options) or _any(torch, module, given, options)
    notes = (*t.fold.assumed, *double.check_apart(torch, module, given))
    return Imported(net, "PyTorch", exactness(dtypes), (), notes, text)


def _plain(
    torch: Any, module: Any, given: Arguments, options: Options
) -> tuple[Tensors, Network, str] | None:
    """By torch.fx, where values and derivatives are those of the module; else None."""
    if given.names:
        return None
    t, forms = _given(given)
    with _evaluating(module), torch.no_grad():
        try:
            results, taken = traced.evaluated(torch, t, module, forms)
            leaves = _called(torch, module, given)
        except Exception:  # torch.export reads it, or says what is wrong
            return None
        if len(leaves) != len(results):
            return None
    net = _network(t, given, ["x"] if len(taken) == 1 else taken, leaves, results, options)
    text = double.traced(torch, net, module, given)
    if text is None:
        return None
    return t, net, text if options.check else "not compared"


def _any(
    torch: Any, module: Any, given: Arguments, options: Options
) -> tuple[Tensors, Network, str]:
    """By torch.export."""
    with _evaluating(module):
        told = ", ".join(str(size) for size in given.shapes)
        args, kwargs = given.placed(_numbers(torch, module, given))
        exported = exporting.exported(torch, module, args, kwargs, told)
        leaves = _called(torch, module, given)
    t, forms = _given(given)
    apart = program.prepared(torch, exported)
    results = program.evaluated(torch, t, apart, forms)
    net = _network(t, given, given.names or _takes(exported), leaves, results, options)
    text = "not compared"
    if options.check:
        text = double.compared(torch, net, module, (exported, apart), given)
    return t, net, text


def _given(given: Arguments) -> tuple[Tensors, list[Form]]:
    t = Tensors()
    forms = t.fold.inputs_of(given.shapes)
    return t, [t.reshape(form, size) for form, size in zip(forms, given.shapes, strict=True)]


def _network(
    t: Tensors,
    given: Arguments,
    taken: Sequence[str],
    leaves: Sequence[tuple[str, Any]],
    results: Sequence[Value],
    options: Options,
) -> Network:
    sizes = tuple((name, math.prod(s)) for name, s in zip(taken, given.shapes, strict=True))
    names = [name for name, _ in leaves]
    return Model(t, sizes, tuple(zip(names, results, strict=True))).network(options)


# --- inputs and outputs -------------------------------------------------------------------------


@dataclass(frozen=True)
class Arguments:
    """How forward is called: each tensor's shape with a batch of one, and names where it has any.

    `keywords` tells whether the names are those of arguments, else of a dictionary's entries.
    """

    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...] = ()
    keywords: bool = False

    def placed(self, tensors: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments."""
        named = dict(zip(self.names, tensors, strict=True)) if self.names else {}
        if self.keywords:
            return (), named
        return ((named,) if named else tuple(tensors)), {}

    def call(self, module: Any, tensors: Sequence[Any]) -> Any:
        """What the module gives for these."""
        args, kwargs = self.placed(tensors)
        return module(*args, **kwargs)

    def outputs(self, torch: Any, module: Any, tensors: Sequence[Any]) -> list[Any]:
        """The tensors that it gives."""
        return [leaf for _, leaf in _leaves(torch, self.call(module, tensors))]


def _arguments(torch: Any, module: Any, shape: Any) -> Arguments:
    if shape is None:
        return Arguments(((1, _first_width(torch, module)),))
    if isinstance(shape, Mapping):
        names = tuple(str(name) for name in shape)
        shapes = tuple((1, *shape_of(one)) for one in shape.values())
        known = inspect.signature(module.forward).parameters
        return Arguments(shapes, names, all(name in known for name in names))
    several = isinstance(shape, list | tuple) and not all(isinstance(s, Integral) for s in shape)
    return Arguments(tuple((1, *shape_of(one)) for one in (shape if several else [shape])))


def _exported_shapes(program: Any) -> Shapes:
    """Of the tensors that a program was exported with, without their batch."""
    args, kwargs = program.example_inputs
    if kwargs:
        return {name: tuple(tensor.shape[1:]) for name, tensor in kwargs.items()}
    return [tuple(tensor.shape[1:]) for tensor in args]


def _first_width(torch: Any, module: Any) -> int:
    for part in module.modules():
        script = getattr(part, "original_name", "")  # of a module that torch.jit has compiled
        if isinstance(part, torch.nn.Linear) or script == "Linear":
            return int(part.weight.shape[1])
    raise ValueError(
        "the module has no Linear layer; say its input's shape: from_torch(m, shape=(3,))"
    )


def _numbers(torch: Any, module: Any, given: Arguments) -> tuple[Any, ...]:
    """Tensors of different numbers from 0 to 1: a matrix of zeros would be singular."""
    floats = [p.dtype for p in module.state_dict().values() if p.is_floating_point()]
    kind = floats[0] if floats else torch.get_default_dtype()
    counts = (torch.arange(1, math.prod(size) + 1, dtype=kind) for size in given.shapes)
    return tuple(
        (count / max(1, len(count))).reshape(size).clone()  # views are not traced as well
        for count, size in zip(counts, given.shapes, strict=True)
    )


def _called(torch: Any, module: Any, given: Arguments) -> list[tuple[str, Any]]:
    """What the module gives, by name. ValueError where it raises."""
    numbers = _numbers(torch, module, given)
    try:
        with torch.no_grad(), suppress(Exception):  # it may take derivatives itself
            return _leaves(torch, given.call(module, numbers))
        return _leaves(torch, given.call(module, numbers))
    except Exception as error:  # whatever users' modules raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"the module cannot be called with numbers from 0 to 1 ({first})"
        ) from None


def _leaves(torch: Any, tree: Any) -> list[tuple[str, Any]]:
    """The tensors that a module gives, each with a name: y, or its place in a tuple or dict."""
    pytree = torch.utils._pytree
    found = [(p, leaf) for p, leaf in pytree.tree_flatten_with_path(tree)[0] if leaf is not None]
    if len(found) == 1:
        return [("y", found[0][1])]
    plain = [re.sub(r"\W+", "_", pytree.keystr(path)).strip("_") for path, _ in found]
    names = [name if name.isidentifier() else f"y_{name}" for name in plain]
    return [(name, tensor) for name, (_, tensor) in zip(names, found, strict=True)]


def _takes(exported: Any) -> list[str]:
    """The names of the arguments of forward; x where there is only one."""
    names = list(exported.graph_signature.user_inputs)
    return ["x"] if len(names) == 1 else names


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Evaluation mode, and each part's own mode afterwards."""
    # A script that is frozen has no mode any more.
    modes = [(part, part.training) for part in module.modules() if hasattr(part, "training")]
    with suppress(NotImplementedError):  # what was exported has one mode
        module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
