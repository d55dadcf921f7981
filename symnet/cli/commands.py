"""The commands: the module of each, which is imported when it is called, and what it does."""

from __future__ import annotations

from types import MappingProxyType

SUMMARIES = MappingProxyType(
    {
        "derive": "print the derivatives as formulas",
        "check": "compare the generated functions with an independent engine and 50-digit "
        "arithmetic",
        "evaluate": "compute the value and every partial at a table of points",
        "generate": "write the derivatives as standalone files: NumPy, C, C++, Fortran, Rust, "
        "JavaScript and others",
        "fit": "learn a network from rows that give values, partial derivatives, or both",
        "import": "read a trained network of another program, and say what was folded and compared",
        "report": "write a page: pictures, formulas, slopes over data, check and cost",
        "plot": "draw the value and the partials over ranges, or the network itself",
        "sensitivity": "measure over data how the outputs depend on the inputs",
        "completion": "print a script by which a shell completes commands and options",
    }
)

MODULES = MappingProxyType({name: name for name in SUMMARIES} | {"import": "importing"})
"""The module of symnet.cli that has each command."""

EXITS = """\
exit status:
  0    all is well
  1    a check failed: what was made is wrong, and is not written
  2    input that cannot be used: one line on standard error says what and where
  130  interrupted by Ctrl-C"""
