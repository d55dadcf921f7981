"""Derivatives written down in the languages of those who cannot differentiate for themselves.

A language is one file here and one row of `LANGUAGES`; the contract tests of
`tests/test_languages.py` then apply to it, once its table there says how to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symnet import names
from symnet.languages import (
    c,
    c_batch,
    c_library,
    cpp,
    cpp_library,
    fortran,
    javascript,
    json,
    julia,
    matlab,
    onnx,
    plain,
    rust,
    rust_library,
    xlsx,
)
from symnet.languages.c_batch import c_file
from symnet.languages.job import PRECISIONS, Files, Job, check_apart
from symnet.languages.python import numpy_module
from symnet.network import Network

__all__ = [
    "LANGUAGES",
    "PRECISIONS",
    "Language",
    "c_file",
    "generate",
    "generate_library",
    "numpy_module",
]


@dataclass(frozen=True)
class Language:
    """What a language is for, its main file's ending, and its printer.

    library: the files of several networks, with what they have in common; doubles: why there is
    no single precision, where there is none; check: ValueError for a network that is too large;
    free: whether nothing in the files bears their name, which may then be any; notes: for the help.
    Exactly one of `whole`, a text made of a network, an order and a command, `files`, made of a
    Job, and `content`, the bytes of a single file made of one.
    """

    summary: str
    ending: str
    whole: Callable[[Network, int, str], str] | None = None
    files: Callable[[Job], Files] | None = None
    content: Callable[[Job], bytes] | None = None
    library: Callable[[str, Sequence[Job]], Files] | None = None
    doubles: str = ""
    check: Callable[[Network], None] | None = None
    free: bool = False
    notes: str = ""

    @property
    def loops(self) -> bool:
        """Whether it is printed from the loop form, which chosen partials have, too."""
        return self.files not in (None, matlab.files, c_batch.files)


LANGUAGES: Mapping[str, Language] = {
    "python": Language(
        "a module that needs NumPy only",
        "py",
        whole=numpy_module,
        doubles="python computes in double precision",
    ),
    "c": Language(
        "C99 in loops: no heap, threads or state", "c", files=c.files, library=c_library.library
    ),
    "c-batch": Language(
        "C99 for many points: vectors, threads", "c", files=c_batch.files, library=c_batch.library
    ),
    "cpp": Language(
        "a C++17 header, templates of the number type",
        "hpp",
        files=cpp.files,
        library=cpp_library.library,
    ),
    "fortran": Language(
        "a Fortran 2008 module of pure subroutines",
        "f90",
        files=fortran.files,
        check=fortran.check,
        notes=fortran.NOTES,
    ),
    "javascript": Language(
        "an ES module, with types",
        "mjs",
        files=javascript.files,
        doubles="JavaScript computes in double precision",
        free=True,
    ),
    "rust": Language(
        "a Rust module without dependencies", "rs", files=rust.files, library=rust_library.library
    ),
    "matlab": Language(
        "MATLAB and Octave, for any number of points",
        "m",
        files=matlab.files,
        doubles="MATLAB's functions take their precision from x, as in NAME(single(x))",
    ),
    "julia": Language(
        "a Julia module (parsed, not run by us)",
        "jl",
        files=julia.files,
        doubles="Julia's functions take their precision from x",
    ),
    "onnx": Language(
        "a model that gives y, jacobian and hessian", "onnx", content=onnx.content, free=True
    ),
    "xlsx": Language(
        "a workbook: type in a point, see all",
        "xlsx",
        content=xlsx.content,
        doubles="spreadsheets compute in double precision",
        check=xlsx.check,
        free=True,
    ),
    "json": Language(
        "the loops as data, for tools",
        "json",
        files=json.files,
        doubles="the loop form's numbers are doubles",
        free=True,
    ),
}
"""The languages by the name that the command line gives them."""


def generate(
    network: Network,
    language: str,
    order: int = 2,
    *,
    name: str | None = None,
    precision: str = "double",
    command: str = "",
    only: Sequence[str] = (),
    plain_text: bool = False,
) -> Mapping[str, str | bytes]:
    """The files of a network's derivatives up to `order`, by their names.

    name: what functions or the module are called, else the network's name; precision: "double" or
    "float"; command: how the text was asked for, which its head repeats; only: names of partials
    such as "dy/dx1" and "d2y/dx1dx2", for a single function `partials` that computes these and
    nothing else, whatever `order`; plain_text: for Python, a text to be read, without what makes
    many points fast. The functions have been checked against the analytic engine,
    and the text tests itself where it runs.

    ValueError for an unknown language, for what a language cannot do, and when a weight is
    symbolic; CheckError when the functions fail their check.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; there are {', '.join(LANGUAGES)}")
    row = LANGUAGES[language]
    _check(network, language, precision, only, plain_text)
    if row.files is not None:
        return row.files(Job.of(network, order, name, precision, command, only, language))
    if row.content is not None:
        job = Job.of(network, order, name, precision, command, language=language)
        return {f"{job.name}.{row.ending}": row.content(job)}
    if plain_text:
        module = names.check_module(name or "derivatives")
        return {f"{module}.py": plain.source(Job.of(network, order, None, precision, command))}
    assert row.whole is not None
    name = names.check_called(name or "derivatives", language)
    return {f"{name}.{row.ending}": row.whole(network, order, command)}


def _check(
    network: Network, language: str, precision: str, only: Sequence[str], plain_text: bool = False
) -> None:
    """ValueError for what a language cannot do, before anything is derived."""
    row = LANGUAGES[language]
    if plain_text and language != "python":
        raise ValueError(f"--plain is for python; {language} has one form")
    if only and not row.loops:
        able = ", ".join(known for known, other in LANGUAGES.items() if other.loops)
        raise ValueError(f"{language} computes all partials of an order; --only is for {able}")
    if row.doubles and precision != "double":
        raise ValueError(f"{row.doubles}; leave out --precision {precision}")
    if row.check is not None:
        row.check(network)


def generate_library(
    networks: Mapping[str, Network],
    language: str,
    order: int = 2,
    *,
    name: str,
    precision: str = "double",
    command: str = "",
    only: Sequence[str] = (),
) -> Mapping[str, str | bytes]:
    """The files of several networks, by what each is called, as one library of that name.

    In C one header declares the functions of all, NAME_self_test among them; in C++ and Rust a file
    gathers the networks' own and tests them; in these three each activation is defined once.
    Elsewhere the files stand beside each other. Arguments and errors as for `generate`; ValueError,
    too, where two networks would give the same file or function.
    """
    row = LANGUAGES.get(language)
    if row is None or row.library is None:
        written: dict[str, str | bytes] = {}
        for own, network in networks.items():
            made = generate(
                network, language, order, name=own, precision=precision, command=command, only=only
            )
            check_apart([*written, *made])
            written |= made
        return written
    chosen = names.check_called(name, language)
    for network in networks.values():
        _check(network, language, precision, only)
    jobs = [
        Job.of(network, order, own, precision, command, only, language)
        for own, network in networks.items()
    ]
    check_apart([chosen, *(job.name for job in jobs)])
    return row.library(chosen, jobs)
