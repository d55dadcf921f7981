"""Arithmetic of many digits, by one thread at a time: mpmath keeps one precision for a process.

Two threads that compute at once would change it under each other, and what they keep would be
wrong. A fork's child has a lock of its own, whoever held it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import mpmath

_LOCK = threading.RLock()


@contextmanager
def digits(count: int) -> Iterator[None]:
    """Numbers of mpmath have so many decimal digits meanwhile."""
    with _LOCK, mpmath.workdps(count):
        yield


@contextmanager
def bits(count: int) -> Iterator[None]:
    """Numbers of mpmath have so many binary digits meanwhile."""
    with _LOCK, mpmath.workprec(count):
        yield


def _renewed() -> None:
    global _LOCK
    _LOCK = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renewed)
