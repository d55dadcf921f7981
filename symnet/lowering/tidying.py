"""Steps as a person would write them: no needless loops, sums, arrays or names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from sympy import Add, Expr, Symbol

from symnet.lowering.loops import (
    Let,
    Loop,
    Mirror,
    More,
    Put,
    Start,
    Step,
    Store,
    changed,
    elements,
    placed,
    read,
    walk,
)


def tidied(steps: Iterable[Step], kept: Iterable[str]) -> tuple[Step, ...]:
    """The same without what a person would not write.

    Loops of one pass are their body, sums of one term are no sums, and arrays that nobody reads,
    `kept` aside, are not written. No name is given twice in a scope.
    """
    found = _flattened(tuple(steps))
    return _named(_plain(_read_only(found, frozenset(kept))), {})


def _flattened(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Mirror):
            others = tuple(dict.fromkeys(e for e in step.others if e != step.element))
            found += [Mirror(step.element, others)] if others else []
        elif not isinstance(step, Loop):
            found.append(step)
        elif step.last == 1:
            found += _flattened(placed(step.body, step.variable, 0))
        elif body := _flattened(step.body):
            found.append(Loop(step.variable, step.last, body))
    return tuple(found)


def _read_only(steps: tuple[Step, ...], kept: frozenset[str]) -> tuple[Step, ...]:
    used = {e.array for step in walk(steps) for e in elements(read(step))} | kept

    def needed(steps: tuple[Step, ...]) -> Iterator[Step]:
        for step in steps:
            if isinstance(step, Loop):
                yield Loop(step.variable, step.last, tuple(needed(step.body)))
            elif not isinstance(step, Store) or step.element.array in used:
                yield step

    return tuple(needed(steps))


def _plain(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Sums that are complete where they start are constants, and those used once are no names."""
    found: list[Step] = []
    for step in steps:
        before = found[-1] if found else None
        if isinstance(step, Loop):
            found.append(Loop(step.variable, step.last, _plain(step.body)))
        elif isinstance(step, More) and isinstance(before, Start) and before.name == step.name:
            total = Add(*_summands(before.value), *_summands(step.value), evaluate=False)
            found[-1] = Start(step.name, total if before.value != 0 else step.value)
        else:
            found.append(step)
    return _without_single_uses(tuple(found))


def _summands(value: Expr) -> tuple[Expr, ...]:
    return tuple(Add.make_args(value))


def _without_single_uses(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """A scalar that is stored at once, and not used again, is stored without a name."""
    found: list[Step] = []
    skipped = False
    for k, step in enumerate(steps):
        if skipped or not isinstance(step, Start):
            found += [] if skipped else [step]
            skipped = False
            continue
        later = list(_scope(steps[k + 1 :], step.name))
        if any(isinstance(s, (More, Put)) and s.name == step.name for s in later):
            found.append(step)
            continue
        symbol = Symbol(step.name)
        uses = sum(read(s).has(symbol) for s in later)
        first = later[0]
        if uses == 1 and isinstance(first, Store) and first.value == symbol:
            found.append(Store(first.element, step.value))
            skipped = True
        else:
            found.append(Let(step.name, step.value))
    return tuple(found)


def _scope(steps: tuple[Step, ...], name: str) -> Iterator[Step]:
    """The steps for which a name means this: in each loop up to where it starts again."""
    for step in steps:
        if isinstance(step, (Let, Start)) and step.name == name:
            return
        yield step
        if isinstance(step, Loop):
            yield from _scope(step.body, name)


def _renamed(names: Mapping[Expr, Expr], expression: Expr) -> Expr:
    return expression.xreplace(names)


def _named(
    steps: tuple[Step, ...], known: Mapping[str, str], outer: frozenset[str] = frozenset()
) -> tuple[Step, ...]:
    """Scalars renamed where a name would be given twice in one scope, or hide one outside."""
    names, taken = dict(known), set(outer)
    found: list[Step] = []
    for step in steps:
        meant = {Symbol(a): Symbol(b) for a, b in names.items() if a != b}
        if isinstance(step, Loop):
            found.append(Loop(step.variable, step.last, _named(step.body, names, frozenset(taken))))
            continue
        step = changed(step, partial(_renamed, meant))
        if isinstance(step, (Let, Start)):
            new, k = step.name, 1
            while new in taken:
                k += 1
                new = f"{step.name}{k}"
            names[step.name] = new
            taken.add(new)
            step = replace(step, name=new)
        elif isinstance(step, (More, Put)):
            step = replace(step, name=names[step.name])
        found.append(step)
    return tuple(found)
