"""PyTorch modules by `torch.fx`: what is made of the plainest layers only, and therefore at once.

torch.export, which reads all others, takes a second to be imported. fx does not see everything
(`no_grad`, numbers drawn outside of the graph): what is read here is only handed out after values
and derivatives were compared with the module's own, and is otherwise left to torch.export.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.torch import layers
from symnet.importers.torch.program import array_of
from symnet.importers.torch.rules import RULES

_PLAIN = ("tanh", "sigmoid", "relu", "silu", "mish", "hardswish", "relu6", "selu", "sin", "cos")
_MORE = ("exp", "erf", "sqrt", "square", "abs", "log", "linear", "softplus", "matmul", "neg")
_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((*_PLAIN, *_MORE), ()),
    **{"gelu": ("approximate",), "elu": ("alpha",), "leaky_relu": ("negative_slope",)},
    **dict.fromkeys(("softmax", "log_softmax"), ("dim",)),
    "layer_norm": ("weight", "bias", "eps"),
    **dict.fromkeys(("add", "sub", "mul", "dropout"), ()),
}
"""Functions whose rule has the same arguments, and the keywords that follow them in order."""

_IGNORED = {"inplace": False, "_stacklevel": None, "dtype": None, "p": None, "training": False}
"""Keywords that change nothing, with the value that they must have, None for any or none."""

_OPERATORS: Mapping[Any, Callable[[Tensors, Value, Value], Value]] = {
    operator.add: Tensors.add,
    operator.sub: Tensors.subtract,
    operator.mul: Tensors.multiply,
    operator.truediv: Tensors.divide,
    operator.matmul: Tensors.matmul,
}


class Unseen(Exception):
    """Something in the module is for torch.export."""


def evaluated(
    torch: Any, t: Tensors, module: Any, given: Sequence[Value]
) -> tuple[list[Value], list[str]]:
    """The module's values, and the names of what it takes. Unseen for all but plain layers."""
    if isinstance(module, torch.jit.ScriptModule):
        raise Unseen
    try:
        graph = _tracer(torch, module).trace(module)
    except Exception:  # forward does something with values or shapes
        raise Unseen from None
    takes = [node for node in graph.nodes if node.op == "placeholder"]
    names = [str(node.target) for node in takes]
    if len(names) != len(given) or any(name.startswith("*") for name in names):
        raise Unseen
    values: dict[Any, Value] = dict(zip(takes, given, strict=True))
    arrays: dict[int, Any] = {}
    for node in graph.nodes:
        if node.op == "output":
            leaves = torch.utils._pytree.tree_leaves(node.args[0])
            if not all(isinstance(leaf, torch.fx.Node) for leaf in leaves):
                raise Unseen
            return [values[leaf] for leaf in leaves], names
        if node.op != "placeholder":
            values[node] = _value(torch, t, module, node, values, arrays)
    raise Unseen


def _tracer(torch: Any, module: Any) -> Any:
    names = {id(own): name for name, own in module.named_parameters()}

    class Tracer(torch.fx.Tracer):
        def is_leaf_module(self, part: Any, name: str) -> bool:
            return isinstance(part, torch.nn.BatchNorm1d)

        def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
            """As fx does, which looks through all of the parameters for each."""
            name = names.get(id(attr_val))
            if name is None:
                return attr_val
            if name not in parameter_proxy_cache:
                parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {})
            return parameter_proxy_cache[name]

    return Tracer()


def _value(
    torch: Any, t: Tensors, module: Any, node: Any, values: Mapping[Any, Value], arrays: Any
) -> Value:
    if node.op == "get_attr":
        if "_tensor_constant" in node.target:
            raise Unseen
        tensor = operator.attrgetter(node.target)(module)
        return arrays.setdefault(id(tensor), array_of(tensor))

    def known(argument: Any) -> Any:
        return values[argument] if isinstance(argument, torch.fx.Node) else argument

    args = [known(a) for a in node.args]
    if node.op == "call_module":
        part = module.get_submodule(node.target)
        if part.running_mean is None or part._forward_hooks or part._forward_pre_hooks:
            raise Unseen
        kept = (part.weight, part.bias, part.running_mean, part.running_var)
        scale, shift, mean, variance = (None if v is None else array_of(v) for v in kept)
        return layers.batch_norm(t, args[0], scale, shift, mean, variance, epsilon=part.eps)
    if node.op == "call_function" and node.target in _OPERATORS:
        return _OPERATORS[node.target](t, args[0], args[1])
    name = str(getattr(node.target, "__name__", node.target))
    if name not in _KEYWORDS:
        raise Unseen
    return RULES[name](t, *args, *_keywords(name, {k: known(v) for k, v in node.kwargs.items()}))


def _keywords(name: str, given: Mapping[str, Any]) -> list[Any]:
    """In the order of the rule's arguments. Unseen for one that is left out before another."""
    rest = dict(given)
    found = [rest.pop(key) for key in _KEYWORDS[name] if key in rest]
    if len(found) < len(_KEYWORDS[name]) and list(given)[: len(found)] != list(
        _KEYWORDS[name][: len(found)]
    ):
        raise Unseen
    for key, value in rest.items():
        if key not in _IGNORED or (_IGNORED[key] is False and value):
            raise Unseen
        if key == "dtype" and value is not None:
            raise Unseen
    return found
