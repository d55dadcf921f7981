"""Several networks in C: one header, a source for each, and one of what they share.

Activations are defined once, in NAME.c. NAME_functions.h declares them to the networks' sources
and is no part of the interface.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.languages import c
from symnet.languages.job import Files, Job, check_apart
from symnet.languages.printing import own_functions
from symnet.languages.sharing import alone, shared
from symnet.lowering.loops import ScalarFunction


def library(name: str, jobs: Sequence[Job]) -> Files:
    """NAME.h for all networks, a source for each, NAME.c with what they share and their test."""
    check_apart([f"{job.name}_{r.name}" for job in jobs for r in job.lowered.routines])
    declared = [line for job in jobs for line in [*c.comment(job.head()), "", *c.declarations(job)]]
    declared += ["/* 0 when the functions of all networks give what is expected. */"]
    made = {f"{name}.h": c.enclosed(name, [*declared, f"int {name}_self_test(void);"])}
    own, functions = shared(jobs, f"{name}_")
    includes = [f"{name}.h"]
    if functions:
        includes.append(f"{name}_functions.h")
        made[includes[1]] = _header(name, jobs, functions)
    made[f"{name}.c"] = _common(name, jobs, functions, includes)
    return made | {f"{job.name}.c": c.source(job, includes) for job in own}


def _header(name: str, jobs: Sequence[Job], functions: Sequence[ScalarFunction]) -> str:
    printer = c.CPrinter(jobs[0].precision)
    about = [f"Activations of the networks of {name}, which their sources share.", ""]
    lines = [line for f in functions for line in c.activation_head(f, printer, "void", ";")]
    top = "\n".join(c.comment([*about, *jobs[0].made()]))
    return f"{top}\n{c.enclosed(f'{name}_functions', lines)}"


def _common(
    name: str, jobs: Sequence[Job], functions: tuple[ScalarFunction, ...], includes: Sequence[str]
) -> str:
    """The shared functions, and the self-tests."""
    names = [job.name for job in jobs]
    printer = c.CPrinter(jobs[0].precision)
    what = "Activations and the self-tests of" if functions else "The self-tests of"
    lines = c.comment([f"{what} {', '.join(names)}.", "", *jobs[0].made()])
    lines += [*(f'#include "{include}"' for include in includes), ""]
    if functions:
        everything = alone(jobs, functions)
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
