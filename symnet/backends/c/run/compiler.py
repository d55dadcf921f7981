"""C text made into libraries by the system's compiler, and kept by content.

The C compiler is `$CC`, or the first of cc, gcc, clang. What it made stays in the user's cache
directory (`$SYMNET_CACHE`, else the platform's) under a digest of the text, the compiler, its flags
and the processor; every entry ends with a digest of itself, so that a damaged one is noticed before
it is loaded, and made again. Entries are written under a name of their own and renamed into place:
processes that compile the same text at once leave one whole entry.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Attempts = Sequence[Sequence[str]]
"""Flags from the best on: the first that a compiler accepts are taken."""

_DIGEST = 32  # bytes of SHA-256 at the end of an entry


class CompilerError(RuntimeError):
    """There is no C compiler, or it refused the text."""


def opened(
    open_: Callable[[Path], T],
    text: str,
    command: Sequence[str],
    attempts: Attempts,
    directory: Path,
) -> T:
    """What `open_` makes of the library of a text, from the cache `directory` or compiled now.

    Where it cannot be written to, or nothing in it be executed (an OSError), a directory of
    the process takes its place. CompilerError, in one line, for a text that no flags make right.
    """
    name = _key(text, command, attempts) + (".dll" if sys.platform == "win32" else ".so")

    def entry(directory: Path) -> T:
        path = directory / name
        if not is_whole(path):
            _compile(text, command, attempts, path)
        return open_(path)

    try:
        return entry(directory)
    except OSError:
        return entry(_private())


def cache_directory() -> Path:
    """`$SYMNET_CACHE`, else the place that the platform has for caches."""
    if given := os.environ.get("SYMNET_CACHE"):
        return Path(given)
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "symnet"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "symnet"
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification has relative paths ignored.
    return (Path(given) if os.path.isabs(given) else home / ".cache") / "symnet"


def is_whole(path: Path) -> bool:
    """Whether there is a cache entry, and it ends with the digest of what stands before."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return len(content) > _DIGEST and _digest(content[:-_DIGEST]) == content[-_DIGEST:]


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _key(text: str, command: Sequence[str], attempts: Attempts) -> str:
    """What the entry's content depends on: text, compiler, flags, and for -march=native the CPU."""
    program = os.path.realpath(shutil.which(command[0]) or command[0])
    state = os.stat(program)
    compiler = f"{shlex.join(command)} {program} {state.st_size} {state.st_mtime_ns}"
    parts = (text, compiler, str(attempts), _processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


@lru_cache(maxsize=1)
def _processor() -> str:
    told = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ")
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.platform() + platform.processor()
    return platform.machine() + "".join(line for line in lines if line.startswith(told))


def _compile(text: str, command: Sequence[str], attempts: Attempts, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="compiling-") as folder:
        source, result = Path(folder) / "kernel.c", Path(folder) / "kernel"
        source.write_text(text, encoding="utf-8")
        _first_accepted(command, attempts, source, result)
        content = result.read_bytes()
        # Loaders ignore what follows the sections, so the digest may stand in the file itself.
        with result.open("ab") as file:
            file.write(_digest(content))
        os.replace(result, path)


def _first_accepted(command: Sequence[str], attempts: Attempts, source: Path, result: Path) -> None:
    """Compile with the first flags that the compiler accepts. CompilerError when there are none."""
    for flags in attempts:
        done = subprocess.run(
            [*command, "-shared", "-fPIC", *flags, "-o", str(result), str(source), "-lm"],
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
        if not done.returncode:
            return
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    first = next((line for line in lines if "error" in line.lower()), (lines or ["no message"])[0])
    raise CompilerError(f"the C compiler {command[0]} failed: {first}")


def command() -> tuple[str, ...]:
    """`$CC` with its arguments, or the first compiler that is installed."""
    given = os.environ.get("CC", "").strip()
    for name in [given] if given else ["cc", "gcc", "clang"]:
        command = tuple(shlex.split(name))
        if shutil.which(command[0]):
            return command
    tried = f"$CC = {given}" if given else "$CC, cc, gcc, clang"
    raise CompilerError(
        f"the C backend needs a C compiler: none found (tried {tried}); "
        'install gcc or clang, or use backend="numpy"'
    )


@lru_cache(maxsize=1)
def _private() -> Path:
    """A directory of this process, for where there is no usable cache."""
    folder = tempfile.mkdtemp(prefix="symnet-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
