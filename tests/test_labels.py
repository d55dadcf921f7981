"""Labels of any characters, in every format that a report is written in."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import sympy

import symnet
from symnet import reporting
from symnet.formulas import tex

HOSTILE = "<img src=x onerror=alert(1)> [c](javascript:1) | *a* _b_ x_1 & $z$ ~ {\\}"


def page(name, format):
    """A report on the built-in network under another name."""
    example = symnet.Network.example()
    derivation = symnet.derive(symnet.Network(example.layers, name=name), order=1)
    return reporting.page(derivation, None, None, format)


def test_markdown_has_no_markup_of_a_name():
    """Neither HTML, nor links, nor emphasis, nor table cells."""
    heading = page(HOSTILE.replace("\\", ""), "md").splitlines()[0]
    assert heading == (
        r"# \<img src=x onerror=alert(1)\> \[c\](javascript:1) \| \*a\* \_b\_ x_1 \& \$z\$ \~ {}"
    )


def test_text_with_sympys_own_names_pastes_into_sympify():
    """I, E, N, S, Q, beta and gamma are inputs there, not what SymPy calls so."""
    names = ["I", "E", "N", "S", "Q", "beta", "gamma", "x1"]
    net = symnet.Network.dense([8, 1], inputs=names, output="sigmoid", seed=0)
    text = symnet.derive(net, order=0).text()
    found = re.search(r"^in SymPy: sympify\(\.\.\., locals=(.*)\)$", text, re.M)
    given = eval(found[1], {"Symbol": sympy.Symbol})
    assert set(given) == set(names) - {"x1"}
    right = text[text.index("= ") + 2 : text.index("in SymPy")]
    read = sympy.sympify(right.strip(), locals=given)
    assert read.free_symbols == set(net.inputs)
    assert "in SymPy" not in symnet.derive(symnet.Network.example()).text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50 %", r"a\_b \& 50 \%"),
        ("Ünï – čé", r"\"{U}n\"{i} -- \v{c}\'{e}"),
        ("ρ(T)", r"\ensuremath{\rho}(T)"),
        ("漢😀", r"\texttt{U+6F22}\texttt{U+1F600}"),
    ],
)
def test_plain_text_in_latex(text, expected):
    """In ASCII, so that every engine sets it."""
    assert tex.escaped(text) == expected
    assert tex.escaped(text).isascii()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex")
@pytest.mark.parametrize(
    "name", ["漢字", "ρ of T, Ünïcode é ñ č å ß ð Ω 😀", "50 % & {a} #1 ~ ^ $ _"]
)
def test_pdflatex_sets_every_label(tmp_path, name):
    """Without an error."""
    (tmp_path / "report.tex").write_text(page(name, "tex"), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
