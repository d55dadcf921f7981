"""Operators of the domain ai.onnx.ml, in which skl2onnx writes scalers and linear models.

Their attributes are in single precision, as the files have them.
"""

from __future__ import annotations

import numpy as np

from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx.call import Call, Reader, Result
from symnet.network.weights import Array


def _floats(c: Call, name: str) -> Array:
    return np.array(c.get(name, ()), dtype=np.float32).astype(np.float64)


def _scaler(c: Call) -> Result:
    """(x − offset) scale."""
    return c.tensors.multiply(
        c.tensors.subtract(c.value(0), _floats(c, "offset")), _floats(c, "scale")
    )


def _linear(c: Call, outputs: int) -> Value:
    weights = _floats(c, "coefficients").reshape(outputs, -1)
    value = c.tensors.matmul(c.value(0), weights.T.copy())
    shift = _floats(c, "intercepts")
    return c.tensors.add(value, shift) if shift.size else value


def _transformed(c: Call, x: Value) -> Value:
    kind = c.get("post_transform", b"NONE")
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind == "NONE":
        return x
    if kind == "SOFTMAX":
        return c.tensors.softmax(x, [-1])
    if kind == "LOGISTIC":
        return c.tensors.apply("sigmoid", x)
    c.refuse(f"its post_transform is {kind}; symnet reads NONE, SOFTMAX and LOGISTIC")


def _regressor(c: Call) -> Result:
    return _transformed(c, _linear(c, int(c.get("targets", 1))))


def _classifier(c: Call) -> Result:
    """(label, scores): the label is no number that has a derivative."""
    labels = c.get("classlabels_ints") or c.get("classlabels_strings") or ()
    count = len(_floats(c, "intercepts")) or len(labels)
    if count == 1 or count != len(labels):
        c.refuse("it has one score for two classes; export the scores (decision function)")
    return [None, _transformed(c, _linear(c, count))]


def _support_vectors(c: Call) -> Result:
    """Σ_i α_i k(x, v_i) + ρ; without vectors w·x + ρ."""
    t, x, count = c.tensors, c.value(0), int(c.get("n_supports", 0))
    alpha, shift = _floats(c, "coefficients"), _floats(c, "rho")
    if not count or c.get("one_class", 0):
        c.refuse("it has no vectors, or is of one class; export a linear or a regression model")
    vectors = _floats(c, "support_vectors").reshape(count, -1)
    return _transformed(
        c, t.add(t.matmul(_kernel(c, x, vectors), alpha[:, None].copy()), shift[:1])
    )


def _kernel(c: Call, x: Value, vectors: Array) -> Value:
    """(rows, vectors), of the products x·v or the distances |x − v|²."""
    t, kind = c.tensors, c.get("kernel_type", b"LINEAR")
    kind = kind.decode() if isinstance(kind, bytes) else kind
    gamma, shift, degree = (*_floats(c, "kernel_params"), 0.0, 0.0, 0.0)[:3]
    if kind == "RBF":
        apart = t.subtract(t.reshape(x, (-1, 1, vectors.shape[1])), vectors)
        squares = t.sum(t.apply("square", apart), [-1], False)
        return t.apply("exp", t.multiply(squares, -gamma))
    products = t.matmul(x, vectors.T.copy())
    if kind == "LINEAR":
        return products
    inner = t.add(t.multiply(products, gamma), shift)
    if kind == "POLY":
        return t.power(inner, degree)
    if kind == "SIGMOID":
        return t.apply("tanh", inner)
    c.refuse(f"its kernel is {kind}; symnet reads LINEAR, RBF, POLY and SIGMOID")


def _normalizer(c: Call) -> Result:
    t, x = c.tensors, c.value(0)
    kind = c.get("norm", b"MAX")
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind == "L2":
        return t.divide(x, t.apply("sqrt", t.sum(t.multiply(x, x), [-1], True)))
    size = t.apply("abs", x)
    if kind == "L1":
        return t.divide(x, t.sum(size, [-1], True))
    c.refuse(
        f"its norm is {kind}: of negative numbers programs divide by the largest, or by the "
        "largest magnitude; symnet reads L1 and L2"
    )


def _extractor(c: Call) -> Result:
    index = c.constant(1, "indices").astype(np.int64).reshape(-1)
    return c.tensors.places(c.value(0), lambda a: np.take(a, index, axis=-1))


def _vectorizer(c: Call) -> Result:
    parts = [c.value(i) for i in range(len(c.inputs))]
    sizes, told = [part.shape[-1] for part in parts], c.get("inputdimensions")
    if told and list(told) != sizes:
        c.refuse(f"its inputdimensions are {list(told)}, but its inputs have {sizes} columns")
    return c.tensors.concatenate(parts, -1)


def _imputer(c: Call) -> Result:
    """Replaces what is NaN or infinite: no input is. Without a word it replaces 0."""
    x, missing = c.value(0), c.get("replaced_value_float", 0.0)
    if np.isfinite(missing):
        c.refuse(f"it replaces the value {missing}: that has no derivative")
    if isinstance(x, Form) and not x.terms.keys() <= {c.tensors.fold.inputs}:
        c.refuse(
            f"it replaces the value {missing} of what the model computes; read the fitted "
            "estimator by symnet.from_sklearn, or export the model without that step"
        )
    return x


READERS: dict[str, Reader] = {
    "Scaler": _scaler,
    "LinearRegressor": _regressor,
    "LinearClassifier": _classifier,
    "Normalizer": _normalizer,
    "SVMRegressor": _support_vectors,
    "ArrayFeatureExtractor": _extractor,
    "FeatureVectorizer": _vectorizer,
    "Imputer": _imputer,
}
