"""scikit-learn: networks, linear models, and pipelines of transformers before and after them.

A fitted estimator is read by its attributes; scikit-learn itself is not imported. What it computes
before the network (scaling, polynomials, projections) is folded or becomes nodes.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers import comparing
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Imported, Model, Options
from symnet.importers.sklearn import (
    classifiers,
    kernels,
    models,
    parts,
    refusals,
    splines,
    transformers,
)
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic

Rule = Callable[[Tensors, Any, Value, Options], Value]


def from_sklearn(
    model: Any,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    classes: str = "probabilities",
    check: bool = True,
) -> Network:
    """The network of a fitted estimator, or of a Pipeline that ends in one.

    Args:
        inputs, outputs: names, one for each entry; by default `feature_names_in_`, or x1, x2, …,
            and y.
        classes: of a classifier "probabilities" or "logits".
        check: compare the values with the estimator's own.

    ValueError names the step that is not read; CheckError where the values differ.
    """
    options = Options(inputs, outputs, classes=classes, check=check)
    return imported(model, options).network


def imported(model: Any, options: Options) -> Imported:
    """The same with what is to be said about it."""
    if options.classes not in ("probabilities", "logits"):
        raise ValueError(f"classes are {options.classes!r}; expected probabilities or logits")
    count = _width(model)
    if count is None:
        raise ValueError(_without_width(model))
    t = Tensors()
    x = t.fold.inputs_of([(count,)])[0]
    value = _applied(t, model, x, options)
    names = getattr(model, "feature_names_in_", None)
    sizes = (("x", count),) if names is None else tuple((str(name), 1) for name in names)
    net = Model(t, sizes, (("y", value),)).network(options)
    text = _compared(model, net, options) if options.check else "not compared"
    origin, assumed = f"scikit-learn, {type(model).__name__}", t.fold.assumed
    return Imported(net, origin, "weights held exactly", (), assumed, text)


def _width(model: Any) -> int | None:
    """How many features it takes; a pipeline that begins with "passthrough" does not tell."""
    steps = [step for _, step in getattr(model, "steps", ())]
    counts = (getattr(part, "n_features_in_", None) for part in (model, *steps))
    return next((int(count) for count in counts if count is not None), None)


def _without_width(model: Any) -> str:
    """Why nobody knows how many features it takes: not read at all, of one list, or not fitted."""
    name = type(model).__name__
    if name not in _RULES:
        return refusals.reason(model)
    if any(key.endswith("_") and not key.startswith("_") for key in vars(model)):
        return f"{name} does not tell how many features it takes: n_features_in_ is missing"
    how = "call fit, with refit=True" if hasattr(model, "refit") else "call fit first"
    return f"{name} is not fitted: {how}"


def _applied(t: Tensors, estimator: Any, x: Value, options: Options) -> Value:
    transforms = isinstance(estimator, parts.Transforming)
    estimator = estimator.estimator if transforms else estimator
    name = type(estimator).__name__
    rule = _TRANSFORMS.get(name) if transforms else None
    rule = rule or _RULES.get(name)
    if rule is None or not type(estimator).__module__.startswith("sklearn."):
        raise ValueError(refusals.reason(estimator))
    if transforms and name not in _TRANSFORMS and hasattr(estimator, "predict"):
        raise ValueError(f"{name} as a transformer is not read: symnet reads what it predicts")
    try:
        return rule(t, estimator, x, options)
    except AttributeError as error:
        raise ValueError(f"{name} is not fitted, or lacks what is read of it: {error}") from None


def _plain(rule: Callable[[Tensors, Any, Value], Value]) -> Rule:
    return lambda t, model, x, options: rule(t, model, x)


def _whole(rule: Callable[[Tensors, Any, Value, parts.Apply], Value]) -> Rule:
    """A rule that applies other estimators."""

    def read(t: Tensors, model: Any, x: Value, options: Options) -> Value:
        return rule(t, model, x, lambda part, value: _applied(t, part, value, options))

    return read


def _of_classifiers(rule: Callable[[Tensors, Any, Value, str, classifiers.Applied], Value]) -> Rule:
    """A rule of a classifier that applies others, as probabilities or as logits."""

    def read(t: Tensors, model: Any, x: Value, options: Options) -> Value:
        def applied(kind: str) -> parts.Apply:
            return lambda part, value: _applied(t, part, value, replace(options, classes=kind))

        return rule(t, model, x, options.classes, applied)

    return read


def _deciding(rule: Callable[[Tensors, Any, Value, str, classifiers.Applied], Value]) -> Rule:
    """The same, whose logits are its decision function, where it has one."""

    def read(t: Tensors, model: Any, x: Value, options: Options) -> Value:
        if options.classes == "logits" and not _decides(model):
            raise ValueError(
                f"{type(model).__name__} has no decision function, and so no logits; "
                'say classes="probabilities"'
            )
        return _of_classifiers(rule)(t, model, x, options)

    return read


_RULES: Mapping[str, Rule] = {
    "MLPRegressor": models.mlp,
    "MLPClassifier": models.mlp,
    "LinearRegression": _plain(models.linear),
    "Ridge": _plain(models.linear),
    **dict.fromkeys(
        ("Lasso", "ElasticNet", "RidgeCV", "LassoCV", "ElasticNetCV", "Lars"), _plain(models.linear)
    ),
    **dict.fromkeys(
        ("BayesianRidge", "ARDRegression", "HuberRegressor", "SGDRegressor"), _plain(models.linear)
    ),
    **dict.fromkeys(("LinearSVR", "TheilSenRegressor", "QuantileRegressor"), _plain(models.linear)),
    **dict.fromkeys(("LassoLars", "LassoLarsCV", "LassoLarsIC", "LarsCV"), _plain(models.linear)),
    **dict.fromkeys(
        ("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV", "PassiveAggressiveRegressor"),
        _plain(models.linear),
    ),
    **dict.fromkeys(
        ("MultiTaskLasso", "MultiTaskElasticNet", "MultiTaskLassoCV", "MultiTaskElasticNetCV"),
        _plain(models.linear),
    ),
    **dict.fromkeys(
        ("PoissonRegressor", "GammaRegressor", "TweedieRegressor"), _plain(models.generalised)
    ),
    "RANSACRegressor": lambda t, m, x, options: _applied(t, m.estimator_, x, options),
    **dict.fromkeys(("PLSRegression", "PLSCanonical", "CCA"), _plain(models.regression_of_parts)),
    "FrozenEstimator": lambda t, m, x, options: _applied(t, m.estimator, x, options),
    **dict.fromkeys(
        ("FixedThresholdClassifier", "TunedThresholdClassifierCV"),
        lambda t, m, x, options: _applied(t, m.estimator_, x, options),
    ),
    "VotingRegressor": _whole(parts.voting),
    "BaggingRegressor": _whole(parts.bagging),
    "MultiOutputRegressor": _whole(parts.several),
    "RegressorChain": _whole(parts.chained),
    "StackingRegressor": _whole(parts.stacking),
    "FeatureUnion": _whole(parts.union),
    **dict.fromkeys(("RFE", "RFECV"), _whole(parts.of_chosen)),
    "PowerTransformer": _plain(transformers.power),
    "RBFSampler": _plain(kernels.random_features),
    "Nystroem": _plain(kernels.nystroem),
    "SimpleImputer": _plain(transformers.imputer),
    "Normalizer": _plain(transformers.normalizer),
    "GridSearchCV": lambda t, m, x, options: _applied(t, m.best_estimator_, x, options),
    **dict.fromkeys(
        ("RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"),
        lambda t, m, x, options: _applied(t, m.best_estimator_, x, options),
    ),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), models.logistic),
    "LinearDiscriminantAnalysis": models.logistic,
    "QuadraticDiscriminantAnalysis": classifiers.quadratic,
    "GaussianNB": classifiers.gaussian,
    **dict.fromkeys(("LinearSVC", "RidgeClassifier", "RidgeClassifierCV"), classifiers.decision),
    **dict.fromkeys(("Perceptron", "PassiveAggressiveClassifier"), classifiers.decision),
    "SGDClassifier": classifiers.stochastic,
    **dict.fromkeys(("SVC", "NuSVC"), classifiers.support_vectors),
    "MultinomialNB": classifiers.multinomial,
    "OneVsRestClassifier": _deciding(classifiers.one_against_others),
    "MultiOutputClassifier": _whole(parts.several),
    "ClassifierChain": _deciding(classifiers.chained),
    "CalibratedClassifierCV": _deciding(classifiers.calibrated),
    "BaggingClassifier": _deciding(classifiers.bagging),
    "VotingClassifier": _deciding(classifiers.voting),
    "StackingClassifier": _of_classifiers(classifiers.stacking),
    "GaussianProcessRegressor": _plain(kernels.gaussian_process),
    "KernelRidge": _plain(kernels.kernel_ridge),
    "SVR": _plain(kernels.support_vectors),
    "NuSVR": _plain(kernels.support_vectors),
    "StandardScaler": _plain(transformers.standard),
    "MinMaxScaler": _plain(transformers.min_max),
    "MaxAbsScaler": _plain(transformers.max_abs),
    "RobustScaler": _plain(transformers.robust),
    "PolynomialFeatures": _plain(transformers.polynomial),
    "FunctionTransformer": _plain(transformers.function),
    "SplineTransformer": _plain(splines.splines),
    "FastICA": _plain(transformers.independent),
    "FeatureAgglomeration": _plain(transformers.agglomeration),
    **dict.fromkeys(("PCA", "IncrementalPCA"), _plain(transformers.pca)),
    **dict.fromkeys(
        ("TruncatedSVD", "GaussianRandomProjection", "SparseRandomProjection"),
        _plain(transformers.projection),
    ),
    "NeighborhoodComponentsAnalysis": _plain(transformers.projection),
    "FactorAnalysis": _plain(transformers.factors),
    **dict.fromkeys(("SparsePCA", "MiniBatchSparsePCA"), _plain(transformers.sparse)),
    "BernoulliRBM": _plain(transformers.boltzmann),
    "SkewedChi2Sampler": _plain(kernels.skewed_features),
    "KernelPCA": _plain(kernels.principal),
    **dict.fromkeys(
        ("SelectKBest", "SelectPercentile", "SelectFromModel", "SelectFpr"),
        _plain(transformers.selector),
    ),
    **dict.fromkeys(
        ("SelectFdr", "SelectFwe", "GenericUnivariateSelect", "SequentialFeatureSelector"),
        _plain(transformers.selector),
    ),
    "VarianceThreshold": _plain(transformers.selector),
    "ColumnTransformer": _whole(parts.columns),
    "Pipeline": _whole(parts.pipeline),
    "TransformedTargetRegressor": _whole(parts.target),
}


_TRANSFORMS: Mapping[str, Rule] = {
    "LinearDiscriminantAnalysis": _plain(transformers.discriminants),
    **dict.fromkeys(("RFE", "RFECV"), _plain(transformers.selector)),
    "Pipeline": _whole(parts.pipeline_of_transformers),
}
"""What estimators that also predict give to the next step of a pipeline."""


# --- the estimator itself -----------------------------------------------------------------------


def _compared(model: Any, net: Network, options: Options) -> str:
    """Logits are compared by their probabilities, which do not tell all of logits apart."""
    logits = options.classes == "logits"
    if hasattr(model, "classes_") and logits and not _decides(model):
        return imported(model, Options()).compared
    X = _points(model)
    # scikit-learn raises where a logarithm of a negative number enters a network.
    X = X[np.isfinite(analytic.value(net, X)).all(axis=1)]
    if not len(X):
        return "not compared: no finite value at the points drawn"
    model = _widened(copy.deepcopy(model))
    try:
        values = _own(model, X, logits)
    except Exception as error:  # of points outside of what it was fitted to, say
        return f"not compared: scikit-learn does not take the points ({error})"
    return comparing.compared(net, lambda P: values, "scikit-learn", X)


def _widened(part: Any) -> Any:
    """The estimator with its arrays of float32 as doubles: it rounds what it computes of them."""
    if isinstance(part, np.ndarray):
        return part.astype(np.float64) if part.dtype == np.float32 else part
    if type(part) in (list, tuple):
        return type(part)(_widened(value) for value in part)
    if hasattr(part, "get_params") and not isinstance(part, type):
        for name, value in vars(part).items():
            setattr(part, name, _widened(value))
    return part


def _decides(model: Any) -> bool:
    """Whether it has a decision function; GaussianNB and networks have none that is ours."""
    return hasattr(model, "decision_function")


def _own(model: Any, X: Array, logits: bool) -> Array:
    """The estimator's own values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that arrays have no column names
        if hasattr(model, "classes_"):
            call = model.decision_function if logits else model.predict_proba
        else:
            call = model.predict if hasattr(model, "predict") else model.transform
        found = call(_framed(model, X))
        found = np.concatenate(found, axis=1) if isinstance(found, list) else found
        found = found.toarray() if hasattr(found, "toarray") else found
        return np.asarray(found).reshape(len(X), -1)


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
    drawn = comparing.points(_width(model) or 0)
    first = model.steps[0][1] if hasattr(model, "steps") else None
    mean, scale = getattr(first, "mean_", None), getattr(first, "scale_", None)
    usable = mean is not None and scale is not None and np.shape(mean) == drawn.shape[1:]
    return mean + drawn * scale if usable else drawn
