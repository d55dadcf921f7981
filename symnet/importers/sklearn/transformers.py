"""scikit-learn's transformers of columns: scalers, powers, projections, and back through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sympy import Expr, Piecewise, exp, log

from symnet.activations import Z
from symnet.importers.folding import functions
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_SPACING = float(np.spacing(1.0))


def standard(t: Tensors, scaler: Any, x: Value) -> Value:
    """(x − mean)/scale, as far as the scaler was asked for either."""
    x = x if scaler.mean_ is None or not scaler.with_mean else t.subtract(x, scaler.mean_)
    return x if scaler.scale_ is None or not scaler.with_std else t.divide(x, scaler.scale_)


def min_max(t: Tensors, scaler: Any, x: Value) -> Value:
    """scale x + min, and clipped to the range if asked for."""
    value = t.add(t.multiply(x, scaler.scale_), scaler.min_)
    low, high = scaler.feature_range
    return t.clip(value, low, high) if scaler.clip else value


def max_abs(t: Tensors, scaler: Any, x: Value) -> Value:
    """x over the largest size, clipped to ±1 if asked for."""
    value = t.divide(x, scaler.scale_)
    return t.clip(value, -1.0, 1.0) if getattr(scaler, "clip", False) else value


def robust(t: Tensors, scaler: Any, x: Value) -> Value:
    """(x − center)/scale, as far as the scaler was asked for either."""
    x = t.subtract(x, scaler.center_) if scaler.with_centering else x
    return t.divide(x, scaler.scale_) if scaler.with_scaling else x


def polynomial(t: Tensors, features: Any, x: Value) -> Value:
    """Products of powers; a product of k factors is the one of k − 1 times the last."""
    known: dict[tuple[int, ...], Value] = {}
    for powers in sorted((tuple(map(int, row)) for row in features.powers_), key=sum):
        known[powers] = _monomial(t, powers, x, known)
    rows = [known[tuple(map(int, row))] for row in features.powers_]
    return t.concatenate(rows, 0)


def _monomial(
    t: Tensors, powers: tuple[int, ...], x: Value, known: dict[tuple[int, ...], Value]
) -> Value:
    if not sum(powers):
        return np.ones(1)
    used = [i for i, power in enumerate(powers) if power]
    single = t.places(x, lambda a: a[used[-1] : used[-1] + 1])
    if len(used) == 1:
        power = powers[used[0]]
        return single if power == 1 else t.apply(functions.power(power), single, "power")
    rest = tuple(p if i != used[-1] else 0 for i, p in enumerate(powers))
    if rest not in known:
        known[rest] = _monomial(t, rest, x, known)
    last = tuple(p if i == used[-1] else 0 for i, p in enumerate(powers))
    if last not in known:
        known[last] = _monomial(t, last, x, known)
    return t.multiply(known[rest], known[last])


_UFUNCS = {
    **{"absolute": "abs", "fabs": "abs", "expit": "sigmoid"},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan"},
    **{"arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"},
}
"""Functions of NumPy and SciPy by symnet's names, where they differ."""

_FACTORS = {
    **{"negative": -1.0, "positive": 1.0, "conjugate": 1.0},
    **dict.fromkeys(("deg2rad", "radians"), np.pi / 180),
    **dict.fromkeys(("rad2deg", "degrees"), 180 / np.pi),
}

_KNOWN = ("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "square", "reciprocal", "abs")


def function(t: Tensors, transformer: Any, x: Value) -> Value:
    """A FunctionTransformer of one of NumPy's functions. ValueError for any other."""
    if transformer.kw_args:
        raise ValueError("FunctionTransformer has kw_args; symnet reads NumPy's plain functions")
    return _ufunc(t, transformer.func, x)


def _ufunc(t: Tensors, function: Any, x: Value) -> Value:
    if function is None:
        return x
    given = str(getattr(function, "__name__", ""))
    name = _UFUNCS.get(given, given)
    if isinstance(function, np.ufunc) and name in _FACTORS:
        return t.multiply(x, _FACTORS[name])
    if not isinstance(function, np.ufunc) or name not in functions.PLAIN:
        raise ValueError(
            f"the function {function!r} is code that symnet cannot read; use a function of NumPy: "
            f"{', '.join(_KNOWN)}, sin, cos, tanh"
        )
    return t.apply(name, x)


def pca(t: Tensors, pca: Any, x: Value) -> Value:
    """The centred x times the components, whitened if asked for."""
    W = np.asarray(pca.components_)
    if pca.whiten:
        W = W / np.sqrt(np.asarray(pca.explained_variance_))[:, None]
    return t.matmul(t.subtract(x, pca.mean_), W.T.copy())


def projection(t: Tensors, model: Any, x: Value) -> Value:
    """x times the components."""
    W = model.components_
    W = W.toarray() if hasattr(W, "toarray") else W
    return t.matmul(x, np.asarray(W, dtype=np.float64).T.copy())


def sparse(t: Tensors, model: Any, x: Value) -> Value:
    """SparsePCA: (x − mean) Wᵀ (W Wᵀ + α)⁻¹, a regression by the components."""
    W = np.asarray(model.components_, dtype=np.float64)
    A = np.linalg.solve(W @ W.T + model.ridge_alpha * np.eye(len(W)), W)
    return t.matmul(t.subtract(x, np.asarray(model.mean_)), A.T.copy())


def boltzmann(t: Tensors, model: Any, x: Value) -> Value:
    """BernoulliRBM: sigmoid(x Wᵀ + b), the probabilities of its hidden units."""
    return t.apply("sigmoid", t.add(projection(t, model, x), np.asarray(model.intercept_hidden_)))


def factors(t: Tensors, model: Any, x: Value) -> Value:
    """FactorAnalysis: (x − mean) Ψ⁻¹Wᵀ (1 + W Ψ⁻¹Wᵀ)⁻¹, the mean of the factors given x."""
    W = np.asarray(model.components_, dtype=np.float64)
    scaled = W / model.noise_variance_
    A = np.linalg.solve(np.eye(len(W)) + scaled @ W.T, scaled)
    return t.matmul(t.subtract(x, np.asarray(model.mean_)), A.T.copy())


def discriminants(t: Tensors, model: Any, x: Value) -> Value:
    """LinearDiscriminantAnalysis as a transformer: the centred x times some columns of a matrix."""
    W = np.asarray(model.scalings_, dtype=np.float64)[:, : model._max_components]
    centred = t.subtract(x, np.asarray(model.xbar_)) if model.solver == "svd" else x
    return t.matmul(centred, W)


def independent(t: Tensors, model: Any, x: Value) -> Value:
    """FastICA: the centred x times a matrix."""
    mean = getattr(model, "mean_", None)
    x = x if mean is None else t.subtract(x, np.asarray(mean))
    return projection(t, model, x)


def agglomeration(t: Tensors, model: Any, x: Value) -> Value:
    """FeatureAgglomeration: the mean of the columns of each group."""
    if model.pooling_func is not np.mean:
        raise ValueError("FeatureAgglomeration pools by code; symnet reads numpy.mean")
    groups = np.asarray(model.labels_)[:, None] == np.arange(int(model.labels_.max()) + 1)
    return t.matmul(x, groups / groups.sum(axis=0))


def selector(t: Tensors, selector: Any, x: Value) -> Value:
    """The columns that are kept."""
    kept = np.flatnonzero(selector.get_support())
    return entries(t, x, kept)


def entries(t: Tensors, x: Value, places: Array) -> Value:
    """Those of the entries of x."""
    return t.places(x, lambda a: a[places])


def _inverse_function(t: Tensors, transformer: Any, y: Value) -> Value:
    return _ufunc(t, transformer.inverse_func, y)


def _inverse_standard(t: Tensors, scaler: Any, y: Value) -> Value:
    y = t.multiply(y, scaler.scale_) if scaler.with_std else y
    return t.add(y, scaler.mean_) if scaler.with_mean else y


def _inverse_robust(t: Tensors, scaler: Any, y: Value) -> Value:
    y = t.multiply(y, scaler.scale_) if scaler.with_scaling else y
    return t.add(y, scaler.center_) if scaler.with_centering else y


def _inverse_power(t: Tensors, transformer: Any, y: Value) -> Value:
    """Back from Box-Cox or Yeo-Johnson, which are known where a power of a positive number is."""
    scaler = transformer._scaler if transformer.standardize else None
    y = y if scaler is None else _inverse_standard(t, scaler, y)
    parts = [
        t.apply(_inverse_law(transformer.method, float(p)), entries(t, y, np.array([k])), "power")
        for k, p in enumerate(transformer.lambdas_)
    ]
    return t.concatenate(parts, 0)


def _inverse_law(method: str, power: float) -> Expr:
    p = functions.number(power)
    if method == "box-cox":
        return exp(Z) if power == 0 else (1 + p * Z) ** (1 / p)
    above = exp(Z) - 1 if abs(power) < _SPACING else (1 + p * Z) ** (1 / p) - 1
    q = 2 - p
    below = 1 - exp(-Z) if abs(power - 2) <= _SPACING else 1 - (1 - q * Z) ** (1 / q)
    return Piecewise((below, Z < 0), (above, True))


_INVERSES: Mapping[str, Callable[[Tensors, Any, Value], Value]] = {
    "StandardScaler": _inverse_standard,
    "MinMaxScaler": lambda t, s, y: t.divide(t.subtract(y, s.min_), s.scale_),
    "MaxAbsScaler": lambda t, s, y: t.multiply(y, s.scale_),
    "RobustScaler": _inverse_robust,
    "FunctionTransformer": _inverse_function,
    "PowerTransformer": _inverse_power,
}


def imputer(t: Tensors, imputer: Any, x: Value) -> Value:
    """Fills in what is NaN: nothing here is, but columns that were empty are dropped."""
    if imputer.add_indicator or not _is_nan(imputer.missing_values):
        raise ValueError("SimpleImputer replaces values, or tells where: that has no derivative")
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    return (
        x if imputer.keep_empty_features else entries(t, x, np.flatnonzero(~np.isnan(statistics)))
    )


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def normalizer(t: Tensors, normalizer: Any, x: Value) -> Value:
    """x over its norm: l2, l1 or the largest size."""
    if normalizer.norm == "l2":
        return t.divide(x, t.apply("sqrt", t.sum(t.apply("square", x), [-1], True)))
    size = t.apply("abs", x)
    if normalizer.norm == "l1":
        return t.divide(x, t.sum(size, [-1], True))
    return t.divide(x, t.extreme(size, [-1], True, True))


def power(t: Tensors, transformer: Any, x: Value) -> Value:
    """Box-Cox or Yeo-Johnson of each column, and its scaling."""
    parts = [
        t.apply(_power_law(transformer.method, float(power)), entries(t, x, np.array([k])), "power")
        for k, power in enumerate(transformer.lambdas_)
    ]
    value = t.concatenate(parts, 0)
    return standard(t, transformer._scaler, value) if transformer.standardize else value


def _power_law(method: str, power: float) -> Expr:
    p = functions.number(power)
    if method == "box-cox":
        return log(Z) if power == 0 else (Z**p - 1) / p
    above = log(1 + Z) if abs(power) < _SPACING else ((1 + Z) ** p - 1) / p
    q = 2 - p
    below = -log(1 - Z) if abs(power - 2) <= _SPACING else -((1 - Z) ** q - 1) / q
    return Piecewise((below, Z < 0), (above, True))


def inverted(t: Tensors, transformer: Any, y: Value) -> Value:
    """Back through a transformer, or through the steps of a pipeline from its end."""
    if type(transformer).__name__ == "Pipeline":
        for _, step in reversed(transformer.steps):
            y = y if step in (None, "passthrough") else inverted(t, step, y)
        return y
    inverse = _INVERSES.get(type(transformer).__name__)
    if inverse is None:
        raise ValueError(f"targets transformed by {type(transformer).__name__} are not read")
    return inverse(t, transformer, y)
