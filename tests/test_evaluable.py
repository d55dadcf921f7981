"""Formulas that are safe to evaluate in doubles: `symnet.stable`, `partial(..., stable=True)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Rational, diff, erf, exp, lambdify, log, sqrt, tanh

import symnet
from symnet import evaluable, progress

x, y = sympy.symbols("x y")
POINTS = (-800.0, -100.0, -39.0, -30.0, -1.0, -1e-8, 0.0, 1e-8, 1.0, 30.0, 39.0, 100.0, 800.0)
SOFTPLUS, GELU = log(1 + exp(x)), x * (1 + erf(x / sqrt(2))) / 2
CASES = {
    **{f"softplus {k}": diff(SOFTPLUS, x, k) for k in range(5)},
    **{f"sigmoid {k}": diff(1 / (1 + exp(-x)), x, k) for k in range(3)},
    **{f"tanh {k}": diff(tanh(x), x, k) for k in range(3)},
    **{f"gelu {k}": diff(GELU, x, k) for k in range(3)},
}


def compared(safe: Expr, exact: Expr, symbols: Sequence[Expr], points: np.ndarray) -> None:
    """`safe` in Python's doubles against `exact` in as many digits as its cancellation takes."""
    function, truth = lambdify(symbols, safe, "math"), lambdify(symbols, exact, "mpmath")
    for point in points.tolist():
        with mpmath.workdps(1500):
            wanted = float(truth(*map(mpmath.mpf, point)))
        np.testing.assert_allclose(function(*point), wanted, rtol=1e-12, atol=1e-290)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize("case", CASES)
def test_one_quantity(case: str) -> None:
    """Right where SymPy's own form cancels or overflows."""
    compared(symnet.stable(CASES[case]), CASES[case], [x], np.array(POINTS)[:, None])


def test_the_reported_value() -> None:
    """softplus'' at 39 came out as -3.55e-15."""
    bend = diff(SOFTPLUS, x, 2)
    assert not lambdify(x, bend)(39.0) > 0
    compared(symnet.stable(bend), bend, [x], np.array([[39.0]]))


def test_of_several_inputs() -> None:
    """A function of a neuron's form is one quantity; the largest term of a sum goes first."""
    points = np.array([(800.0, 799.0), (-800.0, -801.0), (0.0, 0.0), (3.0, -800.0)])
    for exact in (log(exp(x) + exp(y)), log(1 + exp(x + 2 * y)), tanh(x - y) ** 2):
        compared(symnet.stable(exact), exact, [x, y], points)


@pytest.mark.parametrize(
    "activations", [("softplus", "linear"), ("sigmoid", "sigmoid"), ("gelu", "tanh"), ("elu", None)]
)
def test_partials(activations: tuple[str, str | None]) -> None:
    """Of two layers, against the same network of exact weights."""
    half, quarter = Rational(1, 2), Rational(1, 4)
    weights = [[1, 2], [half, -quarter]]
    hidden, last = activations
    exact, doubles = (
        symnet.Network(
            [
                symnet.Layer([[kind(w) for w in row] for row in weights], [kind(half), 0], hidden),
                symnet.Layer([[kind(2), kind(1)]], None, last or "linear"),
            ]
        )
        for kind in (sympy.sympify, float)
    )
    points = np.array([(39.0, 0.0), (1.0, 2.0), (-20.0, 0.0), (-400.0, 1.0), (37.0, 30.0)])
    for along in (("x1",), ("x1", "x2")):
        safe = symnet.derive(doubles).partial(*along, stable=True)
        compared(safe, symnet.derive(exact).partial(*along), exact.inputs, points)


def test_refused() -> None:
    """What is no expression, and what no known form makes right."""
    with pytest.raises(TypeError, match="a SymPy expression is needed, got str"):
        symnet.stable("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="in double precision, but is"):
        symnet.stable(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1 + exp(-100) * sympy.sin(x))
    inputs = symnet.variables("x1", "x2")
    net = symnet.Network.of(symnet.softmax(symnet.Layer([[1.0, 2.0], [3.0, 4.0]])(inputs)))
    with pytest.raises(ValueError, match="a stable formula of softmax is not known"):
        symnet.derive(net).partial("x1", of="y1", stable=True)


def test_cases_inside_of_a_sum() -> None:
    """Conditions are no quantities that the whole may be a function of."""
    formula = tanh(x) + sympy.Piecewise((exp(x), x > 0), (1, True))
    function = lambdify(x, symnet.stable(formula))
    for value in (-30.0, 2.0):
        expected = np.tanh(value) + (np.exp(value) if value > 0 else 1)
        np.testing.assert_allclose(function(value), expected, rtol=1e-14)


@pytest.mark.parametrize("backend", ["numpy", "math"])
@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (log(x), [np.nan, np.log(0.25)]),
        (sqrt(x) + sympy.sin(x), [np.nan, 0.5 + np.sin(0.25)]),
        (sympy.acosh(2 - x), [np.arccosh(3.0), np.arccosh(1.75)]),
    ],
)
def test_where_a_formula_has_no_value_it_is_nan(
    formula: Expr, expected: list[float], backend: str
) -> None:
    """And evaluated by SymPy's own means: nothing in it is a function of ours."""
    function = lambdify(x, symnet.stable(formula), backend)
    with np.errstate(invalid="ignore"):
        found = [float(function(value)) for value in (-1.0, 0.25)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_matrices_are_put_in_safe_forms_entry_by_entry():
    derived = symnet.derive(symnet.Network.example())
    found = symnet.stable(derived.jacobian())
    assert found.shape == (1, 2)
    assert found[0, 1] == symnet.stable(derived.partial("x2"))


def test_what_may_take_a_minute_is_said_before(caplog, monkeypatch):
    """Before the form is looked for, which this does not wait for."""

    def looked_for(outer):
        assert re.search(r"operations may take a minute; .* stable=True", caplog.messages[0])
        return sympy.Integer(0)

    monkeypatch.setattr(evaluable, "_alone", looked_for)
    x = sympy.Symbol("x")
    assert symnet.stable(sum(sympy.tanh(k * x) ** 2 / k for k in range(1, 40))) == 0
    assert len(caplog.messages) == 1


def test_parts_that_take_long_together_are_said_early(caplog, monkeypatch):
    """Of several quantities too, and once."""
    seconds = iter(range(0, 1000))
    monkeypatch.setattr(progress, "time", SimpleNamespace(process_time=lambda: next(seconds)))
    symnet.stable(sum(map(sympy.tanh, sympy.symbols("a b c d"))))
    (said,) = caplog.messages
    assert "an expression of 7 operations may take a minute" in said


def test_what_is_quick_is_silent(caplog, monkeypatch):
    monkeypatch.setattr(progress, "time", SimpleNamespace(process_time=lambda: 0.0))
    symnet.stable(sympy.tanh(sympy.Symbol("a")) * sympy.tanh(sympy.Symbol("b")))
    assert not caplog.messages
