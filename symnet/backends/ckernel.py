"""Generated C text as functions: compiled by the system's compiler, kept by content, called.

The C compiler is `$CC`, or the first of cc, gcc, clang. What it made stays in the user's cache
directory (`$SYMNET_CACHE`, else the platform's) under a digest of the text, the compiler, its flags
and the processor; every entry ends with a digest of itself, so that a damaged one is noticed before
it is loaded, and made again. Entries are written under a name of their own and renamed into place:
processes that compile the same text at once leave one whole entry.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_int, c_long, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from symnet.backends.cbinding import POINTER, buffer, no_memory
from symnet.backends.ccode import FLAGS
from symnet.backends.threads import available
from symnet.schemes import Cost

Array = NDArray[Any]

_OPTIONAL = ("-fopenmp", "-mprefer-vector-width=512")
_ATTEMPTS = (
    (*FLAGS, *_OPTIONAL),
    *((*FLAGS, flag) for flag in _OPTIONAL),
    FLAGS,
    tuple(flag for flag in FLAGS if flag != "-march=native"),
)
"""Flags from the fastest on: the first that a compiler accepts are taken."""

_ACTIVATION = 20
"""What an activation with its derivatives costs, in multiply-adds: measured, sigmoid and tanh."""

_WORTHWHILE = 250_000
"""Multiply-adds that pay for a thread: some 20 microseconds, twice what waking it takes."""

_DIGEST = 32  # bytes of SHA-256 at the end of an entry

_in_fork = False


def _after_fork() -> None:
    """A forked child has none of its parent's OpenMP threads, and libgomp would wait for them."""
    global _in_fork
    _in_fork = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class CompilerError(RuntimeError):
    """There is no C compiler, or it refused the text."""


class Library:
    """Functions of one compiled text. Pointers go to C: shapes and dtypes are the caller's."""

    def __init__(self, path: Path) -> None:
        with _patience():
            self._library = ctypes.CDLL(str(path))

    def function(self, name: str, outputs: int, weighted: bool = False) -> Any:
        """int name(points, X, [weights,] out, …, threads): an address, buffers of arrays."""
        # An object of its own: the prototypes that ctypes keeps belong to it.
        function = self._library[name]
        function.argtypes = [c_long, POINTER, *[c_void_p] * weighted, *[POINTER] * outputs, c_int]
        function.restype = c_int
        return function

    def call(
        self,
        name: str,
        X: Array,
        outs: Sequence[Array],
        threads: int = 1,
        weights: Array | None = None,
    ) -> None:
        """Fill `outs` (N, m, n, …) at the points X (N, n), all C-contiguous and of the text's type.

        `weights` is the array of a text whose weights are an argument. MemoryError where a
        thread's memory cannot be had.
        """
        given = () if weights is None else (weights.ctypes.data,)
        function = self.function(name, len(outs), weights is not None)
        threads = 1 if _in_fork else threads
        if len(X) and function(len(X), buffer(X), *given, *map(buffer, outs), threads):
            raise no_memory(name)


_SPINS = "1000"
"""How often GNU OpenMP looks before a waiting thread sleeps: for some 50 microseconds.

Its default is milliseconds. Where another process has the second core, that kept the thread which
was waited for from running: 12 ms for a call of 0.5 ms; with this, 1 ms, and nothing lost alone.
"""


@contextmanager
def _patience() -> Iterator[None]:
    """The environment that libgomp reads once, when it is loaded, unless the user has set it."""
    if os.environ.keys() & {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}:
        yield
        return
    os.environ["GOMP_SPINCOUNT"] = _SPINS
    try:
        yield
    finally:
        os.environ.pop("GOMP_SPINCOUNT", None)


def load(text: str, part: int = 0) -> Library:
    """The functions of a C text, or of one of its parts, from the cache or compiled now.

    CompilerError, in one line, without a compiler and for a text that it refuses.
    """
    command = (*_command(), *([f"-DSYMNET_PART={part}"] if part else []))
    return _loaded(text, command, cache_directory())


@lru_cache(maxsize=128)
def _loaded(text: str, command: tuple[str, ...], directory: Path) -> Library:
    name = _key(text, command) + (".dll" if sys.platform == "win32" else ".so")
    try:
        return _entry(directory / name, text, command)
    except OSError:  # the directory cannot be written to, or nothing in it be executed
        return _entry(_private() / name, text, command)


def _entry(path: Path, text: str, command: Sequence[str]) -> Library:
    if not is_whole(path):
        _compile(text, command, path)
    return Library(path)


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


def _key(text: str, command: Sequence[str]) -> str:
    """What the entry's content depends on: text, compiler, flags, and for -march=native the CPU."""
    program = os.path.realpath(shutil.which(command[0]) or command[0])
    state = os.stat(program)
    compiler = f"{shlex.join(command)} {program} {state.st_size} {state.st_mtime_ns}"
    parts = (text, compiler, str(_ATTEMPTS), _processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


@lru_cache(maxsize=1)
def _processor() -> str:
    told = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ")
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.platform() + platform.processor()
    return platform.machine() + "".join(line for line in lines if line.startswith(told))


def _compile(text: str, command: Sequence[str], path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="compiling-") as folder:
        source, result = Path(folder) / "kernel.c", Path(folder) / "kernel"
        source.write_text(text, encoding="utf-8")
        _first_accepted(command, source, result)
        content = result.read_bytes()
        # Loaders ignore what follows the sections, so the digest may stand in the file itself.
        with result.open("ab") as file:
            file.write(_digest(content))
        os.replace(result, path)


def _first_accepted(command: Sequence[str], source: Path, result: Path) -> None:
    """Compile with the first flags that the compiler accepts. CompilerError when there are none."""
    for flags in _ATTEMPTS:
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


def _command() -> tuple[str, ...]:
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


def alone(cost: Cost) -> int:
    """The number of points, of this cost each, from which a second thread pays."""
    return -(-2 * _WORTHWHILE // _work(cost))


def threads(points: int, cost: Cost, most: int | None = None) -> int:
    """How many threads are to share the points: at most `most`, and only as many as pay.

    `cost` is that of a point; `most` is by default `available()`.
    """
    if _in_fork:
        return 1
    return max(1, min(most or available(), points * _work(cost) // _WORTHWHILE))


def _work(cost: Cost) -> int:
    return max(1, cost.multiply_adds + _ACTIVATION * cost.activations)
