"""C text made into libraries by the system's compiler, and kept by content.

The C compiler is `$CC`, or the first of cc, gcc, clang. What it made stays in the user's cache
directory (`$SYMNET_CACHE`, else the platform's) under a digest of the text, the compiler, its flags
and the processor; every entry ends with a digest of itself, so that a damaged one is noticed before
it is loaded, and made again. Entries are written under a name of their own and renamed into place:
processes that compile the same text at once leave one whole entry. What is loaded is executed, so a
directory or an entry that is not the user's own, or that others may write to, is passed over.
"""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import platform
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import IO, TypeVar

from symnet import leftovers
from symnet.backends.c.run.elf import is_cut
from symnet.names import shortened

T = TypeVar("T")
Attempts = Sequence[Sequence[str]]
"""Flags from the best on: the first that a compiler accepts are taken."""

_TOLD = 2**18  # bytes of what a compiler says
_DIGEST = 32  # bytes of SHA-256 at the end of an entry

PATIENCE = 180.0
"""Seconds a compiler is waited for: the largest kernels take one, on a busy machine ten."""

_FULL = re.compile("no space left|quota exceeded|file too large|read-only file system", re.I)


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

    Where it cannot be written to (a full disk included), belongs to others or nothing in it can be
    executed, a directory of the process takes its place. CompilerError, in one line, for a text
    that no flags make right, and for a compiler that hangs or makes no library.
    """
    name = _key(text, command, attempts) + (".dll" if sys.platform == "win32" else ".so")

    def entry(directory: Path) -> T:
        path = directory / name
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_own(directory):
            raise PermissionError(errno.EPERM, "others may write here", str(directory))
        if not (is_own(path) and is_whole(path)):
            _compile(text, command, attempts, path)
        return open_(path)

    try:
        return entry(directory)
    except OSError:
        pass
    try:
        return entry(_private())
    except OSError as error:
        reason = shortened(str(error), 200)
        raise CompilerError(
            f"no library of {said(command)} can be loaded: {reason}; set SYMNET_CACHE to a folder "
            "of your own that has room and may hold programs"
        ) from None


def is_own(path: Path) -> bool:
    """Whether a path is a file or directory of this user's that nobody else may write to.

    False for what is not there, and for an entry that is a link. Always true on Windows, where the
    cache is in the user's profile.
    """
    try:
        state = path.stat() if path.is_dir() else path.lstat()
    except OSError:
        return False
    if not hasattr(os, "geteuid"):
        return True
    private = state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return private and not stat.S_ISLNK(state.st_mode)


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
    leftovers.remove(path.parent, "compiling-*")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="compiling-") as folder:
        source, result = Path(folder) / "kernel.c", Path(folder) / "kernel"
        source.write_text(text, encoding="utf-8")
        _first_accepted(command, attempts, source, result)
        if not result.exists():
            raise CompilerError(f"{said(command)} reported success, but wrote no library")
        content = result.read_bytes()
        if is_cut(content):
            raise CompilerError(
                f"{said(command)} reported success, but the library ends too early, after "
                f"{len(content)} bytes; see that its disk has room, and set CC to another compiler"
            )
        # Loaders ignore what follows the sections, so the digest may stand in the file itself.
        with result.open("ab") as file:
            file.write(_digest(content))
        result.chmod(0o700)  # whatever the umask: an entry that others may write to is not loaded
        os.replace(result, path)


def _first_accepted(command: Sequence[str], attempts: Attempts, source: Path, result: Path) -> None:
    """Compile with the first flags that the compiler accepts. CompilerError when there are none."""
    for flags in attempts:
        arguments = ["-shared", "-fPIC", *flags, "-o", str(result), str(source), "-lm"]
        failed, told = _run(command, arguments, source.parent)
        if not failed:
            return
        if _FULL.search(told):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(result))
    told = told.replace(f"{source.parent}{os.sep}", "")
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    # What the linker has to say stands before the compiler's own "ld returned 1 exit status".
    lines = [line for line in lines if not line.startswith("collect2:")] or lines
    first = next((line for line in lines if "error" in line.lower()), (lines or ["no message"])[0])
    raise CompilerError(f"{said(command)} failed: {shortened(first, 300)}")


def _run(command: Sequence[str], arguments: Sequence[str], folder: Path) -> tuple[int, str]:
    """The compiler's exit status and what it wrote to standard error.

    It is a group of processes, which all end where it takes longer than PATIENCE, and on Ctrl-C.
    """
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", "TMPDIR": str(folder)},
        start_new_session=True,
    )
    told = bytearray()
    listening = threading.Thread(target=_listen, args=(process.stderr, told), daemon=True)
    listening.start()
    group = _group.get(_Group())
    group.joined(process)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise CompilerError(f"{said(command)} did not end in {PATIENCE:g} s") from None
    finally:
        group.running.discard(process)
        if process.returncode is None:
            _kill(process)
            process.wait()
    listening.join(1.0)  # what it left running may hold its standard error open
    if process.returncode < 0:
        raise CompilerError(f"{said(command)} was ended by signal {-process.returncode}")
    return process.returncode, told.decode(errors="replace")


def _listen(stream: IO[bytes], told: bytearray) -> None:
    """Read to the end, and keep the beginning: a compiler may say gigabytes."""
    with stream:
        while some := stream.read(_TOLD):
            told.extend(some[: _TOLD - len(told)])


class _Group:
    """The compilers that one call waits for, which end together."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen[bytes]] = set()
        self.stopped = False

    def perform(self, task: Callable[[], object]) -> None:
        _group.set(self)
        task()

    def joined(self, process: subprocess.Popen[bytes]) -> None:
        self.running.add(process)
        if self.stopped:  # looked at last, as `stop` sets it first
            _kill(process)

    def stop(self) -> None:
        self.stopped = True
        for process in list(self.running):
            _kill(process)


_group: ContextVar[_Group] = ContextVar("_group")


def side_by_side(tasks: Sequence[Callable[[], object]]) -> None:
    """Run the tasks, each on a thread of its own.

    Ctrl-C ends the compilers that they wait for; one that is started later ends itself: a thread
    may have been started that the pool does not know yet.
    """
    group = _Group()
    pool = ThreadPoolExecutor(len(tasks))
    try:
        futures = [pool.submit(group.perform, task) for task in tasks]
        wait(futures)
        for future in futures:
            future.result()
    except KeyboardInterrupt:
        group.stop()
        raise
    finally:
        pool.shutdown()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def said(command: Sequence[str]) -> str:
    """The compiler as messages have it, with where it comes from."""
    where = "$CC = " if os.environ.get("CC", "").strip() else ""
    return f"the C compiler {where}{shortened(shlex.join(command), 200)}"


def command() -> tuple[str, ...]:
    """`$CC` with its arguments, or the first compiler that is installed."""
    given = os.environ.get("CC", "").strip()
    for name in [given] if given else ["cc", "gcc", "clang"]:
        try:
            command = tuple(shlex.split(name))
        except ValueError as error:
            raise CompilerError(f"$CC = {shortened(name)}: {error}") from None
        if shutil.which(command[0]):
            return command
    tried = f"$CC = {shortened(given)}" if given else "$CC, cc, gcc, clang"
    raise CompilerError(
        f"the C backend needs a C compiler: none found (tried {tried}); "
        'install gcc or clang, or use backend="numpy"'
    )


def identity() -> str:
    """The first line of what the compiler says of itself, or why there is none."""
    try:
        found = command()
        said = subprocess.run(
            [*found, "--version"], capture_output=True, text=True, errors="replace", timeout=5
        ).stdout
    except (CompilerError, OSError, subprocess.TimeoutExpired) as error:
        return f"none ({shortened(str(error), 200)})"
    return f"{shortened(shlex.join(found))}, {shortened(said.partition(chr(10))[0] or 'unknown')}"


@lru_cache(maxsize=1)
def _private() -> Path:
    """A directory of this process, for where there is no usable cache."""
    folder = tempfile.mkdtemp(prefix="symnet-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
