"""Several networks in C++: a header for each, and one of all that tests them.

Activations are defined once, in NAME_functions.hpp, which the networks' headers include.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.languages import cpp
from symnet.languages.c import comment
from symnet.languages.job import Files, Job, check_apart
from symnet.languages.sharing import alone, shared
from symnet.lowering.loops import ScalarFunction


def library(name: str, jobs: Sequence[Job]) -> Files:
    """NAME.hpp, NAME_functions.hpp, and a header with a namespace for each network."""
    common = f"{name}_functions"
    check_apart([name, common, *(job.name for job in jobs)])
    own, functions = shared(jobs, place=f"{common}::")
    made = {f"{name}.hpp": _gathering(name, jobs)}
    if functions:
        made[f"{common}.hpp"] = _functions(name, jobs, functions)
    includes = [f"{common}.hpp"] if functions else []
    return made | {f"{job.name}.hpp": cpp.source(job, includes) for job in own}


def _gathering(name: str, jobs: Sequence[Job]) -> str:
    names = [job.name for job in jobs]
    errors = [error for job in jobs for error in cpp.worst_errors(job)]
    listed = "".join(f"        {error},\n" for error in errors)
    main = _MAIN.format(macro=name.upper(), errors=listed, names=", ".join(names))
    lines = [*(f'#include "{own}.hpp"' for own in names), "", *main.split("\n")]
    about = comment([f"Networks: {', '.join(names)}.", "", *jobs[0].made()])
    return "\n".join([*about, *cpp.guarded(name, lines)])


def _functions(name: str, jobs: Sequence[Job], functions: tuple[ScalarFunction, ...]) -> str:
    common = f"{name}_functions"
    about = [f"Activations of the networks of {name}, which their headers share.", ""]
    lines = [*cpp.INCLUDES, f"namespace {common} {{", ""]
    printer = cpp.CppPrinter(())
    own = cpp.defined(alone(jobs, functions), printer)
    lines += [*cpp.declared(printer), *own, f"}} // namespace {common}", ""]
    return "\n".join([*comment([*about, *jobs[0].made()]), *cpp.guarded(common, lines)])


_MAIN = """\
#ifdef {macro}_TEST
#include <cstdio>

int main()
{{
    const double errors[] = {{
{errors}    }};
    double worst = 0.0;
    for (const double error : errors) {{
        worst = error > worst ? error : worst;
    }}
    const char *verdict = worst <= 1.0 ? "ok" : "WRONG";
    std::printf("self-test %s: {names}, %.2g of the allowed error\\n", verdict, worst);
    return worst <= 1.0 ? 0 : 1;
}}
#endif
"""
