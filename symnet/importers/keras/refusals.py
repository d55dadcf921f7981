"""Keras's layers and operations that symnet does not read, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from symnet.importers.folding.forms import Form

QUANTISED = (
    "its weights are quantised, and it rounds what it computes: save the model before "
    "model.quantize"
)

_CODE = "code in a file is never run. Export the model to ONNX, or rebuild it of Keras's own layers"
_RECURRENT = "write its steps with Conv2D and keras.ops, or export the model to ONNX"
_MASK = "what it leaves out depends on the inputs' values: give the model sequences of full length"
_WHOLE = "it takes whole numbers, by which there is no derivative: give the model what follows it"
_STEPS = "it is constant in steps: its derivative is 0 wherever there is one"
_JUMPS = "it jumps, which symnet's formulas do not; of an angle use sin and cos"
_CHOICE = "it chooses by values: that has no derivative; leave it out of the model's outputs"
_COMPLEX = "it computes with complex numbers; symnet reads real ones"
_LINEAR = "it factors a matrix that depends on the inputs; write its formula out in products"
_CONTROL = "its steps are code, which a file does not hold in full; write them out as layers"
_WHAT = "write it with layers or operations that symnet reads, or export the model to ONNX"

_ADVICE = {
    **dict.fromkeys(("Lambda", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), _CODE),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _RECURRENT),
    **dict.fromkeys(("Embedding", "Discretization", "CategoryEncoding", "Hashing"), _WHOLE),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization"), _WHOLE),
    **dict.fromkeys(("HashedCrossing", "ReversibleEmbedding", "OneHot", "MultiHot"), _WHOLE),
    **dict.fromkeys(("Digitize", "SearchSorted", "Nextafter", "Heaviside"), _STEPS),
    "Angle": _JUMPS,
    **dict.fromkeys(("Argmax", "Argmin", "Argsort", "Quantile"), _CHOICE),
    **dict.fromkeys(("Sparsemax", "Any", "All", "Nonzero", "Unique", "Percentile"), _CHOICE),
    **dict.fromkeys(("FFT", "FFT2", "IFFT2", "RFFT", "IRFFT", "STFT", "ISTFT"), _COMPLEX),
    **dict.fromkeys(("Det", "Inv", "Solve", "Cholesky", "Eigh", "SVD", "Pinv", "Qr"), _LINEAR),
    **dict.fromkeys(("Slogdet", "Logdet", "Lstsq", "SolveTriangular", "Eig"), _LINEAR),
    **dict.fromkeys(("Scan", "Map", "Cond", "WhileLoop", "ForiLoop", "VectorizedMap"), _CONTROL),
    "Masking": _MASK,
    "StopGradient": "its derivative in Keras is not that of its value",
}


def advice(kind: str, own: bool, operation: bool) -> str:
    """What to do with a model that has such a layer or operation, Keras's own or another's."""
    if not own:
        return _CODE
    if kind == "Outer" and not operation:
        return "it multiplies the points of a batch with each other; write it by expand_dims and *"
    return _ADVICE.get(kind, _WHAT)


def is_quantised(config: Mapping[str, Any]) -> bool:
    """Whether the layer's type is that of integers or of eight bits, with scales beside them."""
    policy = config.get("dtype")
    inner = policy.get("config") if isinstance(policy, Mapping) else None
    return isinstance(inner, Mapping) and "mode" in inner


_OF_ALL = frozenset(
    (
        *("Sum", "Mean", "Prod", "Max", "Min", "Amax", "Amin", "Std", "Var", "Median"),
        *("Logsumexp", "LogSumExp", "Ptp"),
        *("Norm", "Cumsum", "Cumprod", "Flip", "Roll", "Quantile", "Average", "Argmax", "Argmin"),
    )
)
"""Operations that take all entries where no axis is named."""

_MOVING = frozenset(("ExpandDims", "Squeeze", "Stack", "Take", "TakeAlongAxis", "Unstack", "Split"))
"""Operations that may name the first axis without joining its entries."""


def check_axis(kind: str, config: Mapping[str, Any], given: Iterable[Any]) -> None:
    """ValueError where the axis that is told is that of the points of a batch."""
    x = next((value for value in given if isinstance(value, Form)), None)
    if x is None or x.shape[:1] != (1,) or "axis" not in config or kind in _MOVING:
        return
    axis, rank = config["axis"], len(x.shape)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if axis is None:
        axes = [0] if kind in _OF_ALL else []
    if any(isinstance(a, int) and a % rank == 0 for a in axes):
        raise ValueError(
            f"it mixes the points of a batch, along its axis {axis}; symnet reads functions of one "
            "point: name the other axes"
        )
