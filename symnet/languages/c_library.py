"""Several networks in C: one header, a source for each, and one of what they share.

Activations are defined once, in NAME.c. NAME_functions.h declares them to the networks' sources
and is no part of the interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symnet.languages import c
from symnet.languages.job import Files, Job, check_apart
from symnet.languages.printing import own_functions
from symnet.lowering.loops import Call, Loop, Lowered, ScalarFunction, Step


def library(name: str, jobs: Sequence[Job]) -> Files:
    """NAME.h for all networks, a source for each, NAME.c with what they share and their test."""
    check_apart([f"{job.name}_{r.name}" for job in jobs for r in job.lowered.routines])
    declared = [line for job in jobs for line in [*c.comment(job.head()), "", *c.declarations(job)]]
    declared += ["/* 0 when the functions of all networks give what is expected. */"]
    made = {f"{name}.h": c.enclosed(name, [*declared, f"int {name}_self_test(void);"])}
    functions: list[ScalarFunction] = []
    own = [replace(job, lowered=_sharing(name, job.lowered, functions)) for job in jobs]
    includes = [f"{name}.h"]
    if functions:
        includes.append(f"{name}_functions.h")
        made[includes[1]] = _header(name, jobs, functions)
    made[f"{name}.c"] = _common(name, jobs, functions, includes)
    return made | {f"{job.name}.c": c.source(job, includes) for job in own}


def _sharing(name: str, lowered: Lowered, functions: list[ScalarFunction]) -> Lowered:
    """The same with the library's functions in place of its own; `functions` collects them."""
    names = {own.name: _shared(name, own, functions) for own in lowered.functions}
    routines = tuple(replace(r, body=_calling(r.body, names)) for r in lowered.routines)
    return replace(lowered, routines=routines, functions=())


def _shared(name: str, own: ScalarFunction, functions: list[ScalarFunction]) -> str:
    """What a function is called in the library: of one name there may be several formulas."""
    stem, k = f"{name}_{own.name}", 1
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


def _header(name: str, jobs: Sequence[Job], functions: Sequence[ScalarFunction]) -> str:
    printer = c.CPrinter(jobs[0].precision)
    about = [f"Activations of the networks of {name}, which their sources share.", ""]
    lines = [line for f in functions for line in c.activation_head(f, printer, "void", ";")]
    top = "\n".join(c.comment([*about, *jobs[0].made()]))
    return f"{top}\n{c.enclosed(f'{name}_functions', lines)}"


def _common(
    name: str, jobs: Sequence[Job], functions: Sequence[ScalarFunction], includes: Sequence[str]
) -> str:
    """The shared functions, and the self-tests."""
    names = [job.name for job in jobs]
    printer = c.CPrinter(jobs[0].precision)
    what = "Activations and the self-tests of" if functions else "The self-tests of"
    lines = c.comment([f"{what} {', '.join(names)}.", "", *jobs[0].made()])
    lines += [*(f'#include "{include}"' for include in includes), ""]
    if functions:
        everything = replace(jobs[0].lowered, routines=(), functions=tuple(functions))
        lines += ["#include <math.h>", "", c.GUARD]
        for own in own_functions(everything, printer):
            lines += [*c.returning(own, printer), ""]
        for function in functions:
            lines += [*c.activation(function, printer, "void"), ""]
    lines += [f"int {name}_self_test(void)", "{", "    int wrong = 0;"]
    lines += [f"    wrong |= {own}_self_test();" for own in names]
    lines += ["    return wrong;", "}", ""]
    main = _MAIN.format(name=name, macro=name.upper(), names=", ".join(names))
    return "\n".join([*lines, *main.split("\n")])


_MAIN = """\
#ifdef {macro}_TEST
#include <stdio.h>

int main(void)
{{
    const int wrong = {name}_self_test();
    (void)printf("self-test %s: {names}\\n", wrong == 0 ? "ok" : "WRONG");
    return wrong;
}}
#endif
"""
