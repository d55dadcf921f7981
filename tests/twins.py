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
