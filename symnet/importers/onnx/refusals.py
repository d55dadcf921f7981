"""ONNX operators that symnet does not read, and what to do about them."""

from __future__ import annotations

from symnet.extras import needed
from symnet.names import shortened

_QUANTISED = "it rounds to integers, which has no derivative; export the model before quantisation"
CONTROL = (
    "its steps depend on values (control flow); export the model traced, at fixed shapes, or "
    "simplify it with onnxsim"
)
_RANDOM = "it draws random numbers; export the model in evaluation mode"
_STEPS = "it is constant in steps: its derivative is 0 wherever there is one"
_TREES = "trees are constant in steps: they have no derivative; fit a smooth model instead"
_CATEGORIES = (
    "it takes words or categories; export the model after that step, with numbers as input"
)
_WHOLE = "it is of whole numbers or truth values, and its argument depends on the inputs"
_SAMPLED = "it samples an image at places that are computed; export the model without it"
_COMPLEX = "it gives complex numbers; symnet reads real ones: multiply by its matrix instead"
_LOSS = "it is a step of training; export the model in evaluation mode, without its loss"
_CHOICE = "it chooses by values: that has no derivative; leave it out of the model's outputs"

_FOREIGN = (
    "ONNX has no such operator: the exporter left it as it was, and no program runs it; read the "
    "model itself instead, as symnet.from_keras and symnet.from_torch do"
)

_REASONS = {
    **dict.fromkeys(("RandomNormal", "RandomUniform", "RandomNormalLike", "Bernoulli"), _RANDOM),
    **dict.fromkeys(("RandomUniformLike", "Multinomial"), _RANDOM),
    "Binarizer": _STEPS,
    **dict.fromkeys(("ArgMax", "ArgMin", "NonZero", "Unique", "Hardmax"), _CHOICE),
    **dict.fromkeys(("NonMaxSuppression", "RoiAlign", "MaxRoiPool", "MaxUnpool"), _CHOICE),
    **dict.fromkeys(("TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble"), _TREES),
    **dict.fromkeys(("OneHotEncoder", "LabelEncoder", "CategoryMapper"), _CATEGORIES),
    **dict.fromkeys(("DictVectorizer", "CastMap", "TfIdfVectorizer"), _CATEGORIES),
    **dict.fromkeys(("StringNormalizer", "StringConcat", "StringSplit"), _CATEGORIES),
    **dict.fromkeys(("RegexFullMatch", "ImageDecoder"), _CATEGORIES),
    **dict.fromkeys(("BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"), _WHOLE),
    "BitCast": _WHOLE,
    **dict.fromkeys(("GridSample", "DeformConv"), _SAMPLED),
    **dict.fromkeys(("DFT", "STFT"), _COMPLEX),
    **dict.fromkeys(("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"), _LOSS),
    **dict.fromkeys(("Adagrad", "Adam", "Momentum", "Gradient"), _LOSS),
    "SVMClassifier": "it votes among classes; read the fitted estimator by symnet.from_sklearn",
    "Col2Im": "it adds up patches; export the model with ConvTranspose",
}


def reason(op: str, domain: str) -> str:
    """Why the operator is refused, and what to do."""
    if domain == "com.microsoft.nchwc":
        return (
            "it is laid out for one processor; save onnxruntime's model with the level "
            "ORT_ENABLE_EXTENDED, or take the one before"
        )
    if domain not in ("", "ai.onnx") and op not in _REASONS:
        return (
            f"it is of the domain {shortened(domain)!r}, not of ONNX itself; export the model with "
            "ONNX's own operators"
        )
    if op in _REASONS:
        return _REASONS[op]
    if "uantize" in op or op.startswith("QLinear") or op.endswith("Integer"):
        return _QUANTISED
    if not needed("onnx.defs", "onnx").has(op):
        return _FOREIGN
    return "symnet has no rule for it; say which model needs it"
