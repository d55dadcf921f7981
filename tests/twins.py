"""A network beside a JAX function: values, Jacobians and Hessians by JAX's autodiff in doubles."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.witness import analytic


def agrees_with_jax(net, function, X):
    """To 1e-12 of the terms, at points (k, n); the test is skipped where JAX is missing."""
    jax = pytest.importorskip("jax")
    if not hasattr(jax, "enable_x64"):
        pytest.skip("this JAX has no jax.enable_x64")

    def flat(x):
        return jax.numpy.ravel(function(x))

    with jax.enable_x64(True):
        slopes = jax.jacrev(flat)
        calls = jax.jit(jax.vmap(lambda x: (flat(x), slopes(x), jax.jacfwd(slopes)(x))))
        expected = [np.asarray(part) for part in calls(np.asarray(X, dtype=np.float64))]
    for order, engine in enumerate((analytic.value, analytic.jacobian, analytic.hessian)):
        error = np.abs(engine(net, X) - expected[order])
        assert (error <= 1e-12 * (1 + analytic.scale(net, X, order))).all(), order


_SLOPE = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
_CURVE = np.array([-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560])


def agrees_along_lines(net, values, points, h, tolerance):
    """v J and v H v of a line through each point, beside differences of the eighth order.

    `values` takes points (N, n) to (N, m); `tolerance` is relative and absolute.
    """
    rng, largest = np.random.default_rng(2), 0.0
    for x in np.asarray(points):
        v = rng.uniform(-1, 1, net.n)
        rows = np.reshape(values(x + h * np.arange(-4, 5)[:, None] * v), (9, -1))
        slope, curve = analytic.jacobian(net, x) @ v, analytic.hessian(net, x) @ v @ v
        largest = max(largest, np.abs(slope).max())
        close = {"rtol": tolerance, "atol": tolerance}
        np.testing.assert_allclose(slope, _SLOPE @ rows / h, **close)
        np.testing.assert_allclose(curve, _CURVE @ rows / h**2, **close)
    assert largest > 1e-3
