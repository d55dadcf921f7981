"""Functions of generated C, called with arrays as they are."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from symnet.backends.c.run import binding, loading

LEVEL = () if os.environ.keys() & {"CI", "SYMNET_COMPLETE"} else ("-O0",)
"""The flag after those that users have, for texts of which what they say is tested.

Without optimisation a compiler takes a third of the time. Where CI is set or all is asked for,
texts are compiled as users have them.
"""


def call(
    library: loading.Library,
    name: str,
    X: np.ndarray,
    outs: Sequence[np.ndarray],
    threads: int = 1,
    weights: np.ndarray | None = None,
) -> None:
    """Fill `outs` (N, m, n, …) at the points X (N, n), all contiguous and of the text's type.

    As compiled functions do it: on one thread in a forked child, MemoryError where there is none.
    """
    given = () if weights is None else (weights.ctypes.data,)
    function = library.function(name, len(outs), weights is not None)
    results = map(binding.buffer, outs)
    threads = 1 if loading._in_fork else threads
    if len(X) and function(len(X), binding.buffer(X), *given, *results, threads):
        raise binding.no_memory(name)
