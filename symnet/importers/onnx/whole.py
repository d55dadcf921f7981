"""Inputs of whole numbers or truth values, and what is cast to them, which are read as real ones.

What moves them, adds, subtracts, multiplies or compares them is the same of real numbers, and a
cast makes them real. Other operators have another value of whole numbers (7/2 is 3), and are
refused.
"""

from __future__ import annotations

from typing import Any

from symnet.names import shortened

_REAL = (1, 10, 11, 16)  # float, float16, double, bfloat16
_WHOLE = (2, 3, 4, 5, 6, 7, 12, 13, 21, 22)  # integers of 4 to 64 bits, with and without signs
_BOOL = 9
_KEEPING = frozenset(
    (
        *("Identity", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Tile"),
        *("Slice", "Concat", "Split", "Pad", "DepthToSpace", "SpaceToDepth", "Gather", "GatherND"),
        *("GatherElements", "Compress", "ReverseSequence", "Trilu", "ArrayFeatureExtractor"),
        *("Add", "Sub", "Mul", "Neg", "Abs", "Sum", "Max", "Min", "MatMul", "CumSum", "Clip"),
        *("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "Where", "Relu"),
        "OneHot",
    )
)
"""Operators that give whole numbers of whole numbers, the same as of real ones."""
_TAKING = ("Gather", "GatherElements", "GatherND", "ArrayFeatureExtractor")
"""Operators whose second input says which entries of the first are the results."""
_LEAVING = frozenset(
    (
        *("Shape", "Size", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"),
        *("Scaler", "LinearRegressor", "LinearClassifier", "Normalizer", "SVMRegressor"),
        "FeatureVectorizer",
    )
)
"""Operators that give real numbers, shapes or truth values, the same as of real numbers."""


def kind(value: Any) -> str:
    """`whole numbers` or `truth values`, of a declared input; blank where it has real ones."""
    number = value.type.tensor_type.elem_type
    if number == _BOOL:
        return "truth values"
    return "whole numbers" if number in _WHOLE else ""


def makes(node: Any) -> bool:
    """Whether it is a cast to whole numbers."""
    return node.op_type == "Cast" and any(a.name == "to" and a.i in _WHOLE for a in node.attribute)


def keeps(node: Any, name: str, inner: bool) -> bool:
    """Whether the node's results are whole numbers, as its input of this name is.

    ValueError where they are none that real numbers would give; of a branch or a body
    (`inner`) where they are whole numbers.
    """
    if node.op_type == "Cast":
        return not any(a.name == "to" and a.i in _REAL for a in node.attribute)
    if node.op_type == "CastLike" and node.input[0] == name:
        return True
    if node.op_type in _LEAVING or (node.op_type in _TAKING and node.input[0] != name):
        return False
    if node.op_type not in _KEEPING or inner:
        raise ValueError(
            f"it computes with whole numbers ({shortened(name)}), which symnet reads as real ones; "
            "cast that input to floats first, or declare it as floats"
        )
    return True
