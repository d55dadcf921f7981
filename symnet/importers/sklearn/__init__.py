"""scikit-learn: networks, linear models, and pipelines of transformers before and after them.

A fitted estimator is read by its attributes; scikit-learn itself is not imported. What it computes
before the network (scaling, polynomials, projections) is folded or becomes nodes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from sympy import Expr, Piecewise, log

from symnet.activations import Z, activation
from symnet.importers import comparing
from symnet.importers.extras import needed
from symnet.importers.folding import functions
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Imported, Model, Options
from symnet.importers.sklearn import kernels, parts
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic

Rule = Callable[[Tensors, Any, Value, Options], Value]

_SPACING = float(np.spacing(1.0))


def from_sklearn(
    model: Any,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    classes: str = "probabilities",
    check: bool = True,
) -> Network:
    """The network of a fitted estimator, or of a Pipeline that ends in one.

    Args:
        classes: of a classifier "probabilities" or "logits".
        check: compare the values with the estimator's own; CheckError where they differ.

    Inputs are called as `feature_names_in_` says. ValueError names the step that is not read.
    """
    options = Options(
        None if inputs is None else list(inputs),
        None if outputs is None else list(outputs),
        classes=classes,
        check=check,
    )
    return imported(model, options).network


def imported(model: Any, options: Options) -> Imported:
    """The same with what is to be said about it."""
    if options.classes not in ("probabilities", "logits"):
        raise ValueError(f"classes are {options.classes!r}; expected probabilities or logits")
    count = getattr(model, "n_features_in_", None)
    if count is None:
        raise ValueError(f"{type(model).__name__} is not fitted: call fit first")
    t = Tensors()
    x = t.fold.inputs_of([(int(count),)])[0]
    value = _applied(t, model, x, options)
    names = getattr(model, "feature_names_in_", None)
    sizes = (("x", int(count)),) if names is None else tuple((str(name), 1) for name in names)
    net = Model(t, sizes, (("y", value),)).network(options)
    text = _compared(model, net, options) if options.check else "not compared"
    return Imported(
        net, f"scikit-learn, {type(model).__name__}", "weights held exactly", (), (), text
    )


def _applied(t: Tensors, estimator: Any, x: Value, options: Options) -> Value:
    name = type(estimator).__name__
    rule = _RULES.get(name)
    if rule is None or not type(estimator).__module__.startswith("sklearn."):
        raise ValueError(f"{name} is no estimator that symnet reads; it reads {', '.join(_RULES)}")
    try:
        return rule(t, estimator, x, options)
    except AttributeError as error:
        raise ValueError(f"{name} is not fitted, or lacks what is read of it: {error}") from None


# --- networks and linear models -----------------------------------------------------------------


def _mlp(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    last = len(model.coefs_) - 1
    for k, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        x = t.add(t.matmul(x, np.asarray(W)), np.asarray(b))
        if k < last:
            x = _function(t, model.activation, x)
    if hasattr(model, "classes_"):
        return _classes(t, model.out_activation_, x, options)
    return _function(t, model.out_activation_, x)


def _function(t: Tensors, name: str, x: Value) -> Value:
    return t.apply(activation(name).value, x, name)


def _classes(t: Tensors, kind: str, x: Value, options: Options) -> Value:
    """Probabilities as predict_proba gives them: of both classes where there are two."""
    if options.classes == "logits":
        return x
    if kind == "softmax":
        return t.softmax(x, [-1])
    if x.shape[-1] > 1:  # several labels at once
        return _function(t, kind, x)
    both = t.multiply(x, np.array([-1.0, 1.0]))  # sigmoid(−z) = 1 − sigmoid(z)
    return _function(t, kind, both)


def _linear(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    W = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    return t.add(t.matmul(x, W.T.copy()), np.atleast_1d(np.asarray(model.intercept_)))


def _logistic(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    z = _linear(t, model, x, options)
    return _classes(t, "logistic" if len(model.classes_) == 2 else "softmax", z, options)


def _kernels(rule: Callable[[Tensors, Any, Value], Value]) -> Rule:
    return lambda t, model, x, options: rule(t, model, x)


# --- transformers -------------------------------------------------------------------------------


def _standard(t: Tensors, scaler: Any, x: Value, options: Options) -> Value:
    x = x if scaler.mean_ is None or not scaler.with_mean else t.subtract(x, scaler.mean_)
    return x if scaler.scale_ is None or not scaler.with_std else t.divide(x, scaler.scale_)


def _min_max(t: Tensors, scaler: Any, x: Value, options: Options) -> Value:
    value = t.add(t.multiply(x, scaler.scale_), scaler.min_)
    low, high = scaler.feature_range
    return t.clip(value, low, high) if scaler.clip else value


def _max_abs(t: Tensors, scaler: Any, x: Value, options: Options) -> Value:
    value = t.divide(x, scaler.scale_)
    return t.clip(value, -1.0, 1.0) if getattr(scaler, "clip", False) else value


def _robust(t: Tensors, scaler: Any, x: Value, options: Options) -> Value:
    x = t.subtract(x, scaler.center_) if scaler.with_centering else x
    return t.divide(x, scaler.scale_) if scaler.with_scaling else x


def _polynomial(t: Tensors, features: Any, x: Value, options: Options) -> Value:
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


_UFUNCS = ("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "square", "reciprocal", "abs")


def _function_transformer(t: Tensors, transformer: Any, x: Value, options: Options) -> Value:
    if transformer.kw_args:
        raise ValueError("FunctionTransformer has kw_args; symnet reads NumPy's plain functions")
    return _ufunc(t, transformer.func, x)


def _ufunc(t: Tensors, function: Any, x: Value) -> Value:
    if function is None:
        return x
    name = {"absolute": "abs"}.get(
        getattr(function, "__name__", ""), getattr(function, "__name__", "")
    )
    known = isinstance(function, np.ufunc) and name in (*functions.PLAIN, *_UFUNCS)
    if not known:
        raise ValueError(
            f"the function {function!r} is code that symnet cannot read; use a function of NumPy: "
            f"{', '.join(_UFUNCS)}, sin, cos, tanh"
        )
    return t.apply(name, x)


def _pca(t: Tensors, pca: Any, x: Value, options: Options) -> Value:
    W = np.asarray(pca.components_)
    if pca.whiten:
        W = W / np.sqrt(np.asarray(pca.explained_variance_))[:, None]
    return t.matmul(t.subtract(x, pca.mean_), W.T.copy())


def _projection(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    return t.matmul(x, np.asarray(model.components_, dtype=np.float64).T.copy())


def _selector(t: Tensors, selector: Any, x: Value, options: Options) -> Value:
    kept = np.flatnonzero(selector.get_support())
    return _entries(t, x, kept)


def _columns(t: Tensors, transformer: Any, x: Value, options: Options) -> Value:
    names = list(getattr(transformer, "feature_names_in_", []))
    parts = []
    for _, step, columns in transformer.transformers_:
        places = _places(columns, names, x.shape[-1])
        if not len(places) or (isinstance(step, str) and step == "drop"):
            continue
        chosen = _entries(t, x, places)
        plain = isinstance(step, str)  # passthrough
        parts.append(chosen if plain else _applied(t, step, chosen, options))
    return t.concatenate(parts, 0)


def _entries(t: Tensors, x: Value, places: Array) -> Value:
    return t.places(x, lambda a: a[places])


def _places(columns: Any, names: list[str], count: int) -> Array:
    if isinstance(columns, slice):
        return np.arange(count)[columns]
    given = np.atleast_1d(np.asarray(columns))
    if given.dtype.kind in "UO":
        return np.array([names.index(str(name)) for name in given])
    return np.flatnonzero(given) if given.dtype == bool else np.arange(count)[given]


def _pipeline(t: Tensors, pipeline: Any, x: Value, options: Options) -> Value:
    for _, step in pipeline.steps:
        if step not in (None, "passthrough"):
            x = _applied(t, step, x, options)
    return x


def _target(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """The regressor, then back through what its targets were transformed by."""
    return _inverted(t, model.transformer_, _applied(t, model.regressor_, x, options))


def _inverted(t: Tensors, transformer: Any, y: Value) -> Value:
    """Back through a transformer, or through the steps of a pipeline from its end."""
    if type(transformer).__name__ == "Pipeline":
        for _, step in reversed(transformer.steps):
            y = y if step in (None, "passthrough") else _inverted(t, step, y)
        return y
    inverse = _INVERSES.get(type(transformer).__name__)
    if inverse is None:
        raise ValueError(f"targets transformed by {type(transformer).__name__} are not read")
    return inverse(t, transformer, y)


def _inverse_function(t: Tensors, transformer: Any, y: Value) -> Value:
    return _ufunc(t, transformer.inverse_func, y)


def _inverse_standard(t: Tensors, scaler: Any, y: Value) -> Value:
    y = t.multiply(y, scaler.scale_) if scaler.with_std else y
    return t.add(y, scaler.mean_) if scaler.with_mean else y


def _inverse_robust(t: Tensors, scaler: Any, y: Value) -> Value:
    y = t.multiply(y, scaler.scale_) if scaler.with_scaling else y
    return t.add(y, scaler.center_) if scaler.with_centering else y


_INVERSES: Mapping[str, Callable[[Tensors, Any, Value], Value]] = {
    "StandardScaler": _inverse_standard,
    "MinMaxScaler": lambda t, s, y: t.divide(t.subtract(y, s.min_), s.scale_),
    "MaxAbsScaler": lambda t, s, y: t.multiply(y, s.scale_),
    "RobustScaler": _inverse_robust,
    "FunctionTransformer": _inverse_function,
}


def _imputer(t: Tensors, imputer: Any, x: Value, options: Options) -> Value:
    """Fills in what is NaN: nothing here is, but columns that were empty are dropped."""
    if imputer.add_indicator or not _is_nan(imputer.missing_values):
        raise ValueError("SimpleImputer replaces values, or tells where: that has no derivative")
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    return (
        x if imputer.keep_empty_features else _entries(t, x, np.flatnonzero(~np.isnan(statistics)))
    )


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _normalizer(t: Tensors, normalizer: Any, x: Value, options: Options) -> Value:
    if normalizer.norm == "l2":
        return t.divide(x, t.apply("sqrt", t.sum(t.apply("square", x), [-1], True)))
    size = t.apply("abs", x)
    if normalizer.norm == "l1":
        return t.divide(x, t.sum(size, [-1], True))
    return t.divide(x, t.extreme(size, [-1], True, True))


def _whole(rule: Callable[[Tensors, Any, Value, parts.Apply], Value]) -> Rule:
    """A rule that applies other estimators."""

    def read(t: Tensors, model: Any, x: Value, options: Options) -> Value:
        return rule(t, model, x, lambda part, value: _applied(t, part, value, options))

    return read


def _power(t: Tensors, transformer: Any, x: Value, options: Options) -> Value:
    """Box-Cox or Yeo-Johnson of each column, and its scaling."""
    parts = [
        t.apply(
            _power_law(transformer.method, float(power)), _entries(t, x, np.array([k])), "power"
        )
        for k, power in enumerate(transformer.lambdas_)
    ]
    value = t.concatenate(parts, 0)
    return _standard(t, transformer._scaler, value, options) if transformer.standardize else value


def _power_law(method: str, power: float) -> Expr:
    p = functions.number(power)
    if method == "box-cox":
        return log(Z) if power == 0 else (Z**p - 1) / p
    above = log(1 + Z) if abs(power) < _SPACING else ((1 + Z) ** p - 1) / p
    q = 2 - p
    below = -log(1 - Z) if abs(power - 2) <= _SPACING else -((1 - Z) ** q - 1) / q
    return Piecewise((below, Z < 0), (above, True))


def _regression_of_parts(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """PLSRegression and its kin: what is centred, times coefficients."""
    mean = np.asarray(model._x_mean, dtype=np.float64)
    W = np.asarray(model.coef_, dtype=np.float64)
    return t.add(t.matmul(t.subtract(x, mean), W.T.copy()), np.asarray(model.intercept_))


_RULES: Mapping[str, Rule] = {
    "MLPRegressor": _mlp,
    "MLPClassifier": _mlp,
    "LinearRegression": _linear,
    "Ridge": _linear,
    **dict.fromkeys(("Lasso", "ElasticNet", "RidgeCV", "LassoCV", "ElasticNetCV", "Lars"), _linear),
    **dict.fromkeys(("BayesianRidge", "ARDRegression", "HuberRegressor", "SGDRegressor"), _linear),
    **dict.fromkeys(("LinearSVR", "TheilSenRegressor", "QuantileRegressor"), _linear),
    **dict.fromkeys(("PLSRegression", "PLSCanonical"), _regression_of_parts),
    "VotingRegressor": _whole(parts.voting),
    "BaggingRegressor": _whole(parts.bagging),
    "MultiOutputRegressor": _whole(parts.several),
    "RegressorChain": _whole(parts.chained),
    "StackingRegressor": _whole(parts.stacking),
    "FeatureUnion": _whole(parts.union),
    "PowerTransformer": _power,
    "RBFSampler": _kernels(kernels.random_features),
    "Nystroem": _kernels(kernels.nystroem),
    "SimpleImputer": _imputer,
    "Normalizer": _normalizer,
    "GridSearchCV": lambda t, m, x, options: _applied(t, m.best_estimator_, x, options),
    "RandomizedSearchCV": lambda t, m, x, options: _applied(t, m.best_estimator_, x, options),
    "LogisticRegression": _logistic,
    "GaussianProcessRegressor": _kernels(kernels.gaussian_process),
    "KernelRidge": _kernels(kernels.kernel_ridge),
    "SVR": _kernels(kernels.support_vectors),
    "NuSVR": _kernels(kernels.support_vectors),
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
    "PolynomialFeatures": _polynomial,
    "FunctionTransformer": _function_transformer,
    **dict.fromkeys(("PCA", "IncrementalPCA"), _pca),
    **dict.fromkeys(("TruncatedSVD", "GaussianRandomProjection"), _projection),
    **dict.fromkeys(("SelectKBest", "SelectPercentile", "SelectFromModel", "RFE"), _selector),
    "VarianceThreshold": _selector,
    "ColumnTransformer": _columns,
    "Pipeline": _pipeline,
    "TransformedTargetRegressor": _target,
}


# --- the estimator itself -----------------------------------------------------------------------


def _compared(model: Any, net: Network, options: Options) -> str:
    """Logits are compared by their probabilities, which do not tell all of logits apart."""
    if hasattr(model, "classes_") and options.classes == "logits":
        return imported(model, Options()).compared
    X = _points(model)
    # scikit-learn raises where a logarithm of a negative number enters a network.
    X = X[np.isfinite(analytic.value(net, X)).all(axis=1)]
    if not len(X):
        return "not compared: no finite value at the points drawn"
    return comparing.compared(net, lambda P: _own(model, P), "scikit-learn", X)


def _own(model: Any, X: Array) -> Array:
    """The estimator's own values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that arrays have no column names
        call = model.predict_proba if hasattr(model, "classes_") else model.predict
        return np.asarray(call(_framed(model, X))).reshape(len(X), -1)


def _framed(model: Any, X: Array) -> Any:
    """A table with names where columns are chosen by them."""
    if not hasattr(model, "feature_names_in_"):
        return X
    try:
        frame = needed("pandas", "sklearn").DataFrame
    except ImportError:
        return X
    return frame(X, columns=list(model.feature_names_in_))


def _points(model: Any) -> Array:
    """Points about those that a first scaler has seen, where there is one."""
    drawn = comparing.points(int(model.n_features_in_))
    first = model.steps[0][1] if hasattr(model, "steps") else None
    mean, scale = getattr(first, "mean_", None), getattr(first, "scale_", None)
    usable = mean is not None and scale is not None and np.shape(mean) == drawn.shape[1:]
    return mean + drawn * scale if usable else drawn
