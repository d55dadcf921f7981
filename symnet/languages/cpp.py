"""C++17 in loops: one header, templates of the number type, nothing but the standard library.

Real is any type that is made of a double, with operators and comparisons, and with functions such
as exp that are in std or beside it: float, long double, those of many digits, dual numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from symnet.languages.c import FORMATTED, GUARD, UNFORMATTED, comment
from symnet.languages.job import Files, Job
from symnet.languages.printing import (
    Printer,
    nested,
    own_functions,
    reads_argument,
    reads_inputs,
)
from symnet.lowering.loops import Lowered, Routine, ScalarFunction, Shape


class CppPrinter(Printer):
    """Steps as C++.

    constants: arrays that are variable templates; of_std: functions that have been called.
    """

    times: ClassVar[str] = " * "
    over: ClassVar[str] = " / "

    def __init__(self, constants: Collection[str]) -> None:
        super().__init__()
        self.constants = constants
        self.of_std: set[str] = set()

    def literal(self, text: str) -> str:
        return f"Real({text})"

    def element(self, array: str, indices: Sequence[str]) -> str:
        kind = "<Real>" if array in self.constants else ""
        return super().element(array + kind, indices)

    def call(self, function: str, arguments: Sequence[str]) -> str:
        if function in self.lacking:
            return f"{function}_of({', '.join(arguments)})"
        self.of_std.add(self.functions.get(function, function))
        return super().call(function, arguments)

    def undefined(self, argument: str, place: int = 0) -> str:
        """Of a double: where limits of a type are not known, they are 0."""
        return "Real(std::numeric_limits<double>::quiet_NaN())"

    def loop(self, variable: str, last: int | str) -> str:
        bound = f"< {last}" if isinstance(last, int) else f"<= {last}"
        return f"for (std::size_t {variable} = 0; {variable} {bound}; {variable}++) {{"

    def let(self, name: str, value: str) -> str:
        return f"const Real {name} = {value}"

    def start(self, name: str, value: str) -> str:
        return f"Real {name} = {value}"

    def declare(self, name: str) -> str:
        return f"Real {name}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        return f"{function}({', '.join([argument, *results])})"

    def type(self, shape: Shape) -> str:
        """An array's type."""
        return f"std::array<{self.type(shape[1:])}, {shape[0]}>" if shape else "Real"


def files(job: Job) -> Files:
    """NAME.hpp. ValueError for single precision: the number type is a template's parameter."""
    if job.precision != "double":
        raise ValueError("C++ functions are templates of the number type: call them with floats")
    return {f"{job.name}.hpp": source(job)}


INCLUDES = [
    "#include <array>",
    "#include <cmath>",
    "#include <cstddef>",
    "#include <limits>",
    "",
    GUARD,
]


def guarded(name: str, lines: Sequence[str]) -> list[str]:
    """A header's lines, which may be included twice."""
    macro = f"{name.upper()}_HPP"
    return [f"#ifndef {macro}", f"#define {macro}", "", *lines, "#endif", ""]


def source(job: Job, includes: Sequence[str] = ()) -> str:
    """The header; `includes` are those with its activations, where it does not define them."""
    head = [*job.head(), *_WIDER] if not job.single else job.head()
    return "\n".join([*comment(head), *guarded(job.name, _lines(job, includes))])


_WIDER = ["", "Take double or a wider type: some numbers on the way are beyond those of float."]


def _lines(job: Job, includes: Sequence[str]) -> list[str]:
    printer = CppPrinter(job.lowered.constants)
    lines = [*(f'#include "{include}"' for include in includes), *[""] * bool(includes), *INCLUDES]
    lines += [f"namespace {job.name} {{", "", "namespace detail {", ""]
    constants = [UNFORMATTED, ""]
    for name, values in job.lowered.constants.items():
        constants += [*_constant(name, values, printer), ""]
    constants += [FORMATTED, ""]
    functions = defined(job.lowered, printer)
    routines = [line for r in job.lowered.routines for line in [*_function(job, r, printer), ""]]
    lines += [*declared(printer), *constants, *functions, "} // namespace detail", ""]
    return [*lines, *routines, *_self_test(job, printer)]


def defined(lowered: Lowered, printer: CppPrinter) -> list[str]:
    """The activations, and the elementary functions that C++ lacks."""
    lines: list[str] = []
    for function in own_functions(lowered, printer):
        lines += [*_returning(function, printer), ""]
    for function in lowered.functions:
        lines += [*_activation(function, printer), ""]
    return lines


def declared(printer: CppPrinter) -> list[str]:
    """The functions of std that were called, beside which those of a number type are found."""
    lines = [f"using std::{name};" for name in sorted(printer.of_std)]
    return [*lines, *[""] * bool(lines)]


def _constant(name: str, values: object, printer: CppPrinter) -> list[str]:
    shape = "".join(f"[{size}]" for size in getattr(values, "shape", ()))
    before = f"const Real {name}{shape} = "
    return ["template <class Real>", *nested(values, printer, before=before, end=";")]


def _returning(function: ScalarFunction, printer: CppPrinter) -> list[str]:
    """An elementary function that C++ lacks."""
    printer.function()
    return [
        "template <class Real>",
        f"Real {function.name}_of(Real z)",
        "{",
        *printer.shared(function.shared),
        *printer.assigned("return", "", function.results[0]),
        "}",
    ]


def _activation(function: ScalarFunction, printer: CppPrinter) -> list[str]:
    """The function of an activation and its derivatives."""
    printer.function()
    names = [f"sigma{order}" for order in function.orders]
    z = "Real z" if reads_argument(function) else "Real"
    arguments = ", ".join([z, *(f"Real &{name}" for name in names)])
    lines = ["template <class Real>", f"void {function.name}({arguments})", "{"]
    lines += printer.shared(function.shared)
    for name, result in zip(names, function.results, strict=True):
        lines += printer.assigned("set", name, result)
    return [*lines, "}"]


def _function(job: Job, routine: Routine, printer: CppPrinter) -> list[str]:
    printer.function()
    x = "x" if reads_inputs(routine.body) else ""
    arguments = [f"const {printer.type((job.lowered.n,))} &{x}"]
    arguments += [f"{printer.type(shape)} &{name}" for name, shape in routine.results.items()]
    inner = ",\n    ".join(arguments)
    lines = ["template <class Real>", f"void {routine.name}(", f"    {inner})", "{"]
    lines += ["    using namespace detail;"]
    lines += [f"    {printer.type(shape)} {name};" for name, shape in routine.arrays.items()]
    return [*lines, "", *printer.lines(routine.body), "}"]


def _self_test(job: Job, printer: CppPrinter) -> list[str]:
    tables: list[str] = []
    for name, values in [
        ("points", job.points),
        *((f"expected{known.order}", known.expected) for known in job.expected),
        *((f"allowed{known.order}", known.allowed) for known in job.expected),
    ]:
        tables += [*_constant(name, values, printer), ""]
    lines = ["namespace detail {", "", UNFORMATTED, "", *tables, FORMATTED, ""]
    lines += [*_WORST.split("\n"), "} // namespace detail", ""]
    lines += ["/* The worst error at known points, in multiples of what is allowed. */"]
    lines += ["template <class Real>", "Real worst_error()", "{", "    using namespace detail;"]
    results = {name: shape for r in job.lowered.routines for name, shape in r.results.items()}
    kept = "static " * job.kept
    lines += [f"    {kept}{printer.type(shape)} {name};" for name, shape in results.items()]
    lines += [f"    {printer.type((job.lowered.n,))} x;"]
    lines += ["    Real worst = Real(0);", "    Real error;"]
    lines += [f"    for (std::size_t k = 0; k < {len(job.points)}; k++) {{"]
    lines += [f"        for (std::size_t i = 0; i < {job.lowered.n}; i++) {{"]
    lines += ["            x[i] = points<Real>[k][i];", "        }"]
    for routine in job.lowered.routines:
        call = f"{job.name}::{routine.name}({', '.join(['x', *routine.results])})"
        lines.append(f"        {call};")
        for order, (name, shape) in zip(routine.orders, routine.results.items(), strict=True):
            known = job.known(order)
            arguments = [f"&{name}{'[0]' * len(shape)}", f"expected{order}<Real>[k]"]
            arguments += [f"allowed{order}<Real>", str(known.allowed.size), str(known.stride)]
            lines += [f"        error = error_of<Real>({', '.join(arguments)});"]
            lines += ["        worst = larger<Real>(worst, error);"]
    lines += ["    }", "    return worst;", "}", "", f"}} // namespace {job.name}", ""]
    worst = "\n".join(_worst(job))
    main = _MAIN.format(worst=worst, macro=job.name.upper(), count=len(job.points))
    return [*lines, *main.split("\n")]


def worst_errors(job: Job) -> list[str]:
    """The worst errors of a network's self-test, in each type of number that is right for it."""
    in_float = f"static_cast<double>({job.name}::worst_error<float>())"
    return [f"{job.name}::worst_error<double>()", *[in_float] * job.single]


def _worst(job: Job) -> list[str]:
    if not job.single:
        return [f"    const double worst = {worst_errors(job)[0]};"]
    named = zip(("in_double", "in_float"), worst_errors(job), strict=True)
    lines = [f"    const double {name} = {error};" for name, error in named]
    return [*lines, "    const double worst = in_double > in_float ? in_double : in_float;"]


_WORST = """\
/* NaN counts as a large error. */
template <class Real>
Real larger(Real worst, Real error)
{
    if (!(error <= Real(1e30))) {
        return Real(1e30);
    }
    return error > worst ? error : worst;
}

/* The largest error of the entries 0, stride, ..., in multiples of what is allowed in doubles. */
template <class Real>
Real error_of(const Real *got, const Real *expected, const Real *allowed, std::size_t count,
    std::size_t stride)
{
    const Real coarser = sizeof(Real) < sizeof(double) ? Real(67108864) : Real(1); // 2^26
    const Real least = std::numeric_limits<Real>::min();
    Real worst = Real(0);
    for (std::size_t k = 0; k < count; k++) {
        const Real error = std::fabs(got[k * stride] - expected[k]);
        worst = larger<Real>(worst, error / (allowed[k] * coarser + least));
    }
    return worst;
}
"""

_MAIN = """\
#ifdef {macro}_TEST
#include <cstdio>

int main()
{{
{worst}
    const char *verdict = worst <= 1.0 ? "ok" : "WRONG";
    std::printf("self-test %s: {count} points, %.2g of the allowed error\\n", verdict, worst);
    return worst <= 1.0 ? 0 : 1;
}}
#endif
"""
