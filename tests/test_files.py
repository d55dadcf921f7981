"""Network files: exact round trips, atomic writing, and one clear line for every bad file."""

from __future__ import annotations

import json
import math
import os
import stat
import sys
import time
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Symbol

import strategies
from symnet import files, leftovers
from symnet.activations import Activation
from symnet.files import NetworkFileError, load, replacing, save
from symnet.network import Layer, Network

GOOD = {
    "symnet": 1,
    "inputs": ["x1", "x2"],
    "outputs": ["y"],
    "layers": [
        {"weights": [[0.5, "1/3"], [2, "w21"]], "bias": [1.0, -2.5], "activation": "sigmoid"},
        {"weights": [[1.5, 1e-3]], "bias": None, "activation": "linear"},
    ],
}


def changed(*path, to):
    """GOOD with the entry at `path` replaced, as text."""
    document = json.loads(json.dumps(GOOD))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(document)


def without(*path):
    """GOOD with the entry at `path` removed, as text."""
    document = json.loads(json.dumps(GOOD))
    place = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return json.dumps(document)


@pytest.fixture
def path(tmp_path):
    """A path for a network file in an empty folder."""
    return tmp_path / "net.json"


# --- round trips --------------------------------------------------------------------------------


@settings(max_examples=60)
@given(strategies.networks(kinds=["float", "exact", "symbolic", "mixed"]))
def test_networks_round_trip(tmp_path_factory, net):
    """What is loaded equals what was saved, array types included."""
    path = tmp_path_factory.mktemp("net") / "net.json"
    save(net, path)
    again = load(path)
    assert again == net
    types = [[array.dtype for array in layer.arrays] for layer in net.layers]
    assert [[array.dtype for array in layer.arrays] for layer in again.layers] == types


@settings(max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_floats_round_trip_to_the_last_bit(tmp_path_factory, value, mixed):
    """Subnormals, negative zero and the largest doubles, alone and among exact numbers."""
    path = tmp_path_factory.mktemp("net") / "net.json"
    net = Network([Layer([[value, 1 if mixed else 1.0]])])
    save(net, path)
    assert load(path) == net


@settings(max_examples=50)
@given(st.fractions() | st.integers(-(10**400), 10**400))
def test_exact_numbers_round_trip(tmp_path_factory, value):
    """Fractions as fractions, integers as integers, of any size allowed."""
    path = tmp_path_factory.mktemp("net") / "net.json"
    save(Network([Layer([[value]])]), path)
    (entry,) = load(path).layers[0].weights.flat
    assert Fraction(int(entry.p), int(entry.q)) == value


def test_the_longest_integer_round_trips(path):
    """4000 digits, which is near what Python prints."""
    net = Network([Layer([[10**3999, Fraction(1, 10**3999)]])])
    save(net, path)
    assert load(path) == net


def test_a_users_own_activation_round_trips(path):
    """Its formula is stored as a tree; value, name and kinks come back."""
    u = Symbol("u")
    swish = Activation("swish2", u / (1 + sympy.exp(-2 * u)))
    bent = Activation("bent", sympy.Piecewise((u, u > 1), (2 * u - 1, True)), kinks=(sympy.S.One,))
    net = Network([Layer([[1.0]], None, swish), Layer([[1.0]], None, bent)])
    save(net, path)
    again = load(path)
    assert again == net
    assert [layer.activation.kinks for layer in again.layers] == [(), (1,)]
    assert [layer.activation.name for layer in again.layers] == ["swish2", "bent"]


def test_names_and_label_are_kept(path):
    """The label is the stored one, else the file's stem, and none where that is no label."""
    net = Network.dense([2, 1], inputs=["rho", "T"], outputs=["p"], name="water, 2026")
    save(net, path)
    again = load(path)
    assert again == net
    assert again.name == "water, 2026"
    save(Network.example(), path)
    assert load(path).name == "net"
    odd = path.with_name('a"b.json')
    save(Network.example(), odd)
    assert load(odd).name is None


def test_the_file_reads_well(path):
    """One row of weights a line, numbers as short as they can be."""
    net = Network(
        [
            Layer([[0.1, Fraction(1, 3)], [2, Symbol("w22")]], [1, 2**60], "tanh"),
            Layer([[1.0, 2.0]]),
        ],
        name="small",
    )
    save(net, path)
    assert path.read_text() == (
        "{\n"
        '  "symnet": 1,\n'
        '  "name": "small",\n'
        '  "inputs": ["x1", "x2"],\n'
        '  "outputs": ["y"],\n'
        '  "layers": [\n'
        "    {\n"
        '      "weights": [\n'
        '        [0.1, "1/3"],\n'
        '        [2, "w22"]\n'
        "      ],\n"
        '      "bias": [1, "1152921504606846976"],\n'
        '      "activation": "tanh"\n'
        "    },\n"
        "    {\n"
        '      "weights": [\n'
        "        [1.0, 2.0]\n"
        "      ],\n"
        '      "bias": null,\n'
        '      "activation": "linear"\n'
        "    }\n"
        "  ]\n"
        "}\n"
    )


def test_files_of_other_writers_are_read(path):
    """A byte order mark, other spacing, Windows line ends, signs and integers in quotes."""
    text = json.dumps(GOOD, indent=1).replace('"1/3"', '"+2/6"').replace(" 2,", ' "-07",')
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    layer = load(str(path)).layers[0]
    assert layer.weights.tolist() == [[0.5, sympy.Rational(1, 3)], [-7, Symbol("w21")]]
    assert layer.bias.tolist() == [1.0, -2.5]


# --- bad files ----------------------------------------------------------------------------------


def layer_with(key, value):
    """GOOD with one entry of its first layer replaced, as text."""
    return changed("layers", 0, key, to=value)


def weight(value):
    """GOOD with its first weight replaced, as text."""
    return changed("layers", 0, "weights", 0, 0, to=value)


def own(expression, name="mine", **more):
    """GOOD with an activation of one's own in its first layer, as text."""
    return layer_with("activation", {"name": name, "expression": expression, **more})


def nested_in(step, times):
    """A tree: the step taken so many times from z on."""
    return "z" if times == 0 else step(nested_in(step, times - 1))


NESTED = "[" * 10_000
DEEP_TREE = '["exp", ' * 900 + '"z"' + "]" * 900

BAD = {
    "empty": ("", "is empty"),
    "blank": (" \n ", "is empty"),
    "truncated": (json.dumps(GOOD)[:-20], r"is no JSON, or not all of it: line 1, column \d+"),
    "not json": ("symnet\nnetwork", "is no JSON, or not all of it: line 1, column 1"),
    "line and column": ('{"symnet": 1,\n  oops}', "line 2, column 3"),
    "two documents": ("{} {}", "line 1, column 4: Extra data"),
    "no object": ("[1]", 'it is not an object with the key "symnet"'),
    "keras": ('{"class_name": "Sequential"}', "has its weights too"),
    "other json": ('{"a": 1}', 'it is not an object with the key "symnet"'),
    "nested": (NESTED, "nested too deeply"),
    "nested objects": ('{"a":' * 10_000, "nested too deeply"),
    "nested in a weight": (weight(0).replace("[[0,", f"[[{NESTED}"), "nested too deeply"),
    "version": (changed("symnet", to=3), "has format version 3; this symnet reads 1 and 2"),
    "version true": (changed("symnet", to=True), "has format version true"),
    "version 1.0": (changed("symnet", to=1.0), "has format version 1.0"),
    "duplicate key": ('{"symnet": 1, "symnet": 1}', 'the key "symnet" stands twice'),
    "duplicate in layer": (
        json.dumps(GOOD).replace('"bias"', '"weights"'),
        '"weights" stands twice',
    ),
    "no inputs": (without("inputs"), "the file has no key 'inputs'"),
    "no outputs": (without("outputs"), "the file has no key 'outputs'"),
    "no layers": (without("layers"), "the file has no key 'layers'"),
    "no bias": (without("layers", 1, "bias"), "layer 2: the layer has no key 'bias'"),
    "unknown key": (changed("colour", to=1), 'the file has the unknown key "colour"'),
    "unknown in layer": (layer_with("mask", 1), 'layer 1: the layer has the unknown key "mask"'),
    "empty layers": (changed("layers", to=[]), "at least one layer"),
    "layers object": (changed("layers", to={}), "layers: found {}, expected a list"),
    "layer number": (changed("layers", 1, to=3), "layer 2: is 3, expected an object"),
    "weights null": (layer_with("weights", None), "layer 1: weights: found null, expected a list"),
    "weights flat": (layer_with("weights", [1.0]), "weights: row 0: found 1.0, expected a list"),
    "weights ragged": (layer_with("weights", [[1.0, 2.0], [3.0]]), "layer 1: weights are ragged"),
    "weights empty": (layer_with("weights", []), "layer 1: weights are empty"),
    "bias short": (layer_with("bias", [1.0]), "layer 1: bias has 1 entries, but weights have 2"),
    "bias number": (layer_with("bias", 1.0), "layer 1: bias: found 1.0, expected a list"),
    "columns": (
        changed("layers", 1, "weights", to=[[1.0, 2.0, 3.0]]),
        "layer 2: weights have 3 columns, but layer 1 has 2 neurons",
    ),
    "weight bool": (weight(True), r"layer 1: weight \[0, 0\] is true; use a number"),
    "weight null": (weight(None), r"layer 1: weight \[0, 0\] is null"),
    "weight list": (weight([1]), r"layer 1: weight \[0, 0\] is \[1\]"),
    "weight object": (weight({}), r"layer 1: weight \[0, 0\] is {}"),
    "bias bool": (layer_with("bias", [1.0, False]), r"layer 1: bias \[1\] is false"),
    "weight nan": (weight(math.nan), "the number NaN is not allowed"),
    "weight infinity": (weight(-math.inf), "the number -Infinity is not allowed"),
    "weight 1e400": (weight(0).replace("[[0,", "[[1e400,"), "1e400 is beyond double precision"),
    "long integer": (weight(0).replace("[[0,", f"[[{'7' * 5000},"), "has over 4000 digits"),
    "long string": (weight("7" * 5000), "has over 4000 digits"),
    "long fraction": (weight("1/" + "7" * 5000), "has over 4000 digits"),
    "zero denominator": (weight("1/0"), r"weight \[0, 0\] has the denominator 0"),
    "power tower": (weight("9**9**9"), r'layer 1: weight \[0, 0\] is "9\*\*9\*\*9"; use a number'),
    "decimal string": (weight("0.5"), 'is "0.5"; use a number'),
    "fraction of floats": (weight("1.5/2"), 'is "1.5/2"; use a number'),
    "spaces": (weight(" 1/3"), 'is " 1/3"; use a number'),
    "newline": (weight("1/3\n"), r'is "1/3\\n"; use a number'),
    "arabic digits": (weight("١/٣"), "use a number"),
    "empty string": (weight(""), 'is ""; use a number'),
    "code": (weight("__import__('os').system('x')"), "use a number"),
    "dunder": (weight("__class__"), "'__class__' is no plain name"),
    "keyword": (weight("lambda"), "the name 'lambda' is used"),
    "foreign letters": (weight("ωeight"), "is no plain name"),
    "symbol like an input": (weight("x1"), "weight symbol: 'x1' is already the name of an input"),
    "input lines": (changed("inputs", 0, to="x\nimport os"), r"input: 'x\\nimport os' is no name"),
    "input number": (changed("inputs", 0, to=1), r"inputs \[0\]: 1 is no name"),
    "inputs string": (changed("inputs", to="xy"), 'inputs: found "xy", expected a list'),
    "inputs twice": (changed("inputs", to=["p", "p"]), "'p' is already the name of an input"),
    "inputs too few": (
        changed("inputs", to=["p"]),
        "inputs: 1 names, but the network has 2 inputs",
    ),
    "label": (changed("name", to='"""\nimport os'), "network name"),
    "label surrogate": (changed("name", to="\ud800"), "network name"),
    "activation unknown": (layer_with("activation", "sigmod"), "layer 1: .*'sigmoid'"),
    "activation code": (
        layer_with("activation", "__import__('os')"),
        "layer 1: unknown activation",
    ),
    "activation number": (layer_with("activation", 3), "layer 1: activation is 3; use a name"),
    "own without name": (layer_with("activation", {"expression": "z"}), "has no key 'name'"),
    "own with more": (own("z", code="x"), 'the activation has the unknown key "code"'),
    "own bad name": (own("z", name="a b"), "activation: 'a b' is no plain name"),
    "own reserved name": (own("z", name="np"), "activation: the name 'np' is used"),
    "own table name": (
        own(["exp", "z"], name="sigmoid"),
        "'sigmoid' is taken by the table",
    ),
    "own code": (own("__import__('os')"), "layer 1: activation 'mine'"),
    "own operation": (own(["eval", "z"]), "layer 1: activation 'mine'"),
    "own power tower": (own(["mul", "z", ["pow", 9, ["pow", 9, 9]]]), "layer 1: activation 'mine'"),
    "own deep": (own(0).replace('"expression": 0', f'"expression": {DEEP_TREE}'), "nested"),
    "own endless constants": (
        own(["log", ["cos", ["cosh", ["sinh", ["sinh", 7]]]]]),
        "is too large or too small",
    ),
    "own endless cosine": (
        own(["add", "z", ["cos", ["exp", ["exp", ["exp", 3]]]]]),
        "is too large or too small",
    ),
    "own endless comparison": (
        own(["max", "z", ["exp", ["exp", ["exp", ["exp", 4]]]]]),
        "is too large or too small",
    ),
    "own nested products": (
        own(nested_in(lambda t: ["mul", t, ["add", 1, ["exp", t]]], 8)),
        "has over 2 exponentials within each other",
    ),
    "own nested corners": (
        own(nested_in(lambda t: ["abs", ["add", t, -1]], 12)),
        "has over 2 corners that decide about each other",
    ),
    "own root of -1 in a condition": (
        own(["piecewise", ["z", ["<", ["sqrt", -1], "z"]], 0]),
        r"\['sqrt', -1\] is no real number",
    ),
    "own huge number": (own(["sqrt", ["abs", ["add", 1e308, "z"]]]), "1e\\+308 is too large"),
    "own huge factor": (own(["exp", ["mul", "z", 1e308]]), "1e\\+308 is too large or too small"),
    "own kink nowhere": (own(["abs", "z"], kinks=[["log", 0]]), "'log', 0] is no real number"),
    "own complex kink": (own(["abs", "z"], kinks=[["sqrt", -1]]), "'sqrt', -1] is no real number"),
    "own power of 0": (own(["pow", 0, "z"]), "the base of a power of z must be above 0"),
    "own infinite factor": (
        own(["mul", "z", ["pow", ["add", 1, ["exp", 1e308]], -1]]),
        "1e\\+308 is too large or too small",
    ),
    "own vanishing product": (own(["mul", 1e-320, 1e-320, "z"]), "is too large or too small"),
    "own long product": (
        own(["mul", int("7" * 399), int("7" * 399), "z"]),
        "is too large or too small",
    ),
    "own tiny minimum": (
        own(["log", ["sin", ["acos", ["min", "z", "pi", 1e-320, 3, 1e308]]]]),
        "is too large or too small",
    ),
    "own kink in z": (own(["abs", "z"], kinks=["z"]), "kinks are numbers"),
    "own kinks number": (own(["abs", "z"], kinks=0), "kinks: found 0, expected a list"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused(path, text, message):
    """One line that begins with the file's name, at once."""
    path.write_text(text, encoding="utf-8")
    start = time.monotonic()
    with pytest.raises(NetworkFileError, match=message) as caught:
        load(path)
    assert time.monotonic() - start < 5
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 400


def test_the_document_that_bad_ones_are_made_of_is_good(path):
    """Otherwise the refusals above could have another cause."""
    path.write_text(json.dumps(GOOD))
    assert load(path).symbols == {Symbol("w21")}
    path.write_text(own(["mul", "z", ["pow", ["add", 1, ["exp", ["mul", -2, "z"]]], -1]]))
    assert load(path).layers[0].activation.name == "mine"


def test_files_that_are_no_text_or_not_there(path, tmp_path):
    """Binary, UTF-16, a folder, nothing."""
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    with pytest.raises(NetworkFileError, match="is no UTF-8 text"):
        load(path)
    path.write_bytes(json.dumps(GOOD).encode("utf-16"))
    with pytest.raises(NetworkFileError, match="is no UTF-8 text"):
        load(path)
    with pytest.raises(NetworkFileError, match="cannot be read: Is a directory"):
        load(tmp_path)
    with pytest.raises(NetworkFileError, match="cannot be read: No such file"):
        load(tmp_path / "missing.json")


def test_endless_files_are_refused(path, monkeypatch):
    """No more than the limit is read."""
    monkeypatch.setattr(files.reading, "LARGEST_FILE", 100)
    path.write_text(json.dumps(GOOD))
    with pytest.raises(NetworkFileError, match="is larger than"):
        load(path)


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_the_old_file(path, error):
    """Old content stays, and nothing else is left in the folder."""
    path.write_text("old")
    with pytest.raises(error), replacing(path) as file:
        file.write("new" * 100_000)
        raise error
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == ["net.json"]


def test_an_interrupted_write_leaves_no_new_file(path):
    """A file that did not exist does not come into being."""
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write("half")
        raise ZeroDivisionError
    assert os.listdir(path.parent) == []


def test_a_failed_save_leaves_the_old_file(path, monkeypatch):
    """Also when the disk is full at the very end."""
    save(Network.example(), path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(Network.dense([2, 1]), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["net.json"]


def test_the_old_file_is_there_until_the_end(path):
    """A reader never sees a half-written file."""
    path.write_text("old")
    with replacing(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of POSIX")
def test_permissions_and_links_are_kept(path):
    """A link still points to the file it pointed to, which keeps its mode."""
    target = path.with_name("target.json")
    target.write_text("old")
    target.chmod(0o640)
    path.symlink_to(target)
    save(Network.example(), path)
    assert path.is_symlink()
    assert load(target) == Network.example()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_new_file_gets_the_usual_permissions(path):
    """As open() would give, not those of a temporary file."""
    save(Network.example(), path)
    usual = path.with_name("usual")
    usual.touch()
    assert path.stat().st_mode == usual.stat().st_mode


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no device files")
def test_devices_are_written_directly():
    """Renaming a file over /dev/null would break the system."""
    save(Network.example(), "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_errors_of_writing_name_the_users_path(path):
    """Not that of a temporary file."""
    missing = path.parent / "missing" / "net.json"
    with pytest.raises(FileNotFoundError) as caught:
        save(Network.example(), missing)
    assert caught.value.filename == str(missing)
    with pytest.raises(IsADirectoryError):
        save(Network.example(), path.parent)


def test_line_ends_are_written_as_given(path):
    """CSV files need it."""
    with replacing(path) as file:
        file.write("a\r\nb\n")
    assert path.read_bytes() == b"a\r\nb\n"


@pytest.mark.parametrize("name", ["net.onnx", "net.JSON.h5", "net.pt"])
def test_names_of_other_formats_are_refused(tmp_path, name):
    """A file called so would be taken for what it is not."""
    with pytest.raises(ValueError, match="network files are JSON; a name that ends in"):
        save(Network.example(), tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["net.json", "net.JSON", "net"])
def test_names_that_are_written(tmp_path, name):
    """With the suffix that is the format's, or without any."""
    save(Network.example(), tmp_path / name)
    assert load(tmp_path / name) == Network.example()


def test_old_leftovers_are_removed(path):
    """What a killed process left a day ago; not what another may still be writing."""
    old, new, other = (path.with_name(n) for n in (".symnet-0f.tmp", ".symnet-1f.tmp", "a.tmp"))
    for leftover in (old, new, other):
        leftover.write_text("half")
    long_ago = time.time() - leftovers.OLD - 60
    for leftover in (old, other):
        os.utime(leftover, (long_ago, long_ago))
    save(Network.example(), path)
    assert sorted(os.listdir(path.parent)) == [".symnet-1f.tmp", "a.tmp", "net.json"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_told_with_the_files_name(path, monkeypatch):
    """The system's message has no name where a write fails."""

    def full(descriptor):
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        save(Network.example(), path)
    assert caught.value.filename == str(path)
    assert os.listdir(path.parent) == []


def test_integers_are_numbers_as_far_as_all_readers_have_them(tmp_path):
    """Beyond 2^53 other readers of JSON round: these are written as text, and are exact here."""
    net = Network([Layer([[2**53, 2**53 + 1]])])
    save(net, tmp_path / "net.json")
    assert load(tmp_path / "net.json") == net
    (row,) = json.loads((tmp_path / "net.json").read_text())["layers"][0]["weights"]
    assert row == [2**53, "9007199254740993"]
