"""What the command line says beside its results: errors in colour, and how far it is.

All of it goes to standard error, and only where that is a terminal is it coloured or written over.
`rich` draws the progress where it is installed (extra `cli`); a plain line does where it isn't.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from symnet.progress import watched

_PATIENCE = 1.0  # seconds before anything is shown
_EVERY = 0.2
_WORTH_SAYING = 2.0  # seconds that a work is expected to take
_BAR, _LEAST_FOR_BARS = 20, 60  # columns of a bar, and of a terminal with room for one
_AT_ONCE = 0.7  # of one before whose end nobody can tell what the rest takes


def coloured() -> bool:
    """Whether standard error shows colours: a terminal, no NO_COLOR, no TERM=dumb."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and sys.stderr.isatty()


def complain(message: str, head: str = "symnet: error:") -> None:
    """One line on standard error."""
    message = as_options(message)
    print(
        f"\x1b[1;31m{head}\x1b[0m {message}" if coloured() else f"{head} {message}", file=sys.stderr
    )


_ARGUMENT = re.compile(r"\b(at|data|inputs|kind|order|outputs|over)=(?!\S)")


def as_options(text: str) -> str:
    """A message of the library's, whose arguments are options here: `give over=` or `--over`."""
    return _ARGUMENT.sub(r"--\1", text)


def say(given: argparse.Namespace, text: str) -> None:
    """What is no result: to standard error where that is written to -, nowhere if quiet."""
    if not given.quiet and text:
        print(as_options(text), file=sys.stderr if given.output == "-" else sys.stdout)


class Progress:
    """How far a work is: a share from 0 to 1 where it is known, and in words."""

    def __init__(
        self,
        what: str,
        expected: float | None = None,
        quiet: bool = False,
        worth: float = _WORTH_SAYING,
    ) -> None:
        self.what, self.share, self.words = what, 0.0, ""
        self.left: float | None = None
        self.expected, self.quiet, self.told, self.worth = expected, quiet, False, worth
        self.began = time.monotonic()

    def show(self, share: float, words: str = "", left: float | None = None) -> None:
        """Set the share done, and the seconds left where they are known better than from it."""
        self.share, self.words, self.left = min(max(share, 0.0), 1.0), words, left

    def foretell(self, seconds: float, how: str = "about") -> None:
        """Say once, wherever standard error goes, what it will take, if that is worth it."""
        if self.quiet or self.told or seconds <= self.worth:
            return
        self.told = True
        print(f"symnet: {self.what}: {how} {duration(seconds)}", file=sys.stderr, flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    @property
    def remaining(self) -> float | None:
        """Seconds left; None where nothing is known yet."""
        if self.left is not None:
            return self.left
        if self.share:
            return self.elapsed * (1 - self.share) / self.share
        return None if self.expected is None else max(0.0, self.expected - self.elapsed)

    @property
    def state(self) -> str:
        """How far it is, and what time is left."""
        share = f"{100 * self.share:.0f} %  " if self.share else ""
        left = "" if self.remaining is None else f", {self.remaining:.0f} s to go"
        words = f"{self.words}  " if self.words else ""
        return f"{share}{words}{self.elapsed:.0f} s{left}"

    def line(self, columns: int) -> str:
        """What it is and how far, in so many characters; the first of it gives way."""
        state = self.state
        return f"{_cut(self.what, columns - len(state) - 2)}  {state}"[-columns:]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"


def duration(seconds: float) -> str:
    """`40 s`, `6 min`, `3 h`: as exact as a forecast is."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds < 10 else f"{round(seconds, -1):.0f} s"


@contextmanager
def working(
    what: str, quiet: bool = False, seconds: float | None = None, first: bool = False
) -> Iterator[Progress]:
    """A Progress that is shown after a second, on a terminal and unless `quiet`.

    seconds: what it will take, where that is known; more than two are said at once, wherever
    standard error goes, and fewer where it comes `first`, before the rest can be foretold; that
    it takes longer is said once, too. What the work itself tells by `progress.steps` is its share.
    """
    progress = Progress(what, seconds, quiet, _AT_ONCE if first else _WORTH_SAYING)
    if seconds is not None:
        progress.foretell(seconds)
    shown = sys.stderr.isatty()
    if quiet or not (shown or first):
        yield progress
        return
    done = threading.Event()
    watch = _watch if shown else _wait
    watcher = threading.Thread(target=watch, args=(progress, done), daemon=True)
    watcher.start()
    try:
        with watched(progress.show):
            yield progress
    finally:
        done.set()
        watcher.join()


def _wait(progress: Progress, done: threading.Event) -> None:
    """Where nothing is written over: by processor time, as a busy machine foretells nothing."""
    began = time.process_time()
    while not progress.told and not done.wait(_EVERY):
        taken = time.process_time() - began
        if taken > _WORTH_SAYING:
            progress.foretell(taken, "already")


def _watch(progress: Progress, done: threading.Event) -> None:
    if done.wait(_PATIENCE):
        return
    wide = _columns() >= _LEAST_FOR_BARS
    show, clear = (_rich(progress) if wide else None) or _plain(progress)
    try:
        while not done.wait(_EVERY):
            show()
    finally:
        clear()


def _plain(progress: Progress) -> tuple[Callable[[], None], Callable[[], None]]:
    written = 0

    def show() -> None:
        nonlocal written
        text = progress.line(_columns() - 1)
        sys.stderr.write(f"\r{text.ljust(written)}")
        sys.stderr.flush()
        written = len(text)

    def clear() -> None:
        sys.stderr.write("\r" + " " * written + "\r")
        sys.stderr.flush()

    return show, clear


def _columns() -> int:
    """As `COLUMNS` says, or the terminal; some say that they have none."""
    asked = os.environ.get("COLUMNS", "")
    try:
        own = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        own = 0
    return max(20, (int(asked) if asked.isdecimal() else 0) or own or 80)


def _rich(progress: Progress) -> tuple[Callable[[], None], Callable[[], None]] | None:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars
    except ImportError:
        return None
    bars: Any = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=_BAR),
        TextColumn("{task.fields[said]}", markup=False),
        console=Console(stderr=True, no_color=not coloured()),
        auto_refresh=False,
        transient=True,
    )
    task = bars.add_task(progress.what, total=None, said="")
    bars.start()

    def show() -> None:
        said, total = progress.state, 1.0 if progress.share else None
        what = _cut(progress.what, max(8, bars.console.width - _BAR - len(said) - 3))
        bars.update(
            task,
            description=what,
            total=total,
            completed=progress.share,
            said=said,
            refresh=True,
        )

    return show, bars.stop
