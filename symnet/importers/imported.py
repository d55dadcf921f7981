"""What a reader gives back: a network, and in lines what was folded, assumed and compared."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from sympy import Symbol

from symnet.files import NetworkFileError
from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.names import check_end, check_label, shortened, whole
from symnet.network import Network
from symnet.network.weights import Array

FilePath = str | os.PathLike[str]


@dataclass(frozen=True)
class Options:
    """What a user may say about a model.

    Args:
        inputs, outputs: names, one for each entry of the vectors x and y.
        select: outputs to keep, by the model's names or the network's; all by default.
        activations: of the layers, for files that hold arrays only; `name=tanh` for each of the
            layers as the file names them tells their order as well.
        layout: "out,in" or "in,out", the axes of such files' matrices.
        classes: of a classifier "probabilities" or "logits".
        check: whether the network is compared with the framework that the model is of.
        alone: whether the process is symnet's own: a framework that is imported to compare then
            need not have all of its parts.
    """

    inputs: Iterable[str] | None = None
    outputs: Iterable[str] | None = None
    select: Sequence[str] | None = None
    activations: Sequence[str] | None = None
    layout: str | None = None
    classes: str = "probabilities"
    check: bool = True
    alone: bool = False

    def __post_init__(self) -> None:
        for end in ("inputs", "outputs"):  # each network that is tried takes the names once more
            names = getattr(self, end)
            if names is not None and not isinstance(names, str):
                object.__setattr__(self, end, _names(end, names))

    def check_complete(self) -> None:
        """ValueError for what only files of arrays need to be told: this one says it itself."""
        if self.activations is not None or self.layout is not None:
            raise ValueError(
                "says its activations itself: they and a layout are for files of arrays"
            )

    def check_single(self) -> None:
        """ValueError where outputs are chosen from a file that has one vector of them."""
        if self.select is not None:
            raise ValueError("has one vector of outputs, of which none can be selected")


def _names(end: str, given: object) -> tuple[str | Symbol, ...]:
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    for name in names:
        if not isinstance(name, str | Symbol):
            told = shortened(repr(name), 60)
            raise TypeError(f"{end}: {told} is no name; give one for each entry")
    return names


@dataclass(frozen=True)
class Imported:
    """A network that was read, and what is to be said about it.

    Args:
        source: the format, as `ONNX, opset 14`.
        exactness: of the weights, as `weights float32, held exactly`.
        folded: the model's operations that are no nodes of the network any more.
        notes: what was assumed or left out, each a line.
        compared: against what the values were compared, on how many points, with what difference.
    """

    network: Network
    source: str
    exactness: str = ""
    folded: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    compared: str = "not compared with another program"

    def __str__(self) -> str:
        folded = f"folded {', '.join(self.folded)}" if self.folded else "nothing folded"
        parts = [self.network.describe(), folded, self.exactness, self.compared]
        heading = f"{self.source}: {'; '.join(part for part in parts if part)}"
        return "\n".join([heading, *(f"note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class Model:
    """What a reader finds in a file: forms of named inputs, before they become a network."""

    tensors: Tensors
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, Value], ...]
    name: str | None = None

    def network(self, options: Options) -> Network:
        """The network of the outputs that were chosen, named as far as names are plain."""
        chosen, parts = _selected(self.tensors, self.outputs, options.select)
        y = parts[0] if len(parts) == 1 else self.tensors.fold.stacked(parts)
        advice = (
            "choose some, those of a file by symnet import --select-outputs or "
            "symnet.load(path, select=[...])"
        )
        matrices.check_named(y.size, "outputs", advice)
        net = self.tensors.fold.network(y, None, None, self.name)
        names = _default_names(self.inputs, net.n), _default_names(chosen, net.m)
        return renamed(_called(net, *names), options)


def renamed(net: Network, options: Options) -> Network:
    """The network with the names that a user gives."""
    if options.inputs is None and options.outputs is None:
        return net
    inputs = options.inputs or net.input_names
    outputs = options.outputs or net.output_names
    if isinstance(inputs, tuple) and len(inputs) != net.n:
        raise ValueError(f"inputs: {len(inputs)} names, but the network has {net.n} inputs")
    found = Network.from_nodes(net.nodes, inputs, outputs, net.name)
    before, now = (*net.input_names, *net.output_names), (*found.input_names, *found.output_names)
    called = dict(zip(before, now, strict=True))
    return found.with_units({called[name]: unit for name, unit in net.units.items()})


def _called(net: Network, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> Network:
    """With the model's names where all of them will do, else with x1, x2, ... and y."""
    if inputs is None and outputs is None:
        return net
    for pair in ((inputs, outputs), (inputs, None), (None, outputs)):
        try:
            given = net.n if pair[0] is None else pair[0]
            return Network.from_nodes(net.nodes, given, pair[1], net.name)
        except ValueError:
            continue
    return net


def _selected(
    tensors: Tensors, outputs: Sequence[tuple[str, Value]], select: Sequence[str] | None
) -> tuple[list[tuple[str, int]], list[Form]]:
    """The chosen outputs, whole tensors or single entries of them, with names and sizes."""
    forms = [(name, tensors.form(value)) for name, value in outputs]
    if select is None:
        return [(name, form.size) for name, form in forms], [form for _, form in forms]
    entries: dict[str, tuple[Form, Array]] = {}
    for name, form in forms:
        entries[name] = form, np.arange(form.size)
        plain = _plain(name)
        entries.setdefault(plain, entries[name])
        for i in range(form.size):
            entries.setdefault(f"{plain}_{i + 1}", (form, np.array([i])))
    if len(forms) == 1:
        for i in range(forms[0][1].size):
            entries.setdefault(f"y{i + 1}", (forms[0][1], np.array([i])))
    chosen, parts = [], []
    for name in select:
        if name not in entries:
            known = ", ".join(name for name, _ in forms)
            raise ValueError(f"there is no output {name!r} to select; the model has {known}")
        form, places = entries[name]
        parts.append(tensors.fold.selected(form, places))
        chosen.append((name, len(places)))
    return chosen, parts


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name.removesuffix(":0"), flags=re.ASCII)


def _default_names(tensors: Sequence[tuple[str, int]], count: int) -> list[str] | None:
    """Names of a vector's entries from those of tensors; None where x1, x2, ... say as much."""
    if sum(size for _, size in tensors) != count or (len(tensors) == 1 and count > 1):
        return None
    names = []
    for name, size in tensors:
        plain = _plain(name)
        names += [_label(name)] if size == 1 else [f"{plain}_{i + 1}" for i in range(size)]
    return names


def _label(name: str) -> str:
    """The name itself, by which tables and data frames have it, where it can be printed."""
    try:
        return check_end(name.removesuffix(":0"), "output")
    except ValueError:
        return _plain(name)


def shape_of(given: object) -> tuple[int, ...]:
    """A shape, or n for (n,). TypeError for what is none, ValueError for its sizes."""
    sizes = (given,) if isinstance(given, Integral) else given
    if not isinstance(sizes, Iterable) or isinstance(sizes, str):
        told = shortened(repr(given))
        raise TypeError(f"a shape is needed, as (3,) for three inputs of one point; got {told}")
    return tuple(whole(size, "a size of the shape", 0) for size in sizes)


def label_of(path: FilePath) -> str | None:
    """The network's name from its file's."""
    try:
        return check_label(os.path.splitext(os.path.basename(os.fspath(path)))[0])
    except ValueError:
        return None


def content_of(path: FilePath, largest: int) -> bytes:
    """The bytes of a file of limited size. NetworkFileError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            told = os.fstat(file.fileno()).st_size or largest  # a buffer of all that may be read
            content = file.read(min(told, largest) + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(content) > largest:
        raise ValueError(f"is larger than {largest >> 20} MiB, the limit for a network file")
    if not content:
        raise ValueError("is empty")
    return content


def refusal(path: FilePath, error: BaseException) -> NetworkFileError:
    """The one line on what is wrong with a file, whatever a parser raised."""
    words = " ".join(str(error).split()) or "is damaged"
    if not isinstance(error, ValueError) or type(error).__module__ != "builtins":
        words = f"cannot be read ({type(error).__name__}: {words})"
    return NetworkFileError(f"{os.fspath(path)}: {words[:500]}")


def exactness(dtypes: Iterable[str]) -> str:
    """`weights float32, held exactly`, of the types of numbers that were found."""
    found = sorted(set(dtypes))
    return f"weights {' and '.join(found)}, held exactly" if found else ""


def count_of(shape: Iterable[int]) -> int:
    """Entries of a tensor."""
    return math.prod(shape)
