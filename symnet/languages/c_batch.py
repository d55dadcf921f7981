"""C99 for many points: the kernel of `compile("c")`, with vector instructions and threads."""

from __future__ import annotations

from collections.abc import Sequence

from symnet import compiling
from symnet.backends.c.text import file
from symnet.languages.c import UNFORMATTED, comment, enclosed
from symnet.languages.job import Files, Job, check_apart
from symnet.names import array_name
from symnet.network import Network

_INCLUDES = ("stddef.h",)  # ptrdiff_t


def c_file(network: Network, order: int = 2) -> str:
    """The text of a C99 file with the functions of `numpy_module`, called symnet_value and so on.

    The weights are constants. Compiled with -DSYMNET_TEST it is a program that tests itself, as the
    module does. Raises as `numpy_module`.
    """
    return source(Job.of(network, order, "symnet"), header="")


def files(job: Job) -> Files:
    """NAME.h and NAME.c, which are C++, too; compiled with -DSYMNET_TEST it tests itself.

    The text is laid out as a person would read it, which clang-format is told to leave alone.
    """
    about = _about(job)
    declared = enclosed(job.name, _declarations(job)[:-1], _INCLUDES)
    header = "\n".join([*about, declared])
    return {f"{job.name}.h": header, f"{job.name}.c": _complete(job, about, f"{job.name}.h")}


def library(name: str, jobs: Sequence[Job]) -> Files:
    """One header for all networks, and a source for each."""
    check_apart([f"{job.name}_{r.name}" for job in jobs for r in job.lowered.routines])
    heads = [_about(job) for job in jobs]
    declared = [
        line
        for job, about in zip(jobs, heads, strict=True)
        for line in [*about, "", *_declarations(job)]
    ]
    made = {f"{name}.h": enclosed(name, declared[:-1], _INCLUDES)}
    return made | {
        f"{job.name}.c": _complete(job, about, f"{name}.h")
        for job, about in zip(jobs, heads, strict=True)
    }


def _complete(job: Job, about: Sequence[str], include: str) -> str:
    lines = [*about, _LAYOUT, UNFORMATTED, f'#include "{include}"', "", ""]
    return source(job, "\n".join(lines))


_LAYOUT = """\
/* clang-format would take macros of vectors for casts, and give each level of a sum a line. */"""


def _about(job: Job) -> list[str]:
    chosen = compiling.choices(job.network, job.order)
    held = file.memory({name: choice.program for name, choice in chosen.items()})
    more = {name: f"{size:11,} bytes a thread" for name, size in held.items()}
    return comment(job.head("", compiling.methods(job.order), more))


def _declarations(job: Job) -> list[str]:
    n, m = job.network.n, job.network.m
    lines = [
        *comment(
            [
                "For `points` points, row by row in x (points, n), by up to `threads` threads",
                "where compiled with OpenMP. They return 0, or 1 where there is no memory. Here",
                f"n = {n} and m = {m}.",
            ]
        ),
        "",
    ]
    for name, choice in compiling.choices(job.network, job.order).items():
        shapes = [f"{array_name(r)} (points, {', '.join(['m', *'n' * r])})" for r in choice.orders]
        results = [f"{job.precision} *{array_name(r)}" for r in choice.orders]
        arguments = ["ptrdiff_t points", f"const {job.precision} *x", *results, "int threads"]
        lines += [f"/* {', '.join(shapes)} */", f"int {job.name}_{name}("]
        lines += [f"    {', '.join(arguments)});", ""]
    return lines


def source(job: Job, header: str) -> str:
    """The functions; `header` includes their declarations."""
    network, order = job.network, job.order
    choices = compiling.choices(network, order).items()
    text = file.source(
        {f"{job.name}_{name}": (choice.program, choice.orders) for name, choice in choices},
        network,
        job.precision,
        weights="constant",
        heading=network.name or "",
        examples=file.Known(
            job.points,
            {known.order: known.expected for known in job.expected},
            {known.order: known.allowed for known in job.expected},
            {known.order: known.stride for known in job.expected},
        ),
    )
    return header + text
