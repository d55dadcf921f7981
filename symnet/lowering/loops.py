"""The loop form: what every language with loops and arrays can write down.

A routine is a list of steps over scalars and array elements. Indices count from 0 here; a language
that counts from 1 adds it where it prints one. Loop variables say what they run over:

    p  outputs        i ≥ j ≥ …  inputs, one for each order        r, s  entries of a vector

A derivative is symmetric, so that `j` runs up to `i` and the entry is mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias

from numpy.typing import NDArray
from sympy import Expr, Function, Integer, S, Symbol

Shape: TypeAlias = tuple[int, ...]


class At(Function):
    """At(name, index, …): an array's element."""

    @property
    def array(self) -> str:
        """The array's name."""
        name: str = self.args[0].name
        return name

    @property
    def indices(self) -> tuple[Expr, ...]:
        """One for each axis: a loop's variable or a number."""
        return self.args[1:]


class Same(Function):
    """Same(r, i): 1 where two indices are equal, else 0; an entry of the identity."""

    nargs = 2

    @classmethod
    def eval(cls, left: Expr, right: Expr) -> Expr | None:
        if left == right:
            return S.One
        return S.Zero if left.is_Integer and right.is_Integer else None


def at(array: str, *indices: str | Expr) -> At:
    """The element of these indices, a name being a loop's variable."""
    return At(Symbol(array), *(Symbol(i) if isinstance(i, str) else i for i in indices))


@dataclass(frozen=True)
class Loop:
    """`variable` runs over the first `last` indices; up to and with another loop's variable."""

    variable: str
    last: int | str
    body: tuple[Step, ...]


@dataclass(frozen=True)
class _Scalar:
    """What is done to a scalar with a value."""

    name: str
    value: Expr


class Let(_Scalar):
    """A scalar that keeps its value."""


class Start(_Scalar):
    """A scalar that changes: its first value."""


class More(_Scalar):
    """scalar += value."""


class Put(_Scalar):
    """scalar = value, of one that changes."""


@dataclass(frozen=True)
class Store:
    """element = value."""

    element: At
    value: Expr


@dataclass(frozen=True)
class Mirror:
    """others = element: entries equal by symmetry."""

    element: At
    others: tuple[At, ...]


@dataclass(frozen=True)
class Call:
    """results = function(argument): an activation and its derivatives at one number."""

    function: str
    argument: Expr
    results: tuple[At, ...]


Step: TypeAlias = Loop | Let | Start | More | Put | Store | Mirror | Call


@dataclass(frozen=True)
class ScalarFunction:
    """σ⁽ʳ⁾(z) for r in `orders`: temporaries `shared` in order of evaluation, then `results`.

    They are those of `Activation.forms`, in the symbol `z`.
    """

    name: str
    activation: str
    orders: tuple[int, ...]
    shared: tuple[tuple[Symbol, Expr], ...]
    results: tuple[Expr, ...]


@dataclass(frozen=True)
class Routine:
    """One function of a generated file.

    results: the arrays it fills and their shapes; arrays: those it needs for itself; entries: the
    names of a result's numbers, where they were chosen one by one.
    """

    name: str
    orders: tuple[int, ...]
    results: Mapping[str, Shape]
    arrays: Mapping[str, Shape]
    body: tuple[Step, ...]
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lowered:
    """A network's routines, the functions they call, and its numbers."""

    n: int
    m: int
    routines: tuple[Routine, ...]
    functions: tuple[ScalarFunction, ...]
    constants: Mapping[str, NDArray[Any]] = field(repr=False)


# --- reading and changing steps -----------------------------------------------------------------


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step, a loop before what is in it."""
    for step in steps:
        yield step
        if isinstance(step, Loop):
            yield from walk(step.body)


def written(step: Step) -> tuple[At, ...]:
    """The elements that a step itself writes."""
    match step:
        case Store(element, _):
            return (element,)
        case Mirror(_, others):
            return others
        case Call(_, _, results):
            return results
    return ()


def read(step: Step) -> Expr:
    """What a step itself computes from, 0 for a loop."""
    match step:
        case Let(_, value) | Start(_, value) | More(_, value) | Put(_, value) | Store(_, value):
            return value
        case Call(_, argument, _):
            return argument
        case Mirror(element, _):
            return element
    return S.Zero


@lru_cache(maxsize=2**14)
def elements(expression: Expr) -> tuple[At, ...]:
    """The arrays' elements in an expression, each once."""
    return tuple(expression.atoms(At))


def changed(step: Step, change: Callable[[Expr], Expr]) -> Step:
    """The step, and all that is in it, with each of its expressions and elements changed."""
    match step:
        case Loop(variable, last, body):
            return Loop(variable, last, tuple(changed(inner, change) for inner in body))
        case Store(element, value):
            return Store(change(element), change(value))
        case Mirror(element, others):
            return Mirror(change(element), tuple(map(change, others)))
        case Call(function, argument, results):
            return Call(function, change(argument), tuple(map(change, results)))
    return replace(step, value=change(step.value))


def placed(steps: Iterable[Step], variable: str, index: int) -> tuple[Step, ...]:
    """The steps of the pass of a loop in which its variable is `index`."""
    where = {Symbol(variable): Integer(index)}

    def bounded(step: Step) -> Step:
        if not isinstance(step, Loop):
            return step
        last = index + 1 if step.last == variable else step.last
        return Loop(step.variable, last, tuple(map(bounded, step.body)))

    return tuple(bounded(changed(step, lambda e: e.xreplace(where))) for step in steps)
