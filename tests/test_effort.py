"""Limits of processor time: over on every machine, or on none."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import effort


def test_a_limit_is_as_many_times_longer_as_the_machine_is_slow(monkeypatch):
    """Ten times as slow a machine gets ten times as long, a faster one no less than is asked."""
    monkeypatch.setattr(effort, "_work", lambda: 10 * effort.REFERENCE)
    assert not effort.over(9.0, 1.0)
    assert effort.over(11.0, 1.0)
    monkeypatch.setattr(effort, "_work", lambda: effort.REFERENCE / 10)
    assert not effort.over(0.9, 1.0)
    assert effort.over(1.1, 1.0)


def test_what_takes_too_long_fails():
    with pytest.raises(AssertionError, match="s of processor time, limited to 0"), effort.within(0):
        effort._work()


def test_what_hangs_is_ended_and_says_where():
    """By what it takes of the processor: a machine that has no time for it is no hang."""
    code = "import effort\nwith effort.hanging(0.2):\n    while True: pass"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGPROF
    assert 'File "<string>", line 3' in done.stderr
