"""A user's own formulas: corners, domains, tails, constants; right everywhere or refused."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest
import sympy
from sympy import (
    Abs,
    E,
    Max,
    Min,
    Piecewise,
    Rational,
    erf,
    erfc,
    exp,
    floor,
    log,
    sign,
    sin,
    sqrt,
    tanh,
)

import effort
import symnet
from symnet import languages
from symnet.activations import (
    TABLE,
    Activation,
    Z,
    activation,
    celu,
    clip,
    digits,
    elu,
    from_tree,
    leaky_relu,
    patches,
    power,
    softplus,
)
from symnet.activations.pieces import pieces_of
from symnet.formulas import remarks
from symnet.languages import running
from symnet.witness import digits as witness_digits

z = sympy.Symbol("z", real=True)


def network(formula: sympy.Expr) -> symnet.Network:
    """One neuron of this function."""
    return symnet.Network([symnet.Layer([[1.0]], None, Activation("own", formula))])


def derivatives(formula: sympy.Expr, at: float, backend: str = "numpy") -> list[float]:
    """Value and two derivatives of what is compiled."""
    function = symnet.derive(network(formula)).compile(backend, check=False)
    return [float(part.ravel()[0]) for part in function(np.array([at]))]


def witnessed(formula: sympy.Expr, at: float) -> list[float]:
    """The same of the analytic engine."""
    net = network(formula)
    parts = symnet.analytic.BY_ORDER
    return [float(part(net, np.array([at])).ravel()[0]) for part in parts]


STEP = Piecewise((0, z < 0), (1, True))
KNOWN = {
    # Where both one-sided derivatives agree, that is the derivative.
    "elu in halves": (Max(0, z) + Min(0, exp(z) - 1), 0.0, [0, 1, None]),
    "z in halves": (Max(z, 0) - Max(-z, 0), 0.0, [0, 1, 0]),
    "corner between": (Abs(z), 0.0, [0, 0, 0]),
    "relu": (Max(0, z), 0.0, [0, 0, 0]),
    "leaky relu": (Max(z, z / 100), 0.0, [0, 0.01, 0]),
    "sign and square": (sign(z) * z**2, -3.0, [-9, 6, -2]),
    "step and square": (STEP * z**2, 3.0, [9, 6, 2]),
    # Exponentials, roots and quotients.
    "tanh": ((exp(z) - exp(-z)) / (exp(z) + exp(-z)), 25.0, [1, 7.715e-22, -1.543e-21]),
    "bipolar sigmoid": ((1 - exp(-z)) / (1 + exp(-z)), -800.0, [-1, 0, 0]),
    "sech": (1 / sympy.cosh(z), 800.0, [0, 0, 0]),
    "log cosh": (log(sympy.cosh(z)), 800.0, [799.30685, 1, 0]),
    "gompertz": (exp(-exp(-z)), -800.0, [0, 0, 0]),
    "root": (z / sqrt(1 + z**2), 1e8, [1, 1e-24, -3e-32]),
    "root far out": (z / sqrt(1 + z**2), -1e200, [-1, 0, 0]),
    # Powers of z that are beyond doubles, of results that are not.
    "square": (1 / (1 + z**2), 1.9e77, [2.770083102493075e-155, -2.915876949992710e-232, None]),
    "fourth power": (1 / (1 + z**4), -6e57, [7.716049382716e-232, 5.144032921811e-289, None]),
    "square above": (z**4 / (1 + z**2), 3e150, [9e300, 6e150, 2]),
    "tanh over a square": (tanh(z) / (1 + z**2), 1e90, [1e-180, -2e-270, None]),
    "inside": (exp(z / sqrt(1 + z**2)), 8e163, [np.e, None, None]),
    "cube root": ((1 + z**2) ** Rational(1, 3) * tanh(z), -1e200, [-2.15443469e133, None, None]),
    "|z| and sigmoid": (z / (Abs(z) + 1 / (1 + exp(-z))), 1e8, [0.99999999, 1e-16, -2e-24]),
    # Series in 1/z far out, and what is 0 beside a pole.
    "z sin(1/z)": (
        z * sin(1 / z),
        -200.0,
        [0.99999583, -4.16665625e-8, -6.24997e-10],
    ),
    "beside a pole": (exp(1 / z), -3e-307, [0, 0, 0]),
    "normal tail": (erfc(-z / sqrt(2)) / 2, -10.0, [7.6199e-24, 7.6946e-23, 7.6946e-22]),
    "log normal": (
        log(erfc(-z / sqrt(2)) / 2),
        -20.0,
        [-203.91715537109726, 20.049753068527851, -0.99753673838494784],
    ),
    "log normal near 0": (
        log(erfc(-z / sqrt(2)) / 2),
        6.0,
        [-9.8658764552437573e-10, 6.0758828558176764e-9, -3.6455297171822411e-8],
    ),
    "log less exponential": (
        log(1 - exp(-z)),
        20.0,
        [-2.061153624562735e-9, 2.0611536266869121e-9, -2.0611536309352664e-9],
    ),
    "Hill, of a root": (z**2.5 / (1 + z**2.5), 5.61e61, [1, 1.8904708896e-216, -1.1794381664e-277]),
    # Logarithms of erfc where that is no number, and of products; inverses of what overflows.
    "product with log erfc": (
        z * log(erfc(z)),
        30.0,
        [-27119.223513319, -2704.9730090733, -180.03337006383],
    ),
    "erfc of an exponential": (
        log(erfc(exp(z))),
        3.7,
        [-1640.2571003321, -3272.9682496711, -6543.9389387656],
    ),
    "squared tanh": (log(1 - tanh(z) ** 2), 1e-20, [-1e-40, -2e-20, -2]),
    "squared tanh far out": (log(1 - tanh(z) ** 2), -800.0, [-1598.61370564, 2, 0]),
    "acosh beside 1": (
        sympy.acosh(1 + exp(z)),
        -40.0,
        [2.914911406987e-9, 1.4574557034935e-9, 7.2872785174676e-10],
    ),
    "acosh beyond doubles": (sympy.acosh(1 + exp(z)), 800.0, [800.693147181, 1, 0]),
    "asinh beyond doubles": (sympy.asinh(exp(z)), 800.0, [800.693147181, 1, 0]),
    # One formula on both sides of a corner: what touches the end of a function's domain.
    "acosh of a square": (
        sympy.acosh(1 + z**2),
        -1e-8,
        [1.41421356e-8, -1.41421356, -7.07106781e-9],
    ),
    "acosh's corner": (sympy.acosh(1 + z**2), 0.0, [None, 0, None]),
    "asin at its end": (
        sympy.asin(2 * z / (1 + z**2)),
        1.0009765625,
        [1.56982024097683, -0.999023914336931, 0.999023438430186],
    ),
    "root of cosh - 1": (
        sqrt(sympy.cosh(z) - 1),
        800.0,
        [3.69213662539224e173, 1.84606831269612e173, 9.23034156348061e172],
    ),
    "root of a Gaussian's complement": (
        sqrt(1 - exp(-(z**2))),
        -1e-3,
        [0.000999999750000052, -0.99999925000026, -0.00149999895833366],
    ),
    # What is 0 beside a pole of a part, and not before.
    "two levels": (
        tanh(1 / z),
        -0.00378906,
        [-1, -1.61806340701028e-224, 2.24550421091627e-219],
    ),
    "log-normal density": (
        exp(-(log(z) ** 2) / 2) / z,
        8.8221e-13,
        [5.76751662346675e-156, 1.74921698809838e-142, 5.09947321738154e-129],
    ),
    "Hill, of a fifth root": (
        z ** Rational(7, 5) / (1 + z ** Rational(7, 5)),
        8.64e64,
        [1, 1.98836016441609e-156, -5.5232226789336e-221],
    ),
    "irrational power": (
        (1 + z**2) ** (sqrt(2) / 3),
        -1e200,
        [3.64592991812e188, -3.43741569178e-12, -1.96589097894e-213],
    ),
    "maximum of what is 1 in doubles": (
        Max(tanh(z), tanh(2 * z)),
        20.0,
        [1, 1.4439e-34, -5.7756e-34],
    ),
    "remainder": (sympy.Mod(z, 2), -0.5, [1.5, 1, 0]),
    "loggamma of nothing": (sympy.loggamma(exp(z)), -800.0, [800, -1, 0]),
    "cutoff": (
        Piecewise((1 + sympy.cos(sympy.pi * z / 3), z < 3), (0, True)),
        2.9999,
        [5.4831135511731412e-9, -0.00010966227092301629, 1.0966227052192441],
    ),
    "nothing times a logarithm": (
        Piecewise((0, sympy.Eq(z, 0)), (z * log(z), True)),
        0.0,
        [0, -np.inf, np.inf],
    ),
    # A complement inside the definition of a quantity, of tanh here.
    "tanh of gelu": (
        z * sympy.tanh(z * (1 + erf(z / sqrt(2))) / 2),
        -6.0,
        [3.55171552e-8, 2.06892731e-7, 1.16854268e-6],
    ),
    "gelu by erf": (z * (1 + erf(z)), -6.0, [-1.29118e-16, None, None]),
    "sinc": (sin(z) / z, 0.0, [1, 0, -1 / 3]),
    "common factor": ((z**2 - 1) / (z - 1), 1.0, [2, 1, 0]),
    "expm1 over z": ((exp(z) - 1) / z, 0.0, [1, 0.5, 1 / 3]),
    "conjugate": ((z + sqrt(z**2 + 4)) / 2, -1e8, [1e-8, 1e-16, 2e-24]),
    "mexican hat": ((1 - z**2) * exp(-(z**2) / 2), 1e200, [0, 0, 0]),
    # Constants that are exact but no double.
    "sqrt(2) before": (sqrt(2) * tanh(z), 0.0, [0, 1.41421356, 0]),
    "log(2) before": (log(2) * tanh(z), 0.0, [0, 0.69314718, 0]),
    "sqrt(2) over": (sqrt(2) / (1 + exp(-z)), 0.0, [0.70710678, 0.35355339, 0]),
    "sqrt(2) inside": (tanh(sqrt(2) * z), 0.0, [0, 1.41421356, 0]),
    "e inside": (tanh(E * z), 0.0, [0, 2.71828183, 0]),
    "log(2) inside": (tanh(z + log(2)), 0.0, [0.6, 0.64, -0.768]),
    "power of two": (2**z, 1.0, [2, 1.38629436, 0.96090603]),
    "sixth": (z * Max(0, z) / 6, 3.0, [1.5, 1, 1 / 3]),
    "hard swish": (z * Min(6, Max(0, z + 3)) / 6, 1.0, [2 / 3, 5 / 6, 1 / 3]),
    # Domains: NaN beyond.
    "root of negative": (z ** Rational(1, 3), -8.0, [np.nan] * 3),
    "power": (z ** Rational(7, 5), -1.0, [np.nan] * 3),
    "log": (log(z), -2.0, [np.nan] * 3),
    "end of a domain": (sympy.asin(z), -1.0, [-1.57079633, np.inf, -np.inf]),
    # Near 0, where an error is no smaller than the value.
    "difference of logarithms": (log(1 + exp(z)) - log(2), 1e-8, [5.0000000125e-9, 0.5, 0.25]),
    "odd second derivative": (1 / (1 + exp(-z)), 1e-8, [0.5, 0.25, -1.25e-9]),
    # Beyond all doubles, not NaN.
    "overflow of a quotient": ((exp(z) - 1) / z, 800.0, [np.inf] * 3),
    "Planck's law": (z**3 / (exp(z) - 1), 0.0, [None, None, 2]),
    "overflow to the left": (sympy.sinh(z) / z, -800.0, [np.inf, -np.inf, np.inf]),
    # Beside values beyond doubles, sines far out, and the end of a bump.
    "overflow beside a slope": (z * (1 + z) / (1 + exp(-z)), 1e300, [np.inf, 2e300, 2]),
    "overflow beside Bose": (z**2 / (exp(z) - 1), -1e300, [-np.inf, 2e300, -2]),
    "wavelet": (exp(-(z**2) / 2) * sympy.cos(5 * z), 1e300, [0, 0, 0]),
    "bump": (Piecewise((exp(-1 / (1 - z**2)), Abs(z) < 1), (0, True)), 1.0, [0, 0, 0]),
    # Logarithms of what is beside 1, and complements.
    "log expm1": (log(exp(z) - 1), 1e-8, [-18.420680738952365, 100000000.5, -1e16]),
    "log of complement": (log(1 - exp(z)), -40.0, [-4.2483542552915890e-18] * 3),
    "log of a normal tail": (
        log(erfc(-z / sqrt(2)) / 2),
        -20.0,
        [-203.91715537109726, 20.049753068527851, -0.99753673838494784],
    ),
    "scaled complement": (
        exp(z**2) * erfc(z),
        1e8,
        [5.6418958354775626e-9, -5.6418958354775620e-17, None],
    ),
    "erfc of exp": (exp(z) * erfc(exp(z)), 710.0, [0, 0, 0]),
    "one-sided series": (z * (1 + z / sqrt(1 + z**2)) / 2, -1e8, [-2.5e-9, -2.5e-17, None]),
    "series in exp": (
        z * sin(sympy.pi / (2 + 2 * exp(-z))),
        40.0,
        [40, 1, -3.4735679941543125e-33],
    ),
    "atan(1/z)": (
        z * sympy.atan(1 / z),
        1e4,
        [0.99999999666666667, 6.6665866666e-13, -1.99999996e-16],
    ),
    "decimal exponent": (z**1.5 / (z + 2.0), 1e250, [1e125, 5e-126, None]),
    "dominated": (
        (z**2 + exp(z)) ** Rational(2, 7),
        800.0,
        [1.8505897e99, 5.2873992e98, 1.5106855e98],
    ),
    "quarter turn": (sympy.tan(sympy.pi * (z - Rational(1, 2))), 0.25, [-1, 6.28318531, None]),
    "root and logarithm near 0": (sqrt(z) * log(1 + z), 1e-20, [1e-30, 1.5e-10, 7.5e9]),
    "root and logarithm": (
        sqrt(z) * log(1 + z),
        1e10,
        [2302585.0930040457, 1.2512925464920228e-4, -5.7564627324101142e-15],
    ),
    "Debye and Huckel": (-sqrt(z) / (1 + sqrt(z)), 1e16, [-0.99999999, -5e-25, 7.5e-41]),
    "complement of a complement": (
        log(erfc(erfc(z))),
        10.0,
        [-2.3566058802552998e-45, 4.7365478420889852e-44, -9.4730956841779703e-43],
    ),
    "logarithm far down": (log(1 + sympy.tanh(z)), -800.0, [-1599.30685282, 2, 0]),
    "root far down": (
        (1 + sympy.tanh(z)) ** Rational(1, 3),
        -494.5,
        [8.4708917346464227e-144, 5.6472611564309485e-144, 3.7648407709539657e-144],
    ),
    "sine of exp": (sympy.sin(exp(z)), 5.0, [-0.68769141, -107.748416, 15039.6629]),
    # Steep places.
    "signed root": (sign(z) * sqrt(Abs(z)), 0.0, [0, np.inf, None]),
    "root of |z|": (sqrt(Abs(z)), 0.0, [0, 0, None]),
    # Written in others.
    "coth": (sympy.coth(z) - 1 / z, 1e-8, [3.3333333e-9, 1 / 3, None]),
    "sech by name": (sympy.sech(z), 800.0, [0, 0, 0]),
    "step": (z * sympy.Heaviside(z), 2.0, [2, 1, 0]),
    "golden": (sympy.tanh(sympy.GoldenRatio * z), 0.0, [0, 1.61803399, 0]),
    "tribonacci": (sympy.TribonacciConstant * z, 1.0, [1.83928676, 1.83928676, 0]),
    "digamma of a number": (z * Min(z, sympy.digamma(sympy.pi)), 3.0, [2.93163940, 0.97721313, 0]),
    "euler": (sympy.EulerGamma * z, 2.0, [1.15443133, 0.57721566, 0]),
    # Constants; a slope that is one; choices between numbers.
    "constant": (sqrt(2) + 0 * z, 3.0, [1.41421356, 0, 0]),
    "irrational slope": (sqrt(2) * z, 1.0, [1.41421356, 1.41421356, 0]),
    "choice of conditions": (Max(z, z**2), 2.0, [4, 4, 2]),
    "choice within": (sympy.cos(Max(z, log(exp(z) + 1))), 0.0, [0.76923890, -0.31948064, None]),
    "steps with a domain": (sympy.floor(sympy.acosh(z)), 0.0, [np.nan] * 3),
    "sinh of sinh": (1 / (1 + exp(-sympy.sinh(z))), 800.0, [1, 0, 0]),
    # More functions.
    "asinh": (sympy.asinh(z), 1.0, [0.88137359, 0.70710678, -0.35355339]),
    "floor": (sympy.floor(z), 2.5, [2, 0, 0]),
    "ceiling": (z * sympy.ceiling(z), 2.5, [7.5, 3, 0]),
}


ENDS = ("end of a domain", "nothing times a logarithm")


@pytest.mark.complete(every=12)
@pytest.mark.parametrize("case", KNOWN)
def test_known_values(case: str) -> None:
    """NumPy's text and the analytic engine have the value of 50 digits."""
    formula, at, wanted = KNOWN[case]
    # The engine has no reference beyond all doubles.
    overflows = case.startswith("overflow")
    engines = (derivatives,) if overflows else (derivatives, witnessed)
    for engine in engines:
        # Nor of slopes where a domain ends.
        least = 1 if engine is witnessed and case in ENDS else 3
        for got, want in zip(engine(formula, at)[:least], wanted, strict=False):
            if want is not None:
                np.testing.assert_allclose(got, want, rtol=1e-4 if want else 0, atol=1e-300 * 1e10)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize(
    ("formula", "where", "lost", "kept"),
    [
        (sympy.sin(exp(z)), "z > 710", 711.0, 709.0),
        (sympy.cos(sympy.sinh(z)), "|z| > 710", -711.0, -709.0),
        (z ** Rational(1, 7) * log(1 + z), "z > 1e+146 or 0 < z < 1e-164", 1e200, 1e140),
        (sqrt(z) * log(1 + z), "", None, 1e200),
        (z + sympy.sin(z**2), "|z| > 1e+290", 1e300, 1e280),
        (z + sympy.sin(z), "", None, 1e300),
    ],
)
def test_where_no_double_has_a_value_it_is_nan_and_said(formula, where, lost, kept):
    """A sine far out has no phase, powers are beyond doubles; check agrees on both sides."""
    net = network(formula)
    said = [note for note in remarks.limits(net) if "double precision" in note]
    what = f"own or a derivative of it is NaN in double precision where {where}"
    assert said == ([what] if where else [])
    assert np.isfinite(derivatives(formula, kept)[0])
    for backend in ("numpy", "c") if lost else ():
        assert np.isnan(derivatives(formula, lost, backend)).any()
    assert symnet.check(net, symnet.derive(net).compile()).ok


@pytest.mark.parametrize("language", ["c", "fortran", "rust"])
def test_a_bound_that_single_precision_does_not_hold(language):
    """1e146 is the largest float there, and no word of the language's that is not known."""
    net = network(z ** Rational(1, 7) * log(1 + z))
    made = languages.generate(net, language, name="net", precision="float")
    assert not any(re.search(r"\binf", str(text)) for text in made.values())
    said = running.confirm(language, dict(made))
    if said is not None:
        pytest.skip(said)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize(
    "formula", [sympy.sin(z**4) / z, log(1 + sympy.tanh(z)), (1 + sympy.tanh(z)) ** Rational(1, 3)]
)
def test_the_engine_asks_as_many_digits_as_it_takes(formula):
    """What is right is not called wrong: sines that turn fast, and what is beside 1 far out."""
    net = network(formula)
    assert symnet.check(net, symnet.derive(net).compile()).ok


@pytest.mark.parametrize(
    "case",
    [
        "root of negative",
        "normal tail",
        "log(2) inside",
        "sixth",
        "sinc",
        "constant",
        "choice within",
    ],
)
def test_c_has_the_same(case: str) -> None:
    """The C text compiles, and has NumPy's values."""
    formula, at, _ = KNOWN[case]
    np.testing.assert_allclose(
        derivatives(formula, at, "c"), derivatives(formula, at), rtol=1e-12, atol=1e-300
    )


def test_corners_within_a_network() -> None:
    """2-2-1 with an elu written in halves: the pre-activation of one neuron is exactly 0."""
    own = Activation("halves", Max(0, z) + Min(0, exp(z) - 1))
    layers = [symnet.Layer([[1, -1], [0.5, 0.5]], None, own), symnet.Layer([[2, 1]], None)]
    net = symnet.Network(layers)
    for jacobian in (symnet.derive(net, 1).compile().jacobian, None):
        at = np.array([0.7, 0.7])
        found = jacobian(at) if jacobian else symnet.analytic.jacobian(net, at)
        np.testing.assert_allclose(found, [[2.5, -1.5]])


def test_an_independent_witness_of_corners() -> None:
    """A tree that makes the wrong choice at its corner is put right by one-sided limits."""
    wrong = ("piecewise", (("add", ("exp", "z"), -1), ("<", "z", 0)), (0, ("<=", "z", 0)), "z")
    _, slope, _ = symnet.analytic.own.own_jet(wrong, np.zeros(1))
    assert slope == 1


@pytest.mark.parametrize("at", [-168.0, -40.0, 3.0])
def test_the_witness_sees_what_is_lost_before_a_logarithm(at: float) -> None:
    """Of log(1 + exp(z)) at -168 nothing is left in double and in extended precision alike."""
    own = Activation("own", z * tanh(log(1 + exp(z))) + erf(z))
    _, slope, _ = symnet.analytic.own.own_jet(own.tree, np.array([at]))
    with mpmath.workdps(120):
        right = mpmath.diff(
            lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))) + mpmath.erf(x),
            at,
            h=mpmath.mpf(10) ** -30,
        )
    np.testing.assert_allclose(slope, float(right), rtol=1e-12)


def test_polynomials_of_little_reach() -> None:
    """One that is right within 1/200 only: of log(erfc(z)) s(z) that was a comparison with 1/0."""
    assert all(0 < patches._short(reach) <= reach for reach in (0.3, 0.005, 1e-9))


def test_pieces() -> None:
    """Arms in the order of z; a corner that is none disappears."""
    assert pieces_of(Max(Z, 0) - Max(-Z, 0)).pieces[0].value == Z
    assert Activation("own", Abs(Abs(z) - 1)).kinks == (-1, 0, 1)
    assert Activation("own", Max(0, z)).value == TABLE["relu"].value
    assert Activation("own", log(1 + z)).domain == ((-1, sympy.oo),)
    assert Activation("own", sqrt(1 - z**2)).domain == ((-1, 1),)
    assert TABLE["reciprocal"].domain == ((-sympy.oo, 0), (0, sympy.oo))
    own = Activation("own", sympy.asin(z) + Max(0, z) ** 2)
    assert own.domain == ((-1, 1),)
    assert float(own.derivative(2).subs(z, 0.5)) == pytest.approx(2 + 0.5 / 0.75**1.5, rel=1e-14)


def test_refused_with_the_place() -> None:
    """What no way of writing mends is refused, wherever it is asked for."""
    d = symnet.derive(network(sin(z) ** 2 + sympy.cos(z) ** 2 - 1 + exp(-100) * sin(z)))
    with pytest.raises(ValueError, match=r"'own': its value at z = .* in double precision, but is"):
        d.compile()
    with pytest.raises(ValueError, match="'own'"):
        d.compile("c")


@pytest.mark.complete
def test_numbers_that_differ_are_shown_so() -> None:
    """Not "would be computed as 0.5, but is 0.5"."""
    with pytest.raises(ValueError, match="in double precision") as refused:
        Activation("own", sympy.erfinv(tanh(z))).forms(0)
    said = str(refused.value).split("computed as ")[1]
    found, right = said.split(" in double")[0], said.split("but is ")[1].split(";")[0]
    assert found != right
    assert abs(float(found) - float(right)) > 0


@pytest.mark.complete(every=2)
@pytest.mark.parametrize(
    ("formula", "order"),
    [
        # 1 + erf(z) is 0 in 50 digits from -11 on, and log(1 + exp(5 z)) from -23.
        (z / 2 * (1 + erf(z / sqrt(2))), 3),
        (log(1 + exp(5 * z)) / 5, 3),
        # A third in doubles was a third in extended precision, too.
        (z / (1 + Abs(z) ** 3) ** Rational(1, 3), 2),
        # 1 - s is 0 in both, and a derivative of which it is a term is none.
        ((1 + z * (1 - 1 / (1 + exp(-z)))) / (1 + exp(-z)), 1),
    ],
    ids=["gelu", "softplus", "softsign", "slope of silu"],
)
def test_witnesses_have_the_digits_that_they_need(formula: sympy.Expr, order: int) -> None:
    """What is right is not called wrong: by differences, and by rules."""
    assert symnet.derive(network(formula), order).compile().checked


@pytest.mark.complete(every=2)
@pytest.mark.parametrize(
    ("formula", "at"),
    [
        (1 / sympy.cosh(z) ** 2, 104.0),
        (z * ((1 + exp(z)) ** 2 - 1) / ((1 + exp(z)) ** 2 + 1), 30.0),
    ],
    ids=["square of sech", "mish of squares"],
)
def test_single_precision_does_not_overflow(formula: sympy.Expr, at: float) -> None:
    """A way of writing that is right in doubles is not taken where floats make a NaN of it."""
    derivation = symnet.derive(network(formula))
    for function in map(derivation.compile, ("numpy", "c")):
        for short, long in zip(function(np.float32([[at]])), function([[at]]), strict=True):
            np.testing.assert_allclose(short, long, rtol=1e-4, atol=1e-30)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize(
    "formula",
    [
        z - log(1 / (1 + exp(-z))),
        1 / (z**5 * (exp(1 / z) - 1)),
        -0.509 * sqrt(z) / (1 + 1.5 * sqrt(z)),
    ],
    ids=["softplus turned", "Planck", "Debye and Hueckel in decimals"],
)
def test_formulas_of_engineers_are_compiled(formula: sympy.Expr) -> None:
    """They were refused."""
    assert symnet.derive(network(formula)).compile().checked


NORMAL = {
    "log of its distribution function": log(erfc(-z / sqrt(2)) / 2),
    "hazard": sqrt(2 / sympy.pi) * exp(-(z**2) / 2) / erfc(z / sqrt(2)),
    "inverse Mills ratio of -z": exp(-(z**2) / 2) / erfc(-z / sqrt(2)),
    "scaled complementary error function": exp(z**2) * erfc(z),
}
"""What statisticians and pricers take from the normal distribution."""


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("name", NORMAL)
def test_the_normal_distribution_is_right_in_both_tails_at_order_3(name: str) -> None:
    """By quotients of repeated integrals, of which nothing cancels: they were refused."""
    formula = NORMAL[name]
    points = [-26.0, -9.3, -4.1, -0.6, 0.0, 1e-9, 0.8, 3.3, 7.7, 14.2, 26.5, 300.0, 1e5]
    exact = sympy.lambdify(z, formula, "mpmath")
    for backend in ("numpy", "c"):
        results = symnet.derive(network(formula), 3).compile(backend)(np.array(points)[:, None])
        for order, found in enumerate(results):
            with mpmath.workdps(400):  # 1 - erf(20) is no 0 in them
                right = [float(mpmath.diff(exact, mpmath.mpf(x), order)) for x in points]
            assert found.ravel() == pytest.approx(right, rel=1e-12, abs=1e-300)


def test_many_digits_are_asked_until_a_logarithm_is_a_number() -> None:
    """In 50 digits 1 - erf(20) is 0, and in 110: -inf twice was taken for the truth."""
    net = network(log(erfc(-z / sqrt(2)) / 2))
    with mpmath.workdps(50):
        (found,) = witness_digits.value(net)([mpmath.mpf(-23.25)])
    assert float(found) == pytest.approx(-274.34833511159434, rel=1e-14)


def test_the_logarithm_of_a_normal_tail_has_a_fourth_derivative() -> None:
    """Found right against 50 digits, or it would be refused."""
    assert Activation("own", NORMAL["log of its distribution function"]).forms(4)


@pytest.mark.parametrize("formula", [log(erfc(-z / sqrt(2)) / 2), log(1 - erf(z))], ids=str)
def test_logarithms_of_normal_tails_are_compiled_in_seconds(formula: sympy.Expr) -> None:
    """Neighbours are computed by one series: in 1,000 digits they took ten seconds."""
    with effort.within(5):
        assert symnet.derive(network(formula)).compile().checked


def test_a_network_of_slow_functions_is_compiled_in_seconds() -> None:
    """Places where all is defined are looked for without limits in many digits: it took 30 s."""
    own = Activation("own", sympy.loggamma(sympy.erfinv(z)))
    net = symnet.Network.dense([3, 8, 8, 1], hidden=own, seed=0)
    with effort.within(10):
        assert symnet.derive(net).compile().checked


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("ReLU", "relu"),
        ("Tanh", "tanh"),
        ("leakyrelu", "leaky_relu"),
        ("logistic", "sigmoid"),
        ("swish", "silu"),
        ("identity", "linear"),
        ("purelin", "linear"),
        ("tansig", "tanh"),
        ("logsig", "sigmoid"),
        ("gelu_new", "gelu_tanh"),
        ("hard_silu", "hardswish"),
        ("hard_sigmoid", "hardsigmoid"),
        ("poslin", "relu"),
        ("radbas", "gaussian"),
        ("elliotsig", "softsign"),
        ("satlins", "hardtanh"),
    ],
)
def test_names_of_other_tools(spelled: str, name: str) -> None:
    """They stand for the row of the table."""
    assert activation(spelled) is TABLE[name]


def test_parameters() -> None:
    """Equal parameters give equal activations, by names that are identifiers; trees hold them."""
    rows = [leaky_relu(0.2), elu(2), celu(0.5), clip(-1, 3), clip(None, 2.5), power(1.4)]
    rows += [softplus(2), power(-2), leaky_relu(Rational(1, 3))]
    for row in rows:
        assert row.name.isidentifier()
        assert from_tree(row.name, row.tree) == row
    assert leaky_relu(0.2) == leaky_relu(0.2) != leaky_relu(0.3)
    assert (leaky_relu(0.01), elu(1.0), power(2)) == tuple(
        TABLE[name] for name in ("leaky_relu", "elu", "square")
    )
    assert clip(-1, 1).derivative(1).subs(Z, 1) == 1
    with pytest.raises(ValueError, match="less than"):
        clip(1, 0)
    with pytest.raises(ValueError, match="finite number"):
        power(float("nan"))


def test_domain_is_said() -> None:
    """The printed formulas say where they hold."""
    text = symnet.derive(network(log(1 + z))).text()
    assert "own is defined for z > -1; elsewhere it is NaN" in text


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (sympy.sign(z), "own jumps at 0: its derivative there is taken as 0; second"),
        (sympy.Heaviside(z - 2) * z, "own jumps at 2: its derivative there is taken as"),
        (Max(0, z) + sympy.Heaviside(z - 1), "own has a kink at 0: its derivative there is"),
        (Max(0, z) + sympy.Heaviside(z - 1), "own jumps at 1: its derivative there is taken as 1"),
        (z * floor(z / 2), "own has jumps without end, those of floor(z/2): its derivative there"),
        (Abs(sin(z)), "own has corners without end: its derivative there is that of one of the"),
    ],
)
def test_jumps_are_said(formula: sympy.Expr, said: str) -> None:
    """Beside kinks and domain, in what `derive` prints and what reports list."""
    own = network(formula)
    assert said in " ".join(symnet.derive(own).text("layer").split())
    assert any(note.startswith(said) for note in symnet.formulas.notes(own))


def test_a_kink_is_no_jump() -> None:
    """The two are told apart, and a jump is among the kinks as well."""
    own = Activation("own", Max(0, z) + sympy.Heaviside(z - 1))
    assert own.kinks == (0, 1)
    assert own.jumps == (1,)
    assert not own.endless
    assert TABLE["relu"].jumps == ()


@pytest.mark.parametrize("power", [16, 50, -50, 90])
def test_corners_far_out_are_kept(power: int) -> None:
    """A point beside a corner was the corner itself, and one of the two arms was lost."""
    place = sympy.Integer(10) ** power
    steep = Activation("steep", sympy.Piecewise((2 * Z - place, place < Z), (Z, True)))
    assert steep.kinks == (place,)
    assert [steep.value.subs(Z, at) for at in (place / 2, 2 * place)] == [place / 2, 3 * place]


def test_digits_of_a_corner() -> None:
    """Derivatives from either side, by differences, to 20 digits."""
    left, right = (digits.derivatives(Abs(Z) ** 3, mpmath.mpf(0), 3, side) for side in (-1, 1))
    assert left is not None
    assert right is not None
    assert abs(left[3] + 6) < 1e-20
    assert abs(right[3] - 6) < 1e-20


@pytest.mark.parametrize("function", [sympy.trigamma, sympy.gamma, sympy.zeta, sympy.Ei])
def test_refused_by_name(function: type[sympy.Function]) -> None:
    """What is not understood is refused with the list of what is."""
    with pytest.raises(ValueError, match=r"function '\w+' is not supported; .* tanh, .* digamma$"):
        Activation("own", function(z))


def test_defined_nowhere() -> None:
    """No network is made of it."""
    with pytest.raises(ValueError, match=r"'log\(-z\*\*2 - 1\)' has a real value for no z"):
        Activation("own", log(-1 - z**2))


def test_nothing_to_compare_is_no_success(caplog: pytest.LogCaptureFixture) -> None:
    """A network that is finite nowhere fails its check, and says why; so does `compile`."""
    layers = [symnet.Layer([[1.0]], [0.0], "exp"), symnet.Layer([[-1.0]], [-1.0], "log")]
    net = symnet.Network(layers)
    symnet.derive(network(exp(-z)), 1).compile()
    assert not caplog.messages
    function = symnet.derive(net, 1).compile()
    (said,) = caplog.messages
    assert said.startswith("symnet: 1-1-1, exp, log: value, jacobian could be compared at no point")
    report = symnet.check(net, function)
    assert not report.ok
    assert not any(c.points for c in report.comparisons if c.against == "analytic chain rule")
    assert "y, finite at no point: nothing to compare" in str(report)


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_what_single_precision_leaves_nothing_of_is_no_success(
    backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    """1e45 is infinite in it at every point: it was handed out without a word, and `ok`."""
    steep = symnet.Layer([[1e30, 1e30]], None, "tanh")
    net = symnet.Network([steep, symnet.Layer([[1e30]]), symnet.Layer([[1e15]])])
    f = symnet.derive(net).compile(backend)
    f(np.zeros((3, 2), np.float32))
    (said,) = caplog.messages
    assert "value, jacobian, hessian could be compared at no point in float32" in said
    report = symnet.check(net, f)
    assert report.ok
    lines = [line for line in str(report).splitlines() if "float32 at" in line]
    assert all(line.startswith("  none") and "worst" not in line for line in lines)
    assert len(lines) == 3


def test_check_and_text_have_the_judge_of_compile() -> None:
    """What is refused there is refused by `check`, and the formulas say so."""
    net = network(sin(z) ** 2 + sympy.cos(z) ** 2 - 1 + exp(-100) * sin(z))

    class Right:
        order = 0
        derivative = None  # is not reached

    with pytest.raises(ValueError, match="'own': its value at z"):
        symnet.check(net, Right())  # type: ignore[arg-type]
    text = " ".join(symnet.derive(net).text(format="unicode").split())
    assert "not to be computed in doubles: activation 'own': its value at z" in text


def test_text_says_what_cancels() -> None:
    """Once, and only where it does."""
    said = "exact, but in doubles the printed derivatives of softplus may cancel or overflow"
    dense = symnet.Network.dense
    for notation in ("expanded", "neuron", "layer"):
        text = symnet.derive(dense([2, 2, 1], hidden="softplus", fill=1)).text(notation)
        assert " ".join(text.split()).count(said) == 1
        assert "exact, but" not in symnet.derive(dense([2, 2, 1], hidden="relu")).text(notation)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize(
    ("formula", "at", "known"),
    [
        # Values of 60 digits; 140 lose exp(-800) beside 1, in which truth and result were both 0.
        (sqrt(log(1 + exp(z))), -800.0, (1.9151695967140057e-174, 9.575847983570028e-175)),
        (sympy.cbrt(log(1 + exp(z))), -800.0, (1.5421909815891664e-116, None)),
        (2 * sympy.atan(exp(z)) - sympy.pi / 2, 500.5, (None, 8.642548056307711e-218)),
        (sympy.atan(sympy.sinh(z)), -400.2, (None, 3.136016492379461e-174)),
        (z * tanh(z * erfc(-z / sqrt(2)) / 2), -31.5, (None, 1.356144490653499e-213)),
    ],
)
def test_what_is_small_beside_one_is_right_or_refused(formula, at, known):
    """A derivative that a double holds is never 0 because its terms are nothing beside others."""
    network = symnet.Network([symnet.Layer([[1.0]], activation=Activation("own", formula))])
    refusal = "in double precision, but is"
    try:
        results = symnet.derive(network, 1).compile()([[at]])
    except ValueError as error:
        results, refusal = (), str(error)
    assert "in double precision, but is" in refusal
    for found, right in zip(results, known, strict=False):
        if right is not None:
            assert found.item() == pytest.approx(right, rel=1e-10, abs=0.0)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_quotients_hold_however_a_backend_writes_them(power):
    """1/cosh(z)² at 800 is u·v of factors that are 0, or 0 over what overflows: 0, not NaN."""
    own = Activation("bell", 1 / sympy.cosh(Z) ** power)
    network = symnet.Network([symnet.Layer([[1.0]], activation=own)])
    for backend in ("numpy", "c"):
        for result in symnet.derive(network).compile(backend)([[800.0], [-1049.0]]):
            assert (result == 0).all()


@pytest.mark.complete(every=3)
@pytest.mark.parametrize(
    ("formula", "at", "known"),
    [
        # Serf and TanhExp: products of what has vanished and what overflows.
        (z * erf(log(1 + exp(z))), 1e3, [1e3, 1, 0]),
        (z * tanh(exp(z)), 800.0, [800, 1, 0]),
        (z * tanh(exp(z)), -40.0, [-40 * 4.248354255291589e-18, -39 * 4.248354255291589e-18, None]),
        (z**2 / (1 + exp(-z)), -1e200, [0, 0, 0]),
        # Names for what cancels.
        (log(z + sqrt(z**2 + 1)), -1e8, [-19.113827924512310, 1e-8, 1e-16]),
        (log(z + sqrt(z**2 - 1)), 1e8, [19.113827924512310, 1e-8, -1e-16]),
        (log(sqrt(z**2 + 4) - z), 1e-20, [0.6931471805599453, -0.5, None]),
        (sympy.asin(tanh(z)), 40.0, [1.5707963267948966, 8.496708510583178e-18, None]),
        (sympy.acos(tanh(z)), 40.0, [8.496708510583178e-18, -8.496708510583178e-18, None]),
        (log(1 - 1 / (1 + exp(-z))), 1e8, [-1e8, -1, 0]),
        (z * (1 + tanh(z + z**3 / 20)), -7.0, [-1.4781025279378849e-20, None, None]),
        (z * (1 - tanh(z**2)), 6.4, [3.3869283720801316e-35, None, None]),
        # A removable start of third order, and what SymPy trips over.
        (z - tanh(z), 1e-20, [3.333333333333333e-61, 1e-40, 2e-20]),
        (sympy.Heaviside(Piecewise((-1, z < 0), (z, True))), 2.0, [1, 0, 0]),
        (sympy.Heaviside(sympy.atan(sympy.cos(z))), 0.5, [1, 0, 0]),
        (sympy.tan(z**3), 0.5, [0.12565513657513096, 0.7618419100107862, None]),
    ],
)
def test_kinds_from_papers_and_chance(formula, at, known) -> None:
    """Formulas that were refused, or ended in a traceback."""
    derivation = symnet.derive(network(formula))
    for function in map(derivation.compile, ("numpy", "c")):
        for part, value in zip(function(np.array([at])), known, strict=True):
            if value is not None:
                assert abs(float(part.ravel()[0]) - value) <= 1e-13 * abs(value)


def test_complex_numbers_of_sympys_are_no_way() -> None:
    """(-1)^(1/3) among its rewritings is passed over."""
    assert derivatives((z**3) ** Rational(1, 3), 8.0) == [8, 1, 0]
    np.testing.assert_array_equal(derivatives((z**3) ** Rational(1, 3), -8.0), [np.nan] * 3)


@pytest.mark.parametrize(
    "formula",
    [sympy.sqrt(floor(z)), sympy.log(floor(z) + 2), 1 / sympy.ceiling(z), floor(z) ** (z / 3)],
    ids=str,
)
def test_what_is_defined_by_steps_is_refused(formula: sympy.Expr) -> None:
    """Its slope was 0 where it has no value; floor(sqrt(z)) and z - floor(z) are no such ones."""
    with pytest.raises(ValueError, match="has a value hangs on a step"):
        Activation("own", formula)
    assert Activation("own", floor(sympy.sqrt(z))).domain == ((0, sympy.oo),)
    assert Activation("own", z - floor(z)).total


@pytest.mark.parametrize(
    "formula",
    [sympy.Heaviside(sympy.sin(sympy.digamma(z))), sympy.Max(floor(z), sympy.digamma(z))],
    ids=str,
)
def test_corners_of_poles_without_end_are_refused(formula: sympy.Expr) -> None:
    """The first was -1 at a pole; of a constant there is no corner."""
    with pytest.raises(ValueError, match="turns where digamma does"):
        Activation("own", formula)
    Activation("own", z + sympy.Max(z, sympy.digamma(2)))


@pytest.mark.parametrize(
    ("formula", "at", "wanted"),
    [
        (sqrt(1 - sympy.cos(z)), 1e-20, [7.0710678118654752e-21, 0.70710678118654752]),
        (sqrt(1 - sympy.cos(z)), -3e4, [1.2634989250097, 0.31763598131324]),
        ((0.5 + 0.5 * sympy.cos(z)) ** 1.5, 3.0, [0.00035395139308226, -0.007486825852109]),
        (sqrt(1 - sin(z) ** 2), 3.0, [0.98999249660044546, 0.14112000805986722]),
    ],
)
def test_roots_of_waves_have_corners_without_end(formula, at, wanted):
    """sqrt(1 - cos(z)) was refused at 1e-20, and listed one kink alone."""
    assert Activation("own", formula).endless
    for engine in (derivatives, witnessed):
        np.testing.assert_allclose(engine(formula, at)[:2], wanted, rtol=1e-10)


def test_corners_that_meet_one_of_many_are_refused_by_their_condition():
    own = Activation("own", Max(0, z) + Min(0, sin(z)))
    with pytest.raises(ValueError, match=r"at z = 0 .* no end of corners where 'sin\(z\) >= 0'"):
        own.forms(1)
    own = Activation("own", sin(z) ** 2 + sympy.cos(z) ** 2 - 1 + exp(-100) * sin(z))
    with pytest.raises(ValueError, match="so that nothing overflows or cancels there"):
        own.forms(0)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize(
    ("formula", "at", "wanted"),
    [
        # Einstein's heat capacity by temperature: exp(1/z) is beyond doubles near 0.
        (
            exp(1 / z) / (z * (exp(1 / z) - 1)) ** 2,
            0.001,
            [0, 0, 0],
        ),
        (
            exp(1 / z) / (z * (exp(1 / z) - 1)) ** 2,
            0.0625,
            [2.8809011212184e-5, 0.0064532201714473, 1.2242688559381],
        ),
        (
            z**2.8 / (0.5**2.8 + z**2.8),
            1.12573,
            [0.90656704818354, 0.21068023320663, -0.61324813245547],
        ),
    ],
)
def test_exponentials_of_an_inverse_and_long_coefficients(formula, at, wanted):
    """In exp(-|1/z|), which does not overflow; of cubes of 1e16 nothing was left in float32."""
    np.testing.assert_allclose(derivatives(formula, at), wanted, rtol=1e-7, atol=1e-300)
    net = network(formula)
    single = symnet.derive(net).compile()(np.array([at], np.float32))
    np.testing.assert_allclose([float(p.ravel()[0]) for p in single], wanted, rtol=1e-4, atol=1e-26)
