"""What a printer of the loop form is given: a network's routines, and what to say about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from symnet import compiling, formulas, physical
from symnet.breaking import Kind, broken
from symnet.catalogue import PRECISIONS
from symnet.formulas.remarks import pasting
from symnet.languages.selftest import Expectation, expectations, selected
from symnet.languages.testpoints import right_in_single
from symnet.lowering import partials, programs, selecting
from symnet.lowering.counting import Count, operations
from symnet.lowering.loops import Let, Loop, Lowered, Routine, Shape, Start, walk
from symnet.names import called, check_called, commented
from symnet.network import Network
from symnet.witness import checking

Files = Mapping[str, str]
"""The text of each file, by its name."""

COLUMNS = 92
"""Of text in a comment."""

STACK = 2**20
"""Bytes of results that a stack has room for, whatever else is there: programs have 8 MB of it,
threads 2 MB or less."""

_ON_STACK = {"c": False, "cpp": False, "fortran": False, "rust": True}
"""Languages whose functions have their arrays on the stack, and whether their results as well."""


@dataclass(frozen=True)
class Job:
    """One network to write down.

    name: what its functions are called by, or begin with; command: how the text was asked for;
    only: the names of the partials that it computes, where it computes no others; single: whether
    single precision is right at the points, where a text has it.
    """

    network: Network
    order: int
    name: str
    precision: str
    lowered: Lowered = field(repr=False)
    points: NDArray = field(repr=False)
    expected: tuple[Expectation, ...] = field(repr=False)
    command: str = ""
    only: tuple[str, ...] = ()
    single: bool = True

    @classmethod
    def of(
        cls,
        network: Network,
        order: int = 2,
        name: str | None = None,
        precision: str = "double",
        command: str = "",
        only: Sequence[str] = (),
        language: str = "c",
    ) -> Job:
        """The job of a network, its derivatives checked first.

        With `only` the order is that of the highest partial in it. ValueError when a weight is
        symbolic, for a name that is no identifier or a word of the language, another precision than
        those of PRECISIONS, for one that is not right at the points, and for partials that there
        are not; CheckError when the derivatives fail their check.
        """
        if precision not in PRECISIONS:
            raise ValueError(f"precision {precision!r} is none of {', '.join(PRECISIONS)}")
        chosen = check_called(called(network.name, language) if name is None else name, language)
        entries = partials.named(network, only)
        order = max(entries, default=order)
        function = compiling.compiled(network, order)
        if entries:
            lowered = selecting.lowered(network, entries)
        else:
            lowered = programs.lowered(network, order)
        _check_inside(chosen, lowered)
        _check_range(lowered, precision)
        _check_stack(lowered, precision, language)
        checking.verify(function)
        if entries:
            points, expected = selected(network, function, precision, entries)
        else:
            points, expected = expectations(network, function, precision)
        asked = precision == "float" or language == "cpp"
        single = not asked or all(right_in_single(function, order, point) for point in points)
        if precision == "float" and not single:
            raise ValueError(
                "single precision gives other numbers than double at ordinary inputs: some on the "
                "way are too large or too small for it; leave out precision float"
            )
        only = tuple(only)
        return cls(
            network, order, chosen, precision, lowered, points, expected, command, only, single
        )

    def known(self, order: int) -> Expectation:
        """What is expected of the results of an order."""
        return next(known for known in self.expected if known.order == order)

    def stack(self, routine: Routine) -> int:
        """Bytes of a routine's own arrays."""
        return _bytes(routine.arrays, self.precision)

    @property
    def kept(self) -> bool:
        """Whether results are too large for a stack, and tests keep them elsewhere."""
        return any(_bytes(r.results, self.precision) > STACK for r in self.lowered.routines)

    def head(
        self,
        memory: str = "stack",
        functions: Collection[str] = (),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> list[str]:
        """What stands on top of each file, as plain lines of at most COLUMNS.

        memory: what the loops' arrays are called; "" where there are no such loops; functions:
        those of the file, where it does not have all of `programs.routines`; more: what else there
        is to say of a function, by its name.
        """
        net = self.network
        title = "alue and derivatives of a neural network with respect to its inputs."
        lines = [f"{net.name}: v{title}" if net.name else f"V{title}"]
        lines += ["", *_filled(f"Network: {net.describe()}.")]
        lines += _filled(f"Inputs x, in this order: {_names(net, net.input_names)}.")
        lines += _filled(f"Outputs y: {_names(net, net.output_names)}.")
        shapes: dict[str, tuple[int, ...]] = {"x": (self.lowered.n,)}
        shapes |= {name: s for r in self.lowered.routines for name, s in r.results.items()}
        sized = [f"{name} ({', '.join(map(str, shape))})" for name, shape in shapes.items()]
        lines += _filled(f"Shapes: {', '.join(sized)}.")
        for routine in self.lowered.routines:
            for result, labels in routine.entries.items():
                lines += _filled(f"Entries of {result}, in this order: {', '.join(labels)}.")
        shown = [r for r in self.lowered.routines if not functions or r.name in functions]
        arrays = {r.name: f"{self.stack(r):9,} bytes of {memory}" for r in shown if memory}
        counts = {r.name: self._counts[r.name] for r in shown}
        lines += ["", *costs(counts, {**arrays, **more}), *self._formulas, ""]
        return [*map(commented, lines), *self.made()]

    def made(self) -> list[str]:
        """What made a file, as plain lines."""
        return list(map(commented, _filled(made_by(self.command))))

    @cached_property
    def _counts(self) -> Mapping[str, Count]:
        return {r.name: operations(r, self.network.n) for r in self.lowered.routines}

    @cached_property
    def _formulas(self) -> list[str]:
        text = formulas.text(self.network, self.order, "layer", "text", columns=COLUMNS)
        shown = text.removeprefix(formulas.heading(self.network)).strip("\n")
        shown = shown.replace("∂²", "d2").replace("∂³", "d3").replace("∂", "d")
        of_sympy = pasting(self.network)
        kept = (line for line in shown.splitlines() if line not in of_sympy)
        lines = [found for line in kept for found in _filled(line, "    ")]
        return ["", "In a symbol for each layer's vector:", "", *lines]


def costs(counts: Mapping[str, Count], more: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """What a point costs by each routine, and what there is `more` to say of it."""
    rows = []
    for name, count in counts.items():
        work = f"{count.multiply_adds:9,} multiply-adds{count.calls:7,} activations"
        rows.append(f"  {name:24}{work}{more.get(name, '')}")
    return ["Each point takes", *rows]


def made_by(command: str) -> str:
    """What made a file, and whose it is."""
    asked = f": {command}" if command else ""
    return f"Generated by symnet {_version()}{asked}. The generated code is yours."


def _check_inside(name: str, lowered: Lowered) -> None:
    """ValueError where a text has the name for something else; Fortran is blind to case."""
    used = {*lowered.constants, *(function.name for function in lowered.functions)}
    for routine in lowered.routines:
        used |= {routine.name, *routine.results, *routine.arrays}
        used |= {s.name for s in walk(routine.body) if isinstance(s, (Let, Start))}
        used |= {s.variable for s in walk(routine.body) if isinstance(s, Loop)}
    if name.lower() in {own.lower() for own in used}:
        raise ValueError(
            f"name of what is generated: {name!r} is a name inside of its text; choose another"
        )


def _check_range(lowered: Lowered, precision: str) -> None:
    """ValueError where single precision is asked for, and weights are beyond its numbers.

    A bias, or a weight beside larger ones of its matrix, may become 0: it is nothing in their sums.
    """
    least, most = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    for name, values in lowered.constants.items() if precision == "float" else ():
        largest = float(np.max(np.abs(values), initial=0.0))
        if largest > most or (values.ndim > 1 and 0 < largest < least):
            raise ValueError(
                f"{name} holds numbers of size {largest:.3g}, and those of single precision are "
                f"{least:.3g} to {most:.3g}; leave out precision float"
            )


def _bytes(arrays: Mapping[str, Shape], precision: str) -> int:
    return (4 if precision == "float" else 8) * sum(map(prod, arrays.values()))


def _check_stack(lowered: Lowered, precision: str, language: str) -> None:
    """ValueError where a function would end a program for want of stack."""
    for routine in lowered.routines if language in _ON_STACK else ():
        own = _bytes(routine.arrays, precision)
        returned = _bytes(routine.results, precision) * _ON_STACK[language]
        if own > 4 * STACK or returned > STACK:
            raise ValueError(
                f"{routine.name} takes {own + returned:,} bytes of stack in {language}, more than "
                "programs have; use a lower order, chosen partials, language javascript, or c-batch"
            )


def check_apart(given: Sequence[str]) -> None:
    """ValueError where two are the same on a system, or in a language, that is blind to case."""
    seen: set[str] = set()
    for name in given:
        if name.lower() in seen:
            raise ValueError(f"two networks give {name}: their names must differ")
        seen.add(name.lower())


def _names(network: Network, names: Iterable[str]) -> str:
    return ", ".join(physical.bracketed(name, network.units.get(name)) for name in names)


def _filled(text: str, indent: str = "") -> list[str]:
    return broken(text, Kind(indent), COLUMNS)


def _version() -> str:
    try:
        return version("symnet")
    except PackageNotFoundError:
        return "(not installed)"
