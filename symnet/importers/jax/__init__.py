"""JAX functions, by `jax.make_jaxpr`: what they compute, with their parameters as constants.

Flax, Equinox and Haiku models are such functions: `lambda x: model.apply(parameters, x)`. The
function is traced in double precision; single precision inside of it is widened.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from symnet.importers import comparing
from symnet.importers.extras import needed
from symnet.importers.folding.choices import Condition, chosen
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Imported, Model, Options, exactness
from symnet.importers.jax import refusals
from symnet.importers.jax.known import KNOWN, MATRICES
from symnet.importers.jax.moves import MOVES, bound
from symnet.importers.jax.rules import RULES, plain, varies
from symnet.importers.jax.walk import equations, evaluated, opened
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic
from symnet.witness.checking import CheckError

_OWN_SLOPES = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr", "stop_gradient")
_ERRORS = (ValueError, TypeError, IndexError, KeyError, NotImplementedError)
_NARROW = ("float32", "float16", "bfloat16")

_NARROWED = (
    "single precision of what depends on the inputs is double here; constants in the function "
    "are those of single precision"
)
_PLACES = "it gives places, which have no derivative; use the values that it gives"


class Unread:
    """What no rule reads; it is an error where something needs it.

    `held` is what stop_gradient was of.
    """

    def __init__(self, why: str, held: Any = None) -> None:
        self.why, self.held = why, held


def from_jax(
    function: Callable[[Any], Any],
    n: int | Sequence[int],
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    check: bool = True,
) -> Network:
    """The network of a function of one array, which JAX can trace.

    Args:
        function: takes an array of the shape (n,) and gives an array, or several in a tree.
        n: number of inputs, or the shape of the array where it is no vector.
        check: compare the values with the function's own in double precision; its Jacobian too,
            where the function has derivatives of its own.

    ValueError names the primitive that is not read; CheckError where the values differ.
    """
    options = Options(
        None if inputs is None else list(inputs),
        None if outputs is None else list(outputs),
        check=check,
    )
    return imported(function, n, options).network


def imported(function: Callable[[Any], Any], n: int | Sequence[int], options: Options) -> Imported:
    """The same with what is to be said about it."""
    jax = needed("jax", "jax")
    shape = (int(n),) if isinstance(n, int | np.integer) else tuple(int(s) for s in n)
    with _double(jax):
        closed, tree = _traced(jax, function, shape)
        folding = Equations(Tensors())
        fold = folding.tensors.fold
        x = fold.reshaped(fold.inputs_of([shape])[0], shape)
        found = evaluated(closed.jaxpr, closed.consts, [x], folding)
        outs = zip(_names(jax, tree), map(folding.settled, found), strict=True)
        net = Model(folding.tensors, (("x", math.prod(shape)),), tuple(outs)).network(options)
        narrow = any(
            str(getattr(out.aval, "dtype", "")) in _NARROW
            for equation in equations(closed.jaxpr)
            for out in equation.outvars
        )
        text = "not compared"
        if options.check or fold.replaced:
            try:
                text = _compared(jax, net, function, closed, shape, narrow)
            except CheckError:
                if fold.replaced:
                    raise ValueError(fold.replaced) from None
                raise
    dtypes = {str(c.dtype) for c in closed.consts if "float" in str(getattr(c, "dtype", ""))}
    notes = (*fold.assumed, *((_NARROWED,) if narrow else ()))
    return Imported(net, "JAX", exactness(dtypes), (), notes, text)


def _traced(jax: Any, function: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The jaxpr in double precision, or in single where the function mixes neither with other."""
    first: Exception | None = None
    for wide in (True, False):
        try:
            with _double(jax, wide):
                return jax.make_jaxpr(function, return_shape=True)(np.zeros(shape))
        except Exception as error:  # functions of users raise whatever they like
            first = first or error
    words = (str(first).strip().splitlines() or [type(first).__name__])[0]
    raise ValueError(f"JAX cannot trace the function with an array of the shape {shape} ({words})")


def _double(jax: Any, wide: bool = True) -> Any:
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(wide)
    return jax.experimental.enable_x64(wide)


def _names(jax: Any, tree: Any) -> list[str]:
    """A name for each output: `y`, or where it stands in a dictionary or sequence."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    if not leaves:
        raise ValueError("the function gives no array")
    if len(leaves) == 1:
        return ["y"]
    plain = [re.sub(r"\W+", "_", jax.tree_util.keystr(path)).strip("_") for path, _ in leaves]
    return [name if name.isidentifier() else f"y_{name}" for name in plain]


# --- on forms -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Equations:
    """Equations on forms; what depends on no input is computed by JAX, as JAX does.

    The same equation of the same values is one: x[0] is written anew wherever it stands.
    """

    tensors: Tensors
    known_results: dict[Any, tuple[list[Any], Sequence[Any]]] = field(default_factory=dict)

    def apply(self, equation: Any, arguments: list[Any]) -> Sequence[Any]:
        """By JAX, by the rule of the primitive, or Unread."""
        if all(map(_is_constant, arguments)):
            return self._applied(equation, arguments)
        own = equation.primitive.name, str(equation.params), *map(_identity, arguments)
        if own not in self.known_results:  # with the arguments, whose identities must stay theirs
            self.known_results[own] = arguments, self._applied(equation, arguments)
        return self.known_results[own][1]

    def _applied(self, equation: Any, arguments: list[Any]) -> Sequence[Any]:
        name, t = equation.primitive.name, self.tensors
        if name == "select_n" and (alone := _only_case(arguments[1:])) is not None:
            return [alone]
        try:
            for argument in arguments:
                if isinstance(argument, Unread):
                    raise ValueError(refusals.factored(name) or argument.why)
            if all(map(_is_constant, arguments)):
                return _constants(equation, arguments)
            if name in MOVES:
                found = MOVES[name](t, equation, arguments)
                return [Unread(_named(name, _PLACES)) if v is None else v for v in found]
            rule = RULES.get(name) or MATRICES.get(name)
            if rule is None:
                raise ValueError(
                    f"symnet has no rule for the primitive {name!r}{refusals.reason(name)}"
                )
            return [rule(t, equation.params, *arguments)]
        except _ERRORS as error:
            held = arguments[0] if name == "stop_gradient" else None
            return [Unread(_named(name, str(error)), held)] * len(equation.outvars)

    def known(self, name: str, arguments: list[Any], inner: Any) -> Sequence[Any] | None:
        """What has a rule as a whole, of values that depend on the inputs."""
        jaxpr, constants = opened(inner)
        count = len(jaxpr.outvars)
        if all(map(_is_constant, arguments)):
            return None
        if name in refusals.SPECIAL:
            return [Unread(refusals.special(name))] * count
        if name not in KNOWN or count != 1 or any(isinstance(a, Unread) for a in arguments):
            return None
        run = partial(evaluated, jaxpr, constants, evaluator=self)
        try:
            return [KNOWN[name](self.tensors, {"jaxpr": jaxpr, "run": run}, *arguments)]
        except _ERRORS as error:
            return [Unread(f"function {name.strip('_')!r}: {error}")]

    def either(self, index: Any, branches: Sequence[Callable[[], list[Any]]]) -> list[Any] | None:
        """Of two branches by a condition, entry by entry; None where it is none."""
        if not isinstance(index, Condition) or len(branches) != 2:
            return None
        results = zip(*(branch() for branch in branches), strict=True)
        pairs = [[self._value(value) for value in pair] for pair in results]
        return [chosen(self.tensors, index, *pair) for pair in pairs]

    def row(self, value: Any, k: int) -> Any:
        """value[k]."""
        return value[k] if _is_constant(value) else self._places(value, lambda a: a[k])

    def stack(self, rows: list[Any]) -> Any:
        """The values along a new first axis."""
        return self.tensors.mixed([self._value(row) for row in rows], np.stack)

    def whole(self, value: Any) -> int | None:
        """The number, None where it depends on the inputs."""
        return (
            int(np.asarray(value).item()) if _is_constant(value) and np.size(value) == 1 else None
        )

    def settled(self, value: Any) -> Value:
        """A result as a form or array of doubles."""
        found = self._value(value)
        return found if isinstance(found, Form) else np.asarray(found, dtype=np.float64)

    def _places(self, value: Any, change: Callable[[Array], Array]) -> Value:
        return self.tensors.places(self._value(value), change)

    def _value(self, value: Any) -> Value:
        if isinstance(value, Unread):
            raise ValueError(value.why)
        return plain(self.tensors, value) if varies(value) else value


def _only_case(cases: Sequence[Any]) -> Any:
    """The one value of all cases, some of which may stand under stop_gradient; else None."""
    first, *others = (c.held if isinstance(c, Unread) else c for c in cases)
    return first if first is not None and all(c is first for c in others) else None


def _identity(value: Any) -> Any:
    """What tells a value from others: a single number by itself."""
    alone = _is_constant(value) and np.size(value) == 1
    return (str(np.asarray(value).dtype), np.shape(value), repr(value)) if alone else id(value)


def _is_constant(value: Any) -> bool:
    return not (varies(value) or isinstance(value, Unread))


def _named(name: str, words: str) -> str:
    """The primitive at which it went wrong, not all that need it."""
    return (
        words if "primitive" in words or "function '" in words else f"primitive {name!r}: {words}"
    )


def _constants(equation: Any, arguments: list[Any]) -> Sequence[Any]:
    if equation.primitive.name == "convert_element_type":
        # XLA may flush what is subnormal; NumPy converts every number exactly.
        return [np.asarray(arguments[0]).astype(equation.params["new_dtype"])]
    return bound(equation, arguments, equation.params)


# --- the function itself ------------------------------------------------------------------------


@dataclass(frozen=True)
class Widening:
    """Equations by JAX, in double precision wherever a result depends on the inputs."""

    jax: Any

    def apply(self, equation: Any, arguments: list[Any]) -> Sequence[Any]:
        """What depends on no input stays in the precision that the function has for it."""
        if not any(isinstance(argument, self.jax.core.Tracer) for argument in arguments):
            with self.jax.ensure_compile_time_eval():
                return bound(equation, arguments, equation.params)
        parameters = {
            key: np.dtype("float64") if str(value) in _NARROW else value
            for key, value in equation.params.items()
        }
        return bound(equation, [_wide(argument) for argument in arguments], parameters)

    def known(self, name: str, arguments: list[Any], inner: Any) -> Sequence[Any] | None:
        """All is gone into."""
        return None

    def either(self, index: Any, branches: Sequence[Callable[[], list[Any]]]) -> list[Any] | None:
        """JAX runs one of them."""
        return None

    def row(self, value: Any, k: int) -> Any:
        """value[k]."""
        return value[k]

    def stack(self, rows: list[Any]) -> Any:
        """The values along a new first axis."""
        return self.jax.numpy.stack(rows)

    def whole(self, value: Any) -> int | None:
        """The number, None where it depends on the inputs."""
        return None if isinstance(value, self.jax.core.Tracer) else int(value)


def _wide(value: Any) -> Any:
    narrow = str(getattr(value, "dtype", "")) in _NARROW
    return value.astype("float64") if narrow else value


def _compared(
    jax: Any, net: Network, function: Any, closed: Any, shape: tuple[int, ...], narrow: bool
) -> str:
    """By values, and by Jacobians where JAX has been told other derivatives than the values'."""

    def call(x: Any) -> Any:
        point = x.reshape(shape)
        if narrow:
            found: Any = evaluated(closed.jaxpr, closed.consts, [point], Widening(jax))
        else:
            found = function(point)
        parts = [jax.numpy.ravel(y) for y in jax.tree_util.tree_leaves(found)]
        return jax.numpy.concatenate(parts).astype("float64")

    text = comparing.compared(net, jax.jit(jax.vmap(call)), "JAX in double precision")
    if not any(e.primitive.name in _OWN_SLOPES for e in equations(closed.jaxpr)):
        return text
    X = comparing.points(net.n, 6)
    found = analytic.jacobian(net, X)
    error = _slope_error(found, np.asarray(jax.jit(jax.vmap(jax.jacrev(call)))(X)))
    if error > comparing.TOLERANCE:
        raise CheckError(
            f"the function's Jacobian in JAX differs from that of its values by {error:.1e}: "
            "it has derivatives of its own (custom_jvp, custom_vjp, stop_gradient), "
            "which symnet cannot take over"
        )
    return f"{text}, its Jacobian {error:.1e}"


def _slope_error(found: Array, expected: Array) -> float:
    inside = np.isfinite(found).all(axis=(1, 2)) & np.isfinite(expected).all(axis=(1, 2))
    size = np.abs(expected[inside]).max(axis=(0, 2), initial=0)[None, :, None]
    error = np.abs(found - expected)[inside] / np.where(size > 0, size, 1)
    return float(error.max(initial=0.0))
