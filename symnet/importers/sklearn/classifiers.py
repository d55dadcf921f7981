"""scikit-learn's classifiers beside networks: linear, Gaussian, of support vectors, of others.

A classifier's values are its probabilities, or with `classes="logits"` its decision function.
Rules of classifiers made of others take the kind that is asked for, and what reads one as a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import Piecewise

from symnet.activations import Z
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import Options
from symnet.importers.sklearn import kernels, models, parts
from symnet.importers.sklearn.parts import Apply, weighted
from symnet.network.weights import Array

Applied = Callable[[str], Apply]
"""What reads an estimator on a value as "probabilities" or as "logits"."""


def _decided(model: Any, options: Options) -> None:
    """ValueError where probabilities are asked for of what has none."""
    if options.classes != "logits":
        name = type(model).__name__
        raise ValueError(
            f'{name} has no probabilities that are read; say classes="logits" for its decision '
            "function"
        )


def decision(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """LinearSVC, RidgeClassifier and their kin: w·x + b of each class, or of two."""
    _decided(model, options)
    return models.linear(t, model, x)


def support_vectors(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """SVC and NuSVC: Σ α_i k(x, x_i) + b of two classes, or of each pair of several."""
    _decided(model, options)
    if len(model.classes_) == 2:
        return kernels.support_vectors(t, model, x)
    if model.decision_function_shape != "ovo":
        raise ValueError(
            f"{type(model).__name__} votes among {len(model.classes_)} classes, which jumps; set "
            'decision_function_shape = "ovo" on the model for what it decides of each pair'
        )
    return kernels.of_pairs(t, model, x)


def stochastic(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """SGDClassifier: of the loss log_loss with probabilities, each class against the others."""
    if options.classes == "logits":
        return models.linear(t, model, x)
    if model.loss != "log_loss":
        _decided(model, options)
    if len(model.classes_) == 2:
        return models.logistic(t, model, x, options)
    own = t.apply("sigmoid", models.linear(t, model, x))
    return t.divide(own, t.sum(own, [-1], True))


def gaussian(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """GaussianNB: log p_k − ½ Σ log(2π v_k) + (x − m_k)²/v_k, and the softmax of it."""
    mean, variance = np.asarray(model.theta_), np.asarray(model.var_)
    apart = t.subtract(t.places(x, lambda a: a[None, :]), mean)
    squares = t.sum(t.multiply(t.apply("square", apart), -0.5 / variance), [-1], False)
    shift = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    return _normal(t, t.add(squares, shift), options)


def quadratic(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """QuadraticDiscriminantAnalysis: log p_k − ½ Σ log s_k + ((x − m_k) R_k)²/s_k."""
    scores = []
    for k in range(len(model.classes_)):
        R, s = np.asarray(model.rotations_[k]), np.asarray(model.scalings_[k])
        z = t.matmul(t.subtract(x, np.asarray(model.means_[k])), R * s**-0.5)
        square = t.sum(t.apply("square", z), None, False)
        shift = np.log(model.priors_[k]) - 0.5 * np.log(s).sum()
        scores.append(t.reshape(t.add(t.multiply(square, -0.5), shift), (1,)))
    if len(scores) == 2 and options.classes == "logits":
        return t.subtract(scores[1], scores[0])
    return _normal(t, t.concatenate(scores, 0), options)


def _normal(t: Tensors, scores: Value, options: Options) -> Value:
    return scores if options.classes == "logits" else t.softmax(scores, [-1])


def multinomial(t: Tensors, model: Any, x: Value, options: Options) -> Value:
    """MultinomialNB: log p_k + x·log p(x | k), and the softmax of it."""
    W = np.asarray(model.feature_log_prob_)
    scores = t.add(t.matmul(x, W.T.copy()), np.asarray(model.class_log_prior_))
    return _normal(t, scores, options)


def one_against_others(t: Tensors, model: Any, x: Value, kind: str, applied: Applied) -> Value:
    """OneVsRestClassifier: each class's own probability, over their sum where one is right."""
    if any(type(part).__name__ == "_ConstantPredictor" for part in model.estimators_):
        raise ValueError("OneVsRestClassifier has a class that was always or never seen")
    if kind == "logits":
        return parts.several(t, model, x, applied(kind))
    own = t.concatenate([t.places(applied(kind)(part, x), _last) for part in model.estimators_], 0)
    if model.multilabel_:
        return own
    if len(model.estimators_) == 1:
        return t.concatenate([t.subtract(np.ones(1), own), own], 0)
    return t.divide(own, t.sum(own, [-1], True))


_SECOND = Piecewise((1, Z > 1 / 2), (0, True))


def chained(t: Tensors, model: Any, x: Value, kind: str, applied: Applied) -> Value:
    """ClassifierChain: each label's probability, of x and those before it or their classes."""
    how = model.chain_method_
    if how not in ("predict", "predict_proba"):
        raise ValueError(f"ClassifierChain passes on {how}; symnet reads predict, predict_proba")
    known, found = x, []
    for part in model.estimators_:
        if list(part.classes_) != [0, 1]:
            raise ValueError(f"ClassifierChain has labels of the classes {list(part.classes_)}")
        own = t.places(applied("probabilities")(part, known), _last)
        found.append(applied(kind)(part, known) if kind == "logits" else own)
        known = t.concatenate(
            [known, own if how != "predict" else t.apply(_SECOND, own, "step")], 0
        )
    places = np.argsort(model.order_)
    return t.places(t.concatenate(found, 0), lambda a: a[places])


def calibrated(t: Tensors, model: Any, x: Value, kind: str, applied: Applied) -> Value:
    """CalibratedClassifierCV by sigmoids: the mean of sigmoid(−(a f + b)), made to have the sum 1.

    f are decisions of estimators, or their probabilities where they have none.
    """
    two, found = len(model.classes_) == 2, []
    for part in model.calibrated_classifiers_:
        if part.method != "sigmoid" or list(part.estimator.classes_) != list(model.classes_):
            raise ValueError("CalibratedClassifierCV is read with method='sigmoid', of all classes")
        decides = hasattr(part.estimator, "decision_function")
        f = applied("logits" if decides else "probabilities")(part.estimator, x)
        f = t.places(f, _last) if two and not decides else f
        a, b = (np.array([getattr(c, k) for c in part.calibrators]) for k in ("a_", "b_"))
        own = t.apply("sigmoid", t.subtract(t.multiply(f, -a), b))
        first = t.subtract(np.ones(1), own) if two else None
        found.append(
            t.concatenate([first, own], 0) if two else t.divide(own, t.sum(own, [0], True))
        )
    return weighted(t, found)


def bagging(t: Tensors, model: Any, x: Value, kind: str, applied: Applied) -> Value:
    """BaggingClassifier: the mean, of those who have seen all classes."""
    if any(len(part.classes_) != model.n_classes_ for part in model.estimators_):
        raise ValueError("BaggingClassifier has estimators that did not see all classes")
    return parts.bagging(t, model, x, applied(kind))


def voting(t: Tensors, model: Any, x: Value, kind: str, applied: Applied) -> Value:
    """VotingClassifier of probabilities (voting="soft"): their mean."""
    if model.voting != "soft":
        raise ValueError('VotingClassifier counts votes: that has no derivative; use voting="soft"')
    return parts.voting(t, model, x, applied(kind))


_STACKED = {"predict_proba": "probabilities", "decision_function": "logits"}


def stacking(t: Tensors, model: Any, x: Value, kind: str, applied: Applied) -> Value:
    """StackingClassifier: the last one on what the others say; of two probabilities one."""
    found = []
    for part, method in zip(model.estimators_, model.stack_method_, strict=True):
        if method not in _STACKED:
            raise ValueError(
                f"StackingClassifier takes {method}; symnet reads {', '.join(_STACKED)}"
            )
        value = applied(_STACKED[method])(part, x)
        one = method == "predict_proba" and len(model.classes_) == 2
        found.append(t.places(value, _last) if one else value)
    found += [x] if model.passthrough else []
    return applied(kind)(model.final_estimator_, t.concatenate(found, 0))


def _last(a: Array) -> Array:
    return a[1:]
