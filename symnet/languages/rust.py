"""Rust in loops: one module without dependencies, heap or state.

It uses the functions of std; with the feature `libm` those of the crate of that name instead, so
that it compiles under `#![no_std]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from symnet.activations import Z
from symnet.languages.job import Files, Job
from symnet.languages.printing import (
    Printer,
    nested,
    own_functions,
    reads_inputs,
)
from symnet.lowering import elementary
from symnet.lowering.loops import Routine, ScalarFunction, Shape

_STD = {"ceiling": "ceil", "log": "ln", "log1p": "ln_1p", "expm1": "exp_m1", "pow": "powf"}
_LIBM = {"ceiling": "ceil", "abs": "fabs"}


class RustPrinter(Printer):
    """Steps as Rust."""

    lacking: ClassVar[frozenset[str]] = elementary.LACKING | {"erf", "erfc", "rint"}

    def __init__(self, precision: str = "double") -> None:
        super().__init__(precision)
        self.used: set[str] = {"abs"}  # functions that have been printed, and the self-test's

    @property
    def kind(self) -> str:
        """The type of numbers."""
        return "f32" if self.precision == "float" else "f64"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        if function in self.lacking:
            return f"{function}({', '.join(arguments)})"
        self.used.add(function)
        return f"math::{function}({', '.join(arguments)})"

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        return f"(if {condition} {{ {value} }} else {{ {otherwise} }})"

    def loop(self, variable: str, last: int | str) -> str:
        return f"for {variable} in 0..{last if isinstance(last, int) else f'={last}'} {{"

    def let(self, name: str, value: str) -> str:
        return f"let {name} = {_bare(value)}"

    def start(self, name: str, value: str) -> str:
        return f"let mut {name} = {_bare(value)}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        taken = results[0] if len(results) == 1 else f"({', '.join(results)})"
        return f"{taken} = {function}({argument})"

    def type(self, shape: Shape) -> str:
        """An array's type."""
        return f"[{self.type(shape[1:])}; {shape[0]}]" if shape else self.kind

    def zero(self, shape: Shape) -> str:
        """An array of zeros."""
        return f"[{self.zero(shape[1:])}; {shape[0]}]" if shape else "0.0"


def _bare(value: str) -> str:
    """A choice without the brackets that it needs inside of a sum."""
    if value.startswith("(if ") and value.endswith(" })") and value.count("(if ") == 1:
        return value[1:-1]
    return value


def files(job: Job) -> Files:
    """NAME.rs."""
    return {f"{job.name}.rs": source(job)}


def source(job: Job) -> str:
    """The module."""
    printer = RustPrinter(job.precision)
    own = own_functions(job.lowered, printer)
    head = [*(f"//! {line}".rstrip() for line in [*job.head(), "", *_usage(job)]), ""]
    lines: list[str] = []
    for name, values in job.lowered.constants.items():
        opening = f"static {name}: {printer.type(values.shape)} = "
        body = nested(values, printer, "[]", end=";")
        lines += [opening + body[0], *body[1:], ""]
    for function in (*own, *job.lowered.functions):
        lines += [*_scalar(function, printer), ""]
    for routine in job.lowered.routines:
        lines += [*_function(routine, printer), ""]
    math = _math(sorted(printer.used), printer)
    return "\n".join([*head, _ALLOWED, "", *math, *lines, *_self_test(job, printer)])


_ALLOWED = """\
#![allow(
    clippy::approx_constant,
    clippy::excessive_precision,
    clippy::needless_range_loop,
    clippy::type_complexity,
    non_upper_case_globals,
    unexpected_cfgs,
    unused_parens
)]"""


def _usage(job: Job) -> list[str]:
    return [
        "It needs std, or the feature `libm` and the crate of that name. To test it:",
        f"`rustc -O --cfg symnet_main {job.name}.rs && ./{job.name}`",
    ]


def _math(names: Sequence[str], printer: RustPrinter) -> list[str]:
    kind, f = printer.kind, "f" if printer.precision == "float" else ""
    lines = []
    for feature, template in (
        ('not(feature = "libm")', "x.{std}({more})"),
        ('feature = "libm"', "libm::{libm}{f}(x{comma})"),
    ):
        lines += [f"#[cfg({feature})]", "mod math {"]
        for name in names:
            second = name == "pow"
            body = template.format(
                std=_STD.get(name, name),
                more="y" if second else "",
                libm=_LIBM.get(name, name),
                f=f,
                comma=", y" if second else "",
            )
            arguments = f"x: {kind}, y: {kind}" if second else f"x: {kind}"
            lines += [
                f"    pub fn {name}({arguments}) -> {kind} {{",
                f"        {body}",
                "    }",
            ]
        lines += ["}", ""]
    return lines


def _scalar(function: ScalarFunction, printer: RustPrinter) -> list[str]:
    count = len(function.results)
    kinds = f"({', '.join([printer.kind] * count)})" if count > 1 else printer.kind
    used = any(e.has_free(Z) for e in (*function.results, *(e for _, e in function.shared)))
    lines = [f"fn {function.name}({'z' if used else '_z'}: {printer.kind}) -> {kinds} {{"]
    for symbol, value in function.shared:
        lines += printer.broken(f"    {printer.let(symbol.name, printer.text(value))};")
    results = [printer.text(result) for result in function.results]
    found = f"({', '.join(results)})" if count > 1 else _bare(results[0])
    return [*lines, *printer.broken(f"    {found}"), "}"]


def _function(routine: Routine, printer: RustPrinter) -> list[str]:
    n = "x" if reads_inputs(routine.body) else "_x"
    kinds = [printer.type(shape) for shape in routine.results.values()]
    result = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
    lines = [f"pub fn {routine.name}({n}: &[{printer.kind}; N]) -> {result} {{"]
    for name, shape in {**routine.results, **routine.arrays}.items():
        lines.append(f"    let mut {name} = {printer.zero(shape)};")
    names = list(routine.results)
    found = names[0] if len(names) == 1 else f"({', '.join(names)})"
    return [*lines, *printer.lines(routine.body), f"    {found}", "}"]


def _self_test(job: Job, printer: RustPrinter) -> list[str]:
    kind, count = printer.kind, len(job.points)
    tables = []
    shapes = {"POINTS": (job.points, job.points.shape)} | {
        f"EXPECTED{k.order}": (k.expected, k.expected.shape) for k in job.expected
    }
    for name, (values, shape) in shapes.items():
        body = nested(values, printer, "[]", end=";")
        tables += [f"static {name}: {printer.type(shape)} = {body[0]}", *body[1:], ""]
    lines = [f"/// Number of inputs.\npub const N: usize = {job.lowered.n};", "", *tables]
    lines += _WORST.format(kind=kind).split("\n")
    lines += [
        "/// The worst error at known points, in multiples of what is allowed.",
        f"pub fn worst_error() -> {kind} {{",
        "    let mut worst = 0.0;",
        f"    for k in 0..{count} {{",
    ]
    for routine in job.lowered.routines:
        names = list(routine.results)
        taken = names[0] if len(names) == 1 else f"({', '.join(names)})"
        lines.append(f"        let {taken} = {routine.name}(&POINTS[k]);")
        for order, name in zip(routine.orders, names, strict=True):
            known = job.known(order)
            flat = f"{name}.iter()" + ".flatten()" * (len(routine.results[name]) - 1)
            arguments = [flat, f"&EXPECTED{order}[k]", str(known.stride)]
            call = f"error_of({', '.join([*arguments, printer.number(known.allowed)])})"
            lines += [f"        worst = larger(worst, {call});"]
    lines += ["    }", "    worst", "}", ""]
    return [*lines, *_MAIN.format(count=count).split("\n")]


_WORST = """\
/// NaN counts as a large error.
fn larger(worst: {kind}, error: {kind}) -> {kind} {{
    if error <= worst {{
        worst
    }} else if error <= 1e30 {{
        error
    }} else {{
        1e30
    }}
}}

/// The largest error of every so many entries, in multiples of what is allowed.
fn error_of<'a>(
    got: impl Iterator<Item = &'a {kind}>,
    expected: &[{kind}],
    stride: usize,
    allowed: {kind},
) -> {kind} {{
    let pairs = got.step_by(stride).zip(expected);
    pairs.fold(0.0, |worst, (a, b)| larger(worst, math::abs(a - b) / allowed))
}}
"""

_MAIN = """\
#[test]
fn derivatives_are_what_is_expected() {{
    assert!(worst_error() <= 1.0);
}}

#[cfg(symnet_main)]
fn main() {{
    let worst = worst_error();
    let verdict = if worst <= 1.0 {{ "ok" }} else {{ "WRONG" }};
    println!("self-test {{verdict}}: {count} points, {{worst:.2e}} of the allowed error");
    std::process::exit(if worst <= 1.0 {{ 0 }} else {{ 1 }});
}}
"""
