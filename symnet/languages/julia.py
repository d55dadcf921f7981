"""Julia in loops: a module without dependencies, generic in the number type.

`value_jacobian_hessian!(y, jacobian, hessian, x)` fills arrays (m), (m, n), (m, n, n);
`value_jacobian_hessian(x)` makes them, of the element type of x: dual numbers, BigFloat, … pass
through. Literals and weights are Float64, so that Float32 is computed in Float64 and rounded once.
Where a function is not defined, as log(-1), Julia stops with a DomainError.
The text has been parsed, not run: no Julia was at hand where it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from symnet.breaking import Kind, between, broken, listed
from symnet.languages.job import Files, Job
from symnet.languages.printing import Numbers, Printer, own_functions
from symnet.lowering import elementary
from symnet.lowering.loops import Routine, ScalarFunction


class JuliaPrinter(Printer):
    """Steps as Julia."""

    width: ClassVar[int] = 92
    stop: ClassVar[str] = ""
    end: ClassVar[str] = "end"
    base: ClassVar[int] = 1
    choice: ClassVar[tuple[str, ...]] = ("if {}", "elseif {}", "else", "end")
    functions: ClassVar[Mapping[str, str]] = {"ceiling": "ceil", "rint": "round"}
    lacking: ClassVar[frozenset[str]] = elementary.LACKING | {"erf", "erfc"}

    def element(self, array: str, indices: Sequence[str]) -> str:
        return f"{array}[{', '.join(indices)}]"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        if function == "pow":
            return f"({arguments[0]})^({arguments[1]})"
        return super().call(function, arguments)

    def loop(self, variable: str, last: int | str) -> str:
        return f"for {variable} in 1:{last}"

    def let(self, name: str, value: str) -> str:
        return f"{name} = {value}"

    def start(self, name: str, value: str) -> str:
        return f"{name} = T({value})"  # of one type, whatever is added

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        return f"{', '.join(results)} = {function}({argument})"

    def broken(self, line: str) -> Iterator[str]:
        """In brackets where it is too long: a line that could end a statement does."""
        if len(line) <= self.width:
            yield line
            return
        indent = line[: len(line) - len(line.lstrip())]
        place = next(sign for sign in (" += ", " = ", "return ") if sign in line)
        target, _, value = line.partition(place)
        yield f"{target}{place}("
        yield from broken(f"{indent}{self.tab}{value}", Kind(inside="("), self.width)
        yield f"{indent})"


def files(job: Job) -> Files:
    """NAME.jl."""
    return {f"{job.name}.jl": source(job)}


def source(job: Job) -> str:
    """The module and its test."""
    printer = JuliaPrinter()
    lines = [*(f"# {line}".rstrip() for line in job.head("arrays")), "", f"module {job.name}", ""]
    names = [bang for r in job.lowered.routines for bang in (r.name, f"{r.name}!")]
    lines += [*_exported(names, printer.width), ""]
    for name, values in job.lowered.constants.items():
        lines += [*_array(f"const {name}", values, printer), ""]
    for function in (*own_functions(job.lowered, printer), *job.lowered.functions):
        lines += [*_scalar(function, printer), ""]
    for routine in job.lowered.routines:
        lines += [*_function(routine, printer, job.lowered.n), ""]
    return "\n".join([*lines, *_self_test(job, printer)])


def _exported(names: Sequence[str], width: int) -> list[str]:
    first, *rest = listed(names, width, "       ", "")
    return ["export " + first.strip(), *rest]


def _array(name: str, values: Numbers, printer: Printer, indent: str = "") -> list[str]:
    """A vector, or a matrix by its rows: [a; b] would be no matrix."""
    opening, closing = "Float64[", "]"
    if values.ndim == 2:
        rows, columns = values.shape
        opening, closing = f"permutedims(reshape({opening}", f"], {columns}, {rows}))"
    items = printer.numbers(values.ravel().tolist())
    return between(f"{indent}{name} = {opening}", items, closing, printer.tab, printer.width)


def _scalar(function: ScalarFunction, printer: Printer) -> list[str]:
    printer.function()
    lines = [f"function {function.name}(z)"]
    lines += printer.shared(function.shared)
    if len(function.results) == 1:
        return [*lines, *printer.assigned("return", "", function.results[0]), "end"]
    results = ", ".join(map(printer.text, function.results))
    return [*lines, *printer.broken(f"    return {results}"), "end"]


def _function(routine: Routine, printer: Printer, n: int) -> list[str]:
    """The function that fills arrays, and the one that makes them."""
    printer.function()
    names = list(routine.results)
    arguments = ", ".join([*names, "x"])
    shapes = ", ".join(f"{name} ({', '.join(map(str, s))})" for name, s in routine.results.items())
    lines = [f'"""Fill {shapes} at x ({n})."""']
    lines += [f"function {routine.name}!({arguments})"]
    lines += [f"    if length(x) != {n}"]
    lines += [
        f'        throw(DimensionMismatch("x has $(length(x)) entries, expected {n}"))',
        "    end",
    ]
    lines += [f"    T = eltype({names[0]})"]
    for name, shape in routine.arrays.items():
        lines.append(f"    {name} = zeros(T, {', '.join(map(str, shape))})")
    lines += [*printer.lines(routine.body), f"    return {', '.join(names)}", "end", ""]
    lines += [f"function {routine.name}(x)", "    T = float(eltype(x))"]
    for name, shape in routine.results.items():
        lines.append(f"    {name} = zeros(T, {', '.join(map(str, shape))})")
    return [*lines, f"    return {routine.name}!({arguments})", "end"]


def _self_test(job: Job, printer: Printer) -> list[str]:
    """Points, what another engine gives there, and a verdict where the file is run."""
    lines = [*_array("const POINTS", job.points, printer), ""]
    for known in job.expected:
        lines += [*_array(f"const EXPECTED{known.order}", known.expected, printer), ""]
        lines += [*_array(f"const ALLOWED{known.order}", known.allowed, printer), ""]
    lines += _WORST.split("\n")
    lines += ["function worst_error()", "    worst = 0.0", f"    for k in 1:{len(job.points)}"]
    lines += ["        x = POINTS[k, :]"]
    for routine in job.lowered.routines:
        # A local name of a function would hide it in all of the body.
        names = [f"{name}_found" for name in routine.results]
        lines.append(f"        {', '.join(names)} = {routine.name}(x)")
        for order, name in zip(routine.orders, names, strict=True):
            known = job.known(order)
            call = f"error_of({name}, EXPECTED{order}[k, :], ALLOWED{order}, {known.stride})"
            lines.append(f"        worst = max(worst, {call})")
    lines += ["    end", "    return worst", "end", ""]
    return [*lines, *_MAIN.format(name=job.name, count=len(job.points)).split("\n")]


_WORST = '''\
"""The largest error of every so many entries, the last index fastest; NaN counts as large."""
function error_of(got, expected, allowed, stride)
    flat = vec(permutedims(got, ndims(got):-1:1))[1:stride:end]
    errors = abs.(flat .- expected) ./ allowed
    return maximum(e -> e <= 1e300 ? e : 1e300, errors)
end

"""The worst error at known points, in multiples of what is allowed."""'''

_MAIN = """\
end

if abspath(PROGRAM_FILE) == @__FILE__
    worst = {name}.worst_error()
    verdict = worst <= 1 ? "ok" : "WRONG"
    told = string(round(worst; sigdigits = 2))
    println("self-test ", verdict, ": {count} points, ", told, " of the allowed error")
    exit(worst <= 1 ? 0 : 1)
end
"""
