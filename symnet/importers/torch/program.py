"""PyTorch's exported programs on forms, operation by operation.

Operations that no rule reads, and those that write into a tensor, are taken apart by PyTorch's own
decompositions, which leave whole what has a rule. What depends on no input is computed by PyTorch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.torch import moves, refusals
from symnet.importers.torch.rules import CHOOSING, RULES, TYPED, check_type
from symnet.names import shortened
from symnet.network.weights import Array

_HELD = ("detach", "wrap_with_set_grad_enabled", "wrap_with_autocast")
_ASSERTIONS = "_assert_async", "_assert_scalar"
_CHECKS = (
    *(*_ASSERTIONS, "_assert_tensor_metadata"),
    *("sym_constrain_range", "sym_constrain_range_for_size", "_linalg_check_errors"),
)
_BITS = ("bitwise_and", "__and__", "bitwise_or", "__or__", "bitwise_not")
_NARROW = ("float32", "float16", "bfloat16")


def prepared(torch: Any, program: Any) -> Any:
    """The program of operations that are read, as far as PyTorch can take it apart."""
    if all(_is_read(node) for node in _calls(program)):
        return program
    table = torch.export.default_decompositions()
    table.update(torch._decomp.get_decompositions([torch.ops.aten.grid_sampler_2d]))
    for operation in list(table):
        if name_of(operation) in _WHOLE or not _takes_tensors(operation):
            table.pop(operation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of its own code
        try:
            return program.run_decompositions(table)
        except Exception as error:  # whatever PyTorch raises where it cannot
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            unread = sorted({str(n.target) for n in _calls(program) if not _is_read(n)})
            raise ValueError(
                f"PyTorch cannot take apart {shortened(', '.join(unread), 80)} ({first})"
            ) from None


def _takes_tensors(operation: Any) -> bool:
    """Whether it takes any; what is made of nothing is made in its own precision."""
    return any("Tensor" in str(argument.type) for argument in operation._schema.arguments)


_WHOLE = {*RULES, *moves.PLACES, *moves.LINEAR, *_HELD}


def _is_read(node: Any) -> bool:
    if name_of(node.target) in _CHECKS:
        return True
    schema = getattr(node.target, "_schema", None)
    return name_of(node.target) in _WHOLE and not (schema is not None and schema.is_mutable)


def transforms(program: Any) -> bool:
    """Whether it holds steps of torch.func (jvp), which run nowhere but where they were made."""
    room = "torch._functorch"
    return any(str(getattr(n.target, "__module__", "")).startswith(room) for n in _calls(program))


def holds_back(program: Any) -> bool:
    """Whether something in the program keeps derivatives from passing, as `detach` does."""
    return any(name_of(node.target) in _HELD for node in _calls(program))


def narrows(program: Any) -> bool:
    """Whether the program names a type of lower precision."""
    return any(
        str(value).removeprefix("torch.") in _NARROW
        for node in _calls(program)
        for value in (*node.args, *node.kwargs.values())
    )


def _calls(program: Any) -> Iterator[Any]:
    return (node for node in program.graph.nodes if node.op == "call_function")


def name_of(target: Any) -> str:
    """`softmax` of aten.softmax.int, the name of any other function."""
    own = getattr(target, "_opname", None)
    return str(own or getattr(target, "__name__", target))


def evaluated(torch: Any, t: Tensors, program: Any, inputs: Sequence[Value]) -> list[Value]:
    """The values of the program's outputs that are tensors."""
    values = _stored(program, inputs)
    known: dict[Any, Any] = {}
    for node in program.graph.nodes:
        if node.op == "call_function":
            # The same operation of the same values is one: self.layer(x) may be written twice.
            key = (node.target, _identity(node.args, values), _identity(node.kwargs, values))
            if key not in known:
                known[key] = _called(torch, t, node, values)
            values[node.name] = known[key]
        elif node.op == "output":
            (results,) = node.args
            kinds = [str(spec.kind) for spec in program.graph_signature.output_specs]
            given = [r for r, kind in zip(results, kinds, strict=True) if "USER_OUTPUT" in kind]
            return [_result(t, values, result) for result in given if result is not None]
    raise ValueError("the module gives nothing")


def _identity(argument: Any, values: Mapping[str, Any]) -> Any:
    """What tells an argument from others: nodes by their values, which stay alive."""
    if isinstance(argument, Mapping):
        return tuple((key, _identity(value, values)) for key, value in argument.items())
    if isinstance(argument, list | tuple):
        return tuple(_identity(a, values) for a in argument)
    name = str(getattr(argument, "name", ""))
    return id(values[name]) if name in values else (type(argument), str(argument))


def _stored(program: Any, given: Sequence[Value]) -> dict[str, Any]:
    """Parameters, buffers and constants as arrays, and the inputs, by their names in the graph."""
    waiting = list(given)
    stored = {**program.state_dict, **program.constants}
    values: dict[str, Any] = {}
    for spec in program.graph_signature.input_specs:
        if "TOKEN" in str(spec.kind):  # says only that an assertion comes before another
            values[str(spec.arg.name)] = None
            continue
        known = spec.target is not None and spec.target in stored
        values[str(spec.arg.name)] = array_of(stored[spec.target]) if known else waiting.pop(0)
    return values


def array_of(tensor: Any) -> Array:
    """A tensor's numbers, floating ones as doubles."""
    if tensor.is_complex():
        raise ValueError("it computes with complex numbers; symnet reads real ones")
    array = tensor.detach().cpu()
    wide = array.double() if array.is_floating_point() else array
    return np.asarray(wide.numpy(force=True))  # the zeros of a derivative may be stored as none


def _result(t: Tensors, values: dict[str, Any], result: Any) -> Value:
    if getattr(result, "name", None) not in values:
        raise ValueError(f"the module gives {result!r}, which is no tensor")
    found = values[result.name]
    return found.forced(t) if isinstance(found, Condition) else found


def _called(torch: Any, t: Tensors, node: Any, values: dict[str, Any]) -> Any:
    name = name_of(node.target)
    where = f"node {node.name!r} ({shortened(str(node.target), 60)})"

    def known(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            if argument.name not in values:
                raise ValueError(refusals.reason(node.target, name))
            found = values[argument.name]
            moved = isinstance(argument.meta.get("val"), torch.Tensor) and name != "with_effects"
            if found is None and moved:
                raise ValueError(
                    "its places depend on the inputs (of topk, sort, max): that has no derivative"
                )
            return found
        return [known(a) for a in argument] if isinstance(argument, list | tuple) else argument

    try:
        args, kwargs = known(node.args), {k: known(v) for k, v in node.kwargs.items()}
        if name in _BITS and _varies(args) and node.meta["val"].dtype != torch.bool:
            raise ValueError("it takes whole numbers that depend on the inputs by their bits")
        return _applied(torch, t, node.target, name, args, kwargs)
    except (ValueError, TypeError, IndexError, KeyError, RuntimeError, AttributeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{where}: {first}") from None


def _applied(
    torch: Any, t: Tensors, target: Any, name: str, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    if name in _CHECKS:
        _tell(t, name, args)
        return None
    if name == "with_effects" and name_of(args[1]) in _CHECKS:
        _tell(t, name_of(args[1]), args[2:])
        return [args[0], None]
    if name == "getitem":
        return args[0][args[1]]
    if name == "sym_size":
        return args[0].shape[args[1]]
    if not _varies([args, *kwargs.values()]):
        return constants(torch, target, name, args, kwargs)
    rule: Callable[..., Any] | None = RULES.get(name)
    if name not in CHOOSING and name not in moves.PLACES:
        args, kwargs = _forced(t, args), {k: _forced(t, v) for k, v in kwargs.items()}
    if name not in TYPED:
        check_type(moves.by_name(target, args, kwargs).get("dtype"))
    if rule is not None:
        return rule(t, *args, **kwargs)
    if name in moves.PLACES:
        return moves.moved(torch, t, target, args, kwargs)
    if name in moves.LINEAR:
        return moves.linear(torch, t, target, moves.LINEAR[name], args, kwargs)
    raise ValueError(refusals.reason(target, name))


def _tell(t: Tensors, name: str, args: Sequence[Any]) -> None:
    """What an assertion of the inputs says where it fails: the network asserts nothing."""
    if name in _ASSERTIONS and _varies(args):
        said = next((a for a in args if isinstance(a, str)), "an assertion")
        t.fold.assume(f"where PyTorch raises ({said.rstrip('.')}), the network has values")


def _varies(argument: Any) -> bool:
    if isinstance(argument, list | tuple):
        return any(_varies(a) for a in argument)
    return isinstance(argument, Form | Condition)


def _forced(t: Tensors, argument: Any) -> Any:
    if isinstance(argument, list):
        return [_forced(t, a) for a in argument]
    return argument.forced(t) if isinstance(argument, Condition) else argument


def constants(
    torch: Any, target: Any, name: str, args: list[Any], kwargs: Mapping[str, Any]
) -> Any:
    """What depends on no input, in double precision; what is made of nothing in its own."""
    if refusals.is_random(torch, target):
        raise ValueError(refusals.reason(target, name))
    arrays = _holds_arrays([args, *kwargs.values()])

    def given(argument: Any) -> Any:
        if isinstance(argument, np.ndarray | np.generic):
            return torch.from_numpy(np.array(argument))
        if isinstance(argument, list):
            return [given(a) for a in argument]
        return torch.float64 if arrays and str(argument)[6:] in _NARROW else argument

    with torch.no_grad():
        found = target(*given(args), **{k: given(v) for k, v in kwargs.items()})
    if name.startswith("empty"):
        found.zero_()
    if isinstance(found, list | tuple):
        return [array_of(part) for part in found]
    return array_of(found) if isinstance(found, torch.Tensor) else found


def _holds_arrays(argument: Any) -> bool:
    if isinstance(argument, list | tuple):
        return any(_holds_arrays(a) for a in argument)
    return isinstance(argument, np.ndarray | np.generic)
