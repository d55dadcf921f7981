"""Derivatives written down in the languages of those who cannot differentiate for themselves.

A language is one file here, one row of `WRITERS` and one of `catalogue.LANGUAGES`; the contract
tests of `tests/test_languages.py` then apply to it, once its table there says how to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symnet import names
from symnet.catalogue import LANGUAGES
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
from symnet.languages.job import Files, Job, check_apart
from symnet.languages.python import numpy_module
from symnet.network import Network

__all__ = [
    "WRITERS",
    "Writer",
    "c_file",
    "generate",
    "generate_library",
    "numpy_module",
]


@dataclass(frozen=True)
class Writer:
    """How a language of `catalogue.LANGUAGES` is written.

    Exactly one of `whole`, a text made of a network, an order and a command, `files`, made of a
    Job, and `content`, the bytes of a single file made of one. library: the files of several
    networks, with what they have in common; check: ValueError for a network that is too large.
    """

    whole: Callable[[Network, int, str], str] | None = None
    files: Callable[[Job], Files] | None = None
    content: Callable[[Job], bytes] | None = None
    library: Callable[[str, Sequence[Job]], Files] | None = None
    check: Callable[[Network], None] | None = None

    @property
    def loops(self) -> bool:
        """Whether it prints the loop form, which chosen partials have, too."""
        return self.files not in (None, matlab.files, c_batch.files)


WRITERS: Mapping[str, Writer] = {
    "python": Writer(whole=numpy_module),
    "c": Writer(files=c.files, library=c_library.library),
    "c-batch": Writer(files=c_batch.files, library=c_batch.library),
    "cpp": Writer(files=cpp.files, library=cpp_library.library),
    "fortran": Writer(files=fortran.files, check=fortran.check),
    "javascript": Writer(files=javascript.files),
    "rust": Writer(files=rust.files, library=rust_library.library),
    "matlab": Writer(files=matlab.files),
    "julia": Writer(files=julia.files),
    "onnx": Writer(content=onnx.content),
    "xlsx": Writer(content=xlsx.content, check=xlsx.check),
    "json": Writer(files=json.files),
}
"""The writer of each language."""


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
    _check(network, language, precision, only, plain_text)
    writer, ending = WRITERS[language], LANGUAGES[language].ending
    if writer.files is not None:
        return writer.files(Job.of(network, order, name, precision, command, only, language))
    if writer.content is not None:
        job = Job.of(network, order, name, precision, command, language=language)
        return {f"{job.name}.{ending}": writer.content(job)}
    if plain_text:
        module = names.check_module(name or "derivatives")
        return {f"{module}.py": plain.source(Job.of(network, order, None, precision, command))}
    assert writer.whole is not None
    name = names.check_called(name or "derivatives", language)
    return {f"{name}.{ending}": writer.whole(network, order, command)}


def _check(
    network: Network, language: str, precision: str, only: Sequence[str], plain_text: bool = False
) -> None:
    """ValueError for what a language cannot do, before anything is derived; TypeError for a str."""
    writer = WRITERS[language]
    if isinstance(only, str):
        raise TypeError(f"only is a list of partials, as [{only!r}]; got a str")
    if plain_text and language != "python":
        raise ValueError(f"plain text is for python; {language} has one form")
    if only and not writer.loops:
        able = ", ".join(known for known, other in WRITERS.items() if other.loops)
        raise ValueError(f"{language} computes all partials of an order; choose some in {able}")
    if (reason := LANGUAGES[language].doubles) and precision != "double":
        raise ValueError(f"{reason}; leave out precision {precision}")
    if writer.check is not None:
        writer.check(network)


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
    writer = WRITERS.get(language)
    if writer is None or writer.library is None:
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
    return writer.library(chosen, jobs)
