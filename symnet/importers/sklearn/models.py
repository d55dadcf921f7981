"""scikit-learn's networks and linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.activations import activation
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Options


def mlp(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """MLPRegressor and MLPClassifier: W a + b and an activation, layer by layer."""
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


def linear(t: Tensors, model: Any, x: Value) -> Value:
    """x W + b."""
    W = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    return t.add(t.matmul(x, W.T.copy()), np.atleast_1d(np.asarray(model.intercept_)))


def generalised(t: Tensors, model: Any, x: Value) -> Value:
    """PoissonRegressor and its kin: exp of a linear model where its link is the logarithm."""
    value = linear(t, model, x)
    link = type(model._base_loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise ValueError(f"{type(model).__name__} has the link {link}; symnet reads log, identity")
    return t.apply("exp", value) if link == "LogLink" else value


def logistic(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """The probabilities of a linear model's classes."""
    z = linear(t, model, x)
    return _classes(t, "logistic" if len(model.classes_) == 2 else "softmax", z, options)


def regression_of_parts(t: Tensors, model: Any, x: Value) -> Value:
    """PLSRegression and its kin: what is centred, times coefficients."""
    mean = np.asarray(model._x_mean, dtype=np.float64)
    W = np.asarray(model.coef_, dtype=np.float64)
    return t.add(t.matmul(t.subtract(x, mean), W.T.copy()), np.asarray(model.intercept_))
