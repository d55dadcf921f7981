"""Damaged and hostile files of every format that is read: bytes, and what the format is made of.

    python tests/fuzzreaders.py SEED FIRST LAST SUFFIX...

reads the cases FIRST to LAST - 1 of a seed for each suffix and ends with status 1 where one takes
over 2 s of processor time or 1.2 GB, or says anything but one line that begins with the file's
name. A case that never returns ends the process after 30 s of it; before one that brings it
down, its number stands in the file `case` of the folder that is named first.
"""

from __future__ import annotations

import faulthandler
import io
import json
import pickle
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import effort
from symnet.files import NetworkFileError
from symnet.importers import Options, read
from symnet.importers.formats import apart
from symnet.witness.checking import CheckError

SECONDS, HANGS = 2.0, 30.0  # of the processor
MEGABYTES = 1200  # twice the largest matrix that an import may fold to

NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 3, 7, 2**31 - 1, -(2**31), 2**31, 2**40, 2**63 - 1, -(2**63), 1000, 10**9),
    *(0.5, -0.0, 1e308, float("nan"), float("inf")),
]
JUNK: list[Any] = [
    *(None, True, "", "x", "tanh", "Lambda", "../../etc/passwd", "a" * 5000, "\u2028", "漢字"),
    *([], {}, [[]], [1.5], {"class_name": "Dense"}, {"a": {"b": []}}, [0] * 50),
]
RNG = np.random.default_rng(0)
W1, B1, W2, B2 = (RNG.normal(size=s).round(3) for s in ((4, 3), 4, (2, 4), 2))


# --- damage -------------------------------------------------------------------------------------


def bytes_of(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut, repeated, or overwritten by a number as formats store them."""
    bad = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(bad) or 1)
        kind = rng.randrange(6)
        if kind < 3 and bad:
            bad[place] = rng.randrange(256)
        elif kind == 3:
            number = rng.choice([n for n in NUMBERS if isinstance(n, int)])
            form = rng.choice(("<q", ">q", "<i", ">i", "<h"))
            size = struct.calcsize(form)
            raw = (number & (256**size - 1)).to_bytes(size, "little")
            bad[place : place + size] = raw if form[0] == "<" else raw[::-1]
        elif kind == 4:
            bad[place:place] = bad[place : place + rng.randrange(1, 64)]
        else:
            del bad[place : place + rng.randrange(1, 64)]
    if rng.random() < 0.1:
        del bad[rng.randrange(len(bad) or 1) :]
    return bytes(bad)


def tree_of(tree: Any, rng: random.Random) -> Any:
    """A document with something else in one of its places."""
    if isinstance(tree, dict) and tree and rng.random() < 0.85:
        key = rng.choice(list(tree))
        kind = rng.random()
        if kind < 0.05:
            return {k: v for k, v in tree.items() if k != key}
        if kind < 0.08:
            return {**tree, rng.choice(("x", "name", "kernel")): tree[key]}
        return {**tree, key: tree_of(tree[key], rng)}
    if isinstance(tree, list) and tree and rng.random() < 0.85:
        k = rng.randrange(len(tree))
        kind = rng.random()
        if kind < 0.1:
            return tree[:k] + tree[k + 1 :]
        if kind < 0.2:
            return [*tree, tree[k]]
        return [*tree[:k], tree_of(tree[k], rng), *tree[k + 1 :]]
    return rng.choice(NUMBERS if rng.random() < 0.5 else JUNK)


def json_of(content: bytes, rng: random.Random) -> bytes:
    """A JSON document, changed as a document."""
    return json.dumps(tree_of(json.loads(content), rng)).encode()


def zip_of(content: bytes, rng: random.Random) -> bytes:
    """A proper archive with a damaged member, one too many, or one that expands."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(parts))
    kind = rng.random()
    if kind < 0.05:
        del parts[name]
    elif kind < 0.1:
        parts[rng.choice(("../x.npy", "/etc/x", "W3.npy", "x" * 300))] = parts[name]
    elif kind < 0.13:
        parts[name] += bytes(10**6)
    else:
        change = json_of if name.endswith(".json") and rng.random() < 0.8 else bytes_of
        parts[name] = change(parts[name], rng)
    return zipped(parts)


def zipped(parts: dict[str, bytes]) -> bytes:
    """An archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def mat_of(content: bytes, rng: random.Random) -> bytes:
    """A MATLAB file whose compressed elements are damaged inside."""
    head, place, made = content[:128], 128, b""
    while place + 8 <= len(content):
        kind, size = struct.unpack("<ii", content[place : place + 8])
        inner = zlib.decompress(content[place + 8 : place + 8 + size])
        inner = bytes_of(inner, rng) if rng.random() < 0.4 else inner
        packed = zlib.compress(inner)
        made += struct.pack("<ii", kind, len(packed)) + packed
        place += 8 + size
    return head + made


def safetensors_of(content: bytes, rng: random.Random) -> bytes:
    """A header that is changed as a document, and as long as it says."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json_of(content[8 : 8 + size], rng)
    return struct.pack("<Q", len(header)) + header + content[8 + size :]


def nnet_of(content: bytes, rng: random.Random) -> bytes:
    """A number or line that is another."""
    lines = content.decode("ascii").splitlines()
    k = rng.randrange(len(lines))
    words = lines[k].split(",")
    words[rng.randrange(len(words))] = str(rng.choice([*NUMBERS, "", "x", "1e999", "9" * 400]))
    lines[k] = ",".join(words)
    if rng.random() < 0.1:
        del lines[rng.randrange(len(lines))]
    return "\n".join(lines).encode()


def msgpack_of(content: bytes, rng: random.Random) -> bytes:
    """A tree that is changed as a tree."""
    import msgpack

    tree = msgpack.unpackb(content, strict_map_key=False)
    return msgpack.packb(tree_of(tree, rng))


def onnx_of(content: bytes, rng: random.Random) -> bytes:
    """A model in which a field of a message is another, missing, or there twice."""
    import onnx

    model = onnx.load_model_from_string(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        message: Any = model
        while True:
            fields = message.ListFields()
            if not fields:
                break
            descriptor, value = rng.choice(fields)
            several = not isinstance(value, str | bytes | int | float) and hasattr(value, "__len__")
            one = rng.choice(list(value)) if several else value
            if hasattr(one, "ListFields") and rng.random() < 0.85:
                message = one
                continue
            _set(message, descriptor.name, value, one, several, rng)
            break
    return model.SerializeToString()


def _set(message: Any, name: str, value: Any, one: Any, several: bool, rng: random.Random) -> None:
    if rng.random() < 0.1:
        message.ClearField(name)
    elif hasattr(one, "ListFields"):
        if several:
            value.add().CopyFrom(one)
    else:
        words = ("x", "y", "w", "", "z", "Tanh", "If", "Loop", "axis", "../x", "a" * 1000)
        new = {
            int: rng.choice([n for n in NUMBERS if isinstance(n, int)]),
            float: rng.choice((0.0, 1e38, float("nan"))),
            str: rng.choice(words),
            bytes: bytes_of(one, rng) if isinstance(one, bytes) else b"",
        }[int if isinstance(one, bool) else type(one)]
        try:
            if several:
                value[rng.randrange(len(value))] = new
            else:
                setattr(message, name, new)
        except (ValueError, TypeError):
            message.ClearField(name)


def h5_of(content: bytes, rng: random.Random) -> bytes:
    """A proper HDF5 file with another configuration, or other datasets."""
    import h5py

    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        if "model_config" in file.attrs and rng.random() < 0.6:
            changed = json_of(file.attrs["model_config"].encode(), rng)
            file.attrs["model_config"] = changed[:60_000]
            return _closed(file, buffer)
        names: list[str] = []
        file.visit(names.append)
        name = rng.choice(names)
        kind = rng.randrange(6)
        if isinstance(file[name], h5py.Group):
            file[name].attrs["weight_names"] = rng.choice(([], ["x"], 3, ["a/b/c"] * 3, "é"))
            return _closed(file, buffer)
        del file[name]
        if kind == 0:
            file[name] = rng.choice(([1, 2, 3], 5.0, "text", [[[1.0]]], [float("nan")] * 4))
        elif kind == 1:
            file[name] = h5py.ExternalLink("/etc/passwd", "/x")
        elif kind == 2:
            file[name] = h5py.SoftLink("/" + rng.choice(names))
        elif kind == 3:
            file.create_dataset(name, (2**20, 2**20), "f8", chunks=(1024, 1024))
        elif kind == 4:
            file.create_dataset(name, (4, 2**20), "f8", chunks=(4, 1024), compression="gzip")
        return _closed(file, buffer)


def _closed(file: Any, buffer: io.BytesIO) -> bytes:
    file.close()
    return buffer.getvalue()


# --- good files ---------------------------------------------------------------------------------


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, W1=W1, b1=B1, W2=W2, b2=B2)
    return buffer.getvalue()


def _safetensors() -> bytes:
    arrays = {"0.weight": W1, "0.bias": B1, "2.weight": W2, "2.bias": B2}
    header, data = {}, b""
    for name, array in arrays.items():
        raw = array.tobytes()
        where = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": where}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _state_dict(*last: None) -> tuple[bytes, dict[str, bytes]]:
    """The pickle and the storages of a state_dict, with what stands last in each storage's name."""
    storages: dict[str, bytes] = {}

    class Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
        """Tensors as calls of torch's functions, which are written by name."""

        def save(self, given: Any, save_persistent_id: bool = True) -> Any:
            if not isinstance(given, np.ndarray):
                return super().save(given, save_persistent_id)
            key = str(len(storages))
            storages[key] = given.tobytes()
            self.write(b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\n")
            self.write(b"DoubleStorage\n")
            for word in (key, "cpu"):
                super().save(word)
            for part in (given.size, *last):
                super().save(part)
            self.write(b"tQ")
            strides = tuple(s // 8 for s in given.strides)
            for part in (0, given.shape, strides, False, {}):
                super().save(part)
            self.write(b"tR")

    buffer = io.BytesIO()
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    Pickler(buffer, 2).dump(OrderedDict(zip(names, (W1, B1, W2, B2), strict=True)))
    return buffer.getvalue(), storages


def _pth() -> bytes:
    """A state_dict as PyTorch before 1.6 wrote it, which is one stream."""
    index, storages = _state_dict(None)
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    before = (0x1950A86A20F9469CFC6C, 1001, machine)
    numbers = (struct.pack("<q", len(raw) // 8) + raw for raw in storages.values())
    parts = (*(pickle.dumps(part, 2) for part in before), index, pickle.dumps([*storages], 2))
    return b"".join((*parts, *numbers))


def _pt() -> bytes:
    """A state_dict as torch.save writes it since, which is an archive."""
    index, storages = _state_dict()
    parts = {f"net/data/{key}": raw for key, raw in storages.items()}
    return zipped(
        {
            "net/data.pkl": index,
            "net/byteorder": b"little",
            "net/version": b"3\n",
            **parts,
        }
    )


def _mat() -> bytes:
    from scipy.io import savemat
    from scipy.sparse import csc_matrix

    buffer = io.BytesIO()
    names = np.array(["tansig ", "purelin"])
    layers = np.array([(W1, B1), (csc_matrix(W2), B2)], [("W", object), ("b", object)])
    savemat(buffer, {"layers": layers, "activations": names}, do_compression=True)
    return buffer.getvalue()


def _nnet() -> bytes:
    lines = ["// test", "2,3,2,4,", "3,4,2,", "0,", "-1,-1,-1,", "1,1,1,", "0,0,0,1,", "1,1,1,2,"]
    for W, b in ((W1, B1), (W2, B2)):
        lines += [",".join(map(str, row)) + "," for row in W] + [f"{v}," for v in b]
    return "\n".join(lines).encode()


def _msgpack() -> bytes:
    import msgpack

    def stored(array: Any) -> Any:
        inner = (array.shape, array.dtype.name, array.tobytes())
        return msgpack.ExtType(1, msgpack.packb(inner))

    layers = {
        "Dense_0": {"kernel": stored(W1.T.copy()), "bias": stored(B1)},
        "Dense_1": {"kernel": stored(W2.T.copy()), "bias": stored(B2)},
    }
    return msgpack.packb({"step": 3, "params": layers})


def _onnx() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1], name="conv"),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Transpose", ["r"], ["p"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["p", "s"], ["f"]),
        helper.make_node("Slice", ["f", "from", "to", "axes"], ["l"]),
        helper.make_node("Gemm", ["l", "v"], ["g"], alpha=0.5),
        helper.make_node("Softmax", ["g"], ["q"], axis=-1),
        *_unrolled(helper, TensorProto),
    ]
    arrays = {"w": RNG.normal(size=(2, 1, 3)), "s": np.array([1, -1]), "v": RNG.normal(size=(8, 3))}
    arrays |= {"W": RNG.normal(size=(1, 8, 1)), "R": RNG.normal(size=(1, 8, 2))}
    arrays |= {
        "n": np.array(2),
        "yes": np.array(True),
        "i": np.array([[0, 0, 1]]),
        "two": np.ones((1, 3)),
    }
    arrays |= {"z": np.array([1, 1, 4, 3]), "e": np.zeros(0)}
    arrays |= {"from": np.array([1]), "to": np.array([9]), "axes": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, (1, 1, 5))],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)],
        [numpy_helper.from_array(a, name) for name, a in arrays.items()],
    )
    opset = helper.make_opsetid("", 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def _unrolled(helper: Any, types: Any) -> list[Any]:
    """A loop, a branch, a recurrent layer, a resized image, and entries that are added up."""
    make = helper.make_node
    known = [helper.make_tensor_value_info("k", types.INT64, ())]
    known += [helper.make_tensor_value_info(name, types.BOOL, ()) for name in ("c", "c2")]
    h, h2, t = (
        helper.make_tensor_value_info(name, types.DOUBLE, None) for name in ("h", "h2", "t")
    )
    step = [make("Identity", ["c"], ["c2"]), make("Sin", ["h"], ["h2"])]
    body = helper.make_graph(step, "body", [*known[:2], h], [known[2], h2])
    branch = helper.make_graph([make("Tanh", ["l1"], ["t"])], "branch", [], [t])
    return [
        make("Loop", ["n", "yes", "q"], ["l1"], body=body),
        make("If", ["yes"], ["b"], then_branch=branch, else_branch=branch),
        make("Transpose", ["b"], ["s3"], perm=[1, 0]),
        make("Unsqueeze", ["s3", "axes"], ["seq"]),
        make("LSTM", ["seq", "W", "R"], ["o", "last"], hidden_size=2),
        make("Transpose", ["o"], ["o2"], perm=[1, 2, 0, 3]),
        make("Resize", ["o2", "e", "", "z"], ["big"], mode="linear"),
        make("ScatterElements", ["q", "i", "two"], ["added"], axis=1, reduction="add"),
        make("Flatten", ["big"], ["f1"]),
        make("Flatten", ["added"], ["f2"], axis=0),
        make("Concat", ["f1", "f2"], ["y"], axis=1),
    ]


def _config() -> dict[str, Any]:
    def layer(kind: str, name: str, source: str, **more: Any) -> dict[str, Any]:
        return {
            "class_name": kind,
            "name": name,
            "config": {"name": name, **more},
            "inbound_nodes": [[[source, 0, 0, {}]]],
        }

    entry = {"name": "x", "batch_shape": [None, 3]}
    layers = [
        {"class_name": "InputLayer", "name": "x", "config": entry, "inbound_nodes": []},
        layer("Dense", "dense", "x", activation="tanh", units=4),
        layer("Dropout", "drop", "dense", rate=0.5),
        layer("BatchNormalization", "norm", "drop", axis=[-1], epsilon=1e-3),
        layer("Reshape", "shape", "norm", target_shape=[4]),
        layer("Dense", "dense_1", "shape", activation="softmax", units=2),
    ]
    inner = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]]}
    return {"class_name": "Functional", "config": inner | {"output_layers": [["dense_1", 0, 0]]}}


def _arrays() -> dict[str, list[Any]]:
    return {
        "dense": [W1.T.copy(), B1],
        "norm": [B1, B1, B1, np.abs(B1) + 0.1],
        "dense_1": [W2.T.copy(), B2],
    }


def _keras() -> bytes:
    import h5py

    buffer = io.BytesIO()
    stored = {"dense": "dense", "dense_1": "dense_1", "norm": "batch_normalization"}
    with h5py.File(buffer, "w") as file:
        for name, arrays in _arrays().items():
            for k, array in enumerate(arrays):
                file[f"layers/{stored[name]}/vars/{k}"] = array
    config = json.dumps(_config()).encode()
    return zipped({"config.json": config, "model.weights.h5": buffer.getvalue()})


def _h5() -> bytes:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps(_config())
        for name, arrays in _arrays().items():
            group = file.create_group(f"model_weights/{name}")
            names = [f"{name}/w{k}:0" for k in range(len(arrays))]
            group.attrs["weight_names"] = names
            for k, array in enumerate(arrays):
                group.create_dataset(names[k], data=array, compression="gzip" if k else None)
    return buffer.getvalue()


def _nc() -> bytes:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for k, (W, b) in enumerate(((W1, B1), (W2, B2)), start=1):
            file[f"nn_weights_{k}"], file[f"nn_bias_{k}"] = W.T.copy(), b
        file["nn_input_coeffs_min"], file["nn_input_coeffs_max"] = np.zeros(3), np.ones(3)
        words = [list(word.ljust(8)) for word in ("softsign", "linear")]
        file["nn_activation_char"] = np.array(words, dtype="S1")
        file.attrs["input_scaling_info"] = "none"
    return buffer.getvalue()


FORMATS: dict[str, tuple[Callable[[], bytes], Callable[[bytes, random.Random], bytes]]] = {
    ".onnx": (_onnx, onnx_of),
    ".keras": (_keras, zip_of),
    ".h5": (_h5, h5_of),
    ".nc": (_nc, h5_of),
    ".npz": (_npz, zip_of),
    ".safetensors": (_safetensors, safetensors_of),
    ".pt": (_pt, zip_of),
    ".pth": (_pth, bytes_of),
    ".mat": (_mat, mat_of),
    ".msgpack": (_msgpack, msgpack_of),
    ".nnet": (_nnet, nnet_of),
}
"""For each suffix a good file, and damage that knows the format."""


# --- reading ------------------------------------------------------------------------------------


def fault(path: Path) -> str | None:
    """What is wrong with how the file is refused or read, None where nothing is."""
    try:
        read(path, _options(path))
    except (NetworkFileError, CheckError) as error:
        said = str(error)
        if isinstance(error, NetworkFileError) and not said.startswith(str(path)):
            return f"does not begin with the file's name: {said}"
        return None if "\n" not in said and len(said) < 1500 else f"is no line: {said}"
    except BaseException:
        return traceback.format_exc()
    return None


def _options(path: Path) -> Options:
    """Keras, which takes seconds, is asked only of models that were read: it is no reader."""
    told = path.suffix in (".npz", ".safetensors", ".pt", ".pth", ".msgpack", ".mat")
    return Options(
        activations=["tanh"] if told else None, check=path.suffix not in (".keras", ".h5")
    )


def timed(path: Path) -> tuple[str | None, float, float]:
    """The fault, seconds of the processor, and megabytes that memory grew by."""
    before, start = _peak(), time.process_time()
    found = fault(path)
    return found, time.process_time() - start, _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(folder: Path, seed: int, first: int, last: int, suffix: str) -> list[str]:
    """All that is wrong with these cases."""
    make, change = FORMATS[suffix]
    good = make()
    path = folder / f"bad{suffix}"
    path.write_bytes(good)
    faults = [] if fault(path) is None and _is_read(path) else [f"{suffix}: the good file is not"]
    for case in range(first, last):
        rng = random.Random(f"{seed} {suffix} {case}")
        bad = (bytes_of if rng.random() < 0.5 else change)(good, rng)
        path.write_bytes(bad)
        (folder / "case").write_text(f"{suffix} {case}")
        with effort.hanging(HANGS):
            found, seconds, grown = timed(path)
            if slow := effort.over(seconds, SECONDS):  # once more: what is made once is no fault
                found, seconds, _ = timed(path)
                slow = effort.over(seconds, SECONDS)
        if found or slow or grown > MEGABYTES:
            faults.append(f"{suffix} {case}: {seconds:.1f} s, {grown:.0f} MB: {found}")
    return faults


def _is_read(path: Path) -> bool:
    try:
        read(path, _options(path))
    except NetworkFileError:
        return False
    return True


class Kept(apart.Reader):
    """One process for all files, not one a file."""

    def close(self) -> None:
        """Not yet."""


def main(arguments: list[str]) -> int:
    """0 where nothing is wrong."""
    folder, seed, first, last = arguments[0], *map(int, arguments[1:4])
    faulthandler.enable()
    kept = Kept()
    apart.Reader = lambda: kept
    found = [
        line for suffix in arguments[4:] for line in run(Path(folder), seed, first, last, suffix)
    ]
    kept.end()
    print("\n".join(found[:20]))
    return int(bool(found))


if __name__ == "__main__":
    if sys.argv[1].lstrip("-").isdigit():
        with tempfile.TemporaryDirectory() as made:
            sys.exit(main([made, *sys.argv[1:]]))
    sys.exit(main(sys.argv[1:]))
