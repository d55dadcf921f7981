"""Limits of processor time: over on every machine, or on none."""

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
