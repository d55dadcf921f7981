"""Fortran 2008 in loops: a module of pure subroutines, and a program that tests it.

The subroutines keep no state, so that threads may share them: those with arrays of their own are
recursive, for else a compiler may give an array one place for all calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr, Symbol

from symnet.breaking import listed
from symnet.languages.fortran_printer import FortranPrinter
from symnet.languages.job import Files, Job
from symnet.languages.printing import Numbers, own_functions, reads_argument, reads_inputs
from symnet.lowering.loops import (
    At,
    Let,
    Loop,
    Routine,
    ScalarFunction,
    Start,
    changed,
    walk,
)
from symnet.network import Network

_MOST = 200_000  # numbers; gfortran takes minutes for more
_STATEMENT = 400  # numbers of one statement: it may have 255 lines


_NAN = "ieee_value("
_QUIET = "    use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value\n"


def files(job: Job) -> Files:
    """NAME.f90 with the module, NAME_test.f90 with the program."""
    return {f"{job.name}.f90": source(job), f"{job.name}_test.f90": _program(job)}


def check(network: Network) -> None:
    """ValueError for more weights than a compiler takes as constants."""
    count = network.weights_count
    if count > _MOST:
        raise ValueError(
            f"the network has {count:,} weights, of which Fortran compilers take about {_MOST:,} "
            "as constants; generate C (language c) and call that by bind(c)"
        )


def source(job: Job) -> str:
    """The module."""
    printer = FortranPrinter(job.precision)
    kind = "real32" if job.precision == "float" else "real64"
    lines = [f"! {line}".rstrip() for line in job.head()]
    lines += ["", f"module {job.name}"]
    lines += [f"    use, intrinsic :: iso_fortran_env, only: wp => {kind}", "    implicit none"]
    lines += ["    private"]
    names = [routine.name for routine in job.lowered.routines]
    lines += printer.broken(f"    public :: wp, worst_error, {', '.join(names)}")
    lines += ["    integer :: s  ! counts numbers in data statements", ""]
    for name, values in job.lowered.constants.items():
        lines += [*_data(name, values, printer), ""]
    lines += [*_tables(job, printer), "contains", ""]
    for routine in job.lowered.routines:
        lines += [*_subroutine(job, _called_differently(routine), printer), ""]
    for function in job.lowered.functions:
        lines += [*_activation(function, printer), ""]
    for function in own_functions(job.lowered, printer):
        lines += [*_returning(function, printer), ""]
    text = "\n".join([*lines, *_worst(job, printer), f"end module {job.name}", ""])
    return (
        text.replace("    implicit none", f"{_QUIET}    implicit none", 1) if _NAN in text else text
    )


def _data(name: str, values: Numbers, printer: FortranPrinter, stored: str = "rows") -> list[str]:
    """An array that nobody can write: constants are limited by lines of a statement.

    A row of a matrix is a row there, or a column, which is contiguous.
    """
    place, shape = ("{}, s", values.shape) if stored == "rows" else ("s, {}", values.shape[::-1])
    lines = [f"    real(wp), protected, save :: {printer.array(name, shape)}"]
    rows = (
        {"s": values}
        if values.ndim == 1
        else {place.format(r): row for r, row in enumerate(values, 1)}
    )
    for element, numbers in rows.items():
        for first in range(0, len(numbers), _STATEMENT):
            part = printer.numbers(numbers[first : first + _STATEMENT].tolist())
            opening = f"    data ({name}({element}), s = {first + 1}, {first + len(part)}) /"
            line = f"{opening}{', '.join(part)}/"
            if len(line) <= printer.width:
                lines.append(line)
                continue
            inner = listed(part, printer.width - 2, "        ", "/")
            lines += [f"{opening} &", *(f"{text} &" for text in inner[:-1]), inner[-1]]
    return lines


def _called_differently(routine: Routine) -> Routine:
    """A single result may not have the subroutine's own name: dy for jacobian, d2y for hessian."""
    (order, *more) = routine.orders
    if more or order == 0:
        return routine
    ((name, shape),) = routine.results.items()
    new = f"d{order if order > 1 else ''}y"
    renamed = {Symbol(name): Symbol(new)}

    def change(expression: Expr) -> Expr:
        return expression.replace(
            lambda e: isinstance(e, At) and e.args[0] == Symbol(name),
            lambda e: At(renamed[Symbol(name)], *e.args[1:]),
        )

    body = tuple(changed(step, change) for step in routine.body)
    return replace(routine, results={new: shape}, body=body)


def _subroutine(job: Job, routine: Routine, printer: FortranPrinter) -> list[str]:
    arguments = ", ".join(["x", *routine.results])
    recursive = "recursive " if routine.arrays else ""
    lines = [f"    pure {recursive}subroutine {routine.name}({arguments})"]
    inner = " " * 8
    lines += [f"{inner}real(wp), intent(in) :: x({job.lowered.n})"]
    for name, shape in routine.results.items():
        lines.append(f"{inner}real(wp), intent(out) :: {printer.array(name, shape)}")
    for name, shape in routine.arrays.items():
        lines.append(f"{inner}real(wp) :: {printer.array(name, shape)}")
    scalars = dict.fromkeys(s.name for s in walk(routine.body) if isinstance(s, (Let, Start)))
    loops = dict.fromkeys(s.variable for s in walk(routine.body) if isinstance(s, Loop))
    if scalars:
        lines += printer.broken(f"{inner}real(wp) :: {', '.join(scalars)}")
    if loops:
        lines.append(f"{inner}integer :: {', '.join(loops)}")
    lines += [""] if reads_inputs(routine.body) else ["", *_unused("x")]
    return [*lines, *printer.lines(routine.body, 2), f"    end subroutine {routine.name}"]


def _unused(name: str) -> list[str]:
    """What keeps compilers from warning of an argument that callers give nevertheless."""
    return [f"        associate (unused => {name})", "        end associate"]


def _activation(function: ScalarFunction, printer: FortranPrinter) -> list[str]:
    names = [f"sigma{order}" for order in function.orders]
    lines = [f"    pure subroutine {function.name}({', '.join(['z', *names])})"]
    lines += ["        real(wp), intent(in) :: z"]
    lines += [f"        real(wp), intent(out) :: {', '.join(names)}"]
    lines += [*_shared(function, printer), ""]
    lines += [] if reads_argument(function) else _unused("z")
    lines += printer.shared(function.shared)
    for name, result in zip(names, function.results, strict=True):
        lines += printer.assigned("set", name, result)
    return [*lines, f"    end subroutine {function.name}"]


def _returning(function: ScalarFunction, printer: FortranPrinter) -> list[str]:
    name = f"{function.name}_of"
    lines = [f"    pure function {name}(z) result(found)"]
    lines += ["        real(wp), intent(in) :: z", "        real(wp) :: found"]
    lines += [*_shared(function, printer), ""]
    lines += printer.shared(function.shared)
    lines += printer.assigned("set", "found", function.results[0])
    return [*lines, f"    end function {name}"]


def _shared(function: ScalarFunction, printer: FortranPrinter) -> Iterator[str]:
    names = ", ".join(symbol.name for symbol, _ in function.shared)
    return printer.broken(f"        real(wp) :: {names}") if names else iter(())


# --- self-test ----------------------------------------------------------------------------------


def _tables(job: Job, printer: FortranPrinter) -> list[str]:
    lines = ["    ! Self-test: points, and what another engine gives there."]
    lines += [*_data("points", job.points, printer, "columns"), ""]
    for known in job.expected:
        lines += [*_data(f"expected{known.order}", known.expected, printer, "columns"), ""]
        lines += [*_data(f"allowed{known.order}", known.allowed, printer), ""]
    return lines


def _worst(job: Job, printer: FortranPrinter) -> list[str]:
    results = {name: shape for r in job.lowered.routines for name, shape in r.results.items()}
    lines = ["    ! The worst error at known points, in multiples of what is allowed."]
    lines += ["    recursive function worst_error() result(worst)", "        real(wp) :: worst"]
    renamed = {n: f"{n}_" for n in results}
    for name, shape in results.items():
        free = ", ".join(":" * len(shape))
        lines.append(f"        real(wp), allocatable :: {renamed[name]}({free})")
    lines += ["        integer :: k", ""]
    sized = [printer.array(renamed[name], shape) for name, shape in results.items()]
    lines += [*printer.broken(f"        allocate ({', '.join(sized)})")]
    lines += [f"        worst = {printer.number(0)}"]
    lines += [f"        do k = 1, {len(job.points)}"]
    for routine in job.lowered.routines:
        names = [renamed[name] for name in routine.results]
        lines.append(f"            call {routine.name}({', '.join(['points(:, k)', *names])})")
        for order, (name, shape) in zip(routine.orders, routine.results.items(), strict=True):
            known = job.known(order)
            sizes = f"[{', '.join(map(str, shape))}]"
            arguments = [renamed[name], sizes, f"expected{order}(:, k)", f"allowed{order}"]
            call = f"error_of({', '.join([*arguments, str(known.stride)])})"
            lines += printer.broken(f"            worst = larger(worst, {call})")
    lines += ["        end do", "    end function worst_error", ""]
    return [*lines, *_WORST.split("\n")]


_WORST = """\
    ! NaN counts as a large error.
    pure function larger(worst, error) result(found)
        real(wp), intent(in) :: worst, error
        real(wp) :: found

        found = worst
        if (.not. error <= worst) then
            found = 1.0e30_wp
            if (error <= 1.0e30_wp) found = error
        end if
    end function larger

    ! The largest error of every so many entries, in multiples of what is allowed.
    pure function error_of(got, sizes, expected, allowed, stride) result(worst)
        integer, intent(in) :: sizes(:), stride
        real(wp), intent(in) :: got(product(sizes)), expected(:), allowed(:)
        real(wp) :: error, worst
        integer :: k

        worst = 0.0_wp
        do k = 1, size(expected)
            error = abs(got(place((k - 1)*stride, sizes)) - expected(k))
            worst = larger(worst, error/allowed(k))
        end do
    end function error_of

    ! Where the k-th entry is, counted from 0 with the last index fastest, which is slowest here.
    pure function place(k, sizes) result(found)
        integer, intent(in) :: k, sizes(:)
        integer :: found, rest, step, axis

        found = 1
        rest = k
        step = product(sizes)
        do axis = size(sizes), 1, -1
            step = step/sizes(axis)
            found = found + mod(rest, sizes(axis))*step
            rest = rest/sizes(axis)
        end do
    end function place
"""


def _program(job: Job) -> str:
    made = "\n".join(f"! {line}" for line in job.made())
    return f"""\
! A test of the module {job.name}: prints its verdict and ends with 0 or 1.
{made}
program {job.name}_test
    use {job.name}, only: wp, worst_error
    implicit none
    character(*), parameter :: form = '(a, es8.1, a)', end = ' of the allowed error'
    real(wp) :: worst

    worst = worst_error()
    if (worst <= 1) then
        print form, 'self-test ok: {len(job.points)} points,', worst, end
    else
        print form, 'self-test WRONG: {len(job.points)} points,', worst, end
        stop 1
    end if
end program {job.name}_test
"""
