"""Files that replace others whole: written beside, renamed at the end."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from symnet import leftovers
from symnet.catalogue import file_name

FilePath = str | os.PathLike[str]

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


@contextmanager
def replacing(path: FilePath) -> Iterator[TextIO]:
    """A text file in UTF-8 whose content replaces `path`; see `replacing_bytes`.

    Line ends are written as given.
    """
    with replacing_bytes(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()


@contextmanager
def replacing_bytes(path: FilePath) -> Iterator[BinaryIO]:
    """A file whose content replaces `path` when the block ends without an exception.

    The content goes to a new file in the same folder, which is renamed at the end and removed
    after an exception, Ctrl-C included. A symbolic link keeps pointing to its target, and the
    target's permissions are kept. What is no regular file (`/dev/stdout`, a pipe) is written
    directly. Raises OSError, with the name of `path`.
    """
    path = file_name(path)
    target = Path(os.path.realpath(path))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as file:
            yield file
        return
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "file is write-protected", path)
    leftovers.remove(target.parent, ".symnet-*.tmp")
    beside = target.with_name(f".symnet-{os.urandom(8).hex()}.tmp")
    try:
        file = open(beside, "xb")  # noqa: SIM115 closed below
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
            raise OSError(error.errno, error.strerror, path) from None
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # The rename itself reaches the disk only with the folder; not every system can open one.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
