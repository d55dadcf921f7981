"""How far a work is, told by whoever does it to whoever watches, with nothing passed between.

    with watched(show):                     # show(0.25) is called as parts are done
        for section in steps(sections):     # each is a part of the whole
            for picture in steps(pictures): # and these are parts of that one
                ...

and `with part(0.0, 0.25):` is the first quarter of what goes on.

Where nobody watches, `steps` is the items and nothing else. Each thread and task has its own.

What nobody can foretell, as a search, says once that it goes on, to the logger "symnet", whose
lines are on standard error unless a program has its own place for them:

    with lasting("a proof is looked for, which may take a minute"):
        ... still() ...
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")


class _Part(NamedTuple):
    """A part of the whole, from one share to another, and who is told."""

    start: float
    end: float
    tell: Callable[[float], None]


class _Lasting(NamedTuple):
    """What is said of a work, and when by the process's time."""

    what: str
    due: float


_PATIENCE = 2.0  # seconds of processor time
_LASTING: ContextVar[_Lasting | None] = ContextVar("symnet.lasting", default=None)
_PART: ContextVar[_Part | None] = ContextVar("symnet.progress", default=None)


@contextmanager
def watched(tell: Callable[[float], None]) -> Iterator[None]:
    """Inside, `tell` is called with the share done, from 0 to 1 and never less than before."""
    most = 0.0

    def ahead(share: float) -> None:
        nonlocal most
        most = max(most, share)
        tell(most)

    token = _PART.set(_Part(0.0, 1.0, ahead))
    try:
        yield
    finally:
        _PART.reset(token)


@contextmanager
def part(start: float, end: float) -> Iterator[None]:
    """What is done inside is this share of the work that goes on, from 0 to 1."""
    whole = _PART.get()
    if whole is None:
        yield
        return
    length = whole.end - whole.start
    here = _Part(whole.start + length * start, whole.start + length * end, whole.tell)
    _PART.set(here)
    try:
        yield
        here.tell(here.end)
    finally:
        _PART.set(whole)


def steps(
    items: Iterable[_T], weights: Sequence[float] | None = None, count: int | None = None
) -> Iterator[_T]:
    """The items, each a part of the work that goes on.

    weights: how long each takes, where not all take the same. count: how many there are, where
    they are made one by one.
    """
    if _PART.get() is None:
        yield from items
        return
    if not count:
        items = list(items)
        count = len(items)
    sizes = weights or [1.0] * count
    whole, done = sum(sizes) or 1.0, 0.0
    for item, size in zip(items, sizes, strict=False):
        with part(done / whole, (done + size) / whole):
            yield item
        done += size


@contextmanager
def lasting(what: str) -> Iterator[None]:
    """Inside, `still` says `what` where the work has gone on for two seconds."""
    token = _LASTING.set(_Lasting(what, time.process_time() + _PATIENCE))
    try:
        yield
    finally:
        _LASTING.reset(token)


def still(long: bool = False) -> None:
    """The work of `lasting`, if there is one, goes on, and with something that takes `long`."""
    work = _LASTING.get()
    if work is not None and (long or time.process_time() > work.due):
        _LASTING.set(None)
        warn(work.what)


def warn(what: str) -> None:
    """Say it to the logger "symnet"."""
    import logging  # not needed by those to whom nothing is said

    logging.getLogger("symnet").warning("symnet: %s", what)


@contextmanager
def silent(wanted: bool) -> Iterator[None]:
    """Where it is `wanted`, `still` and `warn` say nothing inside."""
    if not wanted:
        yield
        return
    import logging

    logger = logging.getLogger("symnet")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
