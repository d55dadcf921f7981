"""scikit-learn's kernel methods: sums of kernels at the points that they were trained on.

y = Σ_i α_i k(x, x_i) + b
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from sympy import Expr, Rational, exp, factorial, sqrt

from symnet.activations import Z
from symnet.importers.folding import functions
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array


def gaussian_process(t: Tensors, model: Any, x: Value) -> Value:
    """The mean, of sums and products of kernels."""
    X, alpha = np.asarray(model.X_train_), np.asarray(model.alpha_)
    alpha = alpha.reshape(len(X), -1)
    mean = t.matmul(_of_all(_of_process(t, model.kernel_, x, X), X), alpha)
    deviation = np.broadcast_to(model._y_train_std, alpha.shape[1])
    centre = np.broadcast_to(model._y_train_mean, alpha.shape[1])
    return t.add(t.multiply(mean, deviation), centre)


def kernel_ridge(t: Tensors, model: Any, x: Value) -> Value:
    """KernelRidge of a kernel by name."""
    X = np.asarray(model.X_fit_)
    gamma = 1 / X.shape[1] if model.gamma is None else model.gamma
    values = _kernel(t, model, model.kernel, gamma, x, X)
    return t.matmul(values, np.asarray(model.dual_coef_).reshape(len(X), -1))


def support_vectors(t: Tensors, model: Any, x: Value) -> Value:
    """SVR and NuSVR."""
    return _supported(t, model, x, np.asarray(model.dual_coef_).reshape(-1, 1))


def of_pairs(t: Tensors, model: Any, x: Value) -> Value:
    """SVC of several classes: of each pair i < j those of its own vectors.

    dual_coef_ has a row less than classes: row j − 1 at the vectors of i, row i at those of j.
    """
    dual, ends = np.asarray(model.dual_coef_), np.cumsum([0, *model.n_support_])
    own = [slice(*pair) for pair in itertools.pairwise(ends)]
    pairs = list(itertools.combinations(range(len(own)), 2))
    alpha = np.zeros((dual.shape[1], len(pairs)))
    for k, (i, j) in enumerate(pairs):
        alpha[own[i], k] = dual[j - 1, own[i]]
        alpha[own[j], k] = dual[i, own[j]]
    return _supported(t, model, x, alpha)


def _supported(t: Tensors, model: Any, x: Value, alpha: Array) -> Value:
    X = np.asarray(model.support_vectors_)
    values = t.matmul(_kernel(t, model, model.kernel, model._gamma, x, X), alpha)
    return t.add(values, np.asarray(model.intercept_, dtype=np.float64))


def _kernel(t: Tensors, model: Any, name: Any, gamma: float, x: Value, X: Array) -> Value:
    """k(x, x_i) of all i, of a kernel by its name, or of a Gaussian process."""
    if type(name).__name__ in _KERNELS:
        return _of_all(_of_process(t, name, x, X), X)
    if name == "rbf":
        return t.apply("exp", t.multiply(_squared_distances(t, x, X, gamma), -float(gamma)))
    if name == "linear":
        return t.matmul(x, X.T.copy())
    if name in ("poly", "polynomial", "sigmoid"):
        inner = t.add(t.multiply(t.matmul(x, X.T.copy()), float(gamma)), float(model.coef0))
        value = "tanh" if name == "sigmoid" else functions.power(model.degree)
        return t.apply(value, inner, "power")
    if name == "laplacian":
        apart = t.subtract(t.places(x, lambda a: a[None, :]), X)
        size = t.sum(t.apply("abs", apart), [-1], False)
        return t.apply("exp", t.multiply(size, -float(gamma)))
    if name == "cosine":
        size = t.apply("sqrt", t.sum(t.apply("square", x), [-1], True))
        return t.divide(t.matmul(x, (X / np.linalg.norm(X, axis=1, keepdims=True)).T.copy()), size)
    raise ValueError(
        f"the kernel {name!r} is not read; symnet reads rbf, linear, poly, sigmoid, "
        "laplacian, cosine"
    )


def random_features(t: Tensors, sampler: Any, x: Value) -> Value:
    """RBFSampler: sqrt(2/D) cos(x W + b)."""
    W, b = np.asarray(sampler.random_weights_), np.asarray(sampler.random_offset_)
    return t.multiply(t.apply("cos", t.add(t.matmul(x, W), b)), np.sqrt(2 / W.shape[1]))


def skewed_features(t: Tensors, sampler: Any, x: Value) -> Value:
    """SkewedChi2Sampler: sqrt(2/D) cos(log(x + c) W + b)."""
    return random_features(t, sampler, t.apply("log", t.add(x, float(sampler.skewedness))))


def nystroem(t: Tensors, sampler: Any, x: Value) -> Value:
    """Kernels at some points, times a matrix."""
    X = np.asarray(sampler.components_)
    given = {"degree": sampler.degree or 3, "coef0": 1 if sampler.coef0 is None else sampler.coef0}
    own = SimpleNamespace(**given)
    gamma = 1 / X.shape[1] if sampler.gamma is None else sampler.gamma
    values = _kernel(t, own, sampler.kernel, gamma, x, X)
    return t.matmul(values, np.asarray(sampler.normalization_).T.copy())


def principal(t: Tensors, model: Any, x: Value) -> Value:
    """KernelPCA: kernels, centred as those of the fit were, times scaled eigenvectors."""
    X, centre = np.asarray(model.X_fit_), model._centerer
    values = _kernel(t, SimpleNamespace(**model.get_params()), model.kernel, model.gamma_, x, X)
    mean = t.sum(values, [-1], True, mean=True)
    values = t.subtract(values, np.asarray(centre.K_fit_rows_))
    centred = t.add(t.subtract(values, mean), float(centre.K_fit_all_))
    kept = model.eigenvalues_ > 0
    scaled = np.zeros_like(model.eigenvectors_)
    scaled[:, kept] = model.eigenvectors_[:, kept] / np.sqrt(model.eigenvalues_[kept])
    return t.matmul(centred, scaled)


_HIGHEST = 64  # power of a formula
_ORDERS = 5  # of Matern's kernel
_FAR = 1e3
"""γ|x_i|² up to which |x|² − 2 x·x_i + |x_i|² keeps enough digits of |x − x_i|²."""


def _squared_distances(t: Tensors, x: Value, points: Array, gamma: float = 0.5) -> Value:
    """|x − x_i|² = |x|² − 2 x·x_i + |x_i|² of all i; sums of squares where points are far out.

    γ is the factor that it will have in an exponent.
    """
    if gamma * (points**2).sum(axis=1).max(initial=0.0) > _FAR:
        apart = t.subtract(t.places(x, lambda a: a[None, :]), points)
        return t.sum(t.apply("square", apart), [-1], False)
    square = t.sum(t.multiply(x, x), [-1], True)
    cross = t.matmul(x, -2 * points.T)
    return t.add(t.add(cross, (points**2).sum(axis=1)), square)


def _of_process(t: Tensors, kernel: Any, x: Value, X: Array) -> Value:
    """k(x, x_i) of all i; white noise does not change the mean."""
    name = type(kernel).__name__
    if name not in _KERNELS:
        known = ", ".join(_KERNELS)
        raise ValueError(f"the kernel {kernel} is not read; symnet reads {known}")
    return _KERNELS[name](t, kernel, x, X)


def _of_all(values: Value, X: Array) -> Value:
    """One of each point, of a kernel that may be the same number at all."""
    return values if isinstance(values, Form) else np.broadcast_to(np.asarray(values), (len(X),))


def _pairwise(t: Tensors, kernel: Any, x: Value, X: Array) -> Value:
    """The kernel of that name, with scikit-learn's defaults."""
    own = SimpleNamespace(**{"degree": 3, "coef0": 1, **(kernel.pairwise_kernels_kwargs or {})})
    return _kernel(t, own, kernel.metric, kernel.gamma, x, X)


def _scaled_distances(t: Tensors, kernel: Any, x: Value, X: Array) -> Value:
    scale = np.broadcast_to(np.asarray(kernel.length_scale, dtype=np.float64), X.shape[1:])
    return _squared_distances(t, t.divide(x, scale), X / scale)


def _matern(t: Tensors, kernel: Any, x: Value, X: Array) -> Value:
    """Of the orders 1/2, 3/2, ... and infinity, by sums of squares: rounding makes none < 0."""
    scale = np.broadcast_to(np.asarray(kernel.length_scale, dtype=np.float64), X.shape[1:])
    apart = t.subtract(t.places(x, lambda a: a[None, :]), X)
    square = t.sum(t.apply("square", t.divide(apart, scale)), [-1], False)
    if kernel.nu == np.inf:
        return t.apply(exp(-Z / 2), square, "matern_smooth")
    p = kernel.nu - 0.5
    if p not in range(_ORDERS):
        raise ValueError(
            f"Matern with nu = {kernel.nu}; symnet reads 0.5, 1.5 to {_ORDERS - 0.5} and infinity"
        )
    return t.apply(_matern_law(int(p)), square, f"matern_{2 * int(p) + 1}_2")


def _matern_law(p: int) -> Expr:
    """exp(−r) p!/(2p)! Σ_i (p+i)!/(i!(p−i)!) (2r)^(p−i), r = sqrt((2p+1) z).

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equation 4.16.
    """
    r = sqrt((2 * p + 1) * Z)
    terms = (
        Rational(
            factorial(p) * factorial(p + i), factorial(2 * p) * factorial(i) * factorial(p - i)
        )
        * (2 * r) ** (p - i)
        for i in range(p + 1)
    )
    return sum(terms) * exp(-r)


def _periodic(t: Tensors, kernel: Any, x: Value, X: Array) -> Value:
    """exp(−2 sin²(π d/p)/l²); d is a difference where there is one input, else a distance."""
    apart = t.subtract(t.places(x, lambda a: a[None, :]), X)
    if X.shape[1] == 1:
        d = t.reshape(apart, (len(X),))
    else:
        d = t.apply("sqrt", t.sum(t.apply("square", apart), [-1], False))
    wave = t.apply("sin", t.multiply(d, np.pi / float(kernel.periodicity)))
    return t.apply("exp", t.multiply(t.apply("square", wave), -2 / float(kernel.length_scale) ** 2))


def _rational(t: Tensors, kernel: Any, x: Value, X: Array) -> Value:
    factor = 1 / (2 * kernel.alpha * kernel.length_scale**2)
    shrunk = t.multiply(_squared_distances(t, x, X, factor), factor)
    if kernel.alpha > _HIGHEST:
        raise ValueError(
            f"RationalQuadratic has alpha={kernel.alpha:g}; symnet reads powers up to {_HIGHEST}: "
            "fit RBF, whose limit it is, or alpha_bounds=(1e-5, 64)"
        )
    return t.apply(functions.power(-kernel.alpha), t.add(shrunk, 1.0), "power")


_KERNELS: Mapping[str, Callable[[Tensors, Any, Value, Array], Value]] = {
    "ConstantKernel": lambda t, k, x, X: np.asarray(float(k.constant_value)),
    "WhiteKernel": lambda t, k, x, X: np.zeros(()),
    "RBF": lambda t, k, x, X: t.apply("exp", t.multiply(_scaled_distances(t, k, x, X), -0.5)),
    "Matern": _matern,
    "PairwiseKernel": _pairwise,
    "RationalQuadratic": _rational,
    "ExpSineSquared": _periodic,
    "DotProduct": lambda t, k, x, X: t.add(t.matmul(x, X.T.copy()), float(k.sigma_0) ** 2),
    "Sum": lambda t, k, x, X: t.add(_of_process(t, k.k1, x, X), _of_process(t, k.k2, x, X)),
    "Product": lambda t, k, x, X: t.multiply(
        _of_process(t, k.k1, x, X), _of_process(t, k.k2, x, X)
    ),
    "Exponentiation": lambda t, k, x, X: t.power(_of_process(t, k.kernel, x, X), k.exponent),
}
