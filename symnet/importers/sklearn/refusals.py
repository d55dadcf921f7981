"""scikit-learn's estimators that symnet does not read, and what to do about them."""

from __future__ import annotations

from symnet.network.mistaken import unlike

_TREES = "trees are constant in steps: they have no derivative; fit a smooth model instead"
_NEIGHBOURS = "it looks up neighbours: that has no derivative; fit a smooth model instead"
_BINS = "it is constant in steps: it has no derivative; leave it out, or use SplineTransformer"
_CATEGORIES = "it takes categories; give the model the numbers after that step"
_QUANTILES = "it interpolates in a table of ranks; use PowerTransformer, which is a formula"
_PROBABILITIES = "its probabilities are integrals or tables; fit LogisticRegression or an MLP"

_VOTES = "it counts votes of others: that has no derivative; use one that takes their mean"
_CLUSTERS = "it looks for clusters: that has no derivative; leave it out"
_ADVICE = (
    "it reads networks, linear models, kernel methods, scalers and projections: see "
    "symnet.from_sklearn in the README"
)

_REASONS = {
    **dict.fromkeys(("KBinsDiscretizer", "Binarizer"), _BINS),
    **dict.fromkeys(("OneHotEncoder", "OrdinalEncoder", "LabelEncoder"), _CATEGORIES),
    **dict.fromkeys(("LabelBinarizer", "TargetEncoder", "DictVectorizer"), _CATEGORIES),
    "QuantileTransformer": _QUANTILES,
    "GaussianProcessClassifier": _PROBABILITIES,
    **dict.fromkeys(("OneVsOneClassifier", "OutputCodeClassifier"), _VOTES),
    **dict.fromkeys(("AdaBoostRegressor", "AdaBoostClassifier"), _VOTES),
    "IsotonicRegression": _QUANTILES,
    "KNNImputer": _NEIGHBOURS,
    **dict.fromkeys(("KMeans", "MiniBatchKMeans", "Birch", "BisectingKMeans"), _CLUSTERS),
}


def reason(estimator: object) -> str:
    """Why the estimator is refused, and what to do."""
    kind = type(estimator)
    name, module = kind.__name__, kind.__module__
    if name in _REASONS:
        return f"{name} is not read: {_REASONS[name]}"
    if any(word in name for word in ("Tree", "Forest", "Boost", "XGB", "LGBM")):
        return f"{name} is not read: {_TREES}"
    if "Neighbors" in name or name == "NearestCentroid":
        return f"{name} is not read: {_NEIGHBOURS}"
    if not any(base.__module__.startswith("sklearn.") for base in kind.__mro__):
        return f"a fitted estimator of scikit-learn is needed, got {unlike(estimator)}"
    if not module.startswith("sklearn."):
        return f"{name} is of {module}, not of scikit-learn: code that symnet cannot read"
    return f"{name} is no estimator that symnet reads; {_ADVICE}"
