"""ONNX operators that symnet does not read, and what to do about them."""

from __future__ import annotations

from symnet.names import shortened

_RECURRENT = "it is recurrent; unroll it to a feed-forward model of fixed length, and export that"
_QUANTISED = "it rounds to integers, which has no derivative; export the model before quantisation"
_CONTROL = (
    "its steps depend on values (control flow); export the model traced, at fixed shapes, or "
    "simplify it with onnxsim"
)
_RANDOM = "it draws random numbers; export the model in evaluation mode"
_STEPS = "it is constant in steps: its derivative is 0 wherever there is one"
_CHOICE = "it chooses by values: that has no derivative; leave it out of the model's outputs"

_REASONS = {
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _RECURRENT),
    **dict.fromkeys(("If", "Loop", "Scan"), _CONTROL),
    **dict.fromkeys(("RandomNormal", "RandomUniform", "RandomNormalLike", "Bernoulli"), _RANDOM),
    **dict.fromkeys(("RandomUniformLike", "Multinomial"), _RANDOM),
    **dict.fromkeys(("Floor", "Ceil", "Round", "Mod", "BitShift"), _STEPS),
    **dict.fromkeys(("ArgMax", "ArgMin", "TopK", "NonZero", "Unique", "Hardmax"), _CHOICE),
}


def reason(op: str, domain: str) -> str:
    """Why the operator is refused, and what to do."""
    if domain not in ("", "ai.onnx"):
        return (
            f"it is of the domain {shortened(domain)!r}, not of ONNX itself; export the model with "
            "ONNX's own operators"
        )
    if op in _REASONS:
        return _REASONS[op]
    if "Quantize" in op or op.startswith("QLinear") or op.endswith("Integer"):
        return _QUANTISED
    return "symnet has no rule for it; say which model needs it"
