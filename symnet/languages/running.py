"""The self-test of generated text, run before the text is handed out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from symnet.backends.c.run import compiler
from symnet.witness.checking import CheckError

_SECONDS = 300  # a compiler's time for a network of a million weights, many times over

_LARGE = 1_000_000  # characters; generating should not wait for what a compiler does with more
_OPTIMIZED = _LARGE // 4  # bytes of C; of 500 layers gcc makes an eighth of the time without
_LARGE_IF_QUICK = 8 * _LARGE  # of C, whose compilers take a second for four million, and Python
_TABLE = re.compile(r'"""\n[^"]*\n"""')  # of numbers: NumPy reads 50 characters in a microsecond


def _compiled(paths: Sequence[Path], macro: str) -> str | None:
    program = paths[0].with_suffix("")
    try:
        command = compiler.command()
    except compiler.CompilerError as error:
        return f"the self-test was not run: {error}"
    large = sum(path.stat().st_size for path in paths) > _OPTIMIZED
    optimized = "-O0" if large else "-O1"
    flags = ["-std=c99", optimized, f"-D{macro}", "-o", str(program), *map(str, paths), "-lm"]
    if reason := _failure([*command, *flags]):
        raise compiler.CompilerError(f"{compiler.said(command)} failed: {reason}")
    if not program.exists():
        return (
            f"the self-test was not run: {compiler.said(command)} reported success, but wrote no "
            "program"
        )
    _demand([str(program)])
    return None


def _demand(command: Sequence[str], folder: Path | None = None) -> None:
    if reason := _failure(command, folder):
        raise CheckError(f"generated text failed its self-test; please report it: {reason}")


def _failure(command: Sequence[str], folder: Path | None = None) -> str | None:
    """A line of why a command did not succeed, if so."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
        cwd=folder,
    )
    if not done.returncode:
        return None
    # A verdict comes first on standard output; on the other a compiler's first error, or a
    # traceback's reason last.
    verdict, reasons = done.stdout.strip().splitlines(), done.stderr.strip().splitlines()
    errors = [line for line in reasons if re.search(r"\b[Ee]rror: ", line)]
    return (verdict[:1] or errors[:1] or reasons[-1:] or [f"status {done.returncode}"])[0]


def confirm(language: str, files: Mapping[str, str | bytes]) -> str | None:
    """Run the self-tests of a language's files; why they could not be run, if so.

    Nothing to say of those WITHOUT one. CheckError, with the line that it printed of what is wrong,
    where one fails; CompilerError where the C compiler refuses the text, as with -ffast-math.
    """
    if language in WITHOUT:
        return None
    most = _LARGE_IF_QUICK if language in (*IN_C, "python") else _LARGE
    if sum(_size(text) for text in files.values()) > most:
        return f"the self-test was not run: the text has more than {most:,} characters"
    with tempfile.TemporaryDirectory(prefix="symnet-") as name:
        folder = Path(name)
        try:
            for file, text in files.items():
                assert isinstance(text, str)
                (folder / file).write_text(text, encoding="utf-8")
            if language in IN_C:
                first, *others = (folder / file for file in files if file.endswith(".c"))
                if language == "c":
                    return _compiled([first, *others], f"{first.stem.upper()}_TEST")
                said = (_compiled([source], "SYMNET_TEST") for source in (first, *others))
                return next(filter(None, said), None)
            runs = (_run(language, name, folder) for name in _tested(language, files))
            return next(filter(None, runs), None)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the self-test could not be run in {folder.parent}: {error}"


def _size(text: str | bytes) -> int:
    """Characters without tables that no compiler reads."""
    return len(_TABLE.sub("", text) if isinstance(text, str) else text)


def _tested(language: str, files: Mapping[str, str | bytes]) -> list[str]:
    """The names of the files that are run: the networks', or one that gathers these."""
    names = list(dict.fromkeys(file.partition(".")[0] for file in files))
    if language in _BESIDE:
        return [name for name in names if f"{name}_test" in names]
    return names[:1] if language in _GATHERED else names


def _run(language: str, name: str, folder: Path) -> str | None:
    """The commands of a language, in the folder of its files."""
    for command in COMMANDS[language]:
        first, *rest = (word.format(name=name, macro=name.upper()) for word in command)
        tool = str(folder / first) if first.startswith("./") else shutil.which(first)
        if tool is None:
            return f"the self-test was not run: {first} is not installed"
        _demand([tool, *rest], folder)
    return None


COMMANDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "cpp": (
        ("c++", "-std=c++17", "-D{macro}_TEST", "-x", "c++", "{name}.hpp", "-o", "{name}"),
        ("./{name}",),
    ),
    "fortran": (
        ("gfortran", "-std=f2008", "{name}.f90", "{name}_test.f90", "-o", "{name}"),
        ("./{name}",),
    ),
    "javascript": (("node", "{name}.mjs"),),
    "julia": (("julia", "--startup-file=no", "{name}.jl"),),
    "python": ((sys.executable, "-I", "{name}.py"),),
    "matlab": (("octave", "-qf", "--no-history", "--eval", "{name}_test"),),
    "rust": (
        ("rustc", "--edition", "2021", "--cfg", "symnet_main", "{name}.rs", "-o", "{name}"),
        ("./{name}",),
    ),
}
"""How the self-test of each language's files is compiled and run, but for those of C."""

IN_C = "c", "c-batch"
WITHOUT = "json", "onnx", "xlsx"
_GATHERED = "cpp", "rust"  # whose first file tests all networks of a library
_BESIDE = "fortran", "matlab"  # whose test is a file of its own
