"""Arithmetic of many digits: in many threads, of which mpmath has one precision, and near ends."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
import pytest
import sympy

import symnet
from symnet import precision
from symnet.activations import Activation, Z, special
from symnet.witness import digits
from symnet.witness.analytic import limits


@pytest.fixture
def restless():
    """Threads take turns every ten microseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_threads_do_not_change_each_others_digits(restless):
    """1/3 has as many digits as its thread asked for, and so has what is computed of it."""

    def wrong(count):
        found = 0
        for _ in range(200):
            with precision.digits(count):
                third = mpmath.mpf(1) / 3
                found += mpmath.mp.dps != count or abs(3 * third - 1) > mpmath.mpf(10) ** -count
        return found

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(wrong, [15, 50, 20, 300] * 2)) == 0


def test_networks_are_compiled_in_threads(restless):
    """With all that is compared with many digits, by several of them at once."""

    def made(seed):
        net = symnet.Network.dense([2, 3, 1], hidden=["gelu"], output="softplus", seed=seed)
        return symnet.check(net, symnet.derive(net, 3).compile()).ok

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(made, range(6)))


def test_limits_are_right_in_threads(restless):
    """sin(z)/z beside 0, which is known by its digits alone and kept for good."""
    tree = Activation("own", sympy.sin(Z) / Z).tree
    limits.jet.cache_clear()

    def disturb():
        while not over.is_set():
            with precision.digits(20):
                mpmath.mpf(1) / 3

    over = threading.Event()
    other = threading.Thread(target=disturb)
    other.start()
    try:
        for z in np.linspace(1e-9, 1e-8, 40):
            value, slope, bend = limits.jet(tree, float(z), False, 0.0)
            assert (value, slope) == (pytest.approx(1), pytest.approx(-z / 3, rel=1e-9))
            assert bend == pytest.approx(-1 / 3, rel=1e-9)
    finally:
        over.set()
        other.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_child_does_not_wait_for_a_thread_that_it_has_not():
    holding, done = threading.Event(), threading.Event()

    def hold():
        with precision.digits(30):
            holding.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait()
    if not (child := os.fork()):
        with precision.digits(40):
            os._exit(0 if mpmath.mp.dps == 40 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    done.set()
    thread.join()


@pytest.mark.parametrize("z", [5.9, 6.1, 35.15, 41.2, 60.0, 300.0])
def test_far_tails_have_all_digits(z):
    """erf and erfc of both signs beside mpmath's own, in the digits that 1 has."""
    with precision.digits(1000):
        for x in (mpmath.mpf(z), -mpmath.mpf(z)):
            for name in ("erf", "erfc"):
                found = limits._FUNCTIONS[name](x)
                expected = getattr(mpmath, name)(x)
                small = expected if name == "erfc" and x > 0 else 1
                assert abs(found - expected) <= mpmath.mpf(10) ** -997 * abs(small)


@pytest.mark.parametrize("y", ["1e-300", "0.3", "-0.99", "0.9999999999999999999999999999999999999"])
@pytest.mark.parametrize("count", [20, 60, 300])
def test_the_inverse_error_function_has_all_digits(y: str, count: int) -> None:
    """Near 1 too, where mpmath's has as many fewer as 1 - y has zeros."""
    with precision.digits(count + 40):
        exact = mpmath.mpf(y)
        with mpmath.workdps(count + 200):
            right = mpmath.erfinv(exact)
        assert abs(special.erfinv(exact) - right) < abs(right) * 4 * mpmath.eps


@pytest.mark.parametrize(
    "x", ["1e-30", "0.3", "1", "1.000000000000000000001", "2.2", "45.5", "1e5"]
)
def test_the_logarithm_of_gamma_has_all_digits(x: str) -> None:
    """In 700 digits, and near its zeros."""
    with precision.digits(700):
        exact = mpmath.mpf(x)
        found = special.loggamma(exact)
        with mpmath.workdps(750):
            right = mpmath.loggamma(exact)
        assert abs(found - right) <= abs(right) * 4 * mpmath.eps


@pytest.mark.parametrize("x", ["1e-300", "1e-5000", "0.9999999999999999999", "3", "1e40000"])
def test_the_logarithm_in_very_many_digits_has_them(x: str) -> None:
    """In 1,300, where mpmath's own takes several times as long; also of 1 + x."""
    with precision.digits(1300):
        exact = mpmath.mpf(x)
        found = special.log(exact), special.log1p(exact)
        with mpmath.workdps(8000):
            right = mpmath.log(exact), mpmath.log(1 + exact)
        for one, other in zip(found, right, strict=True):
            assert abs(one - other) <= abs(other) * 4 * mpmath.eps


@pytest.mark.parametrize(
    ("formula", "at", "wanted"),
    [
        (
            Z * sympy.erfc(-Z / sympy.sqrt(2)) / 2
            + sympy.exp(-(Z**2) / 2) / sympy.sqrt(2 * sympy.pi),
            -23.2503,
            3.0267289270091722e-121,
        ),
        (sympy.exp(2 * Z) + Z * (1 + sympy.tanh(Z)), -200.0, -7.6415266908888827e-172),
    ],
)
def test_a_term_that_is_lost_in_two_precisions_is_none(formula, at, wanted):
    """In 50 digits as in 110 nothing is left of Z's factor, and the rest is no value."""
    net = symnet.Network([symnet.Layer([[1.0]], None, Activation("own", formula))])
    with mpmath.workdps(50):
        (found,) = digits.value(net)([mpmath.mpf(at)])
    np.testing.assert_allclose(float(found), wanted, rtol=1e-13)
