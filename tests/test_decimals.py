"""Formulas with decimals, which have a limit only as they are written, and about other places."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import Piecewise, Rational, exp

import symnet
from symnet.activations import Activation, from_tree

z = sympy.Symbol("z", real=True)


def network(formula: sympy.Expr) -> symnet.Network:
    """One neuron of this function."""
    return symnet.Network([symnet.Layer([[1.0]], None, Activation("own", formula))])


POTASSIUM = [0.1, 0.005, 1 / 6000, 0, -3.3333333333333333e-7]
BESIDE = [
    *(0.10031282552062141, 0.0050104166531033175, 0.00016666601562651377),
    *(-2.0833236452397845e-8, -3.3332868305690699e-7),
]
RATES = {
    "potassium": (0.01 * (z + 55) / (1 - exp(-(z + 55) / 10)), -55.0, POTASSIUM),
    "its decimals": (0.01 * (z + 55) / (1 - exp(-0.1 * (z + 55))), -55.0, POTASSIUM),
    "beside": (0.01 * (z + 55) / (1 - exp(-0.1 * (z + 55))), -54.9375, BESIDE),
    "from rest": (
        0.01 * (10 - z) / (exp(1 - 0.1 * z) - 1),
        10.0,
        [0.1, 0.005, 1 / 6000, 0],
    ),
    "quotient of decimals": (
        0.32 * (z + 52.5) / (1 - exp(-(z + 52.5) / 4.2)),
        -52.4375,
        [
            *(1.3540248014957665, 0.16079364493542348, 0.012698131504984213),
        ],
    ),
    "slow": (
        z / (1 - exp(-z / 25.4)),
        2.5,
        [
            *(26.670501939357284, 0.51639890410720603, 0.006555326813840475),
            -5.0794512139833093e-6,
        ],
    ),
}


@pytest.mark.complete(every=2)
@pytest.mark.parametrize("case", RATES)
def test_a_rate_has_its_limit(case: str) -> None:
    """To 60 digits, by NumPy and C, as both witnesses have it there and beside."""
    formula, at, wanted = RATES[case]
    net = network(formula)
    beside = at + np.array([[0.0], [1e-12], [-1e-9], [1e-6], [-1e-3], [0.3], [-7.0]])
    known = [part(net, beside) for part in symnet.analytic.BY_ORDER]
    for backend in ("numpy", "c"):
        function = symnet.derive(net, order=len(wanted) - 1).compile(backend)
        found = [float(part.ravel()[0]) for part in function(np.array([at]))]
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-20)
        for part, reference in zip(function(beside), known, strict=False):
            np.testing.assert_allclose(part, reference, rtol=1e-9)
    assert net.layers[0].activation.total


def test_what_decimals_stand_for_is_stored_as_it_was_written():
    own = Activation("own", 0.01 * (z + 55) / (1 - exp(-0.1 * (z + 55))))
    assert own.value.has(sympy.Float)
    assert from_tree("own", own.tree) == own
    assert from_tree("own", own.tree).meant == own.meant != own.value


def test_decimals_that_are_compared_are_doubles():
    """0.1 is 1/10 in no double, so the point belongs to the arm that `z <= 0.1` gives it."""
    own = Activation("own", Piecewise((z / (exp(z) - 1), z <= 0.1), (2.0, True)))
    net = symnet.Network([symnet.Layer([[1.0]], None, own)])
    function = symnet.derive(net, order=1).compile()
    assert function.value(np.array([0.1])) < 1
    assert symnet.analytic.value(net, np.array([0.1])) < 1


@pytest.mark.parametrize(
    ("formula", "at", "wanted"),
    [
        ((z**2 - Rational(1, 100)) / (z - Rational(1, 10)), 0.1, [0.2, 1, 0]),
        ((z**2 - 0.01) / (z - 0.1), 0.1, [0.2, 1, 0]),
        ((z**3 - Rational(1, 27)) / (z - Rational(1, 3)), 1 / 3, [1 / 3, 1, 2]),
        ((z**2 - 2) / (z - sympy.sqrt(2)), 2**0.5, [2 * 2**0.5, 1, 0]),
    ],
)
def test_a_limit_at_what_is_no_double(formula, at, wanted):
    """0/0 was taken for 0 there, and for a jump."""
    net = network(formula)
    assert net.layers[0].activation.kinks == ()
    found = symnet.derive(net).compile()(np.array([at]))
    np.testing.assert_allclose([float(p.ravel()[0]) for p in found], wanted, rtol=1e-12, atol=1e-12)


def test_an_exponent_with_decimals_is_no_power_to_be_multiplied_out():
    """The equation of Williams, Landel and Ferry: SymPy took powers of 10 of 1,000 digits."""
    function = symnet.derive(network(10 ** (-17.44 * z / (51.6 + z))), order=3).compile()
    found = [float(part.ravel()[0]) for part in function(np.array([25.0]))]
    wanted = [
        *(2.0327969235488776e-6, -7.1787416880019467e-7),
        *(2.7225786555944784e-7, -1.1011921343556127e-7),
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
