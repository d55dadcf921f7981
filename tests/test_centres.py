"""Formulas written around a point other than 0: right near it to every order, however written."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy
from sympy import E, Float, Rational, atan, cosh, exp, log, pi, sin, sqrt, tanh

from symnet.activations import Activation, stable
from symnet.activations.accuracy import Fault
from symnet.activations.arithmetic import in_steps
from symnet.activations.centres import centres
from symnet.activations.systems import Z as z

ORDER = 4
AROUND = {
    "root of a cube": (1 / sqrt(0.3 * (1 + z) ** 3 + 0.7), -1),
    "exp of a cube": (exp(-((z - 5) ** 3)), 5),
    "exp of a cube, multiplied out": (exp(-(z**3) + 15 * z**2 - 75 * z + 125), 5),
    "cube and log": ((z + 7) ** 3 * log(1 + (z + 7) ** 2), -7),
    "cube": (z**3 + 21 * z**2 + 147 * z + 343, -7),
    "square": (1 / (z**2 - 4 * z + 5), 2),
    "cube and Gaussian": (exp(-((z - 10) ** 2) / 2) * (z - 10) ** 3, 10),
    "cube over a square": ((z - 10) ** 3 / (1 + (z - 10) ** 2), 10),
    "tanh of a cube": (tanh((z - 2) ** 3), 2),
    "tanh less its argument": (tanh(z - 2) - z + 2, 2),
    "log cosh": (log(cosh(z - 3)), 3),
    "two places": ((z + 1) ** 2 * exp(-((z + 1) ** 2)), -1),
    "tangent of exp": (exp(z) - E * z, 1),
    "nearly a tangent": (exp(z) - E * z + Float(1e-6), 1),
    "square of exp": (exp(2 * z) - 4 * exp(z) + 4, log(2)),
    "cube of log": (log(z) ** 3 - 3 * log(z) ** 2 + 3 * log(z) - 1, E),
    "tangent of log": (log(z) - z / 2 + 1 - log(2), 2),
    "tangent of atan": (atan(z) - z / 2 - pi / 4 + Rational(1, 2), 1),
    "irrational cube": (z**3 - 3 * sqrt(2) * z**2 + 6 * z - 2 * sqrt(2), sqrt(2)),
    "1 - sin": (1 - sin(z), 5 * pi / 2),
    "slope of z - sin": (z - sin(z), 20 * pi),
    "square of sine": (sin(z) ** 2 - 1, -pi / 2),
    "entropy": (z * log(z) - z + 1, 1),
}


def truth(formula: sympy.Expr, at: float) -> list[mpmath.mpf]:
    """The derivatives up to one more than the order, by mpmath."""
    with mpmath.workdps(200):
        function = sympy.lambdify(z, formula, "mpmath")
        terms = mpmath.taylor(function, mpmath.mpf(at), ORDER + 1)
        return [mpmath.factorial(k) * term for k, term in enumerate(terms)]


@pytest.mark.complete(every=3)
@pytest.mark.parametrize(("formula", "centre"), AROUND.values(), ids=AROUND)
def test_formulas_are_right_near_their_centre(formula, centre):
    """Where a derivative and the next vanish together rounding z excuses nothing."""
    forms = Activation("own", formula).forms(ORDER)
    steps = [share * 10.0**-k for k in range(1, 13) for share in (1, -3.3)]
    points = np.array([float(centre) + step for step in steps])
    found = np.array(in_steps(forms.shared, forms.derivatives, points))
    for at, values in zip(points.tolist(), found.T.tolist(), strict=True):
        right = truth(formula, at)
        for order, value in enumerate(values):
            allowed = 3e-13 * (abs(right[order]) + abs(at * right[order + 1]))
            assert abs(value - right[order]) <= allowed, (order, at)


def right_at(formula: sympy.Expr, points: list[float], order: int) -> None:
    """Fails where a derivative up to `order` is not that of mpmath at one of the points."""
    forms = Activation("own", formula).forms(order)
    found = np.array(in_steps(forms.shared, forms.derivatives, np.array(points)))
    for at, values in zip(points, found.T.tolist(), strict=True):
        right = truth(formula, at)
        for r, value in enumerate(values):
            allowed = 3e-13 * (abs(right[r]) + abs(at * right[r + 1])) + 1e-290
            assert abs(value - right[r]) <= allowed, (r, at)


def test_a_formula_is_right_as_near_the_end_of_its_domain_as_doubles_are():
    """Van Genuchten's conductivity at saturation: 1.7e4 was given for 1.2e12, and infinity."""
    steps = [7.123456e-9, 3.3e-10, 1e-10, 1e-11]
    right_at(sqrt(z) * (1 - sqrt(1 - z**2)) ** 2, [1 - step for step in steps], 2)


@pytest.mark.complete(every=4)
@pytest.mark.parametrize(
    ("formula", "order"),
    [
        (-1.17 * sqrt(z) / (1 + 1.5 * sqrt(z)), 3),  # Debye and Hückel
        (z**0.7 / (1 + z**0.7), 3),  # Hill, and Sips
        (z**1.6 / (1 + z**1.6), 4),
        ((1 + z**1.3) ** -0.4, 3),  # van Genuchten
    ],
    ids=str,
)
def test_broken_powers_are_right_at_all_sizes(formula, order):
    """Third derivatives were infinite from 1e-49 down, or refused."""
    forms = Activation("own", formula).forms(order)
    points = np.array([1e-60, 1e-50, 1e-20, 1e-3, 0.7, 1.0, 3.0, 1e6, 1e20, 1e45, 1e64])
    exact = formula.xreplace({c: Rational(c) for c in formula.atoms(Float)})
    for r, found in enumerate(in_steps(forms.shared, forms.derivatives, points)):
        right = sympy.lambdify(z, sympy.diff(exact, z, r), "mpmath")
        with mpmath.workdps(600):
            for at, value in zip(points.tolist(), found.tolist(), strict=True):
                assert value == pytest.approx(float(right(mpmath.mpf(at))), rel=3e-13, abs=1e-290)


def test_a_formula_is_a_number_beside_its_pole():
    """Saturation pressure by Magnus, from 1 unit of the last digit on: it was NaN for 0."""
    formula = 6.1094 * exp(17.625 * z / (z + 243.04))
    forms = Activation("own", formula).forms(2)
    points = -243.04 + np.arange(1, 9) * np.spacing(243.04)
    assert np.all(np.array(in_steps(forms.shared, forms.derivatives, points)) == 0)


def test_the_logarithm_of_the_expected_improvement_is_right_far_out():
    """log(z Phi(z) + phi(z)), of which little is left in doubles from -6 on."""
    density = exp(-(z**2) / 2) / sqrt(2 * pi)
    points = [-25.0, -12.5, -3.0, 0.7, 30.0]
    right_at(log(z * (1 + sympy.erf(z / sqrt(2))) / 2 + density), points, 0)


def test_the_place_of_an_error_is_told_from_its_neighbours():
    """0.9999999999 is not 1, where the formula ends."""
    error = stable.Inaccurate(Fault(0, 1 - 1e-10, math.inf, mpmath.mpf(2)))
    assert "at z = 0.9999999999 would be computed as inf" in str(error)


def test_a_multiple_zero_of_many_periods_is_refused_by_its_place():
    """As exp(sin z) - E has: no identity takes them together, and each would need its own form."""
    with pytest.raises(ValueError, match=r"its value at z = 7\.85398 would be computed as"):
        Activation("own", exp(sin(z)) - E).forms(0)


def test_roots_of_sines_have_their_corners():
    """sqrt(1 - sin z) is sqrt(2) |cos(z/2 + pi/4)|: its slope jumps from -1/sqrt 2 to 1/sqrt 2."""
    forms = Activation("own", sqrt(1 - sin(z))).forms(1)
    points = math.pi / 2 + np.array([-1e-9, 1e-9])
    value, slope = in_steps(forms.shared, forms.derivatives, points)
    assert value == pytest.approx([1e-9 / math.sqrt(2)] * 2, rel=1e-6)
    assert slope == pytest.approx([-math.sqrt(0.5), math.sqrt(0.5)], rel=1e-12)


@pytest.mark.parametrize(
    ("formula", "places"),
    [
        ((z - 3) ** 5 / (1 + (z - 3) ** 4), [3]),
        (exp(-((z - sympy.Rational(1, 3)) ** 40)), [sympy.Rational(1, 3)]),
        (exp(z + (z - 7) ** 4), [7 - 4 ** (-1 / 3), 7]),
        (sympy.sin(z**2 - 3), [-(3**0.5), 3**0.5]),
        (tanh(0.3 * z + 0.9) + exp(z), [-3]),
        (sympy.Piecewise((exp(-((z - 2) ** 2)), z < 1), (1 / (z + 5), True)), [-5, 2]),
        (exp(sympy.pi * z**6 + sympy.E * z**2 - z), []),
    ],
)
def test_centres_are_zeros_of_what_is_within(formula, places):
    """Of polynomials, their slopes, and multiple ones of slopes further on; decimals as written."""
    found = sorted(place for place in centres(formula) if -50 < place < 50)
    assert [float(place) for place in found] == pytest.approx([float(p) for p in places])
