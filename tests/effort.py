"""Limits of processor time that hold on every machine: in seconds of the one they were set on.

A limit in seconds fails where a machine is slow or shared. What took longer than a limit is
measured against a piece of work of known length, done right after: `slowness` is how many times as
long it took as on the machine of the limits, and the limit is that many times as long.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import numpy as np

REFERENCE = 0.021
"""Seconds of processor time of `_work`, on the quiet machine that the limits were set on."""


def slowness() -> float:
    """How many times as long as on the machine of the limits anything takes here, at least 1.

    The worst of some attempts, as what is measured had one.
    """
    return max(1.0, *(_work() / REFERENCE for _ in range(5)))


def _work() -> float:
    """Processor seconds of interpreted code, and of memory that is asked for and written."""
    started = time.process_time()
    words = {str(k): k for k in range(60_000)}
    total = sum(words[str(k)] for k in range(0, 60_000, 3))
    fresh = np.full(400_000, float(total))
    fresh.sort()
    return time.process_time() - started


def over(seconds: float, limit: float) -> bool:
    """Whether work of so many seconds of processor time took longer than the limit allows here."""
    return seconds > limit and seconds > limit * slowness()


@contextmanager
def hanging(seconds: float) -> Iterator[None]:
    """What takes so many seconds of the processor, or ten times as many of the clock, hangs.

    The process ends then, and says where it was.
    """
    faulthandler.register(signal.SIGPROF, chain=True)
    faulthandler.dump_traceback_later(10 * seconds, exit=True)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()


@contextmanager
def within(limit: float) -> Iterator[None]:
    """What is done meanwhile takes at most `limit` seconds of the machine of the limits."""
    started = time.process_time()
    yield
    taken = time.process_time() - started
    assert not over(taken, limit), f"{taken:.2f} s of processor time, limited to {limit} s"


def calls(action: Callable[[], object]) -> int:
    """The number of calls of Python functions that an action makes, the same on every machine."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count
