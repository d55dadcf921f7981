"""Networks of many inputs and neurons are compared by some inputs, and along one direction."""

import dataclasses

import numpy as np
import pytest

import symnet
from symnet.witness import directions
from symnet.witness.comparing import CheckError


@pytest.fixture
def wide():
    return symnet.Network.dense([200, 1024, 1024, 1], hidden="tanh", output="linear", seed=0)


@pytest.fixture
def few(monkeypatch):
    """A network of twelve inputs for which all are too many."""
    monkeypatch.setattr(directions, "_HELD", 700)
    monkeypatch.setattr(directions, "_FEWEST", 8)
    return symnet.Network.dense([12, 8, 8, 2], hidden="tanh", output="linear", seed=0)


def test_few_inputs_are_all_compared():
    net = symnet.Network.dense([100, 32, 32, 1], seed=0)
    assert directions.chosen(net, 2, np.random.default_rng(0)) is None
    assert symnet.check(net, symnet.derive(net, 1).compile()).notes == ()


def test_of_a_wide_network_some_inputs_are_chosen(wide):
    """The first and the last among them, and one direction in which all take part."""
    along = directions.chosen(wide, 2, np.random.default_rng(0))
    assert along.shape[0] == 200
    assert 8 <= along.shape[1] < 40
    assert along[0, 0] == along[199, -2] == 1
    assert (along[:, :-1].sum(axis=0) == 1).all()
    assert (along[:, -1] > 0).all()
    assert directions.chosen(wide, 0, np.random.default_rng(0)) is None


def test_derivatives_along_directions(few):
    """J S and Sᵀ H S, of the engine itself and of an array."""
    along = directions.chosen(few, 2, np.random.default_rng(0))
    X = np.random.default_rng(1).normal(size=(5, 12))
    J, H = symnet.analytic.jacobian(few, X), symnet.analytic.hessian(few, X)
    _, first, second = symnet.analytic.derivatives(few, X, 2, along)
    wanted = np.einsum("npij,ik,jl->npkl", H, along, along)
    np.testing.assert_allclose(first, J @ along, rtol=0, atol=1e-14)
    np.testing.assert_allclose(second, wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(directions.contracted(H, 2, along), wanted, rtol=0, atol=1e-14)
    third = np.random.default_rng(2).normal(size=(2, 1, 12, 12, 12))
    expected = np.einsum("npijk,ia,jb,kc->npabc", third, along, along, along)
    np.testing.assert_allclose(directions.contracted(third, 3, along), expected, atol=1e-12)


def test_report_says_what_was_compared(few):
    report = symnet.check(few, symnet.derive(few, 3).compile())
    assert report.ok
    assert report.notes[0] in str(report)
    assert "8 of the 12 inputs" in str(report) or "7 of the 12 inputs" in str(report)


@pytest.mark.parametrize("digits", [True, False])
def test_error_at_an_input_left_out_is_found(few, digits):
    """It is in the direction that all inputs take part in, of 50 digits or not."""
    f = symnet.derive(few, 2).compile()
    found = [_planted_at(f, i) for i in range(12)]
    reports = [symnet.check(few, wrong, digits=digits) for wrong in found]
    assert [report.ok for report in reports] == [False] * 12


def test_verify_finds_it_too(few):
    f = symnet.derive(few, 2).compile(check=False)
    for i in range(12):
        wrong = dataclasses.replace(f, kernels=_Planted(f.kernels, i))
        with pytest.raises(CheckError, match="hessian"):
            wrong.verified()


def _planted_at(f, i):
    return dataclasses.replace(f, kernels=_Planted(f.kernels, i))


class _Planted:
    """Kernels whose Hessian is wrong by a thousandth in one diagonal entry."""

    def __init__(self, kernels, i):
        self._kernels, self._i = kernels, i

    def __getattr__(self, name):
        return getattr(self._kernels, name)

    def crowded(self, points):
        return _Planted(self._kernels.crowded(points), self._i)

    def function(self, name, orders, *others):
        found = self._kernels.function(name, orders, *others)

        def wrong(X):
            results = [np.array(result) for result in found(X)]
            for order, result in zip(orders, results, strict=True):
                if order == 2:
                    result[..., self._i, self._i] *= 1.001
            return tuple(results)

        return wrong
