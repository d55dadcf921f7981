"""ONNX models for tests: made of a few nodes, read, and held beside onnx's own evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.importers.imported import Options
from symnet.witness import analytic
from twins import agrees_along_lines

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from symnet.importers.onnx import read  # noqa: E402
from symnet.importers.onnx.doubles import operators  # noqa: E402

RNG = np.random.default_rng(5)


def weights(*shape, positive=False):
    """Reproducible numbers in double precision."""
    drawn = np.random.default_rng(sum(shape) + len(shape)).normal(size=shape)
    return np.abs(drawn) + 0.1 if positive else drawn


def model(nodes, shape, constants=None, opset=17, outputs=("y",), kind=TensorProto.DOUBLE, **more):
    """A model of one input x (and `more` inputs) in double precision."""
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    inputs += [helper.make_tensor_value_info(name, kind, s) for name, s in more.items()]
    outs = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    made = [numpy_helper.from_array(np.asarray(a), name) for name, a in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", inputs, outs, made)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(op, inputs="x", outputs="y", **attributes):
    """A node; names of inputs and outputs between blanks."""
    return helper.make_node(op, inputs.split(" "), outputs.split(" "), **attributes)


def imported(proto, tmp_path, **options):
    """What the reader makes of the model."""
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return read(path, Options(**options))


def agrees(proto, net, shape, count=6, names=None):
    """Values beside onnx's evaluator on the model itself, to 1e-12 of the terms."""
    session = ReferenceEvaluator(proto, new_ops=operators(99))
    X = np.abs(RNG.normal(size=(count, net.n))) + 0.1
    X[::2] *= -1
    fixed = [1 if isinstance(s, str) else s for s in shape]
    rows = []
    with np.errstate(all="ignore"):
        for x in X:
            rows.append(
                np.concatenate([np.ravel(y) for y in session.run(names, {"x": x.reshape(fixed)})])
            )
    expected = np.array(rows)
    found = analytic.value(net, X)
    inside = np.isfinite(found).all(axis=1)
    assert inside.any()
    assert np.isfinite(expected[inside]).all()
    error = np.abs(found - expected)[inside]
    assert (error <= 1e-12 * (1 + analytic.scale(net, X, 0)[inside])).all()


def agrees_with_runtime(proto, net, shape, count=6):
    """Values beside onnxruntime on a model in single precision, to 1e-5 of the terms."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(proto.SerializeToString(), options)
    X = RNG.normal(size=(count, net.n)).astype(np.float32)
    expected = np.array([session.run(None, {"x": x.reshape(shape)})[0].ravel() for x in X])
    error = np.abs(analytic.value(net, X.astype(np.float64)) - expected)
    assert (error <= 1e-5 * (1 + analytic.scale(net, X.astype(np.float64), 0))).all()


def in_single(nodes, shape, constants=None, opset=17):
    """A model of one input x in single precision, as onnxruntime takes it."""
    made = {name: np.asarray(a) for name, a in (constants or {}).items()}
    floats = {n: a.astype(np.float32) if a.dtype.kind == "f" else a for n, a in made.items()}
    return model(nodes, shape, floats, opset, kind=TensorProto.FLOAT)


def curves_alike(proto, net, shape):
    """First and second derivatives beside differences of the values of onnx's evaluator."""
    session = ReferenceEvaluator(proto, new_ops=operators(99))
    x = np.random.default_rng(3).uniform(0.5, 1.5, net.n)

    def values(X):
        return np.array([session.run(None, {"x": x.reshape(shape)})[0].ravel() for x in X])

    agrees_along_lines(net, values, [x], 0.02, 1e-8)
