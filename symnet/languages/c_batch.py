"""C99 for many points: the kernel of `compile("c")`, with vector instructions and threads."""

from __future__ import annotations

from symnet import compiling
from symnet.backends.c.text import file
from symnet.languages.python import verified
from symnet.network import Network


def c_file(network: Network, order: int = 2) -> str:
    """The text of a C99 file with the functions of `numpy_module`, called symnet_value and so on.

    The weights are constants. Compiled with -DSYMNET_TEST it is a program that tests itself, as the
    module does. Raises as `numpy_module`.
    """
    known = verified(network, order)
    choices = compiling.plan(network, order).items()
    return file.source(
        {f"symnet_{name}": (choice.program, choice.orders) for name, choice in choices},
        network,
        weights="constant",
        heading=network.name or "",
        examples=file.Examples(
            known.points, dict(enumerate(known.expected)), dict(enumerate(known.allowed))
        ),
    )
