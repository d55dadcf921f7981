"""What is printed of every activation, in each format: evaluated in 60 digits, beside mpmath's."""

from __future__ import annotations

import re

import mpmath
import pytest
import sympy

from symnet import formulas
from symnet.activations import TABLE, Z
from symnet.network import Layer, Network

ORDER = 3
POINTS = ("-3.7", "-0.83", "0.27", "0.77", "4.1")
NAMES = ("cos", "cosh", "erf", "exp", "log", "pi", "sin", "sqrt", "tanh")
FUNCTIONS = {name: getattr(mpmath, name) for name in NAMES} | {"abs": abs, "arctan": mpmath.atan}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

UNICODE = (
    (r"·10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda found: "e" + found[1].translate(RAISED)),
    (r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda found: f"**({found[0].translate(RAISED)})"),
    (r"√(\w+)", r"sqrt(\1)"),
    (r"√\(", "sqrt("),
    (r"\^", "**"),
    ("″", "''"),
    ("‴", "'''"),
    (r"\{", "("),
    (r"\}", ")"),
    (r", (?=else)", " "),
    (", ", " else "),
    *zip("−·′≤≥π", ("-", "*", "'", "<=", ">=", "pi"), strict=True),
)
LATEX = (  # from the inside of braces out
    (r"\\begin\{cases\}(.*?)\\end\{cases\}", r"(\1)"),
    (r"\\text\{otherwise\}", ""),
    (r"\\quad(\{\})?|&", ""),
    (r",\\ +(\\text\{else \}\\mathopen\{\})?", " else "),
    (r" \\\\ ", " else "),
    (r"(\\ )?\\text\{if \}", " if "),
    (r"\\(left|right|[bB]ig[lr]?)(?=[()/])|\{\}", ""),
    (r"\\lvert (.*?)\\rvert ", r"abs(\1)"),
    (r"\\cdot 10\^\{(-?\d+)\}", r"e\1"),
    (r"\\(,|cdot)", "*"),
    (r"\\_", "_"),
    (r"\\(operatorname\{(\w+)\}|sigma)", lambda found: found[2] or "σ"),
    (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)"),
    (r"(?<!\w)e\^\{([^{}]*)\}", r"exp(\1)"),
    (r"\^\{([^{}]*)\}", r"**(\1)"),
    (r"\\le(?![a-z])", "<="),
    (r"\\ge(?![a-z])", ">="),
    (r"\\(?=[a-z])(?!(frac|sqrt|operatorname|text|begin)\b)", ""),
)


def read(formula, rules):
    """The formula as Python has it: by the rules, until none applies any more."""
    before = None
    while formula != before:
        before = formula
        for pattern, by in rules:
            formula = re.sub(pattern, by, formula)
    return formula


def evaluated(code, **scope):
    """Integers are exact, and other numbers the doubles that they are printed for."""
    exact = re.sub(r"(?<![\w.])\d+(\.\d+)?(e-?\d+)?(?![\w.])", r"mpf(\g<0>)", code)
    return eval(exact.replace("\n", " "), {}, FUNCTIONS | {"mpf": mpmath.mpf} | scope)


def lines(printed, format):
    """`[left, right]` of every line, broken ones joined, as Python has them."""
    rules = {"text": (), "unicode": UNICODE, "latex": LATEX}[format]
    if format == "latex":
        whole = re.sub(r" \\\\\n&", " ", re.sub(r"\\(begin|end)\{align.*\n?", "", printed))
        cells = re.split(r" \\\\\n|\n\n| & \\quad ", whole)
        pairs = [cell.split("&=") for cell in cells if "&=" in cell]
    else:
        whole = re.sub(r"\n {4,}", " ", printed)
        cells = [c for line in whole.splitlines() for c in re.split(r" {5}(?=\S+ +=)", line)]
        pairs = [cell.split(" = ", 1) for cell in cells if " = " in cell]
    return [[read(side, rules).strip() for side in pair] for pair in pairs]


def slope(function, order, z):
    """The numerical derivative, by steps far below the digits compared."""
    if order == 0:
        return function(z)
    with mpmath.workdps(200):
        return mpmath.diff(function, z, order, h=mpmath.mpf(10) ** -40)


def defined(name):
    """The points where σ is real, and σ by mpmath."""
    value = sympy.lambdify(Z, TABLE[name].value, "mpmath")
    places = [mpmath.mpf(point) for point in POINTS]
    return [z for z in places if mpmath.im(value(z)) == 0], value


@pytest.mark.parametrize("format", ["text", "unicode", "latex"])
@pytest.mark.parametrize("name", sorted(set(TABLE) - {"linear"}))
def test_printed_definitions_are_derivatives(name, format):
    """σ, σ′, σ″ and σ‴, where they are not σ itself or zero."""
    network = Network([Layer([[1.25]], [0.5], name), Layer([[1.0]])])
    printed = formulas.text(network, ORDER, "neuron", format).partition("where")[2]
    known = set()
    with mpmath.workdps(60):
        places, value = defined(name)
        for left, right in lines(printed, format):
            own, primes, _ = re.fullmatch(r"(\S+?)('*)(\(z\))?", left).groups()
            known.add(order := len(primes))
            code = re.sub(rf"(?<!\w){own}(\(z\))?(?![\w(])", "own", right) if order else right
            for z in places:
                found, wanted = evaluated(code, z=z, own=value(z)), slope(value, order, z)
                assert mpmath.almosteq(found, wanted, 1e-30, 1e-30), (left, right, z)
    assert {1, *([2] if TABLE[name].constant(2) is None else [])} <= known
