"""What a file is, by its name and what it begins with; and for those not read, what to use."""

from __future__ import annotations

import os
import zipfile
from pathlib import PurePath

from symnet.catalogue import READERS
from symnet.files import NetworkFileError
from symnet.importers.formats.content import TORCH_BEFORE_1_6, index_of_torch

PICKLE = "is a pickle, which can run any program when it is read"
_SKLEARN = "symnet.from_sklearn(model) in the program that has it"
_TENSORFLOW = "model.save('net.keras') where Keras has it, or tf2onnx"
_ONNX = "the .onnx file it was made of"
_JAX = "symnet.from_jax(lambda x: model.apply(parameters, x), n) in the program that has it"
_JSON = "its layers' weights as symnet's JSON, which the README shows"

_KINDS = {
    ".pkl .pickle .joblib .sav .dill .cloudpickle": (PICKLE, _SKLEARN),
    ".skops": ("holds Python objects, which run when they are read", _SKLEARN),
    ".pt2": (
        "is of torch.export, whose reader evaluates expressions in it",
        "symnet.from_torch(torch.export.load(path)), if you trust it",
    ),
    "stable-baselines3": (
        "is a model of Stable-Baselines3, whose activations are in a pickle",
        "symnet.from_torch(torch.nn.Sequential(p.mlp_extractor.policy_net, p.action_net)) with "
        "p = PPO.load(path).policy, or the policy.pth in it with --activations",
    ),
    ".eqx": ("holds arrays without what they are of", "symnet.from_jax(model, n)"),
    "folder": ("is a folder", "the model's file in it"),
    "orbax": ("is a folder of Orbax's", _JAX),
    ".pb .pbtxt .tflite .index .meta": ("is TensorFlow's", _TENSORFLOW),
    ".mlmodel .mlpackage": ("is Core ML's", "the model that it was converted from"),
    ".pdmodel .pdparams .pdiparams": ("is Paddle's", "paddle2onnx"),
    ".xml": ("is OpenVINO's", _ONNX),
    ".ort .engine .plan .trt .pte .mnn .circle .rknn .nnef": ("is made for one runtime", _ONNX),
    ".caffemodel .prototxt": ("is Caffe's", "its layers' arrays as .npz"),
    ".params": ("is MXNet's", "its layers' arrays as .npz"),
    ".pmml": ("is PMML", f"the model that it was exported from, or {_JSON}"),
    ".cbm .ubj .xgb": ("holds trees, which are constant in steps", "a smooth model of the data"),
    ".fmu": ("is a simulation of FMI's", "the network that is in it"),
    ".npy": ("is one array", ".npz with all layers' arrays"),
    ".m .mlx .slx": ("is MATLAB's code", "exportONNXNetwork(net, 'net.onnx'), or .mat"),
    ".jls .jld2 .bson": ("is Julia's", "its layers' arrays as .npz or .mat"),
    ".rds .rdata .rda": ("is R's", _JSON),
    ".data": ("holds weights alone", "the .onnx file beside it"),
    ".zip .gz .bz2 .xz .zst .tar .tgz .7z": ("is packed", "the file in it"),
    ".csv .tsv .xlsx .parquet": ("is a table", "symnet fit, to learn a network from it"),
    ".py .ipynb": ("is a program", "symnet.from_torch(model) or the like in it"),
    ".yaml .yml .toml .ini": ("is a configuration", "the file of the model's weights"),
}
_REFUSED = {kind: said for kinds, said in _KINDS.items() for kind in kinds.split()}

_FOLDERS = {"saved_model.pb": ".pb", "_CHECKPOINT_METADATA": "orbax", "_METADATA": "orbax"}
"""Kinds of folders by what is in them."""

_ARCHIVES = {"policy.pth": "stable-baselines3", "model.weights.h5": ".keras"}
"""Kinds of archives by what is in them."""

_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": ".h5",
    **{b"\x80" + bytes([protocol]): ".pkl" for protocol in range(2, 6)},
    b"\x1f\x8b": ".gz",
    b"\x93NUMPY": ".npy",
    b"PK\x03\x04": ".zip",
    b"{": ".json",
}
"""Kinds by what a file begins with, where its name says nothing."""


def kind_of(path: str | os.PathLike[str]) -> str:
    """The suffix by which a file is to be read: its own, or that of what is in it.

    Raises NetworkFileError for a file of no kind that is read; JSON may have any other suffix.
    """
    name = os.fspath(path)
    suffix = PurePath(name).suffix.lower()
    if suffix in READERS or suffix == ".json":
        return suffix
    kind = _folder(name, suffix) if os.path.isdir(name) else _file(name, suffix)
    if kind in _REFUSED:
        why, advice = _REFUSED[kind]
        raise NetworkFileError(f"{name}: {why}; use {advice}")
    if not kind and suffix:
        endings = ", ".join([".json", *READERS])
        raise NetworkFileError(f"{name}: is no JSON; files of networks end in {endings}")
    return kind or ".json"


def _folder(name: str, suffix: str) -> str:
    inside = (kind for file, kind in _FOLDERS.items() if os.path.exists(os.path.join(name, file)))
    return next(inside, suffix if suffix in _REFUSED else "folder")


def _file(name: str, suffix: str) -> str:
    """What the content says beyond doubt, or else the name, or else the first bytes."""
    try:
        with open(name, "rb") as file:
            start = file.read(1024)
    except OSError:
        return ".json"  # whose reader says what is wrong
    archive = _archive(name) if start.startswith(b"PK") else None
    sure = ".pt" if start.startswith(TORCH_BEFORE_1_6) else archive
    if sure or suffix in _REFUSED:
        return sure or suffix
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    known = (kind for magic, kind in _BEGINNINGS.items() if text.startswith(magic))
    return next(known, "" if text else ".json")


def _archive(name: str) -> str | None:
    try:
        with zipfile.ZipFile(name) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return None
    if index_of_torch(inside):
        return ".pt"
    return next((kind for file, kind in _ARCHIVES.items() if file in inside), None)
