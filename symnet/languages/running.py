"""The self-test of generated text, run before the text is handed out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from symnet.backends.c.run import compiler
from symnet.witness.checking import CheckError

_SECONDS = 300  # a compiler's time for a network of a million weights, many times over


def confirm(language: str, text: str) -> str | None:
    """Run the self-test that a file of this text would run; why it could not be run, if so.

    CheckError, with the line that it printed of what is wrong, where it fails.
    """
    with tempfile.TemporaryDirectory(prefix="symnet-") as folder:
        try:
            return _RUNS[language](text, Path(folder))
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the self-test could not be run: {error}"


def _python(text: str, folder: Path) -> None:
    path = folder / "generated.py"
    path.write_text(text, encoding="utf-8")
    _demand([sys.executable, "-I", str(path)])


def _compiled(path: Path, macro: str) -> str | None:
    program = path.with_suffix("")
    try:
        command = compiler.command()
    except compiler.CompilerError as error:
        return f"the self-test was not run: {error}"
    flags = ["-std=c99", "-O1", f"-D{macro}", "-o", str(program), str(path), "-lm"]
    _demand([*command, *flags])
    _demand([str(program)])
    return None


def _demand(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        # A verdict comes first on standard output, a traceback's reason last on the other.
        verdict, reasons = done.stdout.strip().splitlines(), done.stderr.strip().splitlines()
        said = (verdict[:1] or reasons[-1:] or [f"status {done.returncode}"])[0]
        raise CheckError(f"generated text failed its self-test; please report it: {said}")


def confirm_files(language: str, files: Mapping[str, str | bytes]) -> str | None:
    """The same of a language of several files; only C's are run so far, others not remarked on."""
    if language not in ("c", "c-batch"):
        return None
    with tempfile.TemporaryDirectory(prefix="symnet-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(str(text), encoding="utf-8")
        (source,) = (Path(folder) / name for name in files if name.endswith(".c"))
        try:
            macro = f"{source.stem.upper()}_TEST" if language == "c" else "SYMNET_TEST"
            return _compiled(source, macro)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the self-test could not be run: {error}"


_RUNS: dict[str, Callable[[str, Path], str | None]] = {"python": _python}
