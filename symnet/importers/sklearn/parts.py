"""scikit-learn's estimators that are made of others: pipelines, columns, averages, stacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.sklearn.transformers import entries, inverted
from symnet.network.weights import Array

Apply = Callable[[Any, Value], Value]
"""A fitted estimator on a value."""


@dataclass(frozen=True)
class Transforming:
    """An estimator whose transform is meant, not what it predicts."""

    estimator: Any


def _transforming(step: Any) -> Any:
    return step if step in (None, "passthrough") else Transforming(step)


def weighted(t: Tensors, parts: list[Value], weights: Any = None) -> Value:
    """Their mean, by weights where there are any."""
    share = (
        np.full(len(parts), 1 / len(parts))
        if weights is None
        else np.asarray(weights) / sum(weights)
    )
    total = t.multiply(parts[0], float(share[0]))
    for part, weight in zip(parts[1:], share[1:], strict=True):
        total = t.add(total, t.multiply(part, float(weight)))
    return total


def voting(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """Of votes the mean, weighted by those estimators that were not dropped."""
    return weighted(t, [apply(part, x) for part in model.estimators_], model._weights_not_none)


def bagging(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """Of bagging the mean, each of the columns that it was trained on."""
    chosen = [t.places(x, partial(np.take, indices=k)) for k in model.estimators_features_]
    return weighted(t, [apply(*pair) for pair in zip(model.estimators_, chosen, strict=True)])


def of_chosen(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """RFE: the estimator on the features that are left."""
    return apply(model.estimator_, entries(t, x, np.flatnonzero(model.support_)))


def several(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """MultiOutputRegressor, MultiOutputClassifier: an estimator for each output, side by side."""
    return t.concatenate([apply(part, x) for part in model.estimators_], 0)


def chained(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """RegressorChain: each also takes the outputs of those before it."""
    known, found = x, []
    for part in model.estimators_:
        found.append(apply(part, known))
        known = t.concatenate([known, found[-1]], 0)
    places = np.argsort(model.order_)
    return t.places(t.concatenate(found, 0), lambda a: a[places])


def stacking(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """StackingRegressor: the last regressor on the outputs of the others."""
    parts = [apply(part, x) for part in model.estimators_]
    parts += [x] if model.passthrough else []
    return apply(model.final_estimator_, t.concatenate(parts, 0))


def union(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """FeatureUnion: the outputs of transformers side by side, weighted."""
    parts = []
    for name, part in model.transformer_list:
        if part == "drop":
            continue
        value = x if part == "passthrough" else apply(Transforming(part), x)
        parts.append(_scaled(t, model, name, value))
    return t.concatenate(parts, 0)


def _scaled(t: Tensors, model: Any, name: str, value: Value) -> Value:
    """What one of several transformers gives, by the weight that it has."""
    weights = model.transformer_weights or {}
    return t.multiply(value, float(weights[name])) if name in weights else value


def columns(t: Tensors, transformer: Any, x: Value, apply: Apply) -> Value:
    """ColumnTransformer: of some columns each, one after the other, weighted."""
    names = list(getattr(transformer, "feature_names_in_", []))
    parts = []
    for name, step, columns in transformer.transformers_:
        places = _places(columns, names, x.shape[-1])
        if not len(places) or (isinstance(step, str) and step == "drop"):
            continue
        chosen = entries(t, x, places)
        plain = isinstance(step, str)  # passthrough
        value = chosen if plain else apply(Transforming(step), chosen)
        parts.append(_scaled(t, transformer, name, value))
    return t.concatenate(parts, 0)


def _places(columns: Any, names: list[str], count: int) -> Array:
    if isinstance(columns, slice) and str in (type(columns.start), type(columns.stop)):
        first = 0 if columns.start is None else names.index(columns.start)
        end = count if columns.stop is None else names.index(columns.stop) + 1
        return np.arange(count)[first : end : columns.step]
    if isinstance(columns, slice):
        return np.arange(count)[columns]
    given = np.atleast_1d(np.asarray(columns))
    if not given.size:
        return np.zeros(0, dtype=np.int64)
    if given.dtype.kind in "UO":
        return np.array([names.index(str(name)) for name in given])
    return np.flatnonzero(given) if given.dtype == bool else np.arange(count)[given]


def pipeline(t: Tensors, pipeline: Any, x: Value, apply: Apply) -> Value:
    """One step after the other; all but the last transform."""
    *steps, (_, last) = pipeline.steps
    for step in (*(_transforming(step) for _, step in steps), last):
        if step not in (None, "passthrough"):
            x = apply(step, x)
    return x


def pipeline_of_transformers(t: Tensors, pipeline: Any, x: Value, apply: Apply) -> Value:
    """The same where the last step transforms, too."""
    for _, step in pipeline.steps:
        if step not in (None, "passthrough"):
            x = apply(_transforming(step), x)
    return x


def target(t: Tensors, model: Any, x: Value, apply: Apply) -> Value:
    """The regressor, then back through what its targets were transformed by."""
    return inverted(t, model.transformer_, apply(model.regressor_, x))
