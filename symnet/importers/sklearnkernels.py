"""scikit-learn's kernel methods: sums of kernels at the points that they were trained on.

y = Σ_i α_i k(x, x_i) + b
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.importers import functions
from symnet.importers.tensors import Tensors, Value
from symnet.network.weights import Array


def gaussian_process(t: Tensors, model: Any, x: Value) -> Value:
    """The mean, of c exp(−|x/l − x_i/l|²/2); only such kernels are read."""
    factor, scale = _of_process(model.kernel_)
    X, alpha = np.asarray(model.X_train_), np.asarray(model.alpha_)
    alpha = alpha.reshape(len(X), -1)
    scaled = t.divide(x, np.broadcast_to(scale, X.shape[1:]))
    values = t.apply("exp", t.multiply(_squared_distances(t, scaled, X / scale), -0.5))
    mean = t.matmul(values, factor * alpha)
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
    X = np.asarray(model.support_vectors_)
    values = _kernel(t, model, model.kernel, model._gamma, x, X)
    value = t.matmul(values, np.asarray(model.dual_coef_).reshape(1, -1).T.copy())
    return t.add(value, np.asarray(model.intercept_, dtype=np.float64))


def _kernel(t: Tensors, model: Any, name: Any, gamma: float, x: Value, X: Array) -> Value:
    """k(x, x_i) of all i."""
    if name == "rbf":
        return t.apply("exp", t.multiply(_squared_distances(t, x, X), -float(gamma)))
    if name == "linear":
        return t.matmul(x, X.T.copy())
    if name in ("poly", "polynomial", "sigmoid"):
        inner = t.add(t.multiply(t.matmul(x, X.T.copy()), float(gamma)), float(model.coef0))
        value = "tanh" if name == "sigmoid" else functions.power(model.degree)
        return t.apply(value, inner, "power")
    raise ValueError(f"the kernel {name!r} is not read; symnet reads rbf, linear, poly, sigmoid")


def _squared_distances(t: Tensors, x: Value, points: Array) -> Value:
    """|x − x_i|² = |x|² − 2 x·x_i + |x_i|² of all i."""
    square = t.sum(t.multiply(x, x), [-1], True)
    cross = t.matmul(x, -2 * points.T)
    return t.add(t.add(cross, (points**2).sum(axis=1)), square)


def _of_process(kernel: Any) -> tuple[float, Array]:
    """(c, length scales) of c·RBF; white noise beside it does not change the mean."""
    name = type(kernel).__name__
    if name == "RBF":
        return 1.0, np.asarray(kernel.length_scale, dtype=np.float64)
    if name == "Product":
        parts = (kernel.k1, kernel.k2)
        constants = [k.constant_value for k in parts if type(k).__name__ == "ConstantKernel"]
        others = [k for k in parts if type(k).__name__ != "ConstantKernel"]
        if len(others) == 1:
            factor, scale = _of_process(others[0])
            return factor * float(np.prod(constants)), scale
    if name == "Sum" and "WhiteKernel" in (type(kernel.k1).__name__, type(kernel.k2).__name__):
        return _of_process(kernel.k1 if type(kernel.k2).__name__ == "WhiteKernel" else kernel.k2)
    raise ValueError(f"the kernel {kernel} is not read; symnet reads constants times RBF")
