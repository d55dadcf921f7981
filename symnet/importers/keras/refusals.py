"""Keras's layers that symnet does not read, and what to do about them."""

from __future__ import annotations

_CODE = "code in a file is never run. Export the model to ONNX, or rebuild it of Keras's own layers"
_RECURRENT = "write its steps with Conv2D and keras.ops, or export the model to ONNX"
_MASK = "what it leaves out depends on the inputs' values: give the model sequences of full length"
_WHOLE = "it takes whole numbers, by which there is no derivative: give the model what follows it"
_ATTENTION = "write it with keras.ops (matmul, softmax), or export the model to ONNX"

_ADVICE = {
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _RECURRENT),
    **dict.fromkeys(("Embedding", "Discretization", "CategoryEncoding", "Hashing"), _WHOLE),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization"), _WHOLE),
    "Outer": "it multiplies the points of a batch with each other; write it by expand_dims and *",
    "GroupedQueryAttention": _ATTENTION,
    "Masking": _MASK,
    "StopGradient": "its derivative in Keras is not that of its value",
}


def advice(kind: str) -> str:
    """What to do with a model that has such a layer."""
    return _ADVICE.get(kind, _CODE)
