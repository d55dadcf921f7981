"""Several networks in Rust: a module for each, and mod.rs that names and tests them.

Activations are defined once, in functions.rs, which is private.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.languages import rust
from symnet.languages.job import Files, Job, check_apart
from symnet.languages.printing import own_functions
from symnet.languages.rust_printer import RustPrinter
from symnet.languages.sharing import alone, shared
from symnet.lowering.loops import ScalarFunction

_COMMON = "functions"


def library(name: str, jobs: Sequence[Job]) -> Files:
    """mod.rs, functions.rs, and NETWORK.rs for each."""
    check_apart([_COMMON, "mod", *(job.name for job in jobs)])
    own, functions = shared(jobs, place=f"super::{_COMMON}::")
    made = {"mod.rs": _gathering(name, jobs, bool(functions))}
    if functions:
        made[f"{_COMMON}.rs"] = _functions(name, jobs, functions)
    return made | {f"{job.name}.rs": rust.source(job, within="mod") for job in own}


def _gathering(name: str, jobs: Sequence[Job], common: bool) -> str:
    names = sorted(job.name for job in jobs)
    lines = [
        f"//! Networks of {name}: {', '.join(names)}. To test them:",
        *rust.tested("mod"),
        "//!",
    ]
    lines += [f"//! {line}" for line in jobs[0].made()]
    lines += ["", "#![allow(dead_code, unexpected_cfgs, unknown_lints)]", ""]
    lines += [*[f"mod {_COMMON};", ""] * common, *(f"pub mod {own};" for own in names), ""]
    first, *others = names
    lines += ["#[cfg(symnet_main)]", "fn main() {", f"    let worst = {first}::worst_error();"]
    lines += [f"    let worst = worst.max({own}::worst_error());" for own in others]
    return "\n".join([*lines, *rust.verdict(f"{len(names)} networks"), ""])


def _functions(name: str, jobs: Sequence[Job], functions: tuple[ScalarFunction, ...]) -> str:
    printer = RustPrinter(jobs[0].precision)
    body: list[str] = []
    for function in (*own_functions(alone(jobs, functions), printer), *functions):
        body += [*rust.scalar(function, printer, "pub "), ""]
    lines = [f"//! Activations of the networks of {name}, which their modules share."]
    lines += ["//!", *(f"//! {line}" for line in jobs[0].made()), "", *rust.ALLOWED.split("\n"), ""]
    return "\n".join([*lines, *rust.math(printer), *body])
