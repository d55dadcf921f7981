"""JAX functions, by `jax.make_jaxpr`: what they compute, with their parameters as constants.

Flax, Equinox and Haiku models are such functions: `lambda x: model.apply(parameters, x)`. The
function is traced in double precision; single precision inside of it is widened.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.folding import matrices, small
from symnet.importers.folding.choices import Condition, by_number, chosen
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Imported, Model, Options, exactness, shape_of
from symnet.importers.jax import double, refusals
from symnet.importers.jax.known import KNOWN, MATRICES, RESULTS
from symnet.importers.jax.moves import MOVES, bound
from symnet.importers.jax.rules import RULES, plain, varies
from symnet.importers.jax.walk import equations, evaluated, opened
from symnet.network import Network
from symnet.network.mistaken import library_called, unlike
from symnet.network.weights import Array
from symnet.witness.checking import CheckError

_BITS = ("and", "or", "not")
_ERRORS = (ValueError, TypeError, IndexError, KeyError, NotImplementedError)

_NARROWED = (
    "single precision of what depends on the inputs is double here; constants in the function "
    "are those of single precision"
)
_FRACTIONS = ("div", "rem", "pow", "shift_left", "shift_right_arithmetic", "shift_right_logical")
_FEW = 4096  # numbers of a constant that is told from others by them
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
        inputs, outputs: names, one for each entry; by default x1, x2, … and y, or after the
            leaves of a tree.
        check: compare the values with the function's own in double precision; its Jacobian too,
            where the function has derivatives of its own.

    ValueError names the primitive that is not read; CheckError where the values differ.
    """
    options = Options(inputs, outputs, check=check)
    return imported(function, n, options).network


def imported(function: Callable[[Any], Any], n: int | Sequence[int], options: Options) -> Imported:
    """The same with what is to be said about it."""
    jax = needed("jax", "jax")
    if not callable(function):
        raise TypeError(f"a function of an array is needed, got {unlike(function)}")
    shape = shape_of(n)
    try:
        return _read(jax, function, shape, options)
    except (ValueError, TypeError, CheckError):
        with suppress(ValueError, TypeError, CheckError):
            return _read(jax, function, shape, options, by_name=False)
        raise


def _read(
    jax: Any, function: Any, shape: tuple[int, ...], options: Options, by_name: bool = True
) -> Imported:
    with _double(jax):
        closed, tree = _traced(jax, function, shape)
        folding = Equations(Tensors(), by_name)
        fold = folding.tensors.fold
        x = fold.reshaped(fold.inputs_of([shape])[0], shape)
        found = evaluated(closed.jaxpr, closed.consts, [x], folding)
        outs = zip(_names(jax, tree), map(folding.settled, found), strict=True)
        net = Model(folding.tensors, (("x", math.prod(shape)),), tuple(outs)).network(options)
        narrow = any(
            str(getattr(out.aval, "dtype", "")) in double.NARROW
            for equation in equations(closed.jaxpr)
            for out in equation.outvars
        )
        wholes = double.check_apart(jax, function, shape)
        text = "not compared"
        if options.check or fold.replaced:
            try:
                text = double.compared(jax, net, function, closed, shape, narrow, fold.assumed)
            except CheckError:
                if fold.replaced:
                    raise ValueError(fold.replaced) from None
                raise
    dtypes = {str(c.dtype) for c in closed.consts if "float" in str(getattr(c, "dtype", ""))}
    notes = (*fold.assumed, *wholes, *((_NARROWED,) if narrow else ()))
    return Imported(net, "JAX", exactness(dtypes), (), notes, text)


def _traced(jax: Any, function: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The jaxpr in double precision, or in single where the function mixes neither with other.

    ValueError where neither can be had, with what JAX says in single precision, as by itself.
    """
    last: Exception | None = None
    for wide in (True, False):
        try:
            with _double(jax, wide):
                return jax.make_jaxpr(function, return_shape=True)(np.zeros(shape))
        except Exception as error:  # functions of users raise whatever they like
            last = error
    words = (str(last).strip().splitlines() or [type(last).__name__])[0]
    said = f"JAX cannot trace the function with an array of the shape {shape} ({words})"
    door = library_called(function, last) if last is not None else None
    raise ValueError(said if door is None else f"{said}; {door}")


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
    by_name: bool = True
    """Whether functions of JAX's are read by their names; of a derivative they may be parts."""
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
                    raise ValueError(argument.why)
            if all(map(_is_constant, arguments)):
                return _constants(equation, arguments)
            kinds = [str(v.aval.dtype) for v in (*equation.invars[:1], *equation.outvars[:1])]
            if name == "convert_element_type" and all("int" in kind for kind in kinds):
                return arguments
            if name in _FRACTIONS and "int" in kinds[-1]:
                raise ValueError("it divides whole numbers that depend on the inputs")
            if name in _BITS and "int" in kinds[-1]:
                raise ValueError("it takes whole numbers that depend on the inputs by their bits")
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
        wanted = self.by_name and name in KNOWN and count == RESULTS.get(name, 1)
        if not wanted or any(isinstance(argument, Unread) for argument in arguments):
            return None
        run = partial(evaluated, jaxpr, constants, evaluator=self)
        try:
            found = KNOWN[name](self.tensors, {"jaxpr": jaxpr, "run": run}, *arguments)
            return list(found) if name in RESULTS else [found]
        except _ERRORS as error:
            return [Unread(f"function {name.strip('_')!r}: {error}")] * count

    def either(
        self, index: Any, branches: Sequence[Callable[[], list[Any]]], count: int
    ) -> list[Any] | None:
        """Of several branches by a condition or a whole number, entry by entry; None of others."""
        if isinstance(index, Unread):
            return None
        try:
            results = zip(*(branch() for branch in branches), strict=True)
            cases = [[self._value(value) for value in each] for each in results]
            if isinstance(index, Condition) and len(branches) == 2:
                return [chosen(self.tensors, index, *pair) for pair in cases]
            number = self._value(index)
            return [by_number(self.tensors, number, each) for each in cases]
        except ValueError as error:
            return [Unread(_named("cond", str(error)))] * count

    def solution(self, product: Callable[[Any], Any], b: Any) -> Any:
        """x of product(x) = b, by the matrix of the product; None where all is constant."""
        units = np.eye(np.size(b)).reshape(-1, *np.shape(b))
        matrices.check_size(units.size, "a system of equations")
        columns = [self._value(product(unit)) for unit in units]
        if all(map(_is_constant, (b, *columns))):
            return None
        t = self.tensors
        A = t.mixed(columns, lambda arrays: np.stack([a.reshape(-1) for a in arrays], axis=1))
        found = small.solved_in_blocks(t, A, t.reshape(self._value(b), (-1,)))
        return t.reshape(found, np.shape(b))

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
    """What tells a value from others: of few numbers these themselves."""
    if not _is_constant(value) or np.size(value) > _FEW:
        return id(value)
    array = np.asarray(value)
    return str(array.dtype), array.shape, array.tobytes()


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
