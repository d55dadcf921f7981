"""What several networks of one library have in common: each activation defined once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symnet.languages.job import Job
from symnet.lowering.loops import Call, Loop, Lowered, ScalarFunction, Step


def shared(
    jobs: Sequence[Job], prefix: str = "", place: str = ""
) -> tuple[list[Job], tuple[ScalarFunction, ...]]:
    """The jobs with the library's activations in place of their own, and these.

    prefix: of their names; place: what stands before a name where it is called.
    """
    functions: list[ScalarFunction] = []
    return [
        replace(job, lowered=_sharing(job.lowered, functions, prefix, place)) for job in jobs
    ], tuple(functions)


def alone(jobs: Sequence[Job], functions: tuple[ScalarFunction, ...]) -> Lowered:
    """The functions as a text of their own, without a network."""
    return replace(jobs[0].lowered, routines=(), constants={}, functions=functions)


def _sharing(lowered: Lowered, functions: list[ScalarFunction], prefix: str, place: str) -> Lowered:
    names = {own.name: place + _shared(prefix, own, functions) for own in lowered.functions}
    routines = tuple(replace(r, body=_calling(r.body, names)) for r in lowered.routines)
    return replace(lowered, routines=routines, functions=())


def _shared(prefix: str, own: ScalarFunction, functions: list[ScalarFunction]) -> str:
    """What a function is called in the library: of one name there may be several formulas."""
    stem, k = prefix + own.name, 1
    found = replace(own, name=stem)
    known = {function.name: function for function in functions}
    while known.get(found.name, found) != found:
        k += 1
        found = replace(own, name=f"{stem}_{k}")
    if found.name not in known:
        functions.append(found)
    return found.name


def _calling(steps: Iterable[Step], names: Mapping[str, str]) -> tuple[Step, ...]:
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Loop):
            step = replace(step, body=_calling(step.body, names))
        elif isinstance(step, Call):
            step = replace(step, function=names[step.function])
        found.append(step)
    return tuple(found)
