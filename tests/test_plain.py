"""Python to be read: what is written runs, without a warning, and is right."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import sympy

import symnet
from symnet import formulas, languages
from symnet.activations import Activation
from symnet.cli import main
from symnet.languages import plain
from symnet.languages.job import Job
from symnet.witness import checking
from test_languages import NETWORKS, far_out


def run(job, folder):
    """The module as a script, every warning an error."""
    path = folder / "net.py"
    path.write_text(plain.source(job), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-I", str(path)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.complete(every=5)
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "wide"])
def test_it_is_right(name, tmp_path, monkeypatch):
    """All activations, deep, many inputs and outputs, graphs.

    Without what takes long and is another's: the check before, and the remark on doubles.
    """
    monkeypatch.setattr(checking, "verify", lambda function: None)
    monkeypatch.setattr(formulas, "evaluating", lambda network, order: [])
    done = run(Job.of(NETWORKS[name](), 2, "net"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("self-test ok: 3 points, ")
    formatted(tmp_path)


def formatted(folder):
    """A formatter changes nothing."""
    if ruff := shutil.which("ruff"):
        command = [ruff, "format", "--isolated", "--no-cache", "--diff", "net.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("order", [0, 1, 3])
def test_other_orders(order, tmp_path):
    """Values alone, and third derivatives."""
    net = symnet.Network.dense([3, 4, 2], "tanh", seed=3)
    assert run(Job.of(net, order, "net"), tmp_path).returncode == 0
    formatted(tmp_path)


def test_parts_of_parts_have_names_of_their_own(tmp_path):
    """A part of a part was called as the part was, and read for it afterwards."""
    x = symnet.variables("x1", "x2", "x3")
    hidden = symnet.Layer(np.arange(12).reshape(4, 3) / 12 - 0.4, None, "gelu_tanh")
    h = hidden(x / (x**2 + 1.5))
    out = symnet.Layer([[0.25, -0.5, -1.25, 0.75]], [-0.1], "silu")(h)
    job = Job.of(symnet.Network.of(np.exp(out)), 2, "net")
    _, body = plain.source(job).split("def value_jacobian_hessian")
    names = re.findall(r"(part[0-9]+) = ", body)
    assert len(names) == len(set(names)) > 1
    done = run(job, tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_activations_of_one_shortened_name_have_functions_of_their_own(tmp_path):
    """Two that differ behind 30 letters, each of them in two layers."""
    z = sympy.Symbol("z", real=True)
    owns = [Activation("a" * 30 + end, value) for end, value in (("p", z**2), ("q", z**3 + z))]
    layers = [symnet.Layer([[0.5]], [0.25], own) for own in (*owns, *owns)]
    job = Job.of(symnet.Network(layers), 1, "net")
    assert run(job, tmp_path).returncode == 0
    defined = re.findall(r"^def (a{30}\w*)", plain.source(job), re.MULTILINE)
    assert len(defined) == len(set(defined)) >= 2


def test_extreme_points(tmp_path):
    """Far out nothing overflows without a stop, and nothing is lost in the tails."""
    done = run(far_out(), tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_self_test_notices_errors(tmp_path):
    """A changed weight, by one part in ten thousand."""
    job = Job.of(symnet.Network.dense([2, 3, 1], "tanh", seed=3), 2, "net")
    constants = dict(job.lowered.constants)
    constants["W1"] = constants["W1"] * np.where(np.arange(2) == 1, 1 + 1e-4, 1.0)
    done = run(replace(job, lowered=replace(job.lowered, constants=constants)), tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("self-test WRONG")


def test_it_is_short():
    """About 60 lines for 2-8-8-1: without the numbers, their test and the head."""
    (text,) = languages.generate(
        symnet.Network.dense([2, 8, 8, 1], "tanh", seed=1), "python", plain_text=True
    ).values()
    assert text.index("def value_jacobian_hessian") > 0
    assert max(map(len, text.splitlines())) <= 104
    kernels = text[text.index("\n\ndef ") : text.index("# Of another engine")]
    assert len(kernels.splitlines()) <= 60


def test_command(tmp_path, capsys):
    """--plain is of Python; the head has it."""
    path = tmp_path / "short.py"
    assert main(["generate", "--plain", "-o", str(path)]) == 0
    assert "--plain" in path.read_text(encoding="utf-8")
    assert main(["generate", "--plain", "--language", "c", "-o", str(tmp_path / "c/")]) != 0
    assert "plain text is for python" in capsys.readouterr().err
    with pytest.raises(ValueError, match="leave out precision float"):
        languages.generate(NETWORKS["one"](), "python", precision="float", plain_text=True)


@pytest.mark.parametrize("name", ["../evil", "class", "1 2", "a.b"])
def test_names_that_are_no_modules_are_refused(name):
    """A name is a part of a path, too."""
    net = NETWORKS["one"]()
    with pytest.raises(ValueError, match="name of what is generated"):
        languages.generate(net, "python", name=name, plain_text=True)
