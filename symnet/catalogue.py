"""What there is to choose from, by name: one table for the rooms that do it and for `--help`.

Nothing here needs NumPy or SymPy: the command line tells a mistake before it imports them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

NOTATIONS = ("expanded", "neuron", "layer")
"""What a symbol is: an input, a neuron's quantity, a layer's vector."""

FORMULAS = ("text", "unicode", "latex", "mathml")
"""Formats of formulas."""

BACKENDS = ("numpy", "c")
"""What functions are compiled to."""

PRECISIONS = ("double", "float")
"""Of the numbers in generated texts."""

PICTURES = ("curves", "maps", "pairs", "network", "measured")
"""Pictures of a network."""

SENSITIVITY_PICTURES = ("bars", "violins", "boxes", "alpha", "interactions")
"""Pictures of sensitivities."""

DRAWN = ("png", "svg", "pdf")
"""Formats of pictures."""

PAGES = ("html", "md", "tex", "pdf")
"""Formats of reports."""

METHODS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "swarm": {"swarm": 2000},
        "least-squares": {"least-squares": 300},
        "swarm+least-squares": {"swarm": 50, "least-squares": 300},
        "lbfgs": {"lbfgs": 5000},
    }
)
"""The stages of each method of training, with the steps they take where the caller does not say."""

READERS: Mapping[str, str] = MappingProxyType(
    {
        ".onnx": "onnx",
        ".keras": "keras",
        ".h5": "keras",
        ".hdf5": "keras",
        ".nnet": "formats.nnet",
        ".npz": "formats.arrays",
        ".safetensors": "formats.arrays",
        ".pt": "formats.checkpoint",
        ".pth": "formats.checkpoint",
        ".ckpt": "formats.checkpoint",
        ".bin": "formats.checkpoint",
        ".msgpack": "formats.flax",
        ".checkpoint": "formats.flax",
        ".mat": "formats.matlab",
        ".nc": "formats.netcdf",
    }
)
"""The module of `symnet.importers` that reads trained networks of each suffix."""


@dataclass(frozen=True)
class Language:
    """What a language is for, and its main file's ending.

    doubles: why there is no single precision, where there is none; free: whether nothing in the
    files bears their name, which may then be any; library: what writes them, which the extra of the
    language's name brings; notes: for the help.
    """

    summary: str
    ending: str
    doubles: str = ""
    free: bool = False
    library: str = ""
    notes: str = ""


_USER_MATERIAL = """\
in a user material (Abaqus' UMAT and the like), of a network from strains to the energy:
  STRESS is jacobian(1, :) and DDSDDE is hessian(1, :, :), where the inputs are the
  components in the solver's order, shears as it has them (engineering strains in Abaqus)
  --order 3 adds derivative3(m, n, n, n), the derivative of the stiffness by the strains
  of invariants I1, I2, J: the factors of the chain rule are jacobian, hessian, derivative3
  nothing is kept between calls: threads and elements share the module"""

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "python": Language(
            "a module that needs NumPy only", "py", "python computes in double precision"
        ),
        "c": Language("C99 in loops: no heap, threads or state", "c"),
        "c-batch": Language("C99 for many points: vectors, threads", "c"),
        "cpp": Language("a C++17 header, templates of the number type", "hpp"),
        "fortran": Language(
            "a Fortran 2008 module of pure subroutines", "f90", notes=_USER_MATERIAL
        ),
        "javascript": Language(
            "an ES module, with types", "mjs", "JavaScript computes in double precision", free=True
        ),
        "rust": Language("a Rust module without dependencies", "rs"),
        "matlab": Language(
            "MATLAB and Octave, for any number of points",
            "m",
            "MATLAB's functions take their precision from x, as in NAME(single(x))",
        ),
        "julia": Language(
            "a Julia module (parsed, not run by us)",
            "jl",
            "Julia's functions take their precision from x",
        ),
        "onnx": Language(
            "a model that gives y, jacobian and hessian", "onnx", free=True, library="onnx"
        ),
        "xlsx": Language(
            "a workbook: type in a point, see all",
            "xlsx",
            "spreadsheets compute in double precision",
            free=True,
            library="openpyxl",
        ),
        "json": Language(
            "the loops as data, for tools", "json", "the loop form's numbers are doubles", free=True
        ),
    }
)
"""The languages of generated texts; they are written by `languages.WRITERS`."""


def file_name(path: object) -> str:
    """A path as text. TypeError for what names no file, ValueError for an empty name."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(f"a file's name is needed, got {type(path).__name__}")
    if not (name := os.fsdecode(path)):
        raise ValueError("a file's name is needed, got an empty one")
    return name


def is_folder(output: str) -> bool:
    """Whether files go into it."""
    return output.endswith("/") or os.path.isdir(output)


def language_of(output: str, asked: str | None = None) -> str:
    """The language that is asked for, or whose files end as the output does; else Python.

    ValueError for an output that ends as another language's files do, or as nobody knows whose.
    """
    if asked is not None and asked not in LANGUAGES:
        raise ValueError(f"no language {asked!r}; there are {', '.join(LANGUAGES)}")
    suffix = "" if is_folder(output) else PurePath(output).suffix.removeprefix(".")
    writing = [name for name, row in LANGUAGES.items() if row.ending == suffix]
    file = PurePath(output).name
    if asked is None and suffix and not writing:
        known = ", ".join(f"{name} (.{row.ending})" for name, row in LANGUAGES.items())
        raise ValueError(f"no language's files end as {file}: say which of {known}")
    if asked is None:
        return next(iter(writing), "python")
    if writing and asked not in writing:
        ending = LANGUAGES[asked].ending
        raise ValueError(
            f"{asked} writes .{ending}, but the output is {file}: ask for {writing[0]}, or for "
            "another file"
        )
    return asked


def format_of(path: str | os.PathLike[str], what: str, formats: Iterable[str]) -> str:
    """The one of `formats` in which `what` is written to a file of this name.

    ValueError where there is none, and for the name of a folder.
    """
    name = file_name(path)
    ending = PurePath(name).suffix.lower().removeprefix(".")
    if ending not in formats:
        known = ", ".join(f".{ending}" for ending in formats)
        raise ValueError(f"{name}: {what} ends in one of {known}")
    if os.path.isdir(name):
        raise ValueError(f"{name}: is a folder; {what} is a file")
    return ending


def check_network_file(path: str | os.PathLike[str]) -> None:
    """ValueError for a name by which other programs would take a network file for their own."""
    name = file_name(path)
    suffix = PurePath(name).suffix
    if suffix.lower() not in ("", ".json"):
        raise ValueError(
            f"{name}: network files are JSON; a name that ends in {suffix!r} would say "
            f"otherwise, so write {PurePath(name).with_suffix('.json').name}"
        )
