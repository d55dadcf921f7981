"""How far a work is: shares that rise to 1, of parts within parts, and of every long command."""

from __future__ import annotations

import re
import sys
import threading

import numpy as np
import pytest
import sympy

import effort
import symnet
from symnet import formulas, progress
from symnet.cli import main, terminal


def told(work):
    """The shares that are told while `work` is done."""
    shares = []
    with progress.watched(shares.append):
        work()
    return shares


def test_parts_of_parts():
    """Weights, steps within steps, and a lazily made row of a known length."""

    def work():
        with progress.part(0.0, 0.5):
            for _ in progress.steps("ab"):
                for _ in progress.steps("cd", weights=[3, 1]):
                    pass
        with progress.part(0.5, 1.0):
            assert list(progress.steps(iter(range(4)), count=4)) == [0, 1, 2, 3]

    shares = told(work)
    assert shares[:5] == [0.1875, 0.25, 0.25, 0.4375, 0.5]
    assert shares[-5:] == [0.625, 0.75, 0.875, 1.0, 1.0]


def test_nobody_watches():
    """The items as they are, made one by one; and nothing is told to those who did before."""
    shares = told(lambda: None)
    made = []
    steps = progress.steps(made.append(k) or k for k in range(3))
    assert next(steps) == 0
    assert made == [0]
    assert shares == []


def test_errors_and_loops_that_are_left_leave_nothing_behind():
    """What comes after is no part of a part that was broken off."""

    def work():
        for _ in progress.steps("abcd"):
            break
        with pytest.raises(ZeroDivisionError), progress.part(0.0, 0.1):
            _ = 1 / 0
        for _ in progress.steps("ab"):
            pass

    assert told(work)[-2:] == [0.5, 1.0]


def test_a_thread_is_not_told_of_another():
    """Each has its own watcher, or none."""
    shares = []
    with progress.watched(shares.append):
        other = threading.Thread(target=lambda: list(progress.steps("ab")))
        other.start()
        other.join()
    assert shares == []


NETWORK = symnet.Network.dense([3, 6, 1], hidden="relu", seed=0)
POINTS = np.random.default_rng(0).normal(size=(50, 3))
WORKS = {
    "check": lambda: symnet.check(NETWORK, symnet.derive(NETWORK).compile(check=False)),
    "sensitivity": lambda: symnet.sensitivity(NETWORK, POINTS),
    "curves": lambda: symnet.plot(NETWORK, kind="curves"),
    "maps": lambda: symnet.plot(NETWORK, kind="maps", inputs=["x1", "x2"]),
    "pairs": lambda: symnet.plot(NETWORK, kind="pairs"),
    "neuron": lambda: symnet.derive(NETWORK).text("neuron"),
}


@pytest.mark.parametrize("work", WORKS)
def test_long_works_say_how_far_they_are(work):
    """On the way too, never less than before, and 1 at the end."""
    if work in ("curves", "maps", "pairs"):
        pytest.importorskip("matplotlib")
    shares = told(WORKS[work])
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert any(0 < share < 0.99 for share in shares)


COMMANDS = {
    "plot": ["plot", "{net}", "-o", "{folder}/a.png"],
    "report": ["report", "{net}", "-o", "{folder}/a.html"],
    "sensitivity": ["sensitivity", "{net}", "{folder}/d.csv", "-o", "{folder}/s.csv"],
    "generate": ["generate", "{net}", "-o", "{folder}/a.py"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_watch_their_work(command, tmp_path, monkeypatch):
    """Whatever takes long is shown: the share rises while the command runs."""
    pytest.importorskip("matplotlib")
    symnet.save(NETWORK, tmp_path / "net.json")
    rows = "".join(",".join(map(str, row)) + "\n" for row in POINTS.tolist())
    (tmp_path / "d.csv").write_text("x1,x2,x3\n" + rows)
    shares = []
    monkeypatch.setattr(terminal.Progress, "show", lambda _, share, *__: shares.append(share))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(terminal, "_PATIENCE", 1e6)
    words = [w.format(net=tmp_path / "net.json", folder=tmp_path) for w in COMMANDS[command]]
    assert main(words) == 0
    assert shares == sorted(shares)
    assert len(set(shares)) >= 2
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("notation", "order", "message"),
    [
        ("expanded", 1, "about 60,213,452 operations, limited to 50,000"),
        ("neuron", 2, "about 6,322,182 terms up to order 2, more than 1,000,000"),
    ],
)
def test_what_is_hopeless_is_refused_at_once(notation, order, message):
    """Before anything is built: a text of hundreds of megabytes would take minutes."""
    network = symnet.Network.dense([2, 1024, 1024, 1], hidden="tanh", seed=0)
    with effort.within(1), pytest.raises(ValueError, match=message):
        formulas.text(network, order, notation)


def test_a_search_says_once_that_it_goes_on(monkeypatch, caplog):
    """Of what nobody can foretell, after some time; not before, not twice, not where it is silent.

    A search for a form of a user's own activation is one.
    """
    with progress.lasting("sought"):
        progress.still()
    progress.still()
    assert not caplog.messages
    monkeypatch.setattr(progress, "_PATIENCE", -1.0)
    with progress.silent(True), progress.lasting("hushed"):
        progress.still()
    with progress.lasting("sought"):
        progress.still()
        progress.still()
    z = sympy.Symbol("z")
    symnet.Activation("slow", sympy.exp(z) * sympy.log(1 + sympy.exp(-sympy.exp(z)))).forms(1)
    assert caplog.messages == [
        "symnet: sought",
        "symnet: activation 'slow': a way to compute it right in double precision is looked for, "
        "which may take a minute",
    ]


def test_reading_that_takes_longer_than_foretold_is_said_once(monkeypatch, capsys):
    """Off a terminal, too, by processor time; not where it was said before, or is quiet."""
    monkeypatch.setattr(terminal, "_WORTH_SAYING", 0.02)
    monkeypatch.setattr(terminal, "_AT_ONCE", 0.01)
    monkeypatch.setattr(terminal, "_EVERY", 0.001)

    def said(**given):
        with terminal.working("reading net.onnx", first=True, **given) as shown:
            for _ in range(200):
                if not shown.told:
                    effort.slowness()
        return capsys.readouterr().err

    assert re.fullmatch(r"symnet: reading net\.onnx: already \d+ s\n", said(seconds=0.001))
    assert said(seconds=0.5).count("symnet: ") == 1
    monkeypatch.setattr(effort, "slowness", lambda: None)
    assert said(seconds=0.001, quiet=True) == ""
