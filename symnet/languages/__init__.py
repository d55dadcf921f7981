"""Derivatives written down in the languages of those who cannot differentiate for themselves.

A language is one file here and one row of `LANGUAGES`; the contract tests of
`tests/test_languages.py` then apply to it, once its table there says how to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symnet.languages import (
    c,
    c_batch,
    cpp,
    fortran,
    javascript,
    json,
    julia,
    matlab,
    onnx,
    plain,
    rust,
    xlsx,
)
from symnet.languages.c_batch import c_file
from symnet.languages.job import PRECISIONS, Files, Job
from symnet.languages.python import numpy_module
from symnet.network import Network

__all__ = ["LANGUAGES", "PRECISIONS", "Language", "c_file", "generate", "numpy_module"]


@dataclass(frozen=True)
class Language:
    """What a language is for, its main file's ending, and its printer.

    Exactly one of `whole`, a text made of a network and an order, `files`, made of a Job, and
    `content`, the bytes of a single file made of one.
    """

    summary: str
    ending: str
    whole: Callable[[Network, int], str] | None = None
    files: Callable[[Job], Files] | None = None
    content: Callable[[Job], bytes] | None = None

    @property
    def loops(self) -> bool:
        """Whether it is printed from the loop form, which chosen partials have, too."""
        return self.files not in (None, matlab.files, c_batch.files)


LANGUAGES: Mapping[str, Language] = {
    "python": Language("a module that needs NumPy only", "py", whole=numpy_module),
    "c": Language("C99 in loops: no heap, threads or state", "c", files=c.files),
    "c-batch": Language("C99 for many points: vectors, threads", "c", files=c_batch.files),
    "cpp": Language(
        "a C++17 header, templates of the number type",
        "hpp",
        files=cpp.files,
    ),
    "fortran": Language(
        "a Fortran 2008 module of pure subroutines",
        "f90",
        files=fortran.files,
    ),
    "javascript": Language("an ES module, with types", "mjs", files=javascript.files),
    "rust": Language("a Rust module without dependencies", "rs", files=rust.files),
    "matlab": Language("MATLAB and Octave, for any number of points", "m", files=matlab.files),
    "julia": Language("a Julia module (parsed, not run by us)", "jl", files=julia.files),
    "onnx": Language("a model that gives y, jacobian and hessian", "onnx", content=onnx.content),
    "xlsx": Language("a workbook: type in a point, see all", "xlsx", content=xlsx.content),
    "json": Language("the loops as data, for tools", "json", files=json.files),
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
    if plain_text and language != "python":
        raise ValueError(f"--plain is for python; {language} has one form")
    if only and not row.loops:
        able = ", ".join(known for known, other in LANGUAGES.items() if other.loops)
        raise ValueError(f"{language} computes all partials of an order; --only is for {able}")
    if plain_text:
        text = plain.source(Job.of(network, order, None, precision, command))
        return {f"{name or 'derivatives'}.py": text}
    if row.files is not None:
        return row.files(Job.of(network, order, name, precision, command, only))
    if row.content is not None:
        job = Job.of(network, order, name, precision, command)
        return {f"{job.name}.{row.ending}": row.content(job)}
    if precision != "double":
        raise ValueError(f"{language} is generated in double precision; leave out --precision")
    assert row.whole is not None
    return {f"{name or 'derivatives'}.{row.ending}": row.whole(network, order)}
