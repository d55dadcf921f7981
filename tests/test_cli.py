"""The command line as a user meets it: pages, files, exit statuses, one line for each mistake."""

from __future__ import annotations

import csv
import os
import platform
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy
from sympy import Symbol

import symnet
from symnet import files
from symnet.cli import values


@pytest.fixture
def net(tmp_path):
    """A network file: 2-3-1, tanh, named after the file."""
    path = tmp_path / "net.json"
    symnet.save(symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0), path)
    return str(path)


@pytest.fixture
def symbolic(tmp_path):
    """A network file with a symbol among its weights."""
    path = tmp_path / "symbolic.json"
    symnet.save(symnet.Network([symnet.Layer([[Symbol("w11"), 1]], None, "sin")]), path)
    return str(path)


def process(*arguments, **options):
    """The command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)} | options.pop("env", {})
    command = [sys.executable, "-m", "symnet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, **options)


# --- derive -------------------------------------------------------------------------------------


def test_derive_without_file(run):
    """The network in a line, y, all partials, their values at (1, 1), and the check."""
    status, page, complaints = run("derive")
    assert (status, complaints) == (0, "")
    lines = page.splitlines()
    assert lines[0] == "built-in example: 2-2-1, sigmoid, linear without bias"
    assert "y          = 2/(1 + exp(−x₁ − x₂ − 1))" in lines
    at = lines.index("at x₁ = 1, x₂ = 1")
    values = dict(line.split(" = ") for line in lines[at + 1 : at + 7])
    expected = [1.905148253644866, *[0.09035331946182427] * 2, *[-0.08178314932188696] * 3]
    np.testing.assert_allclose([float(v) for v in values.values()], expected, rtol=1e-14)
    labels = ["y", "∂y/∂x₁", "∂y/∂x₂", "∂²y/∂x₁²", "∂²y/∂x₁∂x₂", "∂²y/∂x₂²"]
    assert [label.strip() for label in values] == labels
    for label in labels:  # each formula as well
        assert any(line.startswith(f"{label} ") for line in lines[:at])
    assert lines[-1].startswith("functions checked against analytic chain rule (368 points) and")
    assert float(lines[-1].split()[-1]) < 1e-14  # of double precision, not the largest of all


def test_derive_fits_a_terminal(run):
    """No formula of the built-in example is wider than 80 columns; the verdict is one line."""
    lines = run("derive")[1].splitlines()
    assert max(map(len, lines[:-1])) <= 80


@pytest.mark.parametrize("notation", ["expanded", "neuron", "layer"])
@pytest.mark.parametrize("format", ["text", "unicode", "latex", "mathml"])
def test_derive_in_every_notation_and_format(run, net, notation, format):
    """The formulas are the library's; a file is not evaluated where nobody asked for a point."""
    status, page, _ = run("derive", net, "--notation", notation, "--format", format, "--order", 1)
    assert status == 0
    d = symnet.derive(symnet.load(net), 1)
    formulas = d.latex(notation) if format == "latex" else d.text(notation, format)
    formulas = formulas.removeprefix("net: 2-3-1, tanh, linear").strip("\n")
    assert formulas in page
    assert "net: 2-3-1, tanh, linear" in page.splitlines()[0]
    assert "\nat " not in page


def test_derive_latex_is_latex(run):
    """What is no formula is a comment."""
    lines = run("derive", "--format", "latex", "--notation", "layer")[1].splitlines()
    outside = [line for line in lines if "checked against" in line or "built-in" in line]
    assert len(outside) == 2
    assert all(line.startswith("% ") for line in outside)
    assert any(line.startswith("%   ") and "∂y/∂x1" in line for line in lines)


def test_derive_as_mathml_is_html(run, tmp_path):
    """Well formed with what stands beside it, whatever the network is called."""
    hostile = symnet.Network(symnet.Network.example().layers, name="a < b & <script>")
    symnet.save(hostile, tmp_path / "net.json")
    page = run("derive", str(tmp_path / "net.json"), "--format", "mathml", "--at", "1,1")[1]
    tree = ElementTree.fromstring(f"<div>{page}</div>")
    first, *_, last = tree.findall("pre")
    assert first.text.startswith("a < b & <script>: 2-2-1")
    assert "∂y/∂x₁     =  0.0903533194618242" in last.text
    assert len(list(tree.iter("math"))) > 6


@pytest.mark.parametrize("at", [["--at", "-1,.5"], ["--at=-1,0.5"]])
def test_derive_at_a_point(run, net, at):
    """Negative coordinates are no options; values are those of the analytic engine."""
    page = run("derive", net, "--format", "text", "--order", 2, *at)[1]
    lines = page.splitlines()
    start = lines.index("at x1 = -1, x2 = 0.5") + 1
    found = [float(line.split(" = ")[1]) for line in lines[start : start + 6]]
    network, X = symnet.load(net), np.array([-1, 0.5])
    H = symnet.analytic.hessian(network, X)[0]
    J = symnet.analytic.jacobian(network, X)[0]
    expected = [*symnet.analytic.value(network, X), *J, H[0, 0], H[0, 1], H[1, 1]]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_derive_rounds_on_request(run, net):
    """Formulas and values."""
    page = run("derive", net, "--at", "1,1", "--digits", 3, "--order", 0)[1]
    network = symnet.load(net)
    assert f"{float(network.layers[1].bias[0]):.3g}".lstrip("-") in page
    assert f"y =  {symnet.analytic.value(network, np.ones(2))[0]:.3g}" in page.replace(
        "= -", "=  -"
    )


def test_derive_symbolic_weights(run, symbolic):
    """Formulas only, and it says why."""
    status, page, _ = run("derive", symbolic, "--format", "text")
    assert status == 0
    assert "sin(w11*x1 + x2)" in page
    assert page.splitlines()[-1] == "values and checks need numbers for the weights w11"


def test_derive_on_a_terminal_without_greek():
    """Plain text where the encoding has no ∂ or σ, and no traceback."""
    done = process("derive", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"2/(1 + exp(-x1 - x2 - 1))" in done.stdout
    assert b"0.0903533" in done.stdout


def planted(monkeypatch):
    """Let the analytic engine disagree with the compiled Jacobian by one part in a million."""
    derivatives, measured = symnet.analytic.derivatives, symnet.analytic.measured

    def moved(results):
        return tuple(result * (1 + 1e-6 * (r == 1)) for r, result in enumerate(results))

    def wrong(*given):
        results, sizes = measured(*given)
        return moved(results), sizes

    monkeypatch.setattr(symnet.analytic, "derivatives", lambda *given: moved(derivatives(*given)))
    monkeypatch.setattr(symnet.analytic, "measured", wrong)


@pytest.mark.parametrize("command", ["derive", "check"])
def test_failed_check_gives_status_1(run, net, monkeypatch, command):
    """And says what failed."""
    planted(monkeypatch)
    status, page, _ = run(command, net)
    assert status == 1
    assert "FAILED" in page
    assert "jacobian" in page


@pytest.mark.parametrize("command", ["evaluate", "generate"])
def test_unverified_functions_are_not_used(run, net, tmp_path, monkeypatch, command):
    """Nothing is written when the functions fail the check before they are handed out."""
    planted(monkeypatch)
    (tmp_path / "points.csv").write_text("x1,x2\n1,1\n")
    points = [tmp_path / "points.csv"] if command == "evaluate" else []
    status, _, complaint = run(command, net, *points, "-o", tmp_path / "out")
    assert status == 1
    assert complaint.startswith("symnet: error: a generated function failed its check")
    assert not (tmp_path / "out").exists()


# --- check, evaluate, generate, report ----------------------------------------------------------


def test_check_prints_the_report(run, net):
    """The library's report, with the order and the seed asked for."""
    status, page, _ = run("check", net, "--order", 3, "--seed", 5)
    network = symnet.load(net)
    report = symnet.check(network, symnet.derive(network, 3).compile(), seed=5)
    assert (status, page) == (0, f"{report}\n")


def test_check_says_where_it_jumps(run, tmp_path):
    """Beneath the comparisons: kinks, jumps and domain are no matter of the formulas alone."""
    own = symnet.activations.Activation("own", sympy.sign(symnet.activations.Z))
    symnet.save(symnet.Network([symnet.Layer([[1.0]], None, own)]), tmp_path / "net.json")
    status, page, _ = run("check", tmp_path / "net.json")
    assert status == 0
    assert "  own jumps at 0: its derivative there is taken as 0;" in page


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_check_of_each_backend(run, backend):
    """Every backend there is passes."""
    if backend == "c" and not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("no C compiler")
    assert run("check", "--backend", backend)[0] == 0


def test_a_missing_compiler_is_one_line(run, monkeypatch):
    """What was looked for, and what to do; the NumPy backend is not touched by it."""
    monkeypatch.setenv("CC", "no-such-compiler")
    status, page, complaints = run("check", "--backend", "c")
    assert (status, page) == (2, "")
    assert complaints.startswith("symnet: error: the C backend needs a C compiler: none found")
    assert complaints.count("\n") == 1
    assert run("check")[0] == 0


def test_evaluate_to_a_file(run, net, tmp_path):
    """Columns and values of the table; nothing on standard output."""
    (tmp_path / "points.csv").write_text("\ufeffx1,x2\r\n1,1\r\n-2,0.5\r\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    assert run("evaluate", net, tmp_path / "points.csv", "-o", out, "--order", 1) == (0, "", "")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(rows[0]) == ["y", "dy/dx1", "dy/dx2"]
    J = symnet.derive(symnet.load(net), 1).compile().jacobian([[1, 1], [-2, 0.5]])
    assert [[float(r["dy/dx1"]), float(r["dy/dx2"])] for r in rows] == J[:, 0].tolist()


def test_evaluate_the_example_from_a_pipe():
    """Standard input to standard output, without FILE."""
    done = process("evaluate", "-", "--order", "0", "--inputs", input=b"x1,x2\n1,1\n")
    assert done.returncode == 0
    header, row = done.stdout.decode().splitlines()
    assert header == "x1,x2,y"
    assert row.startswith("1.0,1.0,1.90514825364486")


@pytest.mark.parametrize("bad", ["x1,x2\n1,1\n2,\n", "x1,x2\n" + "1,1\n" * 20_000 + "2,oops\n"])
def test_evaluate_writes_nothing_when_a_row_is_bad(run, net, tmp_path, bad):
    """Even after thousands of good rows; what was there before stays, and no other file is left."""
    (tmp_path / "points.csv").write_text(bad)
    out = tmp_path / "out.csv"
    out.write_text("precious")
    before = sorted(tmp_path.iterdir())
    status, _, complaint = run("evaluate", net, tmp_path / "points.csv", "-o", out)
    line = bad.count("\n")
    assert status == 2
    assert f"points.csv: line {line}: x2" in complaint
    assert out.read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == before


def test_generate_python(run, net, tmp_path):
    """The module, to a file and to standard output alike."""
    out = tmp_path / "derivatives.py"
    assert run("generate", net, "-o", out) == (0, "", "")
    assert run("generate", net)[1] == out.read_text("utf-8")
    done = subprocess.run([sys.executable, out], capture_output=True, text=True)
    assert done.stdout.startswith("self-test ok")


def test_generate_c_for_many_points(run, net, tmp_path):
    """C text, with the functions named as asked."""
    out = tmp_path / "press.c"
    assert run("generate", net, "--language", "c-batch", "--order", 1, "-o", out) == (0, "", "")
    assert "int press_value_jacobian(ptrdiff_t points" in out.read_text("utf-8")
    assert "int press_value_jacobian(" in (tmp_path / "press.h").read_text("utf-8")


def test_generate_chosen_partials(run, net, tmp_path):
    """Commas between names; what is no partial is said in a line."""
    out = tmp_path / "press.c"
    chosen = ["generate", net, "--language", "c", "-o", out, "--only"]
    assert run(*chosen, "dy/dx1, d2y/dx1dx1") == (0, "", "")
    assert "void press_partials(const double x[2], double dy[1], double d2y[1])" in out.read_text()
    status, _, error = run(*chosen, "dy/dq")
    assert (status != 0, error.count("\n")) == (True, 1)
    assert "'dy/dq' is no partial derivative" in error


def test_generate_c(run, net, tmp_path):
    """A header and its source, named as asked, or after the network in a folder."""
    assert run("generate", net, "--language", "c", "-o", tmp_path / "press.c") == (0, "", "")
    assert "void press_value_jacobian_hessian(" in (tmp_path / "press.h").read_text("utf-8")
    assert run("generate", net, "--language", "c", "-o", f"{tmp_path}/made/") == (0, "", "")
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == ["net.c", "net.h"]


def test_files_that_belong_together_are_written_together(run, net, tmp_path):
    """Where one of them cannot be written, the others are not left without it."""
    (tmp_path / "press_test.f90").mkdir()
    status, _, error = run("generate", net, "-o", tmp_path / "press.f90")
    assert (status, error.count("\n"), "press_test.f90" in error) == (2, 1, True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.json", "press_test.f90"]


@pytest.mark.parametrize("ending", ["c", "hpp", "f90", "rs", "m", "jl"])
def test_a_file_whose_name_stands_in_it_is_called_as_asked(ending, run, net, tmp_path):
    """A function cannot be called my-net, and a header of another name would not be found."""
    status, _, error = run("generate", net, "-o", tmp_path / f"my-net.{ending}")
    assert (status, error.count("\n"), "my-net" in error) == (2, 1, True)
    assert not list(tmp_path.glob("*my*"))


def test_the_outputs_name_tells_the_language(run, net, tmp_path):
    """Python was written into press.c without a word."""
    for name, written in (("a.py", b'"""'), ("a.f90", b"! "), ("a.json", b"{"), ("bare", b'"""')):
        assert run("generate", net, "-o", tmp_path / name) == (0, "", "")
        assert (tmp_path / name).read_bytes().startswith(written)
    assert run("generate", net, "--language", "json", "-o", tmp_path / "loops.txt") == (0, "", "")
    for words, said in (
        (
            ["-o", "a.js"],
            "no language's files end as a.js: say which of python (.py), c (.c), c-batch (.c), ",
        ),
        (
            ["--language", "rust", "-o", "a.c"],
            "rust writes .rs, but the output is a.c: ask for c, or for another file\n",
        ),
    ):
        status, text, error = run("generate", net, *words)
        assert (status, text, error.count("\n")) == (2, "", 1)
        assert error.startswith(f"symnet: error: {said}")


def test_generate_two_files_need_a_place(run, net):
    """Standard output holds one text only."""
    status, text, error = run("generate", net, "--language", "c")
    assert (status != 0, text) == (True, "")
    assert "-o FOLDER/" in error


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (("c", "-o", "a/press"), ["press.c", "press.h"]),
        (("json", "-o", "press 2.1.json"), ["press 2.1.json"]),
        (("javascript", "-o", "a/press-2.mjs"), ["press-2.d.mts", "press-2.mjs"]),
        (("c", "-o", "press.cc"), "gives press.h and press.c"),
        (("c", "--name", "eos", "-o", "press.c"), "gives eos.h and eos.c"),
        (("c", "-o", "press-2.c"), "'press-2' is no plain name"),
        (("javascript", "-o", "press.js"), "gives press.mjs and press.d.mts"),
        (("json", "--name", "", "-o", "press.json"), "'' is no plain name"),
    ],
)
def test_generate_gives_the_file_that_is_asked(run, net, tmp_path, options, made):
    """Called anything where nothing in it bears the name; else it is said what there would be."""
    language, *others, place = options
    place = tmp_path / "made" / place
    place.parent.parent.mkdir(exist_ok=True)
    place.parent.mkdir(exist_ok=True)
    status, _, error = run("generate", net, "--language", language, *others, place)
    if isinstance(made, list):
        assert (status, error) == (0, "")
        assert sorted(file.name for file in place.parent.iterdir()) == made
    else:
        assert (status, error.count("\n")) == (2, 1)
        assert made in error
        assert not list(place.parent.iterdir())


@pytest.mark.parametrize("language", ["c", "c-batch"])
def test_generate_a_library(run, net, tmp_path, language):
    """Several networks: a source for each, one header for all, which link and run together."""
    other = tmp_path / "other.json"
    symnet.save(symnet.Network.dense([3, 2, 2], seed=1), other)
    made = tmp_path / "lib"
    assert run("generate", net, other, "--language", language, "-o", f"{made}/") == (0, "", "")
    sources = ["lib.c"] * (language == "c") + ["net.c", "other.c"]
    headers = ["lib.h"] + ["lib_functions.h"] * (language == "c")
    assert sorted(path.name for path in made.iterdir()) == sorted([*sources, *headers])
    call = "net_value(x, y) , other_value(z, y)"
    if language == "c-batch":
        call = "net_value(1, x, y, 1) + other_value(1, z, y, 1)"
    main = '#include "lib.h"\nint main(void)\n{\n    double x[2] = {0}, z[3] = {0}, y[2];\n'
    main += f"    {call};\n    return {'lib_self_test()' if language == 'c' else '0'};\n}}\n"
    (made / "main.c").write_text(main, encoding="utf-8")
    if shutil.which("cc") is not None:
        command = ["cc", "main.c", *sources, "-o", "main", "-lm"]
        subprocess.run(command, cwd=made, check=True)
        subprocess.run(["./main"], cwd=made, check=True)
        if language == "c":
            command = ["cc", "-DLIB_TEST", *sources, "-o", "tests", "-lm"]
            subprocess.run(command, cwd=made, check=True)
            done = subprocess.run(["./tests"], cwd=made, capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (0, "self-test ok: net, other\n")
    status, _, error = run("generate", net, net, "--language", language, "-o", f"{made}/")
    assert status != 0
    assert "names must differ" in error


def test_a_library_in_other_languages(run, net, tmp_path):
    """C++ and Rust have a file that gathers the networks; functions of two are never the same."""
    named = tmp_path / "net_value.json"
    symnet.save(symnet.Network.dense([2, 2, 1], seed=1), named)
    for language, expected in {
        "cpp": ["lib.hpp", "lib_functions.hpp", "net.hpp", "net_value.hpp"],
        "rust": ["functions.rs", "mod.rs", "net.rs", "net_value.rs"],
        "javascript": ["net.d.mts", "net.mjs", "net_value.d.mts", "net_value.mjs"],
        "python": ["net.py", "net_value.py"],
    }.items():
        made = tmp_path / language / "lib"
        words = ("generate", net, named, "--language", language, "-o", f"{made}/")
        assert run(*words) == (0, "", "")
        assert sorted(path.name for path in made.iterdir()) == expected
    status, _, error = run("generate", net, named, "--language", "c", "-o", f"{tmp_path}/c/")
    assert status != 0
    assert "net_value_jacobian: their names must differ" in error
    status, _, error = run("generate", net, named, "--language", "c", "-o", tmp_path / "lib.c")
    assert "several networks make one library: give -o FOLDER/" in error


def test_report_html(run, net, tmp_path):
    """Well-formed, complete in itself, with formulas and check."""
    out = tmp_path / "report.html"
    assert run("report", net, "--order", 1, "-o", out) == (0, "", "")
    text = out.read_text("utf-8")
    assert "<h1>net</h1>" in text
    assert "∂y/∂xᵢ" in text
    assert "<mfrac>" in text


def test_report_markdown_and_tex(run, net, tmp_path):
    """The same sections in each form."""
    for name in ("report.md", "report.tex"):
        assert run("report", net, "--order", 1, "-o", tmp_path / name) == (0, "", "")
        text = (tmp_path / name).read_text("utf-8")
        for title in ("Network", "Derivatives, layer by layer", "Check", "Cost"):
            assert title in text
    assert text.startswith("\\documentclass")


def test_report_is_typeset(run, tmp_path):
    """By a real LaTeX, without a line that runs into the margin."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    network = symnet.Network.dense([2, 2, 1], seed=0, inputs=("bmi", "blood_pressure"), name="a_b")
    symnet.save(network, tmp_path / "net.json")
    assert run("report", tmp_path / "net.json", "-o", tmp_path / "report.tex")[0] == 0
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_report_of_symbolic_weights(run, symbolic, tmp_path):
    """Formulas without a check, which it says."""
    out = tmp_path / "report.md"
    assert run("report", symbolic, "-o", out)[0] == 0
    assert "1 weights are symbols" in out.read_text("utf-8")


# --- fit ----------------------------------------------------------------------------------------


def test_fit_writes_a_network_other_commands_read(run, tmp_path):
    """Values in some rows, slopes in others: y = x², learned in its own units."""
    pytest.importorskip("scipy")
    x = np.linspace(-1, 1, 40)
    rows = [f"{v},{v * v},\n" if i % 2 else f"{v},,{2 * v}\n" for i, v in enumerate(x)]
    (tmp_path / "data.csv").write_text("x,y,dy/dx\n" + "".join(rows))
    out = tmp_path / "net.json"
    options = ["--hidden", "6", "--method", "least-squares", "--restarts", 2, "--seed", 1]
    status, page, complaints = run("fit", tmp_path / "data.csv", "-o", out, *options)
    assert (status, re.sub(r"symnet: training: at most about \d+ \w+\n", "", complaints)) == (0, "")
    assert page.startswith("40 rows in x: 20 of y, 20 of dy/dx\n")
    assert page.endswith(f"wrote {out}\n")
    network = symnet.load(out)
    np.testing.assert_allclose(symnet.analytic.value(network, [[0.5]]), 0.25, atol=0.02)
    assert run("check", out)[0] == 0


def test_fit_trains_a_given_network_on(run, tmp_path):
    """A graph from a file, in whose shape the result is; its layers are its own."""
    pytest.importorskip("scipy")
    x = symnet.variables("x")
    h = symnet.Layer([[0.5], [-1.0], [0.25]], [0.1, 0.2, -0.3], "tanh")(x)
    net = symnet.Network.of(symnet.Layer([[1.0, 0.5, -0.5, 0.1]], [0.0])(symnet.concat(h, x)))
    symnet.save(net, tmp_path / "start.json")
    (tmp_path / "data.csv").write_text(
        "x,y,dy/dx\n" + "".join(f"{v},{v * v},{2 * v}\n" for v in range(9))
    )
    given = ["fit", tmp_path / "data.csv", "--network", tmp_path / "start.json"]
    given += ["-o", tmp_path / "net.json", "--method", "least-squares"]
    assert run(*given)[0] == 0
    found = symnet.load(tmp_path / "net.json")
    assert found.describe() == net.describe()
    assert found != net
    status, _, complaint = run(*given, "--hidden", "6")
    assert (status, "leave out --hidden" in complaint) == (2, True)
    # What are outputs is known of the network where no partial tells.
    (tmp_path / "data.csv").write_text("x,y\n" + "".join(f"{v},{v * v}\n" for v in range(9)))
    assert run(*given)[0] == 0


def test_ctrl_c_in_fit_writes_the_best_network_and_ends_the_script_around_it(
    run, tmp_path, monkeypatch
):
    """Status 130, as after Ctrl-C elsewhere."""
    pytest.importorskip("scipy")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("symnet.cli.fit._shown", stop)
    (tmp_path / "data.csv").write_text("x1,y\n" + "".join(f"{v},{v * v}\n" for v in range(9)))
    given = ["--outputs", "y", "--hidden", 3, "--method", "least-squares"]
    status, page, said = run("fit", tmp_path / "data.csv", "-o", tmp_path / "net.json", *given)
    assert (status, "interrupted" in page) == (130, True), said
    assert symnet.load(tmp_path / "net.json").input_names == ("x1",)


@pytest.mark.parametrize(
    ("command", "ending"),
    [("fit", "json"), ("report", "html"), ("plot", "png"), ("import", "json"), ("evaluate", "csv")],
)
def test_the_folder_is_looked_for_before_the_work(run, tmp_path, command, ending):
    """Even before the files to be read: no training or page whose result has no place."""
    status, _, complaint = run(command, "no.csv", "-o", tmp_path / "no" / f"out.{ending}")
    assert status == 2
    assert f"out.{ending}: there is no such folder" in complaint


# --- mistakes and help --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["derive", "missing.json"], "missing.json: cannot be read: No such file or directory"),
        (["derive", "--at", "1"], "--at has 1 number(s), but the inputs are x1, x2"),
        (["derive", "--at", "1,b"], "argument --at: '1,b' is no point"),
        (["derive", "--order", "two"], "argument --order: 'two' is no whole number"),
        (["derive", "--order", "-1"], "argument --order"),
        (["derive", "--digits", "0"], "digits is 0"),
        (["derive", "--notation", "prose"], "invalid choice: 'prose'"),
        (["evaluate", "missing.csv"], "missing.csv: cannot be read: No such file or directory"),
        (["evaluate"], "the following arguments are required: POINTS"),
        (["generate", "-o", "no/such/folder/x.py"], "no/such/folder/x.py"),
        (["report", "-o", "report.doc"], "report.doc: a report ends in one of .html, .md, .tex"),
        (["report"], "required: -o/--output"),
        (["fit", "missing.csv", "-o", "x.json"], "missing.csv: cannot be read"),
        (["transmogrify"], "unknown command 'transmogrify'"),
        ([], "required: COMMAND"),
    ],
)
def test_mistakes_take_one_line(run, tmp_path, monkeypatch, arguments, message):
    """Status 2, one line on standard error, nothing on standard output."""
    monkeypatch.chdir(tmp_path)
    status, page, complaint = run(*arguments)
    assert (status, page) == (2, "")
    assert complaint.startswith("symnet: error: ")
    assert message in complaint
    assert complaint.count("\n") == 1
    assert complaint.endswith("\n")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[" * 10_000, '{"symnet": 2}', '{"symnet": 1, "symnet": 1}', "\x00", "no json"],
)
@pytest.mark.parametrize("command", ["derive", "check", "generate"])
def test_files_that_are_no_networks(run, tmp_path, command, content):
    """One line that begins with the file's name."""
    path = tmp_path / "net.json"
    path.write_text(content)
    status, page, complaint = run(command, path)
    assert (status, page) == (2, "")
    assert complaint.startswith(f"symnet: error: {path}: ")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "generate"])
def test_symbolic_weights_where_numbers_are_needed(run, symbolic, command):
    """Named, one line."""
    status, page, complaint = run(command, symbolic)
    assert (status, page) == (2, "")
    assert "weights are symbolic (w11)" in complaint


def test_point_for_symbolic_weights(run, symbolic):
    """There is no value to show."""
    status, _, complaint = run("derive", symbolic, "--at", "1,2")
    assert status == 2
    assert "w11 have no values" in complaint


def test_interruption_is_one_line(run, net, monkeypatch):
    """Ctrl-C: status 130, and no traceback."""

    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "load", interrupted)
    assert run("derive", net) == (130, "", "symnet: interrupted\n")


def test_a_reader_that_leaves_is_no_error(tmp_path):
    """`symnet evaluate points.csv | head -0`."""
    path = tmp_path / "points.csv"
    path.write_text("x1,x2\n" + "1,1\n" * 20_000)
    with subprocess.Popen(
        [sys.executable, "-m", "symnet", "evaluate", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0


@pytest.mark.parametrize(
    "command",
    ["derive", "check", "evaluate", "generate", "fit", "report", "plot", "sensitivity"],
)
def test_help_shows_an_example(run, command):
    """Of the command itself."""
    status, page, _ = run(command, "--help")
    assert status == 0
    assert f"example:\n  symnet {command} " in page


def test_overview_and_version(run):
    """All commands are listed; the version is the package's."""
    page = run("--help")[1]
    for command in (
        "derive",
        "check",
        "evaluate",
        "generate",
        "fit",
        "report",
        "plot",
        "sensitivity",
    ):
        assert f"\n    {command}" in page
    status, page, complaint = run("--version")
    assert (status, complaint) == (0, "")
    assert page.startswith(f"symnet {symnet.__version__}\nPython {platform.python_version()}")
    assert f"\nNumPy {np.__version__}\nSymPy {sympy.__version__}\nC compiler: " in page


def test_names_with_commas(run, tmp_path):
    """In quotes, as in a table's header: in lists of names, of ranges and of partials."""
    layer = symnet.Layer([[1.0, 2.0]], None, "tanh")
    symnet.save(symnet.Network([layer], inputs=["p, gauge", "T"]), tmp_path / "net.json")
    chosen = 'dy/dT, "dy/dp, gauge"'
    target = tmp_path / "net.c"
    status, _, complaints = run(
        "generate", tmp_path / "net.json", "--language", "c", "--only", chosen, "-o", target
    )
    assert (status, complaints) == (0, "")
    assert values.names('"p, gauge", T [K]') == ["p, gauge", "T [K]"]
    assert values.ranges('"p, gauge"=1:2,T=3:4') == {"p, gauge": (1, 2), "T": (3, 4)}


def test_a_program_that_runs_a_command_keeps_what_python_collects():
    """Only a process of the command's own is told that nothing of what it imports will go."""
    code = "import gc, symnet.cli; symnet.cli.main(['derive', '--order', '0']);"
    code += " print(gc.get_freeze_count(), gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 True"
