"""Unfinished files that killed processes left behind: removed when they are old."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

OLD = 24 * 3600.0
"""Seconds since the last change after which no process is still writing."""


def remove(folder: Path, pattern: str) -> None:
    """Remove the user's own files and folders in `folder` that match and are old; never an error.

    What another removes at the same time, or what may not be removed, is passed over.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if fnmatch(entry.name, pattern) and _is_old(entry):
                _remove(entry)


def _is_old(entry: os.DirEntry[str]) -> bool:
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    own = not hasattr(os, "getuid") or state.st_uid == os.getuid()
    return own and state.st_mtime < time.time() - OLD


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        with suppress(OSError):
            os.unlink(entry.path)
