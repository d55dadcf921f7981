"""What notebooks show of formulas is set by MathJax 4, MathJax 3 and KaTeX, without a complaint.

Needs Node.js and their packages in the folder that SYMNET_NPM names (`npm install --prefix FOLDER
mathjax@4 mathjax-full@3 katex`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import symnet
import zoo
from symnet import catalogue, formulas

PACKAGES = {"mathjax4": "mathjax", "mathjax3": "mathjax-full", "katex": "katex"}
HOSTILE = ("T [K]", "50 % of_x & #1 {$} ^~\\", "漢字 ρ")

NETWORKS = {
    "example": symnet.Network.example,
    "2-3-3-1": lambda: symnet.Network.dense([2, 3, 3, 1], hidden="tanh", seed=0),
    "relu": lambda: symnet.Network.dense([2, 3, 2], hidden="relu", seed=0),
    "gelu": lambda: symnet.Network.dense([1, 3, 1], hidden="gelu", seed=0),
    "labels": lambda: symnet.Network.dense([3, 2, 1], seed=0, inputs=HOSTILE),
    "residual": lambda: zoo.network("residual"),
    "classifier": lambda: zoo.network("classifier"),
}


def folder_of(program):
    """Where the package of that program is, or None."""
    place = Path(os.environ.get("SYMNET_NPM", "")) / "node_modules"
    return place if (place / PACKAGES[program]).is_dir() else None


def said(program, displays):
    """The program's complaints, one for each display."""
    done = subprocess.run(
        ["node", Path(__file__).with_name("typeset.cjs"), program],
        input=json.dumps(displays),
        capture_output=True,
        text=True,
        env={**os.environ, "NODE_PATH": str(folder_of(program))},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def displays_of(network, notation):
    """The bodies of its displays; outside of them there is nothing."""
    try:
        text = formulas.notebook(network, 1, notation, 4)
    except ValueError:  # too large for the notation
        return []
    found = re.findall(r"\$\$(.*?)\$\$\n", text, re.DOTALL)
    assert re.sub(r"\$\$.*?\$\$\n", "", text, flags=re.DOTALL).strip() == ""
    return found


@pytest.fixture(scope="module", params=PACKAGES)
def program(request):
    """One that is installed."""
    if folder_of(request.param) is None or shutil.which("node") is None:
        found = PACKAGES[request.param]
        pytest.skip(f"SYMNET_NPM names no folder with {found}, or there is no node")
    return request.param


@pytest.fixture(scope="module")
def named():
    """Every display, and of what it is."""
    return [
        (f"{name}, {notation}", display)
        for name, make in NETWORKS.items()
        for notation in catalogue.NOTATIONS
        for display in displays_of(make(), notation)
    ]


def test_every_display_is_set(program, named):
    """Of every notation and kind of network, hostile names included."""
    assert len(named) > 3 * len(NETWORKS)
    complaints = said(program, [display for _, display in named])
    found = [(name, why) for (name, _), why in zip(named, complaints, strict=True) if why]
    assert found == []


def test_a_wrong_display_is_noticed(program):
    """The test above could fail."""
    wrong = ["\\noindent where", "\\frac{1", "\\unknown{x}", "x_1"]
    assert [bool(why) for why in said(program, wrong)] == [True, True, True, False]
