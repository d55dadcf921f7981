"""The loop form as cells of a spreadsheet: loops unrolled, each vector a column of its own.

A cell is written once: where a loop fills an array again, its pass has columns of its own. A sum of
products of columns is one SUMPRODUCT, so that formulas stay short at any width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeAlias

from sympy import Add, Expr, Integer, Mul, Symbol
from sympy.core.function import AppliedUndef, Function

from symnet.languages.cell_printer import CellPrinter
from symnet.lowering import elementary
from symnet.lowering.loops import (
    At,
    Call,
    Let,
    Loop,
    Mirror,
    More,
    Put,
    ScalarFunction,
    Start,
    Step,
    Store,
    walk,
)

COLUMNS = 16_384
"""That a sheet has, in Excel and LibreOffice."""

CELLS = 300_000
"""More take minutes to load; also of weights."""

_LONGEST, _DEEPEST = 8_192, 64  # characters of a formula, with its equals sign, and its levels
_TERMS = 40  # of a sum without ranges
_PASSES = ("r", "s")  # loops over a vector's entries, which are rows

Place: TypeAlias = tuple[str, int, int]
"""A sheet, a row and a column, from 1."""


def letters(column: int) -> str:
    """A column's name: A, …, Z, AA, …"""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def address(place: Place, seen_from: str = "") -> str:
    """A cell's address, with its sheet for another sheet."""
    sheet, row, column = place
    prefix = "" if sheet == seen_from else f"'{sheet}'!" if not sheet.isalpha() else f"{sheet}!"
    return f"{prefix}{letters(column)}{row}"


@dataclass
class Cells:
    """The formulas of a routine, by their places; the columns of `sheet` are the vectors.

    known: where inputs, weights and results stand; upright: for a matrix, where its transpose does;
    rewritten: of the results those that are `made_of_themselves`.
    """

    sheet: str
    known: dict[tuple[str, tuple[int, ...]], Place]
    results: frozenset[str]
    rewritten: frozenset[str]
    functions: Mapping[str, ScalarFunction]
    transpose: Callable[[str], Mapping[tuple[int, ...], Place]]
    first_row: int = 3
    formulas: dict[Place, str] = field(default_factory=dict)
    headings: dict[int, str] = field(default_factory=dict)
    _columns: dict[object, int] = field(default_factory=dict)
    _scalars: dict[str, Place] = field(default_factory=dict)
    _sums: dict[str, list[str]] = field(default_factory=dict)
    _ends: dict[tuple[str, tuple[int, ...]], Place] = field(default_factory=dict)
    _printer: CellPrinter = field(default_factory=CellPrinter)

    # --- places ---------------------------------------------------------------------------------

    def new(self, key: object, heading: str, row: int) -> Place:
        """A cell of the column that `key` has, or gets."""
        if key not in self._columns:
            self._columns[key] = column = len(self._columns) + 1
            self.headings[column] = heading
        if self._columns[key] > COLUMNS or len(self.formulas) >= CELLS:
            raise ValueError(TOO_LARGE)
        return self.sheet, self.first_row + row, self._columns[key]

    def put(self, place: Place, formula: str) -> None:
        """A formula without its equals sign. ValueError for one that no cell holds."""
        if len(formula) >= _LONGEST or _depth(formula) > _DEEPEST:
            raise ValueError(
                f"a formula has {len(formula):,} characters in {_depth(formula)} levels of "
                f"brackets, but a cell holds {_LONGEST:,} in {_DEEPEST}; use another language"
            )
        self.formulas[place] = formula

    def text(self, expression: Expr, env: Mapping[str, int], sheet: str) -> str:
        """An expression whose elements and scalars are addresses, for a cell of `sheet`."""
        expression = _at_pass(expression, env)
        names: dict[Expr, Expr] = {}
        for e in expression.atoms(At):
            names[e] = Symbol(address(self.known[_key(e)], sheet))
        for e in expression.atoms(Symbol):
            if e.name in self._scalars or e.name in self._sums:
                names[e] = Symbol(address(self.scalar(e.name, env), sheet))
        return self._printer.text(expression.xreplace(names))

    def scalar(self, name: str, env: Mapping[str, int]) -> Place:
        """The cell of a scalar; a sum is complete when it is read."""
        if name in self._sums:
            key = ("sum", name, _outer(env), len(self._columns) if "r" not in env else "")
            self.settle(name, self.new(key, f"sum{_passes(env)}", env.get("r", 0)))
        return self._scalars[name]

    def settle(self, name: str, place: Place) -> None:
        """Write a sum into a cell, a long one by way of others."""
        terms = self._sums.pop(name)
        while len(terms) > _TERMS:
            parts = []
            for k in range(0, len(terms), _TERMS):
                part = self.new(("part", place, len(terms)), "partial sums", k // _TERMS)
                self.put(part, _plus(terms[k : k + _TERMS]))
                parts.append(address(part, place[0]))
            terms = parts
        self.put(place, _plus(terms))
        self._scalars[name] = place

    # --- steps ----------------------------------------------------------------------------------

    def run(self, steps: Iterable[Step], env: Mapping[str, int]) -> None:
        """Write the cells of these steps, the loops around them being at `env`."""
        for step in steps:
            match step:
                case Loop(variable, last, body):
                    count = last if isinstance(last, int) else env[last] + 1
                    if not self._range(step, count, env):
                        for k in range(count):
                            self.run(body, {**env, variable: k})
                case Start(name, value):
                    self._scalars.pop(name, None)
                    zero = value.is_number and value == 0
                    self._sums[name] = [] if zero else self._summands(value, env)
                case More(name, value):
                    self._reopen(name)
                    self._sums[name] += self._summands(value, env)
                case Let(name, value) | Put(name, value):
                    self._assign(step, name, value, env)
                case Store(element, value):
                    self._store(_at_pass(element, env), value, env)
                case Mirror(element, others):
                    source = _at_pass(element, env)
                    for other in dict.fromkeys(_at_pass(other, env) for other in others):
                        if other != source:  # on the diagonal they are one
                            self._store(other, source, env)
                case Call():
                    self._call(step, env)
                case _:
                    raise TypeError(f"{type(step).__name__} is no step")

    def _reopen(self, name: str) -> None:
        if name not in self._sums:
            self._sums[name] = [address(self._scalars.pop(name), self.sheet)]

    def _summands(self, value: Expr, env: Mapping[str, int]) -> list[str]:
        found = [self.text(term, env, "") for term in Add.make_args(value)]
        return [f"({text})" if text.startswith("-") else text for text in found if text != "0.0"]

    def _assign(self, step: Let | Put, name: str, value: Expr, env: Mapping[str, int]) -> None:
        if isinstance(step, Put):
            self.scalar(name, env)
        place = self.new((id(step), _outer(env)), f"{name}{_passes(env)}", env.get("r", 0))
        self.put(place, self.text(value, env, self.sheet))
        self._sums.pop(name, None)
        self._scalars[name] = place

    def _place_of(self, element: At, env: Mapping[str, int], value: Expr) -> Place:
        """Where an element is written: a result where it stands, else in a column."""
        array, indices = _key(element)
        if array in self.results:
            end = self._ends.setdefault((array, indices), self.known[array, indices])
            if array not in self.rewritten or value.has(element):
                return end
        *axes, row = indices
        key = (array, tuple(axes), _outer(env), _written(self.known.get((array, indices))))
        heading = array + (f"[{', '.join(str(k + 1) for k in axes)}]" if axes else "")
        return self.new(key, heading + _passes(env), row)

    def _store(self, element: At, value: Expr, env: Mapping[str, int]) -> None:
        place = self._place_of(element, env, _at_pass(value, env))
        if isinstance(value, Symbol) and value.name in self._sums:
            self.settle(value.name, place)
        else:
            self.put(place, self.text(value, env, place[0]))
        self.known[_key(element)] = place

    def _range(self, step: Loop, count: int, env: Mapping[str, int]) -> bool:
        """Whether a loop is one sum of products of columns; it is written as that."""
        if len(step.body) != 1 or not isinstance(step.body[0], More):
            return False
        more, running = step.body[0], Symbol(step.variable)
        ranges, others = [], []
        for factor in Mul.make_args(more.value):
            if not factor.has(running):
                others.append(factor)
                continue
            if not isinstance(factor, At):
                return False
            found = self._column(factor, step.variable, count, env)
            if found is None:
                return False
            ranges.append(found)
        if not ranges:
            return False
        self._reopen(more.name)
        front = "".join(f"{self.text(o, env, '')}*" for o in others)
        self._sums[more.name].append(f"{front}SUMPRODUCT({', '.join(ranges)})")
        return True

    def _column(self, element: At, variable: str, count: int, env: Mapping[str, int]) -> str | None:
        keys = [_key(_at_pass(element, {**env, variable: k})) for k in range(count)]
        places = [self.known[key] for key in keys]
        if not _upright(places) and len(keys[0][1]) == 2 and keys[0][0] not in self.results:
            turned = self.transpose(keys[0][0])
            places = [turned[key[1]] for key in keys] if turned else places
        if not _upright(places):
            return None
        return f"{address(places[0])}:{address(places[-1]).rpartition('!')[2]}"

    # --- activations ----------------------------------------------------------------------------

    def _call(self, step: Call, env: Mapping[str, int]) -> None:
        """An activation: its temporaries and results are columns beside each other."""
        function, row, outer = self.functions[step.function], env.get("r", 0), _outer(env)
        argument = _at_pass(step.argument, env)
        if isinstance(argument, At):
            z = self.known[_key(argument)]
        elif isinstance(argument, Symbol) and argument.name in self._scalars:
            z = self._scalars[argument.name]
        else:
            target = _key(_at_pass(step.results[0], env))[0]
            z = self.new((id(step), "z", outer), f"argument of {target}{_passes(env)}", row)
            if isinstance(argument, Symbol) and argument.name in self._sums:
                self.settle(argument.name, z)
            else:
                self.put(z, self.text(argument, env, self.sheet))
        inside = self._shared(function, z, (id(step), outer), row, _passes(env))
        for result, value in zip(step.results, function.results, strict=True):
            element = _at_pass(result, env)
            place = self._place_of(element, env, value)
            key = (id(step), outer, str(result))
            self.put(place, self._scalar(value, inside, place, key, row))
            self.known[_key(element)] = place

    def _shared(
        self, function: ScalarFunction, z: Place, key: object, row: int, passes: str
    ) -> dict[Expr, Place]:
        """The cells of a function's argument and temporaries."""
        inside: dict[Expr, Place] = {Symbol("z", real=True): z}
        label = function.activation or function.name
        for symbol, value in function.shared:
            place = self.new((key, symbol.name), f"{symbol.name} of {label}{passes}", row)
            self.put(place, self._scalar(value, inside, place, (key, symbol.name), row))
            inside[symbol] = place
        return inside

    def _scalar(
        self, value: Expr, inside: Mapping[Expr, Place], target: Place, key: object, row: int
    ) -> str:
        """A formula of places; functions that spreadsheets lack take cells of their own."""
        lacking = [
            f
            for f in value.atoms(Function, AppliedUndef)
            if type(f).__name__.lower() in self._printer.lacking
        ]
        for k, f in enumerate(sorted(lacking, key=lambda f: (f.count_ops(), str(f)))):
            own = elementary.own(type(f).__name__.lower())
            here = (key, own.name, k)
            z = self.new((here, "z"), f"z of {own.name}", row)
            self.put(z, self._scalar(f.args[0], inside, z, (here, "of"), row))
            place_of = self._shared(own, z, here, row, "")
            place = self.new((here, "result"), own.name, row)
            self.put(place, self._scalar(own.results[0], place_of, place, (here, "r"), row))
            found = Symbol(f"own{id(place)}", real=True)
            inside = {**inside, found: place}
            value = value.xreplace({f: found})
        names = {s: Symbol(address(p, target[0]), real=True) for s, p in inside.items()}
        return self._printer.text(value.xreplace(names))


TOO_LARGE = (
    f"the network takes more than {CELLS:,} cells or {COLUMNS:,} columns, and a workbook of that "
    "size is not opened in reasonable time; use language c, or python"
)


def made_of_themselves(steps: Iterable[Step]) -> frozenset[str]:
    """Arrays whose entries are written anew of what they were, as a softmax divides by its sum."""
    stores = (step for step in walk(steps) if isinstance(step, Store))
    return frozenset(step.element.array for step in stores if step.value.has(step.element))


def _at_pass(expression: Expr, env: Mapping[str, int]) -> Expr:
    return expression.xreplace({Symbol(name): Integer(k) for name, k in env.items()})


def _key(element: At) -> tuple[str, tuple[int, ...]]:
    return element.array, tuple(int(k) for k in element.indices)


def _outer(env: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((name, k) for name, k in env.items() if name not in _PASSES)


def _passes(env: Mapping[str, int]) -> str:
    """The pass of the loops around a column, counted from 1 as everywhere."""
    found = ", ".join(f"{name}={k + 1}" for name, k in _outer(env))
    return f" ({found})" if found else ""


def _written(place: Place | None) -> int | None:
    """What tells an array filled again from the same array before."""
    return None if place is None else place[2]


def _upright(places: list[Place]) -> bool:
    sheet, row, column = places[0]
    return all(place == (sheet, row + k, column) for k, place in enumerate(places))


def _depth(formula: str) -> int:
    """Levels of brackets."""
    return max(accumulate({"(": 1, ")": -1}.get(letter, 0) for letter in formula), default=0)


def _plus(terms: list[str]) -> str:
    return " + ".join(terms) or "0"
