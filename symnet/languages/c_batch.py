"""C99 for many points: the kernel of `compile("c")`, with vector instructions and threads."""

from __future__ import annotations

from symnet import compiling
from symnet.backends.c.text import file
from symnet.languages.job import Files, Job
from symnet.languages.python import verified
from symnet.network import Network


def files(job: Job) -> Files:
    """`name.c`, and `name.h` by which C and C++ call it."""
    text = c_file(job.network, job.order, job.name, job.precision)
    return {f"{job.name}.c": text, f"{job.name}.h": _header(job)}


def c_file(
    network: Network, order: int = 2, name: str = "symnet", precision: str = "double"
) -> str:
    """The text of a C99 file with the functions of `numpy_module`, called NAME_value and so on.

    The weights are constants. Compiled with -DSYMNET_TEST it is a program that tests itself, as the
    module does. Raises as `numpy_module`.
    """
    known = verified(network, order, precision)
    choices = compiling.plan(network, order).items()
    return file.source(
        {f"{name}_{method}": (choice.program, choice.orders) for method, choice in choices},
        network,
        precision,
        weights="constant",
        heading=network.name or "",
        examples=file.Examples(
            known.points, dict(enumerate(known.expected)), dict(enumerate(known.allowed))
        ),
    )


def _header(job: Job) -> str:
    prototypes = []
    for method, orders in compiling.methods(job.order).items():
        results = ", ".join(f"{job.precision} *{file.output_name(r)}" for r in orders)
        prototypes.append(
            f"int {job.name}_{method}(\n"
            f"    long points, const {job.precision} *x, {results}, int threads);"
        )
    net, guard = job.network, f"{job.name.upper()}_H"
    return _HEADER.format(
        name=job.name, network=net.describe(), n=net.n, m=net.m, guard=guard,
        prototypes="\n\n".join(prototypes),
    )  # fmt: skip


_HEADER = """\
/*
 * Value and derivatives of {network}
 * at many points: see {name}.c, which is compiled as C.
 *
 * Arrays, row by row: x (points, {n}), y (points, {m}), then an axis of {n} for each order. The
 * functions return 0, or 1 where there is no memory. Up to `threads` threads share the points.
 */
#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

{prototypes}

#ifdef __cplusplus
}}
#endif

#endif
"""
