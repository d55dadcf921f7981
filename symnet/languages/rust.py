"""Rust in loops: one module without dependencies, heap or state.

It uses the functions of std; with the feature `libm` those of the crate of that name instead, so
that it compiles under `#![no_std]`.
"""

from __future__ import annotations

from symnet.breaking import between
from symnet.languages.job import Files, Job
from symnet.languages.printing import (
    Numbers,
    nested,
    own_functions,
    reads_argument,
    reads_inputs,
)
from symnet.languages.rust_printer import CALL, RustPrinter
from symnet.lowering.loops import Routine, ScalarFunction

_STD = {"ceiling": "ceil", "log": "ln", "log1p": "ln_1p", "expm1": "exp_m1", "pow": "powf"}
_TUPLE = 3  # types of a result that are as long as rustfmt leaves in a line
_LIBM = {"ceiling": "ceil", "abs": "fabs"}


def files(job: Job) -> Files:
    """NAME.rs."""
    return {f"{job.name}.rs": source(job)}


def source(job: Job, within: str = "") -> str:
    """The module; `within`: the module that tests it, where it is not tested alone."""
    printer = RustPrinter(job.precision)
    own = own_functions(job.lowered, printer)
    lines = [f"// {line}".rstrip() for line in job.head()]
    lines += ["", *_about(job, within), "", *ALLOWED.split("\n"), ""]
    lines += [f"/// Number of inputs.\npub const N: usize = {job.lowered.n};", ""]
    lines += [f"/// Number of outputs.\npub const M: usize = {job.lowered.m};", ""]
    body: list[str] = []
    for name, values in job.lowered.constants.items():
        body += [*_table(name, values, printer), ""]
    for function in (*own, *job.lowered.functions):
        body += [*scalar(function, printer), ""]
    for routine in job.lowered.routines:
        body += [*_function(job, routine, printer), ""]
    body += _self_test(job, printer)
    if not within:
        body += ["", "#[cfg(symnet_main)]", "fn main() {", "    let worst = worst_error();"]
        body += verdict(f"{len(job.points)} points")
    return "\n".join([*lines, *math(printer), *body, ""])


def _about(job: Job, within: str) -> list[str]:
    text = [
        "Value and derivatives of a neural network with respect to its inputs.",
        "",
        "It needs std and nothing else; with the feature `libm` it takes the crate of that name",
        "instead, and compiles under `#![no_std]`. No function allocates, fails or keeps state.",
        "The examples are tests where the module is public: `rustdoc --test`."
        + (" To test it alone:" if not within else ""),
    ]
    lines = [f"//! {line}".rstrip() for line in text]
    return lines if within else [*lines, *tested(job.name)]


def tested(name: str) -> list[str]:
    """How a file is compiled and run to test itself."""
    command = f"rustc --edition 2021 -O --cfg symnet_main {name}.rs && ./{name}"
    return ["//!", "//! ```text", f"//! {command}", "//! ```"]


ALLOWED = """\
#![allow(
    clippy::approx_constant,
    clippy::assign_op_pattern,
    clippy::excessive_precision,
    clippy::manual_memcpy,
    clippy::needless_range_loop,
    clippy::type_complexity,
    dead_code,
    non_snake_case,
    non_upper_case_globals,
    unexpected_cfgs,
    unknown_lints
)]"""


def math(printer: RustPrinter) -> list[str]:
    """The functions that were printed, of std or of the crate libm."""
    names = sorted(printer.used)
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


def _table(name: str, values: Numbers, printer: RustPrinter) -> list[str]:
    """An array of numbers, many in a line, which rustfmt would write below each other."""
    before = f"static {name}: {printer.type(values.shape)} = "
    return ["#[rustfmt::skip]", *nested(values, printer, "[]", before, ";")]


def scalar(function: ScalarFunction, printer: RustPrinter, reach: str = "") -> list[str]:
    """A function of one number, that can be called by `reach`."""
    printer.function()
    count = len(function.results)
    kinds = f"({', '.join([printer.kind] * count)})" if count > 1 else printer.kind
    z = "z" if reads_argument(function) else "_z"
    lines = [f"{reach}fn {function.name}({z}: {printer.kind}) -> {kinds} {{"]
    shared, results = list(function.shared), list(function.results)
    if shared and results == [shared[-1][0]]:
        results = [shared.pop()[1]]
    lines += printer.shared(shared)
    if count == 1:
        return [*lines, *printer.assigned("return", "", results[0]), "}"]
    returned, named = printer.results(function)
    return [*lines, *named, f"    ({', '.join(returned)})", "}"]


def _function(job: Job, routine: Routine, printer: RustPrinter) -> list[str]:
    printer.function()
    n = "x" if reads_inputs(routine.body) else "_x"
    kinds = [printer.type(s, _sizes(routine, name)) for name, s in routine.results.items()]
    result = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
    lines = [*_documented(job, routine, printer)]
    opening = f"pub fn {routine.name}({n}: &[{printer.kind}; N]) -> {result} {{"
    if len(opening) > printer.width:
        if len(routine.results) > _TUPLE:
            result = "".join(["(\n", *(f"    {kind},\n" for kind in kinds), ")"])
        opening = f"pub fn {routine.name}(\n    {n}: &[{printer.kind}; N],\n) -> {result} {{"
    lines += ["#[must_use]", *opening.split("\n")]
    for name, shape in {**routine.results, **routine.arrays}.items():
        lines.append(f"    let mut {name} = {printer.zero(shape)};")
    names = list(routine.results)
    found = names[0] if len(names) == 1 else f"({', '.join(names)})"
    return [*lines, *printer.lines(routine.body), f"    {found}", "}"]


def _sizes(routine: Routine, result: str) -> list[str]:
    """M and N of a result's type; numbers where its entries were chosen one by one."""
    shape = routine.results[result]
    return [] if routine.entries else ["M", *["N"] * (len(shape) - 1)]


def _documented(job: Job, routine: Routine, printer: RustPrinter) -> list[str]:
    """What a function returns, and an example that is a test."""
    meanings = {0: "y[p]", 1: "jacobian[p][i] = dy_p/dx_i", 2: "hessian[p][i][j]"}
    shown = [meanings.get(r, f"derivative{r}[p][i][j]...") for r in routine.orders]
    for name, labels in routine.entries.items():
        shown = [f"{name}: {', '.join(labels)}"] if len(routine.entries) == 1 else shown
    lines = [f"/// Gives {', '.join(f'`{s}`' for s in shown)} at a point."]
    if routine.entries:
        lines = ["/// Gives chosen partial derivatives, in the order of the head, at a point."]
    numbers = printer.numbers(job.points[0].tolist())
    hidden = "# " if len(", ".join(numbers)) > 60 else ""
    x = between(f"/// {hidden}let x = [", numbers, "];", f"/// {hidden}    ", printer.width)
    names = list(routine.results)
    taken = names[0] if len(names) == 1 else f"({', '.join(names)})"
    lines += ["///", "/// ```"]
    lines += [line if line.startswith("/// ") else f"/// {hidden}{line}" for line in x]
    lines += [f'#[doc = concat!("let {taken} = ", module_path!(), "::{routine.name}(&x);")]']
    for order, name in zip(routine.orders, names, strict=True):
        known = job.known(order)
        expected, allowed = printer.numbers([known.expected[0, 0], known.allowed[0]])
        place = "[0]" * len(routine.results[name])
        lines += [f"/// let error = {name}{place} - ({expected});"]
        lines += [f"/// assert!((-{allowed}..={allowed}).contains(&error));"]
    return [*lines, "/// ```"]


def _self_test(job: Job, printer: RustPrinter) -> list[str]:
    kind = printer.kind
    tables = []
    shapes = {"POINTS": job.points} | {f"EXPECTED{k.order}": k.expected for k in job.expected}
    shapes |= {f"ALLOWED{k.order}": k.allowed for k in job.expected}
    for name, values in shapes.items():
        tables += [*_table(name, values, printer), ""]
    lines = [*tables, *_WORST.format(kind=kind).split("\n")]
    lines += [
        "/// The worst error at known points, in multiples of what is allowed.",
        "#[must_use]",
        f"pub fn worst_error() -> {kind} {{",
        "    let mut worst = 0.0;",
        "    for (k, x) in POINTS.iter().enumerate() {",
    ]
    for routine in job.lowered.routines:
        names = list(routine.results)
        taken = names[0] if len(names) == 1 else f"({', '.join(names)})"
        lines.append(f"        let {taken} = {routine.name}(x);")
        for order, name in zip(routine.orders, names, strict=True):
            links = [".iter()", *[".flatten()"] * (len(routine.results[name]) - 1)]
            if len(name + "".join(links)) > CALL:
                links = [f"\n            {link}" for link in links]
            lines += f"        let got = {name}{''.join(links)};".split("\n")
            rest = f"&EXPECTED{order}[k], &ALLOWED{order}, {job.known(order).stride}"
            lines += [f"        let error = error_of(got, {rest});"]
            lines += ["        worst = larger(worst, error);"]
    lines += ["    }", "    worst", "}", ""]
    return [*lines, *_TEST.split("\n")]


def verdict(what: str) -> list[str]:
    """The rest of a main function, which prints the worst error and exits with 1 or 0."""
    return _VERDICT.format(what=what).split("\n")


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
    allowed: &[{kind}],
    stride: usize,
) -> {kind} {{
    let entries = got.step_by(stride).zip(expected).zip(allowed);
    let errors = entries.map(|((a, b), most)| math::abs(a - b) / most);
    errors.fold(0.0, larger)
}}
"""

_TEST = """\
#[test]
fn derivatives_are_what_is_expected() {
    assert!(worst_error() <= 1.0);
}"""

_VERDICT = """\
    let verdict = if worst <= 1.0 {{ "ok" }} else {{ "WRONG" }};
    println!("self-test {{verdict}}: {what}, {{worst:.2e}} of the allowed error");
    std::process::exit(if worst <= 1.0 {{ 0 }} else {{ 1 }});
}}"""
