"""JAX's functions by themselves, with each of their options: read as they are, or refused."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.importers.imported import Options
from symnet.importers.jax import imported
from symnet.witness import analytic

jax = pytest.importorskip("jax")
pytest.importorskip("scipy")
jnp = jax.numpy

X = np.random.default_rng(5).normal(size=(4, 3)) * 2
FAR = np.array([[-300.0, 0.5, 300.0], [-7.0, 1.0, 7.0]])


def agrees(function, X=X):
    """The network's values are those of the function in double precision."""
    net = symnet.from_jax(function, 3)
    with jax.enable_x64(True):
        expected = [np.ravel(function(jnp.asarray(x))) for x in X]
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=1e-12, atol=1e-14)


AT, VALUES = np.array([-100.0, 0.25, 0.7, 100.0]), np.array([-3.0, 1.0, 0.3, 6.0])
BEYOND = {
    "its ends": {},
    "lines": {"left": "extrapolate", "right": "extrapolate"},
    "a line below": {"left": "extrapolate"},
    "a line above": {"right": "extrapolate"},
    "numbers": {"left": -5.0, "right": 9.0},
    "a number and a line": {"left": 0.0, "right": "extrapolate"},
    "a number above": {"right": 9.0},
}


@pytest.mark.parametrize("name", BEYOND)
def test_interpolation_beyond_its_ends(name):
    """Far beyond all points at which networks are compared."""
    agrees(lambda x: jnp.interp(x, AT, VALUES, **BEYOND[name]), FAR)
    agrees(lambda x: jnp.interp(x[0], AT / 100, VALUES, **BEYOND[name]), FAR)


def test_tables_in_single_precision():
    """Slopes are of doubles."""
    at, values = jnp.array([-0.7, 0.1, 0.3], "float32"), jnp.array([0.1, 0.7, 0.3], "float32")
    net = symnet.from_jax(lambda x: jnp.interp(x, at, values), 3)
    at, values = np.asarray(at, np.float64), np.asarray(values, np.float64)
    np.testing.assert_allclose(analytic.value(net, X), np.interp(X, at, values), rtol=1e-13)


MOVED = {
    "take with a fill": lambda x: jnp.take(x, np.array([0, 5]), mode="fill", fill_value=0.0),
    "take with another": lambda x: jnp.take(x, np.array([7, 2]), mode="fill", fill_value=-2.5),
    "get": lambda x: x.at[np.array([1, 4])].get(mode="fill", fill_value=3),
    "inside": lambda x: jnp.take(x, np.array([2, 0]), mode="fill"),
    "clip": lambda x: jnp.take(x, np.array([2, 9]), mode="clip"),
    "wrap": lambda x: jnp.take(x, np.array([2, 4]), mode="wrap"),
    "conditions": lambda x: jnp.where(jnp.take(x > 0, np.array([2, 0]), mode="fill"), 1.0, x[:2]),
    "dropped": lambda x: x.at[np.array([1, 7])].set(jnp.array([5.0, 6.0])),
    "clipped": lambda x: x.at[np.array([0, 7])].set(jnp.array([5.0, 6.0]), mode="clip"),
    "whole numbers": lambda x: jnp.concatenate([x, np.array([4, 5])]),
    "choose": lambda x: jnp.choose(np.array([1, 0, 4]), [x, 2 * x], mode="clip"),
    "roll": lambda x: jnp.roll(x, 1),
    "pad": lambda x: jnp.pad(x, (1, 2), constant_values=(3, 4)),
}


@pytest.mark.parametrize("name", MOVED)
def test_places_outside_of_a_tensor(name):
    """They give a number, the nearest entry, or nothing, as they are asked to."""
    agrees(MOVED[name])


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: jnp.take(x, np.array([0, 5])), "'gather': it gives NaN"),
        (lambda x: jnp.take(x > 0, np.array([5]), mode="fill") * 1.0, "'gather': it gives NaN"),
        (lambda x: jnp.bitwise_and(jnp.sum(x > 0), 1) * 1.0, "'and': .*by their bits"),
        (lambda x: jnp.invert(jnp.sum(x > 0)) * 1.0, "'not': .*by their bits"),
        (lambda x: jnp.interp(x, AT, VALUES, period=300.0), "'interp': it has a period"),
        (lambda x: jnp.interp(x, AT, VALUES, left=x[0]), "'interp': .*depends on the inputs"),
        (lambda x: jnp.interp(0.5, x, VALUES[:3]), "'interp': .*depends on the inputs"),
        (lambda x: jnp.interp(x, np.zeros(3), VALUES[:3]), "'interp': .*points; .* that rise"),
    ],
)
def test_options_that_are_refused(function, what):
    """By name."""
    with pytest.raises(ValueError, match=what):
        symnet.from_jax(function, 3)


def _matrix(x):
    """4 x 4, of both signs of its determinant."""
    wide = jnp.append(x, 1.0)
    return jnp.outer(wide, wide[::-1]) + jnp.diag(jnp.array([1.0, -2.0, 3.0, 1.0]))


DETERMINANTS = {
    "det": lambda x: jnp.linalg.det(_matrix(x)),
    "sign and logarithm": lambda x: jnp.stack(jnp.linalg.slogdet(_matrix(x))),
    "of a flow": lambda x: jnp.linalg.slogdet(jax.jacfwd(lambda z: z + 0.2 * jnp.sin(z[::-1]))(x)),
}


@pytest.mark.parametrize("name", DETERMINANTS)
def test_determinants(name):
    """JAX has them of its LU factors, symnet by cofactors."""
    agrees(DETERMINANTS[name])


def test_the_determinant_of_a_large_matrix_is_refused():
    """With the size that is read."""
    with pytest.raises(ValueError, match=r"'slogdet': .*\(5, 5\).* up to 4 x 4"):
        symnet.from_jax(lambda x: jnp.linalg.slogdet(jnp.outer(x, x) + jnp.eye(5))[1], 5)


def test_functions_of_a_batch_of_one():
    """What mixes the points of a larger one is refused."""
    W = np.linspace(-1, 1, 6).reshape(3, 2)
    with pytest.raises(ValueError, match="the function mixes the points of a batch"):
        symnet.from_jax(lambda x: jax.nn.softmax(x @ W, axis=0), (1, 3))
    assert symnet.from_jax(lambda x: jax.nn.softmax(x @ W, axis=1), (1, 3)).m == 2
    assert (
        "gives an array of the shape ()"
        in imported(lambda x: (x @ W).sum(), (1, 3), Options()).notes[0]
    )
