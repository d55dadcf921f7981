"""Files of models that are not read, by suffix: what they are, and what to use in their place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePath

from symnet.files import NetworkFileError

PICKLE = "is a pickle, which can run any program when it is read"
_SKLEARN = "symnet.from_sklearn(model) in the program that has it"
_TENSORFLOW = "model.save('net.keras') where Keras has it, or tf2onnx"
_ONNX = "the .onnx file it was made of"

_KINDS = {
    ".pkl .pickle .joblib .sav .dill .cloudpickle": (PICKLE, _SKLEARN),
    ".skops": ("holds Python objects, which run when they are read", _SKLEARN),
    ".pt2": (
        "is of torch.export, whose reader evaluates expressions in it",
        "symnet.from_torch(torch.export.load(path)), if you trust it",
    ),
    ".eqx": ("holds arrays without what they are of", "symnet.from_jax(model, n)"),
    ".pb .pbtxt .tflite .index .meta": ("is TensorFlow's", _TENSORFLOW),
    ".mlmodel .mlpackage": ("is Core ML's", "the model that it was converted from"),
    ".pdmodel .pdparams .pdiparams": ("is Paddle's", "paddle2onnx"),
    ".bin": ("is a pickle of PyTorch's, or OpenVINO's weights", ".safetensors or .onnx"),
    ".xml": ("is OpenVINO's", _ONNX),
    ".ort .engine .plan .trt": ("is made for one runtime", _ONNX),
    ".caffemodel .prototxt": ("is Caffe's", "its layers' arrays as .npz"),
    ".params": ("is MXNet's", "its layers' arrays as .npz"),
    ".pmml": ("is PMML", "the model that it was exported from, or its layers' arrays as .npz"),
    ".npy": ("is one array", ".npz with all layers' arrays"),
    ".jls .jld2 .bson": ("is Julia's", "its layers' arrays as .npz or .mat"),
    ".rds .rdata .rda": ("is R's", "its layers' arrays as .npz"),
    ".data": ("holds weights alone", "the .onnx file beside it"),
    ".zip .gz .bz2 .xz .zst .tar .tgz .7z": ("is packed", "the file in it"),
    ".csv .tsv .xlsx .parquet": ("is a table", "symnet fit, to learn a network from it"),
}
_BY_SUFFIX = {suffix: said for kinds, said in _KINDS.items() for suffix in kinds.split()}


def check(path: str | os.PathLike[str], read: Iterable[str]) -> None:
    """NetworkFileError for a file that is none of those `read`, nor JSON under any other name."""
    name = os.fspath(path)
    suffix = PurePath(name).suffix.lower()
    if os.path.isfile(os.path.join(name, "saved_model.pb")):
        suffix = ".pb"
    if suffix in _BY_SUFFIX:
        why, advice = _BY_SUFFIX[suffix]
        raise NetworkFileError(f"{name}: {why}; use {advice}")
    if suffix not in ("", ".json") and not _maybe_json(name):
        endings = ", ".join([".json", *read])
        raise NetworkFileError(f"{name}: is no JSON; files of networks end in {endings}")


def _maybe_json(name: str) -> bool:
    """Whether a file begins as an object does, or cannot be read."""
    try:
        with open(name, "rb") as file:
            return file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"")
    except OSError:
        return True
