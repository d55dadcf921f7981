"""JAX functions, Flax, Equinox, Haiku: values, Jacobians and Hessians beside JAX's own."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.importers import Options
from symnet.witness import analytic
from symnet.witness.checking import CheckError
from twins import agrees_with_jax

jax = pytest.importorskip("jax")
pytest.importorskip("scipy")
from jax import lax, nn  # noqa: E402
from jax import numpy as jnp  # noqa: E402

from symnet.importers.jax import imported  # noqa: E402

if not hasattr(jax, "enable_x64"):
    pytest.skip("this JAX has no jax.enable_x64", allow_module_level=True)
jax.config.update("jax_disable_most_optimizations", True)  # each function is compiled once


def weights(*shape):
    """Reproducible numbers in single precision."""
    drawn = np.random.default_rng(sum(shape) + len(shape)).normal(size=shape)
    return drawn.astype(np.float32)


W, V, B = weights(3, 4), weights(4, 4), weights(4)
GRID = np.linspace(-2, 2, 5)
METRIC = 9 * np.eye(3) + np.arange(9.0).reshape(3, 3) / 9
STACK, KERNEL = weights(2, 4, 4), weights(3, 2, 1, 2).astype(np.float64)


def chain(*functions):
    """Dense layers with these functions between them."""

    def call(x):
        h = x @ W + B
        for function in functions:
            h = function(h) @ V + B
        return h

    return call


def convolved(x):
    """A 2-D convolution, pooling, and a dense layer, of the only image in a batch."""
    image = jnp.tile(x, 4).reshape(1, 4, 3, 1) * jnp.arange(1.0, 13.0).reshape(1, 4, 3, 1)
    numbers = ("NHWC", "HWIO", "NHWC")
    seen = lax.conv_general_dilated(
        jnp.tanh(image), KERNEL, (1, 1), "SAME", rhs_dilation=(1, 2), dimension_numbers=numbers
    )
    best = lax.reduce_window(seen, -jnp.inf, lax.max, (1, 2, 1, 1), (1, 2, 1, 1), "VALID")
    mean = lax.reduce_window(seen, 0.0, lax.add, (1, 2, 3, 1), (1, 2, 1, 1), "VALID")
    return jnp.concatenate([best.ravel(), mean.ravel()])


def attention(x):
    """A softmax of what varies, times what varies."""
    keys = jnp.outer(x, jnp.tanh(x))
    return nn.softmax(keys @ W, axis=0).T @ x


BRANCHES = [jnp.sin, jnp.square, lambda x: x[::-1]]

FUNCTIONS = {
    "tanh": chain(jnp.tanh, jnp.tanh),
    "smooth": chain(nn.silu, nn.softplus, nn.gelu, nn.mish, nn.log_sigmoid, nn.soft_sign),
    "erf": chain(lambda z: nn.gelu(z, approximate=False), lax.erf, nn.sigmoid),
    "kinks": chain(nn.relu, nn.leaky_relu, nn.elu, lambda z: nn.elu(z, 0.7), nn.selu, nn.celu),
    "bounded": chain(nn.hard_tanh, nn.relu6, nn.hard_swish, nn.hard_sigmoid),
    "softmax": chain(nn.softmax, jnp.tanh),
    "log softmax": chain(nn.log_softmax),
    "logsumexp": lambda x: nn.logsumexp(x @ W),
    "normalised": chain(nn.standardize),
    "glu": chain(lambda z: jnp.concatenate([nn.glu(z), nn.glu(-z)])),
    "attention": attention,
    "largest": lambda x: jnp.max(x @ W) * x + jnp.min(jnp.stack([x, x**2]), axis=0),
    "norm": lambda x: x / jnp.linalg.norm(x),
    "powers": lambda x: jnp.stack([(x**2 + 1) ** 1.5, x**-3, jnp.exp2(x), 1 / (1 + x**2)]),
    "choices": lambda x: jnp.where((x > 0) & ~(x >= 1), x**2, 0.0) + x * (x > 0.5),
    "choices by another value": lambda x: jnp.stack(
        (
            jnp.where(x[0] > 0, jnp.cos(x[0]) * x[1:], x[1:] ** 2)
            + jnp.where((x[1] >= x[2]) | ~(x[0] < x[2]) & (x[1] > 0), jnp.sin(x[:2]), 1e20 * x[0]),
            lax.cond(jnp.any(x > 1), jnp.sin, lambda v: v**2, x)[:2],
            jnp.select([x < 0, x[::-1] < 0.5], [jnp.sin(x), x**2], x)[:2],
            jnp.piecewise(x, [x < 0, x >= 1], [lambda z: -z, lambda z: z**2, 0.5])[:2],
        )
    ),
    "splines of degree 1": lambda x: (
        ((x[:, None] >= GRID[:-1]) & (x[:, None] < GRID[1:]))
        * (x[:, None] - GRID[:-1])
        @ np.arange(4.0)
    ),
    "by cases": lambda x: (
        jnp.sort(x)[::-1] * jnp.median(x)
        + jnp.interp(x, GRID, jnp.array([0.0, 1, -1, 0.5, 2]))
        + jax.scipy.special.xlogy(x**2, x**2)
        + jnp.mod(x, 1.5) * (x - 2 * jnp.round(x / 2))
        + jnp.nan_to_num(jnp.cbrt(x))
        + jnp.where(x < 2, jnp.cos(np.pi * x / 2) + 1, 0) * jnp.exp(-(x**2))
    ),
    "solved": lambda x: (
        jnp.linalg.solve(METRIC + jnp.outer(x, jnp.tanh(x)), jnp.sin(x))[:2]
        + jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(METRIC[:2, :2]), True), x[:2])
        + jnp.linalg.cholesky(METRIC[:2, :2] + jnp.outer(x[:2], x[:2]))[1]
    ),
    "of its derivative": jax.grad(
        lambda x: (
            jnp.sum(jnp.tanh(x @ W) ** 2)
            + jax.scipy.special.logsumexp(x, b=np.array([1.0, 2.0, 0.5]))
        )
    ),
    "slopes of extremes": jax.grad(
        lambda x: (
            (jnp.max(jnp.tanh(x @ W)) + jnp.min(x @ W)) * x[0]
            + jnp.sum(jnp.maximum(x[0] ** 2, x @ W) * jnp.minimum(x[1], 0.5) + lax.cummax(x)[2])
            + lax.reduce_window(x @ W, -jnp.inf, lax.max, (3,), (2,), "SAME").sum() * x[1]
        )
    ),
    "slopes of solutions": jax.grad(
        lambda x: (
            jnp.linalg.solve(METRIC[:2, :2] + jnp.outer(x[:2], x[:2]), jnp.sin(x[1:])).sum()
            + jnp.linalg.solve(METRIC, x) @ x
            + jnp.linalg.inv(METRIC[:2, :2] + jnp.outer(x[1:], x[1:]))[0, 1]
        )
    ),
    "slopes of choices": jax.grad(
        lambda x: (
            jnp.select([x < 0, x < 1], [jnp.sin(x), x**2], x).sum()
            + jnp.piecewise(x[0], [x[0] < -1, x[0] > 1], [jnp.cos, lambda z: z**2, jnp.sin])
            + jnp.mod(x**2, 1.5).sum()
        )
    ),
    "switches": lambda x: (
        lax.switch(jnp.clip(jnp.floor(x[0]).astype(int) + 1, 0, 2), BRANCHES, x)
        + lax.switch((x[1] > 0).astype(int) + (x[2] > 0), BRANCHES, x)
    ),
    "transposed convolution": lambda x: lax.conv_transpose(
        jnp.tile(x, 4).reshape(1, 4, 3, 1), KERNEL, (2, 1), "SAME"
    ),
    "transposed convolution, cut at the ends": lambda x: lax.conv_general_dilated(
        jnp.tile(x, 4).reshape(1, 4, 3, 1),
        KERNEL,
        (1, 2),
        ((-2, 1), (0, -1)),
        lhs_dilation=(3, 2),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    ),
    "trigonometry": lambda x: jnp.sin(x) * jnp.cos(2 * x) + jnp.arctan(x) - jnp.sinh(x / 2),
    "places": lambda x: jnp.concatenate([x[::-1], x[jnp.array([0, 2])], jnp.pad(x, 1)]),
    "parts": lambda x: jnp.roll(jnp.split(jnp.tanh(x @ W), 2)[1], 1) * x[:2],
    "matrix first": lambda x: jnp.tanh(W.T @ x + B),
    "einsum": lambda x: jnp.einsum("kij,jl,l->ki", STACK, W.T, jnp.sin(x)),
    "signs": lambda x: jnp.sign(x) * jnp.log1p(jnp.abs(x)),
    "cumulative": lambda x: jnp.cumsum(jnp.tanh(x)),
    "products up to each": lambda x: jax.lax.cumprod(jnp.tanh(x), reverse=True),
    "of two": lambda x: (
        jnp.hypot(jnp.tanh(x), x[::-1]) + jnp.logaddexp(x, x[::-1]) * jnp.logaddexp2(x, 0.5)
    ),
    "special": lambda x: (
        jax.scipy.special.gammaln(x**2 + 1) + jax.scipy.special.log_ndtr(x) * lax.erf_inv(x / 9)
    ),
    "an angle": lambda x: jnp.arctan2(jnp.tanh(x[:2]), x[1:3]),
    "vmap": lambda x: jax.vmap(lambda w: jnp.tanh(w @ x))(V[:, :3]),
    "scan": lambda x: lax.scan(lambda h, w: (jnp.tanh(h @ w), None), x @ W, STACK)[0],
    "collected": lambda x: lax.scan(lambda h, w: (h * w, jnp.tanh(h)), x, np.ones((2, 3)))[1],
    "product": lambda x: jnp.prod(x[None] + jnp.arange(2.0)[:, None], axis=1),
    "set": lambda x: jnp.zeros(5).at[1:4].set(jnp.tanh(x)).at[0].set(x[1]),
    "added at places": lambda x: jnp.sin(x).at[jnp.array([0, 2, 2, 7])].add(jnp.tanh(x @ W)[:4]),
    "multiplied at places": lambda x: (
        jnp.exp(x).at[jnp.array([1, 0])].mul(jnp.sin(x[:2]), unique_indices=True)
    ),
    "largest at places": lambda x: jnp.sin(x).at[jnp.array([0, 0])].max(jnp.cos(x[1:])),
    "segments": lambda x: jax.ops.segment_sum(x**2, jnp.array([1, 0, 1]), 2),
    "largest up to each": lambda x: lax.cummax(x) + lax.cumlogsumexp(x, reverse=True),
    "known branch": lambda x: lax.cond(True, jnp.sin, jnp.cos, x),
    "remat": jax.checkpoint(chain(jnp.tanh)),
    "convolution": convolved,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives_are_jaxs(name):
    """To 1e-12 of the terms, in double precision, where JAX and symnet are both finite."""
    function = FUNCTIONS[name]
    found = imported(function, 3, Options())
    assert "compared with JAX in double precision" in found.compared
    agrees_with_jax(found.network, function, np.random.default_rng(1).normal(size=(4, 3)))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("tanh", "3-4-4-4, tanh, tanh, linear"),
        ("smooth", "silu, softplus, gelu_tanh, mish, logsigmoid, softsign, linear"),
        ("bounded", "hardtanh_2, relu6, hardswish, hardsigmoid, linear"),
        ("kinks", "relu, leaky_relu_2, elu, choice_2, selu, elu, linear"),
        ("softmax", "softmax 4, tanh 4"),
        ("log softmax", "log_softmax 4"),
    ],
)
def test_functions_are_recognised(name, what):
    """What libraries write in pieces is the table's function; biases and scales leave no node."""
    assert what in symnet.from_jax(FUNCTIONS[name], 3, check=False).describe()


@pytest.mark.parametrize(
    ("y", "x"), [(1, 0), (-2, 0), (0, 3), (0, -1), (1e-9, -1), (-1e-9, -1), (2, -5), (-3, 1e-300)]
)
def test_angles_on_the_axes(y, x):
    """On each axis too, where formulas that divide by x or by r + x have no value."""
    net = symnet.from_jax(lambda v: jnp.arctan2(v[0], v[1]), 2)
    value, J, H = symnet.derive(net).compile()(np.array([y, x], float))
    r = np.hypot(y, x)
    sine, cosine = y / r, x / r
    np.testing.assert_allclose(value, [np.arctan2(y, x)], rtol=1e-15)
    np.testing.assert_allclose(J, [[cosine / r, -sine / r]], atol=1e-15)
    mixed = (sine**2 - cosine**2) / r**2
    own = 2 * sine * cosine / r**2
    np.testing.assert_allclose(H, [[[-own, mixed], [mixed, own]]], atol=1e-15)


def test_angles_and_distances_of_large_weights():
    """Whose squares are no doubles; of other large numbers the refusal tells the limits."""
    net = symnet.from_jax(lambda x: jnp.arctan2(1e200 * x[0], 3e200 * x[1]), 2)
    np.testing.assert_allclose(analytic.value(net, [3.0, -1.0]), [np.arctan2(3, -3)], rtol=1e-15)
    net = symnet.from_jax(lambda x: jnp.hypot(1e-180 * x[0], 1e-180 * x[1]), 2)
    np.testing.assert_allclose(analytic.value(net, [3.0, 4.0]), [5e-180], rtol=1e-15)
    with pytest.raises(CheckError, match="values are right for distances from"):
        symnet.from_jax(lambda x: jnp.arctan2(jnp.exp(300 * x[0]), jnp.exp(300 * x[0])), 1)


def test_functions_of_two_are_smooth_where_both_are_equal():
    """JAX writes them by the larger of the two; the range of squares is said."""
    found = imported(lambda x: jnp.logaddexp(x[0], x[1]) + jnp.hypot(x[0], x[2]), 3, Options())
    x = np.array([0.25, 0.25, 0.0])
    np.testing.assert_allclose(analytic.jacobian(found.network, x), [[1.5, 0.5, 0]], rtol=1e-15)
    np.testing.assert_allclose(
        analytic.hessian(found.network, x)[0], [[0.25, -0.25, 0], [-0.25, 0.25, 0], [0, 0, 4]]
    )
    assert "squares of coordinates" in str(found)


def test_slopes_at_kinks_are_jaxs():
    """Of the arm that holds the point; of a maximum, whose slope in JAX is a mean, it is said."""
    slopes = [
        float(analytic.jacobian(symnet.from_jax(function, 1), [z])[0, 0])
        for function, z in ((nn.relu, 0.0), (nn.leaky_relu, 0.0), (nn.hard_tanh, 1.0))
    ]
    assert slopes == [0, 1, 1]
    assert "takes the mean of both" in str(imported(lambda x: jnp.maximum(x, 0), 1, Options()))


def test_halves_are_rounded_as_jax_does():
    """To the even of two by jnp.round, away from zero by lax.round."""
    net = symnet.from_jax(lambda x: jnp.stack([jnp.round(x), lax.round(x), x // 2]).ravel(), 2)
    np.testing.assert_array_equal(analytic.value(net, [2.5, -0.5]), [2, 0, 3, -1, 1, -1])


def test_nothing_times_an_infinite_logarithm():
    """0 at 0, as JAX has it, with the derivative's limit beside it; below there is no value."""
    net = symnet.from_jax(jax.scipy.special.entr, 1)
    y, J = symnet.derive(net, order=1).compile()([[0.0], [1.0], [-1.0]])
    np.testing.assert_array_equal(y.ravel(), [0, 0, np.nan])
    np.testing.assert_array_equal(J.ravel(), [np.inf, -1, np.nan])


def test_an_arm_that_is_not_taken_needs_no_value():
    """Where a factor of it is a function of what is compared; JAX's own Jacobian is NaN there."""
    found = imported(
        lambda x: jnp.where(x[0] > 0, jnp.log(x[0]) * x[1] / jnp.sqrt(x[0]), x[1] ** 2),
        2,
        Options(),
    )
    X = np.array([[-2.0, 3.0], [0.0, 3.0], [1.0, 3.0]])
    np.testing.assert_allclose(analytic.value(found.network, X), [[9], [9], [0]])
    np.testing.assert_allclose(analytic.jacobian(found.network, X)[:, 0], [[0, 6], [0, 6], [3, 0]])
    assert "each times 0 or 1" in str(found)


def test_attention_of_jaxs():
    """Its softmax is moved between the maximum and the exponential, and in single precision."""

    def attend(x):
        q, k, v = (x.reshape(1, 3, 1, 1) * W[i].astype(float) for i in range(3))
        return nn.dot_product_attention(q, k, v, is_causal=True, scale=0.25).ravel()

    def twin(x):
        q, k, v = (x[:, None] * W[i].astype(float) for i in range(3))
        return nn.softmax(jnp.where(np.tri(3) > 0, q @ k.T / 4, -jnp.inf)) @ v

    agrees_with_jax(symnet.from_jax(attend, 3), twin, np.random.default_rng(3).normal(size=(3, 3)))


def test_weights_are_held_exactly():
    """Single precision as it is, told so; JAX stays in the precision it was in."""
    found = imported(FUNCTIONS["tanh"], 3, Options(inputs=["a", "b", "c"]))
    np.testing.assert_array_equal(found.network.layers[0].weights, W.T)
    assert [s.name for s in found.network.inputs] == ["a", "b", "c"]
    assert "weights float32, held exactly" in str(found)
    assert jnp.ones(1).dtype == jnp.float32


def test_single_precision_inside_is_widened():
    """A model with dtype=float32 is compared with its equations in double precision."""
    narrow = imported(lambda x: jnp.tanh(x.astype(jnp.float32) @ W + B), 3, Options())
    assert "single precision" in narrow.notes[0]
    wide = imported(lambda x: jnp.tanh(x @ W + B), 3, Options())
    assert narrow.network == wide.network
    # lax.dot takes one precision only: that of the weights.
    assert symnet.from_jax(lambda x: jnp.tanh(lax.dot(x, W) + B), 3) == wide.network


def test_several_outputs_have_their_names():
    """Entries of a dictionary; those of a tuple are numbered."""
    net = symnet.from_jax(lambda x: {"p": jnp.sum(x), "q": x[:2]}, 3)
    assert [s.name for s in net.outputs] == ["p", "q_1", "q_2"]
    net = symnet.from_jax(lambda x: (jnp.sum(x), x[0]), 3)
    assert [s.name for s in net.outputs] == ["y_0", "y_1"]
    assert symnet.from_jax(lambda x: jnp.sum(x, axis=1), (1, 3)).widths == (3, 1)


@jax.custom_jvp
def straight(x):
    """1 above 0, with a derivative that is not its own."""
    return jnp.where(x > 0, 1.0, 0.0)


straight.defjvp(lambda primals, tangents: (straight(*primals), tangents[0]))


@pytest.mark.parametrize(
    ("function", "error", "what"),
    [
        (lambda x: jnp.sort(jnp.tile(x, 9)), ValueError, "'sort': it sorts 27 entries"),
        (lambda x: jnp.argsort(x) * 1.0, ValueError, "'sort': it orders one tensor by another"),
        (
            lambda x: jnp.linalg.inv(1 + jnp.eye(5) * x[0]),
            ValueError,
            "symnet writes it out up to 4",
        ),
        (lambda x: jnp.nextafter(x, 1.0), ValueError, "primitive 'nextafter'"),
        (lambda x: x.at[x[0].astype(int)].set(1.0), ValueError, "its indices depend on the inputs"),
        (lambda x: jnp.take(x, x.astype(int)), ValueError, "it gives NaN for places outside"),
        (lambda x: lax.stop_gradient(x) * x, ValueError, "'stop_gradient': its derivative"),
        (lambda x: x - lax.stop_gradient(jnp.max(x)), ValueError, "stop_gradient of a maximum"),
        (lambda x: lax.while_loop(lambda v: v[0] < 9, lambda v: v * 2, x), ValueError, "'while'"),
        (lambda x: lax.div(x[0].astype(int), 2) * x, ValueError, "it divides whole"),
        (lambda x: jnp.abs(jnp.fft.rfft(x)), ValueError, "'fft': .*complex numbers"),
        (lambda x: jnp.where(x[0] > 0, x[1], jnp.inf), ValueError, "arms is NaN or infinite"),
        (lambda x: jnp.where(x[0] > 0, x[1], jnp.nan), ValueError, "it gives NaN at points where"),
        (
            jax.grad(lambda x: jnp.sin(x).at[0].max(x[1] ** 2).sum()),
            ValueError,
            "which rounding decides",
        ),
        (
            jax.grad(lambda x: jnp.linalg.solve(1 + x[0] * np.eye(5), np.ones(5))[0]),
            ValueError,
            "of the shape \\(5, 5\\) that depends on the inputs",
        ),
        (lambda x: x if x[0] > 0 else -x, ValueError, r"JAX cannot trace the function.*\(3,\)"),
        (lambda x: x @ np.ones(4), ValueError, "JAX cannot trace"),
        (lambda x: {}, ValueError, "gives no array"),
        (straight, CheckError, "Jacobian in JAX differs"),
    ],
)
def test_what_cannot_be_right_is_refused(function, error, what):
    """By the primitive's name; derivatives that are not those of the values as well."""
    with pytest.raises(error, match=what):
        symnet.from_jax(function, 3)


ELEMENTWISE = (
    *("celu", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "identity", "leaky_relu"),
    *("log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_sign", "softplus"),
    *("sparse_plus", "sparse_sigmoid", "squareplus", "tanh"),
)
SPECIAL = ("digamma", "entr", "erf", "erfc", "erfinv", "expit", "gammaln", "logit", "ndtr")
REFUSED = ("exp1", "fresnel", "i0", "i1e", "sici", "spence")


def test_elementwise_functions_are_read_or_refused_by_name():
    """jax.nn's, and jax.scipy.special's of one number within their domain: (0, 1)."""
    special = jax.scipy.special
    own = [getattr(nn, name) for name in ELEMENTWISE]
    found = imported(lambda x: jnp.stack([f(x) for f in own]), 1, Options())
    assert "(24 points): worst difference" in found.compared

    def inside(x):
        return jnp.stack([getattr(special, name)(nn.sigmoid(x)) for name in SPECIAL])

    assert "(24 points): worst difference" in imported(inside, 1, Options()).compared
    for name in REFUSED:
        with pytest.raises(ValueError, match=r"primitive '\w+'|function '\w+'"):
            symnet.from_jax(getattr(special, name), 1, check=False)


def test_unused_results_need_no_rule():
    """The sign that logsumexp computes and drops."""
    assert symnet.from_jax(lambda x: (jnp.argsort(x), x * 2)[1], 3).widths == (3, 3)


def test_large_values_do_not_overflow():
    """log Σ exp of 1000 is finite, as JAX has it."""
    net = symnet.from_jax(lambda x: nn.logsumexp(x), 3)
    np.testing.assert_allclose(analytic.value(net, [1000.0, 999.0, 0.0]), [1000.3132616875182])


# --- libraries ----------------------------------------------------------------------------------


def agrees(function, n, what):
    """The network, and its Jacobian beside JAX's."""
    found = imported(function, n, Options())
    assert found.network.describe() == what
    X = np.random.default_rng(2).normal(size=(3, n))
    with jax.enable_x64(True):
        expected = np.asarray(jax.vmap(jax.jacrev(function))(jnp.asarray(X)))
    np.testing.assert_allclose(analytic.jacobian(found.network, X), expected, rtol=0, atol=1e-12)


def test_equinox():
    """A model is a function of one point."""
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(3, 2, 8, 2, nn.softplus, key=jax.random.key(0))
    agrees(model, 3, "3-8-8-2, softplus, softplus, linear")


def test_flax():
    """Flax's names do not give the order, its functions do."""
    linen = pytest.importorskip("flax.linen")

    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            last = linen.Dense(1)
            return last(linen.LayerNorm()(nn.silu(linen.Dense(5)(x))))

    model = Model()
    parameters = model.init(jax.random.key(0), np.zeros(3))
    assert parameters["params"]["Dense_0"]["kernel"].shape == (5, 1)
    net = symnet.from_jax(lambda x: model.apply(parameters, x), 3)
    assert net.widths[0] == 3
    assert net.describe().startswith("3-1, graph of 8 nodes: silu 5")


def test_flax_with_a_state():
    """Linen's convolution, and BatchNorm with the averages of a training."""
    linen = pytest.importorskip("flax.linen")

    class Model(linen.Module):
        @linen.compact
        def __call__(self, x, training=False):
            h = linen.Conv(4, (3,))(x.reshape(-1, 6, 1))
            h = jnp.tanh(linen.BatchNorm(use_running_average=not training)(h))
            h = linen.avg_pool(h, (2,), (2,)).reshape(len(x), -1)
            return linen.Dense(2)(linen.Dropout(0.1, deterministic=not training)(h))

    model, batch = Model(), np.random.default_rng(0).normal(2, 3, size=(64, 6))
    made = model.init(jax.random.key(0), batch)
    told = {"rngs": {"dropout": jax.random.key(1)}, "mutable": ["batch_stats"]}
    _, state = model.apply(made, batch, True, **told)
    trained = {**made, **state}
    agrees(
        lambda x: model.apply(trained, x[None])[0],
        6,
        "6-24-12-2, tanh, linear without bias, linear",
    )


def test_flax_nnx():
    """A module with its state, as it is, compiled by nnx, and merged from its parts."""
    nnx = pytest.importorskip("flax.nnx")

    class Model(nnx.Module):
        def __init__(self, rngs):
            self.inner, self.last = nnx.Linear(3, 6, rngs=rngs), nnx.Linear(6, 2, rngs=rngs)
            self.norm, self.layer_norm = nnx.BatchNorm(6, rngs=rngs), nnx.LayerNorm(6, rngs=rngs)
            self.dropout = nnx.Dropout(0.1, rngs=rngs)

        def __call__(self, x):
            h = self.dropout(self.norm(jnp.tanh(self.inner(x))))
            return self.last(self.layer_norm(h))

    model = Model(nnx.Rngs(0))
    model.train()
    model(jnp.asarray(np.random.default_rng(0).normal(2, 3, size=(64, 3))))
    model.eval()
    parts = nnx.split(model)
    functions = model, nnx.jit(model), lambda x: nnx.merge(*parts)(x)
    what = "3-2, graph of 8 nodes: tanh 6, square 6, square 1, relu 1, rsqrt 1, linear 6, product 6"
    for function in functions:
        agrees(function, 3, f"{what}, linear 2")


def test_haiku():
    """A transformed function with its parameters."""
    hk = pytest.importorskip("haiku")
    net = hk.without_apply_rng(hk.transform(lambda x: hk.nets.MLP([4, 2], activation=jnp.tanh)(x)))
    made = net.init(jax.random.key(0), np.zeros(3))
    parameters = jax.tree.map(lambda a: a + 0.25, made)
    agrees(lambda x: net.apply(parameters, x), 3, "3-4-2, tanh, linear")


def test_haiku_with_a_state():
    """BatchNorm, as it is evaluated with the averages of a training, and LayerNorm."""
    hk = pytest.importorskip("haiku")

    def forward(x, training):
        h = jnp.tanh(hk.BatchNorm(True, True, 0.9)(hk.Linear(6)(x), training))
        return hk.Linear(2)(nn.silu(hk.LayerNorm(-1, True, True)(h)))

    model = hk.without_apply_rng(hk.transform_with_state(forward))
    batch = np.random.default_rng(0).normal(2, 3, size=(64, 3))
    parameters, state = model.init(jax.random.key(0), batch, True)
    _, state = model.apply(parameters, state, batch, True)
    what = "3-2, graph of 7 nodes: tanh 6, linear 6, square 6, rsqrt 1, product 6, silu 6, linear 2"
    agrees(lambda x: model.apply(parameters, state, x[None], False)[0][0], 3, what)


def test_more_outputs_than_are_named():
    """The advice is the command's own, as functions take no choice of outputs."""
    with pytest.raises(ValueError, match=r"outputs are 131,073 .* by symnet import --select-out"):
        symnet.from_jax(lambda x: x[0] * np.ones(2**17 + 1), 1)
