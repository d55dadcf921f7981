"""The contract of every generated language: what is written runs with its own tool and is right.

How to add one is in the README.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import sin

import symnet
import zoo
from machine import Machine
from symnet import catalogue, compiling, languages
from symnet.activations import TABLE, Activation, Z
from symnet.languages import c, onnx, plain, python, running, xlsx
from symnet.languages import job as job_module
from symnet.languages.job import Job
from symnet.languages.selftest import examples, expected_at
from symnet.lowering.counting import operations
from symnet.lowering.loops import At, Loop, Routine, Store, at, read, walk, written
from symnet.names import partial_name, together_name
from symnet.network.building import apply, concat
from symnet.witness import sampling
from symnet.words import WORDS

STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
FORTRAN = (
    *("-Wall", "-Wextra", "-pedantic", "-Warray-temporaries", "-Werror"),
    *("-fcheck=all", "-fmax-stack-var-size=100"),  # bytes: a larger array may have but one place
)

TOOLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "c": (("gcc", "-std=c99", *STRICT, "-DNET_TEST", "net.c", "-o", "net", "-lm"), ("./net",)),
    "cpp": (
        ("g++", "-std=c++17", *STRICT, "-DNET_TEST", "-x", "c++", "net.hpp", "-o", "net"),
        ("./net",),
    ),
    "fortran": (
        ("gfortran", "-std=f2008", *FORTRAN, "net.f90", "net_test.f90", "-o", "net"),
        ("./net",),
    ),
    "javascript": (("node", "net.mjs"),),
    "julia": (("julia", "--startup-file=no", "net.jl"),),
    "matlab": (("octave", "-qf", "--no-history", "--eval", "net_test"),),
    "rust": (
        ("rustc", "--edition", "2021", "-D", "warnings", "--cfg", "symnet_main", "net.rs"),
        ("./net",),
    ),
}
"""How each language is compiled and run, in the folder of its files."""

VERSION = version("symnet")

LOOPS = [name for name in TOOLS if languages.WRITERS[name].loops]

SINGLE = ("c", "fortran", "rust")
"""Languages with --precision float; C++ is tested in both at once."""


def every_activation() -> symnet.Network:
    """Each activation of the table at a form of its own."""
    draw, x = zoo.Draw(40), symnet.variables("x1", "x2")
    z = draw(len(TABLE), 2)(x)
    parts = [apply(name, z[k]) for k, name in enumerate(TABLE)]
    return symnet.Network.of(draw(2, len(TABLE))(concat(*parts)))


def own_functions() -> symnet.Network:
    """Every function of a user's own formulas, at a form within its domain."""
    draw, x = zoo.Draw(41), symnet.variables("x1", "x2")
    z, inside = Z, sympy.tanh(Z) / 2
    formulas = [
        *(sympy.floor(2 * z) * z, sympy.ceiling(z) * z, sympy.Function("round")(3 * z) * z),
        *(sympy.erfinv(inside), sympy.loggamma(1.2 + inside), sympy.digamma(1.5 + inside)),
        *(sympy.digamma(inside - 1.2), sympy.acosh(2 + inside), sympy.atanh(inside)),
        *(sympy.asin(inside), sympy.acos(inside), sympy.sinh(z), sympy.cosh(z), sympy.tan(inside)),
        *(sympy.Abs(z) * z, sympy.sign(z) * z**2, sympy.Max(z, z**2), sympy.erfc(z)),
    ]
    w = draw(len(formulas), 2)(x)
    parts = [apply(Activation(f"own{k}", f), w[k]) for k, f in enumerate(formulas)]
    return symnet.Network.of(draw(2, len(formulas))(concat(*parts)))


NETWORKS = {
    "activations": every_activation,
    "deep": lambda: symnet.Network.dense([2, *[3] * 30, 1], hidden="tanh", seed=7),
    "wide": lambda: symnet.Network.dense([2, 48, 48, 1], hidden="sigmoid", seed=1),
    "many": lambda: symnet.Network.dense([9, 7, 5], hidden="silu", output="softplus", seed=2),
    "linear": lambda: symnet.Network.dense([3, 2], seed=4),
    "own formulas": own_functions,
    "one": lambda: symnet.Network.dense([1, 1, 1], hidden="sin", seed=5),
    **{
        name: lambda name=name: zoo.network(name)
        for name in (
            "attention",
            "log_classifier",
            "log_shares",
            "spread_form",
            "spread_input",
            "residual_of_inputs",
        )
    },
}


COMPLETE = bool(os.environ.get("SYMNET_COMPLETE"))
"""Whether each language is run with every network, which takes minutes."""

SEEN = tuple(NETWORKS) if COMPLETE else ("attention", "spread_input")


def tools_of(language: str) -> tuple[tuple[str, ...], ...]:
    """The commands, or a skip that says which tool is missing."""
    for command in TOOLS[language]:
        if not command[0].startswith("./") and shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
    return TOOLS[language]


def run(
    language: str, job: Job, folder: Path, planted: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """The files of a job written, compiled and run, with lines planted after those of some text."""
    files = languages.WRITERS[language].files
    assert files is not None
    for name, text in files(job).items():
        for after, line in planted.items():
            text = re.sub(f"(.*{re.escape(after)}.*)", rf"\1\n{line}", text)
        (folder / name).write_text(text, encoding="utf-8")
    for command in tools_of(language):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            break
    return done


def check(language: str, job: Job, folder: Path) -> None:
    """The self-test runs, prints its verdict, and nothing else is said by any tool."""
    done = run(language, job, folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert re.fullmatch(r"self-test ok: \d+ points, +\S+ of the allowed error\n", done.stdout)


def test_no_language_is_left_out_of_a_table():
    """Else its files would be handed out untested, or be called by its own words."""
    known = {*languages.WRITERS}
    assert {*catalogue.LANGUAGES} == known
    assert {*running.COMMANDS, *running.IN_C, *running.WITHOUT} == known
    assert {*TOOLS} == known - {"python", "c-batch", *running.WITHOUT}
    assert {*WORDS} == known - {"c-batch", *running.WITHOUT}


@pytest.mark.parametrize("name", SEEN)
@pytest.mark.parametrize("language", TOOLS)
def test_it_is_right(language, name, tmp_path):
    """All activations, deep, wide, many inputs and outputs, graphs: the self-test says ok."""
    tools_of(language)
    check(language, Job.of(NETWORKS[name](), 2, "net"), tmp_path)


@pytest.mark.parametrize("name", ["activations", "many", "attention"] if COMPLETE else ["many"])
@pytest.mark.parametrize("language", SINGLE)
def test_single_precision(language, name, tmp_path):
    """The same in floats, by a tolerance of theirs."""
    tools_of(language)
    check(language, Job.of(NETWORKS[name](), 2, "net", "float"), tmp_path)


@pytest.mark.parametrize("order", [0, 1, 3] if COMPLETE else [3])
@pytest.mark.parametrize("language", TOOLS)
def test_other_orders(language, order, tmp_path):
    """Values alone, and third derivatives with all their mirrored entries."""
    tools_of(language)
    hidden = "gelu" if order > 2 else "tanh"  # whose points far out have no third derivatives
    check(language, Job.of(symnet.Network.dense([7, 3, 2], hidden, seed=2), order, "net"), tmp_path)


@cache
def far_out() -> Job:
    """Every activation, at points far out at which its values are no infinities."""
    job = Job.of(NETWORKS["activations"](), 2, "net")
    random = np.random.default_rng(1)
    points = np.concatenate([sampling.far(job.network, random, 4, f) for f in (5.0, 30.0)])
    values = symnet.analytic.value(job.network, points)
    points = points[np.isfinite(values).all(axis=1) & (np.abs(values) < 1e12).all(axis=1)]
    assert len(points) > 1
    expected = expected_at(job.network, compiling.compiled(job.network, 2), points)
    return replace(job, points=points, expected=expected)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("language", TOOLS)
def test_extreme_points(language, tmp_path):
    """Far out nothing overflows, and nothing is lost in the tails."""
    tools_of(language)
    check(language, far_out(), tmp_path)


PLANTS = {
    "a millionth": ("H(:, 2, 2, :) = 1.000001*H(:, 2, 2, :);", lambda own, _: 1.000001 * own),
    "sign": ("H(:, 2, 2, :) = -H(:, 2, 2, :);", lambda own, _: -own),
    "index": ("H(:, 2, 2, :) = H(:, 2, 1, :);", lambda _, other: other),
}
"""Errors of an entry of the Hessian: in MATLAB's text, and of an entry and its neighbour."""


@pytest.mark.parametrize("plant", PLANTS if COMPLETE else ("a millionth",))
@pytest.mark.parametrize("language", TOOLS)
def test_the_self_test_notices_errors(language, plant, tmp_path):
    """One entry that is a millionth off, 1e16 times smaller than another in the inputs' units."""
    tools_of(language)
    line, change = PLANTS[plant]
    first, *others = symnet.Network.dense([2, 8, 8, 1], "tanh", seed=3).layers
    first = symnet.Layer(np.array(first.weights) * [1e4, 1e-4], first.bias, "tanh")
    job = Job.of(symnet.Network([first, *others]), 2, "net")
    if language != "matlab":
        routines = tuple(planted(routine, change) for routine in job.lowered.routines)
        job = replace(job, lowered=replace(job.lowered, routines=routines))
    done = run(language, job, tmp_path, {"H = filled(": line})
    assert done.returncode == 1
    assert done.stdout.startswith("self-test WRONG")


def planted(routine: Routine, change: Callable[[At, At], sympy.Expr]) -> Routine:
    """The same with another d2y/dx2dx2."""
    if "hessian" not in routine.results:
        return routine
    entry, other = (at("hessian", sympy.S.Zero, sympy.S.One, sympy.Integer(k)) for k in (1, 0))
    return replace(routine, body=(*routine.body, Store(entry, change(entry, other))))


@pytest.mark.parametrize("language", [name for name, row in languages.WRITERS.items() if row.files])
def test_text(language):
    """Deterministic, without long lines, with a head that says what it is."""
    net = symnet.Network.dense([2, 3, 1], "gelu", seed=3, name="press")
    made = languages.generate(net, language, command="symnet generate press.json")
    assert made == languages.generate(net, language, command="symnet generate press.json")
    for name, text in made.items():
        assert name.startswith("press")
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        if language != "json":
            assert max(map(len, text.splitlines())) <= 132
            assert all(line == line.rstrip() for line in text.splitlines())
    whole = "".join(made.values())
    for part in ("x1, x2", "2-3-1", "symnet generate press.json", "The generated code is yours"):
        assert part in whole


HOSTILE = {
    "c": ("math", "class", "Exp", "div", "main"),
    "c-batch": ("stdlib", "new", "y1"),
    "cpp": ("std", "detail", "Real", "NULL", "Index", "namespace", "value"),
    "fortran": ("Value", "wp", "W1", "tanh_012", "expected0", "iso_fortran_env", "sum", "a" * 59),
    "javascript": ("default", "process", "await"),
    "rust": ("crate", "Self", "core", "fn", "test"),
    "matlab": ("Sum", "end", "times", "up_to_2", "weights", "a" * 59),
    "python": ("numpy", "sys", "lambda", "match_"),
}
"""Names that break a text of the language; the last of Python's does not."""

ODD = {
    "c": ("points", "larger", "expected0"),
    "cpp": ("program", "sigma0"),
    "fortran": ("k", "end_"),
    "javascript": ("std", "points"),
    "rust": ("end", "sigma0"),
    "matlab": ("k", "gelu", "sigma0"),
}
"""Names that look as if they broke it."""


@pytest.mark.parametrize("language", HOSTILE)
def test_names_that_break_a_text_are_refused(language):
    """Or changed, where the network is called so."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=1)
    for name in HOSTILE[language]:
        if name == "match_":
            assert list(languages.generate(net, language, name=name)) == ["match_.py"]
            continue
        with pytest.raises(ValueError, match=r"choose another"):
            languages.generate(net, language, name=name)
        if language != "python" and name not in ("W1", "tanh_012"):
            named = symnet.Network(net.layers, name=name)
            files = languages.generate(named, language)
            assert name.lower() not in {file.split(".")[0] for file in files}


@pytest.mark.parametrize("language", ODD)
def test_odd_names_do_not_break_a_text(language, tmp_path):
    """Of files, modules and functions; labels of inputs and outputs that comments must bear."""
    tools_of(language)
    labels = ("*/ x", "??/", "%{", 'a"b\\', "ρ [kg/m³]", "//! `y`", "'", "-- */ /*", "class")
    net = symnet.Network.dense([9, 3, 1], "tanh", seed=1)
    net = symnet.Network(net.layers, inputs=labels, outputs=("hessian \\",))
    for name in ODD[language]:
        files = languages.generate(net, language, 1, name=name)
        for file, text in files.items():
            (tmp_path / file).write_text(str(text), encoding="utf-8")
        for command in TOOLS[language]:
            words = [re.sub(r"\bnet(?![a-z])", name, word) for word in command]
            words = [word.replace("NET_", f"{name.upper()}_") for word in words]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, ""), (name, done.stdout)
        assert done.stdout.startswith("self-test ok")


@pytest.mark.complete
def test_activations_of_odd_names(tmp_path):
    """Temporaries are in functions of their own; capitals make no difference in Fortran."""
    tools_of("fortran")
    draw, x = zoo.Draw(3), symnet.variables("x1", "x2")
    names = ("W1", "w1", "error_of", "Merge", "points", "wp", "Sum", "x")
    h = [draw(1, 2, Activation(name, sin(k * Z) + Z**2))(x) for k, name in enumerate(names, 1)]
    net = symnet.Network.of(draw(1, len(names))(concat(*h)))
    for language in ("fortran", *(name for name in TOOLS if name != "fortran")):
        folder = tmp_path / language
        folder.mkdir()
        if all(t[0].startswith("./") or shutil.which(t[0]) for t in TOOLS[language]):
            check(language, Job.of(net, 2, "net"), folder)


HEADED = [n for n, row in languages.WRITERS.items() if (row.files or row.content) and n != "xlsx"]


@pytest.mark.parametrize("language", HEADED)
def test_heads(language):
    """Every file says what made it; all but companions the network, its names and its formulas."""
    if language == "onnx":
        pytest.importorskip("onnx", reason="onnx is not installed")
    draw, x = zoo.Draw(3), symnet.variables("T [K]", "beta")
    h = draw(3, 2, "tanh")(x)
    y = draw(1, 3)(h + draw(3, 3, "sigmoid")(h))
    net = symnet.Network.of(y, outputs=("p [Pa]",), name="water")
    made = languages.generate(net, language, name="water", command="symnet generate water.json")
    for name, text in made.items():
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        parts = ["symnet generate water.json", "The generated code is yours", f"symnet {VERSION}"]
        if "_test" not in name:
            parts += ["water", "graph of 4 nodes: tanh 3, sigmoid 3, sum 3, linear 1"]
            parts += ["T [K], beta", "Outputs y: p [Pa]"]
            parts += ["= w4 @ z3 + b4", "tanh' ", "z2   = W2 @ a1 + b2"]
            parts += ["Shapes: x (2), y (1), jacobian (1, 2), hessian (1, 2, 2)."]
            parts += ["multiply-adds", "activations", f"  {together_name(2)} "]
            assert "  value_jacobian " in shown or language not in LOOPS
        if language in LOOPS and "_test" not in name:
            arrays = language in ("javascript", "julia")
            parts += [f"bytes of {'arrays' if arrays else 'stack'}"]
        for part in parts:
            assert part in shown, (name, part)
        assert "sympify" not in shown


@pytest.mark.complete(every=4)
@pytest.mark.parametrize(
    "language",
    [n for n, row in languages.WRITERS.items() if row.files and n not in ("c-batch", "fortran")],
)
def test_large_networks_take_seconds(language):
    """A million weights are written."""
    job = Job.of(symnet.Network.dense([2, 4, 1], "tanh", seed=0), 2, "net")
    constants = {**job.lowered.constants, "W1": np.full((1024, 1024), 0.1)}
    job = replace(job, lowered=replace(job.lowered, constants=constants))
    files = languages.WRITERS[language].files
    assert files is not None
    assert sum(map(len, files(job).values())) > 2_000_000


@pytest.mark.parametrize("language", ["fortran", "xlsx"])
def test_sizes_beyond_a_language(language, monkeypatch):
    """More weights than it can hold are refused with the advice, before anything is derived."""
    monkeypatch.setattr(Job, "of", None)
    large = symnet.Network.dense([2, 600, 600, 1], "tanh", seed=0)
    with pytest.raises(ValueError, match="language c"):
        languages.generate(large, language)


@pytest.mark.parametrize("precision", catalogue.PRECISIONS)
@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "deep"])
def test_onnx(name, precision):
    """The model gives the three for a batch, in the reference evaluator and in a runtime."""
    proto = pytest.importorskip("onnx")
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    runtime = pytest.importorskip("onnxruntime")
    net = NETWORKS[name]()
    ((file, content),) = languages.generate(net, "onnx", name="net", precision=precision).items()
    assert file == "net.onnx"
    kind = np.float32 if precision == "float" else np.float64
    X = zoo.points(net, 4).astype(kind)
    expected = [symnet.analytic.value(net, X), symnet.analytic.jacobian(net, X)]
    expected.append(symnet.analytic.hessian(net, X))
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["y", "jacobian", "hessian"]
    reference = evaluator(proto.load_from_string(content))
    for results in (session.run(None, {"x": X}), reference.run(None, {"x": X})):
        for found, known in zip(results, expected, strict=True):
            assert (found.dtype, found.shape) == (kind, known.shape)
            allowed = 2000 * np.finfo(kind).eps * max(1e-3, np.abs(known).max())
            np.testing.assert_allclose(found, known, rtol=0, atol=allowed)


def golden_chain() -> symnet.Network:
    """A chain of two layers."""
    return symnet.Network.dense([2, 2, 1], "tanh", output="softplus", seed=3, name="chain")


def golden_graph() -> symnet.Network:
    """A skip connection, a product and two outputs."""
    draw, x = zoo.Draw(5), symnet.variables("rho", "T [K]")
    h = draw(2, 2, "gelu")(x)
    y = draw(2, 2)(h * draw(2, 2, "sigmoid")(h) + h)
    return symnet.Network.of(y, outputs=("p", "e"), name="graph")


GOLDEN = Path(__file__).parent / "golden" / "languages"


@pytest.mark.parametrize("language", [*languages.WRITERS, "plain"])
@pytest.mark.parametrize("make", [golden_chain, golden_graph])
def test_golden_files(make, language, request, monkeypatch):
    """Each language's texts of two networks, rewritten by --update-golden."""
    for name, text in golden_texts(make(), language, monkeypatch).items():
        path, shown = GOLDEN / name, text.replace(f"symnet {VERSION}", "symnet VERSION")
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert shown == path.read_text(encoding="utf-8"), name


def golden_texts(net: symnet.Network, language: str, monkeypatch: Any) -> dict[str, str]:
    """The files of a language as texts, what is expected rounded: last digits are a machine's."""
    command = f"symnet generate {net.name}.json --language {language} --order 2"
    if language == "plain":
        command = f"symnet generate {net.name}.json --language python --order 2 --plain"

    def known(*given: Any) -> Any:
        found = examples(*given)
        expected = tuple(rounded(result, 6) for result in found.expected)
        return replace(found, expected=expected, sizes=tuple(rounded(s, 1) for s in found.sizes))

    monkeypatch.setattr(python, "examples", known)
    job = Job.of(net, command=command, language=language)
    compared = [
        replace(k, expected=rounded(k.expected, 6), allowed=rounded(k.allowed, 1))
        for k in job.expected
    ]
    job = replace(job, expected=tuple(compared))
    if language == "plain":
        return {f"{job.name}_plain.py": plain.source(job)}
    row = languages.WRITERS[language]
    if row.whole is not None:
        return {f"{job.name}.{catalogue.LANGUAGES[language].ending}": row.whole(net, 2, command)}
    if row.files is not None:
        batch = "_batch" if language == "c-batch" else ""
        return {name.replace(".", f"{batch}."): text for name, text in row.files(job).items()}
    return {f"{job.name}.{language}.txt": dumped(language, job)}


def dumped(language: str, job: Job) -> str:
    """What a file of bytes has in it."""
    if language == "onnx":
        pytest.importorskip("onnx")
        return nodes(onnx.model(job))
    pytest.importorskip("openpyxl")
    return cells(xlsx.content(job))


def nodes(model: Any) -> str:
    """An ONNX model: its text, its tensors, and a line for each node."""
    from onnx import helper, numpy_helper

    def shaped(value: Any) -> str:
        kind = value.type.tensor_type
        sizes = ", ".join(d.dim_param or str(d.dim_value) for d in kind.shape.dim)
        return f"{value.name} {helper.tensor_dtype_to_np_dtype(kind.elem_type)} ({sizes})"

    graph = model.graph
    lines = [graph.doc_string, "", f"{graph.name}, opset {model.opset_import[0].version}"]
    lines += [f"input {shaped(value)}" for value in graph.input]
    lines += [f"output {shaped(value)}" for value in graph.output]
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        lines.append(f"{tensor.name} {array.dtype} {array.shape} = {array.ravel().tolist()}")
    for node in graph.node:
        given = [
            *node.input,
            *(f"{a.name}={helper.get_attribute_value(a)}" for a in node.attribute),
        ]
        lines.append(f"{', '.join(node.output)} = {node.op_type}({', '.join(given)})")
    return "\n".join([*lines, ""])


def cells(content: bytes) -> str:
    """A workbook: a line for each cell."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content))
    lines = []
    for sheet in book:
        lines += ["", f"sheet {sheet.title}"]
        filled = (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)
        lines += [f"{cell.coordinate}: {cell.value}" for cell in filled]
    return "\n".join([*lines[1:], ""])


def rounded(values: Any, digits: int) -> Any:
    """Each number with so many digits."""
    return np.vectorize(lambda x: float(f"{x:.{digits}g}"))(values)


FORMATTERS = {
    "c": ("clang-format", f"--style={c.STYLE}"),
    "c-batch": ("clang-format", f"--style={c.STYLE}"),
    "cpp": ("clang-format", f"--style={c.STYLE}"),
    "javascript": ("prettier", "--no-config"),
}


@pytest.mark.complete(every=3)
@pytest.mark.parametrize(
    ("name", "order"), [("activations", 2), ("attention", 2), ("attention", 3), ("one", 0)]
)
@pytest.mark.parametrize("language", FORMATTERS)
def test_a_formatter_changes_nothing(language, name, order, tmp_path):
    """Texts are as clang-format and prettier write them; rustfmt is asked below."""
    tool, *words = FORMATTERS[language]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    made = languages.generate(NETWORKS[name](), language, order, name="net")
    for file, text in made.items():
        (tmp_path / file).write_text(str(text), encoding="utf-8")
        command = [tool, *words, file]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, text), done.stderr


@pytest.mark.parametrize("language", [n for n, row in languages.WRITERS.items() if row.files])
def test_nothing_is_too_long_for_a_line(language, tmp_path):
    """Nested formulas, of which Fortran has 132 letters a line, and points of many inputs."""
    if language == "json":
        pytest.skip("its lines are for tools")
    narrow = sympy.exp(-1 / (1 - Z**2))  # far out polynomials of 1/z² in each other's brackets
    first = symnet.Network.dense([40, 3], "linear", seed=1).layers[0]
    net = symnet.Network([symnet.Layer(first.weights, first.bias, narrow), symnet.Layer([[1] * 3])])
    made = languages.generate(net, language, 1, name="net")
    for text in made.values():
        assert max(map(len, str(text).splitlines())) <= 100
    for name, text in made.items() if language == "fortran" else ():
        (tmp_path / name).write_text(str(text), encoding="utf-8")
    if language == "fortran":
        for command in tools_of(language):
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("weight", [1e39, -1e-50])
@pytest.mark.parametrize("language", [*SINGLE, "c-batch", "onnx"])
def test_weights_beyond_single_precision_are_refused(language, weight):
    """They were infinities in a model, and its largest number elsewhere; or 0."""
    net = symnet.Network([symnet.Layer([[1.0]], [0.0], "tanh"), symnet.Layer([[weight]])])
    assert languages.generate(net, "c", 1)
    with pytest.raises(ValueError, match=r"W2 holds .* 1e[+-]\d\d, .* leave out precision float"):
        languages.generate(net, language, 1, precision="float")


@pytest.mark.parametrize("language", ["c", "cpp", "rust"])
def test_hessians_that_no_stack_holds(language, tmp_path):
    """Rust returns them there, which is refused; the self-tests of C and C++ keep them elsewhere.

    Less than 8 MB, for the sake of time: the limits are those of a thread's stack.
    """
    net = symnet.Network.dense([420, 2, 1], "tanh", seed=1)
    if language == "rust":
        with pytest.raises(ValueError, match=r"hessian takes 1,4.* bytes of stack in rust"):
            languages.generate(net, language, name="net")
        return
    tools_of(language)
    for name, text in languages.generate(net, language, name="net").items():
        (tmp_path / name).write_text(str(text), encoding="utf-8")
    compile_, run_ = tools_of(language)
    subprocess.run(compile_, cwd=tmp_path, check=True)
    limited = ["sh", "-c", f"ulimit -s 1024 && {' '.join(run_)}"]
    done = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("self-test ok"), done


@pytest.mark.parametrize("language", ["c", "cpp", "fortran", "rust"])
def test_tangents_that_no_stack_holds(language, monkeypatch):
    """Arrays of a function's own, of all neurons by all inputs, are refused with the advice."""
    monkeypatch.setattr(job_module, "STACK", 64)
    net = symnet.Network.dense([4, 4, 6, 2], "tanh", seed=1)
    assert languages.generate(net, "c-batch", name="net")
    with pytest.raises(ValueError, match=r"bytes of stack in .* chosen partials"):
        languages.generate(net, language, name="net")


def test_refusals():
    """What a language cannot do is said, not done otherwise."""
    net = NETWORKS["one"]()
    with pytest.raises(ValueError, match="no language 'cobol'"):
        languages.generate(net, "cobol")
    with pytest.raises(ValueError, match="name"):
        languages.generate(net, "c", name="a b")
    for language in ("javascript", "cpp", "json", "matlab", "python"):
        with pytest.raises(ValueError, match=r"float|precision"):
            languages.generate(net, language, precision="float")


CHOSEN = {
    "many": ("dy2/dx9", "y5", "d2y3/dx1dx4", "d2y3/dx4dx4", "dy1/dx1"),
    "attention": ("d2y2/dx2dx1",),
    "activations": ("y2", "dy1/dx2"),
}
"""Partials to choose of some of NETWORKS."""


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", CHOSEN if COMPLETE else ("many",))
@pytest.mark.parametrize("language", LOOPS)
def test_chosen_partials(language, name, tmp_path):
    """Only these: the self-test of each language says ok, and notices another order of entries."""
    tools_of(language)
    job = Job.of(NETWORKS[name](), 2, "net", only=CHOSEN[name])
    check(language, job, tmp_path)
    if name == "many":
        turned = tuple(replace(k, expected=k.expected[:, ::-1]) for k in job.expected)
        done = run(language, replace(job, expected=turned), tmp_path)
        assert done.returncode == 1
        assert done.stdout.startswith("self-test WRONG")


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", ["attention", "spread_form", "several_outputs"])
def test_chosen_partials_are_those_named(name):
    """Each entry of the network alone, and all of them together, as the analytic engine has it."""
    net = zoo.network(name)
    x = zoo.points(net, 1)[0]
    outputs, inputs = map(len, (net.outputs, net.inputs))
    J, H = symnet.analytic.jacobian(net, x), symnet.analytic.hessian(net, x)
    known = {}
    for p in range(outputs):
        y = net.outputs[p].name
        for i in range(inputs):
            known[partial_name(y, [net.inputs[i].name])] = J[p, i]
            for j in range(i, inputs):
                known[partial_name(y, [net.inputs[k].name for k in (i, j)])] = H[p, i, j]
    for chosen in (list(known), *([name] for name in list(known)[:: max(1, len(known) // 7)])):
        (text,) = languages.generate(net, "json", name="net", only=chosen).values()
        document = json.loads(text)
        found = Machine(document)("partials", x)
        (routine,) = document["routines"]
        entries = [e for name in routine["results"] for e in routine["entries"][name]]
        assert sorted(entries) == sorted(chosen)
        expected = [known[entry] for entry in entries]
        np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-10, atol=1e-12)


def test_nothing_but_chosen_partials_is_computed():
    """No other output, no other direction, no loop over either; every array is read."""
    net = symnet.Network.dense([3, 4, 4, 2], "tanh", output="tanh", seed=1)
    (routine,) = Job.of(net, name="net", only=["dy2/dx3"]).lowered.routines
    stored = [e for step in walk(routine.body) for e in written(step)]
    assert not {s.variable for s in walk(routine.body) if isinstance(s, Loop)} - {"r", "s"}
    read_arrays = {e.array for step in walk(routine.body) for e in read(step).atoms(At)}
    assert {e.array for e in stored} - read_arrays == {"dy"}
    texts = {str(e) for step in walk(routine.body) for e in read(step).atoms(At)}
    assert "At(W1, r, 2)" in texts
    assert not {"At(W1, r, 0)", "At(W1, r, 1)", "At(W3, 0, s)"} & texts
    whole = Job.of(net, 1, "net").lowered.routines[-1]
    counts = [operations(r, 3).multiply_adds for r in (routine, whole)]
    assert counts[0] < 0.7 * counts[1]


def test_chosen_partials_that_there_are_not():
    """The name, what was found, and what to write instead."""
    net = symnet.Network.dense([2, 3, 2], "tanh", seed=1)
    for only, message in {
        ("dy1/dx3",): "'dy1/dx3' is no partial derivative of this network: write dy1/dx1",
        ("dy/dx1",): "outputs y1, y2",
        ("dy1/dx1dx2",): "no partial",
        ("",): "no partial",
        ("d2y1/dx1dx2", "d2y1/dx2dx1"): "d2y1/dx2dx1 and d2y1/dx1dx2 are the same entry",
    }.items():
        with pytest.raises(ValueError, match=message):
            languages.generate(net, "c", only=only)
    with pytest.raises(ValueError, match=r"choose some in c, cpp, .*json"):
        languages.generate(net, "onnx", only=["dy1/dx1"])
    with pytest.raises(TypeError, match=r"only is a list of partials, as \['dy1/dx1'\]; got a str"):
        languages.generate(net, "c", only="dy1/dx1")


@pytest.mark.parametrize("name", ["attention", "spread_form", "kinked_chain", "several_outputs"])
def test_json(name):
    """The loop form read from its file computes what the analytic engine does."""
    net = zoo.network(name)
    (text,) = languages.generate(net, "json", name="net").values()
    machine = Machine(json.loads(text))
    X = zoo.points(net, 2)
    expected = [symnet.analytic.value(net, X), symnet.analytic.jacobian(net, X)]
    expected.append(symnet.analytic.hessian(net, X))
    for k, x in enumerate(X):
        for found, known in zip(machine("value_jacobian_hessian", x), expected, strict=True):
            np.testing.assert_allclose(found, known[k], rtol=1e-10, atol=1e-12)
        for order, routine in enumerate(("value", "jacobian", "hessian")):
            np.testing.assert_allclose(
                machine(routine, x)[0], expected[order][k], rtol=1e-10, atol=1e-12
            )
