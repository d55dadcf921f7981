"""What generated C calls: the files of `library`, of which a text gets those that it needs.

A vector `vec` holds LANES points. A layer's quantities stand in a slab

    [neurons][columns][V]        columns: the value, then its derivatives, i ≤ j ≤ … once

so that a weight matrix times all columns of a slab is one product of matrices. Points are the
innermost axis: nothing is ever added up across the lanes of a vector, and what is computed for a
point depends neither on its neighbours nor on the number of threads.

Why there is `processors`: Linux wakes a thread on the processor it last ran on, though its caller
is at work there now. It can then begin only when the caller, done with everything, waits for it: on
2 processors that others had used meanwhile this was so in most calls, which took up to three times
as long. Allowed back to that processor, a thread was soon woken there again.

Source of the method: K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication",
ACM TOMS 34 (2008): a tile of sums stays in registers while the inner dimension runs.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template


@cache
def text(name: str) -> str:
    """The text of `library/NAME.c`."""
    file = files("symnet.backends.c").joinpath("library", f"{name}.c")
    return file.read_text(encoding="utf-8")


def filled(file: str, /, **values: object) -> str:
    """The text of a file with values in the place of `${names}`. KeyError for one left out."""
    return Template(text(file)).substitute(values)
