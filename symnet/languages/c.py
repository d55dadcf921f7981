"""C99 in loops: a `.c` and a `.h` without heap, threads, state or anything but libm.

They are valid C++ and keep to what every compiler has (no arrays of variable size, no `restrict`);
all weights are `static const`, so that they stay in flash memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from symnet.backends.c.text import library as excerpts
from symnet.breaking import broken, listed
from symnet.languages.job import Files, Job
from symnet.languages.printing import (
    Printer,
    nested,
    own_functions,
    reads_argument,
    reads_inputs,
)
from symnet.lowering.loops import Routine, ScalarFunction, Shape
from symnet.names import commented

_COMMENT = 92  # columns of text in a comment

STYLE = (
    "{BasedOnStyle: WebKit, NamespaceIndentation: None, PointerAlignment: Right, "
    "Cpp11BracedListStyle: true}"
)
"""Of clang-format, which changes nothing; tables of numbers are left as they are."""

UNFORMATTED, FORMATTED = "/* clang-format off */", "/* clang-format on */"

GUARD = excerpts.text("arithmetic")
"""An error, with what to leave out, for flags that change arithmetic."""


class CPrinter(Printer):
    """Steps as C."""

    times: ClassVar[str] = " * "
    over: ClassVar[str] = " / "

    @property
    def suffix(self) -> str:
        """What the functions of math.h and numbers end with."""
        return "f" if self.precision == "float" else ""

    def literal(self, text: str) -> str:
        return text + ("F" if self.precision == "float" else "")

    def call(self, function: str, arguments: Sequence[str]) -> str:
        if function in self.lacking:
            return f"{function}_of({', '.join(arguments)})"
        name = {"abs": "fabs", **self.functions}.get(function, function)
        return f"{name}{self.suffix}({', '.join(arguments)})"

    def undefined(self, argument: str, place: int = 0) -> str:
        """Quiet: of 0/0 the processor's flag of invalid operations would be raised inside, too."""
        return "NAN" if self.precision == "float" else "(double)NAN"

    def loop(self, variable: str, last: int | str) -> str:
        bound = f"< {last}" if isinstance(last, int) else f"<= {last}"
        return f"for (int {variable} = 0; {variable} {bound}; {variable}++) {{"

    def let(self, name: str, value: str) -> str:
        return f"const {self.precision} {name} = {value}"

    def start(self, name: str, value: str) -> str:
        return f"{self.precision} {name} = {value}"

    def declare(self, name: str) -> str:
        return f"{self.precision} {name}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        return f"{function}({', '.join([argument, *(f'&{result}' for result in results)])})"

    def array(self, name: str, shape: Shape) -> str:
        """An array's declaration."""
        return f"{self.precision} {name}{''.join(f'[{size}]' for size in shape)}"


def files(job: Job) -> Files:
    """NAME.h and NAME.c."""
    return {f"{job.name}.h": header(job), f"{job.name}.c": source(job)}


def header(job: Job) -> str:
    """The declarations, with what they compute."""
    return "\n".join(comment(job.head())) + "\n" + enclosed(job.name, declarations(job)[:-1])


def enclosed(name: str, lines: Sequence[str], includes: Sequence[str] = ()) -> str:
    """Declarations as a header, which may be included twice, and in C++."""
    macro = f"{name.upper()}_H"
    before = [f"#ifndef {macro}", f"#define {macro}", ""]
    before += [*(f"#include <{include}>" for include in includes), *[""] * bool(includes)]
    before += ["#ifdef __cplusplus", 'extern "C" {']
    after = ["", "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""]
    return "\n".join([*before, "#endif", "", *lines, *after])


def declarations(job: Job) -> list[str]:
    """The prototypes of a network's functions."""
    printer, lines = CPrinter(job.precision), []
    for routine in job.lowered.routines:
        lines += [*_documented(routine), *_prototype(job, routine, printer, ";"), ""]
    lines += [f"/* 0 when all functions give what is expected at {len(job.points)} points. */"]
    return [*lines, f"int {job.name}_self_test(void);", ""]


def source(job: Job, includes: Sequence[str] = ()) -> str:
    """The functions; `includes` are headers with their declarations, NAME.h where none is said."""
    printer = CPrinter(job.precision)
    lines = [*(f'#include "{include}"' for include in includes or [f"{job.name}.h"]), ""]
    own = own_functions(job.lowered, printer)
    lines += ["#include <math.h>", "", GUARD]
    lines += [UNFORMATTED, ""] if job.lowered.constants else []
    for name, values in job.lowered.constants.items():
        shape = "".join(f"[{size}]" for size in values.shape)
        opening = f"static const {job.precision} {name}{shape} = "
        lines += [*nested(values, printer, before=opening, end=";"), ""]
    lines += [FORMATTED, ""] if job.lowered.constants else []
    for function in own:
        lines += [*returning(function, printer), ""]
    for function in job.lowered.functions:
        lines += [*activation(function, printer), ""]
    for routine in job.lowered.routines:
        lines += [*_function(job, routine, printer), ""]
    return "\n".join([*comment(job.head()), *lines, *_self_test(job, printer)])


def comment(lines: Sequence[str]) -> list[str]:
    """The lines in one comment."""
    return ["/*", *(f" * {line}".rstrip() for line in lines), " */"]


def _documented(routine: Routine) -> list[str]:
    names = {
        0: "y[p]",
        1: "jacobian[p][i] = dy_p/dx_i",
        2: "hessian[p][i][j] = d2y_p/dx_i dx_j",
    }
    if routine.entries:
        chosen = [
            f"{name}[{k}] = {e}" for name, es in routine.entries.items() for k, e in enumerate(es)
        ]
        return comment(broken(commented(", ".join(chosen)), width=_COMMENT))
    shown = ", ".join(
        names.get(r, f"derivative{r}: partial derivatives of order {r}") for r in routine.orders
    )
    return [f"/* {shown} */"]


def _prototype(job: Job, routine: Routine, printer: CPrinter, end: str) -> list[str]:
    arguments = [f"const {printer.array('x', (job.lowered.n,))}"]
    arguments += [printer.array(name, shape) for name, shape in routine.results.items()]
    return _signature(f"void {job.name}_{routine.name}(", arguments, printer, end)


def _signature(opening: str, arguments: list[str], printer: CPrinter, end: str) -> list[str]:
    line = f"{opening}{', '.join(arguments)}){end}"
    if len(line) <= printer.width:
        return [line]
    return [opening, *listed(arguments, printer.width, "    ", f"){end}")]


def returning(function: ScalarFunction, printer: CPrinter) -> list[str]:
    """An elementary function that C lacks."""
    printer.function()
    kind = printer.precision
    return [
        f"static {kind} {function.name}_of({kind} z)",
        "{",
        *printer.shared(function.shared),
        *printer.assigned("return", "", function.results[0]),
        "}",
    ]


def activation(function: ScalarFunction, printer: CPrinter, kind: str = "static void") -> list[str]:
    """The function of an activation and its derivatives."""
    printer.function()
    lines = [f"/* {function.activation} and its derivatives: orders {_orders(function)} of z. */"]
    lines += [*activation_head(function, printer, kind), "{", *printer.shared(function.shared)]
    if not reads_argument(function):
        lines.append("    (void)z;")
    for name, result in zip(_pointers(function), function.results, strict=True):
        lines += printer.assigned("set", f"*{name}", result)
    return [*lines, "}"]


def activation_head(
    function: ScalarFunction, printer: CPrinter, kind: str, end: str = ""
) -> list[str]:
    """Its first line, or its prototype."""
    arguments = [f"{printer.precision} z"]
    arguments += [f"{printer.precision} *{name}" for name in _pointers(function)]
    return _signature(f"{kind} {function.name}(", arguments, printer, end)


def _pointers(function: ScalarFunction) -> list[str]:
    return [f"sigma{order}" for order in function.orders]


def _orders(function: ScalarFunction) -> str:
    return ", ".join(map(str, function.orders))


def _function(job: Job, routine: Routine, printer: CPrinter) -> list[str]:
    printer.function()
    lines = [*_prototype(job, routine, printer, ""), "{"]
    lines += [f"    {printer.array(name, shape)};" for name, shape in routine.arrays.items()]
    lines += [""] * bool(routine.arrays)
    if not reads_inputs(routine.body):
        lines.append("    (void)x;")
    return [*lines, *printer.lines(routine.body), "}"]


def _self_test(job: Job, printer: CPrinter) -> list[str]:
    worst = _WORST.format(
        kind=job.precision, f=printer.suffix, zero=printer.number(0), most=printer.literal("1e30")
    )
    main = _MAIN.format(
        name=job.name, macro=job.name.upper(), one=printer.number(1), count=len(job.points)
    )
    return [
        "/* --- self-test: what another engine gives at three points, and allowed errors --- */",
        "",
        *_known(job, printer),
        *worst.split("\n"),
        *_worst_error(job, printer),
        *main.split("\n"),
    ]


def _known(job: Job, printer: CPrinter) -> list[str]:
    """The points, and at each what is expected and by how much it may be missed."""
    count = len(job.points)
    tables = {f"points[{count}][{job.lowered.n}]": job.points}
    for known in job.expected:
        shape = f"[{count}][{known.expected.shape[1]}]"
        tables[f"expected{known.order}{shape}"] = known.expected
        tables[f"allowed{known.order}[{known.allowed.size}]"] = known.allowed
    lines = [UNFORMATTED, ""]
    for name, values in tables.items():
        before = f"static const {job.precision} {name} = "
        lines += [*nested(values, printer, before=before, end=";"), ""]
    return [*lines, FORMATTED, ""]


def _worst_error(job: Job, printer: CPrinter) -> list[str]:
    """The function that calls all routines at each point."""
    kind = job.precision
    lines = [
        f"static {kind} worst_error(void)",
        "{",
        f"    {kind} worst = {printer.number(0)};",
        f"    {kind} error;",
    ]
    results = {name: shape for r in job.lowered.routines for name, shape in r.results.items()}
    kept = "static " * job.kept
    lines += [f"    {kept}{printer.array(name, shape)};" for name, shape in results.items()]
    lines += [f"    for (int k = 0; k < {len(job.points)}; k++) {{"]
    for routine in job.lowered.routines:
        lines.append(
            f"        {job.name}_{routine.name}({', '.join(['points[k]', *routine.results])});"
        )
        for order, (name, sizes) in zip(routine.orders, routine.results.items(), strict=True):
            known = job.known(order)
            first = f"&{name}{'[0]' * len(sizes)}"
            arguments = [first, f"expected{order}[k]", f"allowed{order}"]
            arguments += [str(known.allowed.size), str(known.stride)]
            lines += [f"        error = error_of({', '.join(arguments)});"]
            lines += ["        worst = larger(worst, error);"]
    return [*lines, "    }", "    return worst;", "}", ""]


_WORST = """\
/* NaN counts as a large error. */
static {kind} larger({kind} worst, {kind} error)
{{
    if (!(error <= {most})) {{
        return {most};
    }}
    return error > worst ? error : worst;
}}

/* The largest error of the entries 0, stride, 2 stride, ..., in multiples of what is allowed. */
static {kind} error_of(const {kind} *got, const {kind} *expected, const {kind} *allowed, int count,
    int stride)
{{
    {kind} worst = {zero};
    for (int k = 0; k < count; k++) {{
        worst = larger(worst, fabs{f}(got[k * stride] - expected[k]) / allowed[k]);
    }}
    return worst;
}}
"""

_MAIN = """\
int {name}_self_test(void)
{{
    return worst_error() <= {one} ? 0 : 1;
}}

#ifdef {macro}_TEST
#include <stdio.h>

int main(void)
{{
    const double worst = (double)worst_error();
    const char *verdict = worst <= 1.0 ? "ok" : "WRONG";
    (void)printf("self-test %s: {count} points, %.2g of the allowed error\\n", verdict, worst);
    return {name}_self_test();
}}
#endif
"""
