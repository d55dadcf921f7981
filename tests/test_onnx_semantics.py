"""What ONNX's attributes, optional inputs and unnamed outputs say of an operator, one by one.

Beside onnx's own evaluator, and beside onnxruntime where the evaluator has another value.
"""

from __future__ import annotations

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("scipy.special")
from onnx import helper  # noqa: E402

from onnxmodels import agrees, imported, model, node, weights  # noqa: E402

STATISTICS = {"s": weights(3), "b": weights(3), "m": weights(3), "v": weights(3, positive=True)}


# --- normalisation in training mode -------------------------------------------------------------


@pytest.mark.parametrize("opset", [7, 9, 13])
def test_statistics_of_a_batch_are_training_mode(opset, tmp_path):
    """Opsets 7 to 13 have no other word for it than more outputs; those without names are none."""
    nodes = [node("BatchNormalization", "x s b m v", "y mean var saved kept")]
    with pytest.raises(ValueError, match="training mode; export it in evaluation mode"):
        imported(model(nodes, (2, 3), STATISTICS, opset), tmp_path)
    nodes = [helper.make_node("BatchNormalization", list("xsbmv"), ["y", "", ""])]
    net = imported(model(nodes, (1, 3), STATISTICS, opset), tmp_path).network
    agrees(model([node("BatchNormalization", "x s b m v")], (1, 3), STATISTICS), net, (1, 3))
