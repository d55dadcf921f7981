"""The command line as a program: what it starts, says, colours, reads and completes."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import effort
import symnet
from symnet import catalogue, cli, compiling, formulas, reporting
from symnet.cli import terminal
from symnet.cli.commands import COMMANDS, parser
from symnet.cli.parsing import EXITS
from symnet.fitting import methods
from symnet.plotting import distributions, picture, plots

EXTRAS = {
    "plot": "matplotlib",
    "sensitivity": "matplotlib",
    "fit": "pymoo",
    "import": "onnx",
    "completion": "shtab",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the files that the examples name, and `symnet` to be found."""
    place = tmp_path_factory.mktemp("commands")
    net = symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0)
    symnet.save(net, place / "net.json")
    X = np.random.default_rng(0).uniform(-1, 1, (12, 2))
    for name in ("points.csv", "data.csv", "table.csv"):
        rows = "\n".join(f"{a!r},{b!r}" for a, b in X.tolist())
        (place / name).write_text(f"x1,x2\n{rows}\n")
    rows = "\n".join(f"{a!r},{b!r},{a + b * b!r},1.0" for a, b in X.tolist())
    (place / "water.csv").write_text(f"rho,T,p,dp/drho\n{rows}\n")
    tool = place / "bin" / "symnet"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m symnet "$@"\n')
    tool.chmod(0o755)
    (tool.parent / "python").symlink_to(sys.executable)
    return place


def environment(place=None, **more):
    """With this package, and with the fixture's `symnet` before all others."""
    path = f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}" if place else os.environ["PATH"]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PATH": path, **more}


def process(*arguments, text="", cwd=None, **more):
    """A process of the command line with this standard input."""
    return subprocess.run(
        [sys.executable, "-m", "symnet", *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(**more),
        cwd=cwd,
    )


def binary(*arguments):
    """The same, whose output is bytes."""
    return subprocess.run(
        [sys.executable, "-m", "symnet", *map(str, arguments)],
        capture_output=True,
        env=environment(),
        check=False,
    )


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self):
        return True


def on_a_terminal(*arguments, **more):
    """What the command line writes to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "symnet", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment(**more),
    ):
        os.close(theirs)
        found = b""
        with open(ours, "rb", buffering=0) as terminal:
            try:
                while part := terminal.read(4096):
                    found += part
            except OSError:  # Linux says so of a terminal that nobody writes to any more
                pass
    return found.decode()


def help_of(command, capsys):
    """The help page of a command, or of all."""
    assert cli.main([command, "--help"] if command else ["--help"]) == 0
    return capsys.readouterr().out


# --- help ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_in_the_help_runs(command, place, tmp_path, capsys, monkeypatch):
    """As it stands there, with files of those names; in a shell where it is more than words."""
    if command in EXTRAS:
        pytest.importorskip(EXTRAS[command])
    page = help_of(command, capsys)
    lines = re.findall(r"^  (symnet .*)$", page.partition("example:\n")[2], re.MULTILINE)
    assert lines
    assert lines[0].startswith(f"symnet {command} ")
    monkeypatch.chdir(shutil.copytree(place, tmp_path / "place", symlinks=True))
    for line in lines:
        if "model.onnx" in line:
            make = "generate net.json --language onnx --order 0 -o model.onnx"
            if cli.main(make.split()):
                pytest.skip(capsys.readouterr().err)
        if "--language c" in line and shutil.which("cc") is None:
            pytest.skip("no C compiler")
        capsys.readouterr()
        if set(line) & set("&|>"):
            run = subprocess.run(
                line, shell=True, env=environment(place), capture_output=True, text=True
            )
            status, told = run.returncode, run.stderr
        else:
            status, told = cli.main(shlex.split(line)[1:]), capsys.readouterr().err
        said = re.sub(r"symnet: .*: (at most )?about \d+ \w+\n", "", told)
        assert (status, said) == (0, ""), line


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_exit_statuses_are_in_the_help(command, capsys):
    """On every page."""
    assert EXITS in help_of(command, capsys)


def test_every_command_is_in_the_table():
    """The table of commands is the folder's modules, and all of them are in the parser of all."""
    folder = Path(cli.__file__).parent
    others = {
        *("__init__", "agreement", "arguments", "commands", "exchange", "forecasts", "parsing"),
        *("encoding", "libraries", "terminal", "values"),
    }
    named = {command.module for command in COMMANDS.values()}
    assert {p.stem for p in folder.glob("*.py")} - others == named
    (action,) = [a for a in parser()._actions if a.choices]
    assert [*action.choices] == [*COMMANDS]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deriv"], "unknown command 'deriv'; did you mean derive?"),
        (["zzz"], "unknown command 'zzz' (see symnet --help)"),
        (["derive", "--notaton", "layer"], "'--notaton'; did you mean --notation?"),
        (["plot", "--knid", "maps"], "'--knid'; did you mean --kind?"),
        (["report", "--otput=r.html"], "'--otput=r.html'; did you mean --output?"),
        (["plot", "--ki", "maps"], "the following arguments are required: -o/--output"),
        (["check", "--sed=3"], "'--sed=3'; did you mean --seed?"),
        (["derive", "--notation", "laier"], "'laier'; did you mean layer? (choose from expanded"),
        (["derive", "net.json", "more"], "unrecognized argument 'more' (see symnet derive"),
    ],
)
def test_what_was_meant(arguments, said, capsys):
    """The nearest command, option or choice, where one is near."""
    assert cli.main(arguments) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


# --- starting -----------------------------------------------------------------------------------


def loaded_by(*arguments, cwd=None):
    """The modules that there are after a command."""
    code = "import sys; from symnet import cli\ncli.main(sys.argv[1:])\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
        cwd=cwd,
    )
    return set(run.stdout.splitlines()[-1].split())


def test_derive_starts_without_what_others_need():
    """What takes long to import is imported by the command that uses it."""
    loaded = loaded_by("derive")
    heavy = ("fitting", "plotting", "sensitivities", "languages", "importers", "reporting")
    assert not {f"symnet.{room}" for room in heavy} & loaded
    assert not {"matplotlib", "scipy", "rich", "shtab", "symnet.backends.c.kernel"} & loaded
    assert "symnet.derivation" in loaded


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["--version"], ["--help"], ["derve"], ["--versoin"], ["completion", "bash"]),
        *([name, "--help"] for name in COMMANDS),
        ["derive", "--notaton", "layer"],
        ["derive", "missing.json"],
        ["check", "--backend", "d"],
        ["evaluate", "net.json", "missing.csv"],
        ["evaluate", "-", "-"],
        ["generate", "-o", "net.doc"],
        ["generate", "net.json", "net.json", "-o", "net.py"],
        ["fit", "data.csv", "-o", "net.onnx"],
        ["fit", "data.csv", "-o", "n.json", "--network", "net.json", "--hidden", "3"],
        ["import", "model.onnx", "-o", "net.json"],
        ["plot", "net.json", "-o", "net.gif"],
        ["plot", "-o", "net.png", "--kind", "measured"],
        ["report", "-o", "nowhere/page.html"],
        ["sensitivity", "data.csv", "--kind", "bars"],
        ["sensitivity", "net.json", "net.json", "data.csv", "--dependence", "x1"],
    ],
    ids=" ".join,
)
def test_what_needs_no_formula_waits_for_no_import(arguments, place):
    """NumPy and SymPy take half a second, in which help and mistakes had no answer."""
    assert not {"numpy", "sympy"} & loaded_by(*arguments, cwd=place)


@pytest.mark.parametrize(
    ("library", "arguments", "extra"),
    [
        ("pymoo", ["fit", "faulty.csv", "-o", "n.json"], "fit"),
        ("scipy", ["fit", "faulty.csv", "-o", "n.json", "--method", "lbfgs"], "fit"),
        ("matplotlib", ["plot", "faulty.json", "-o", "n.png"], "plot"),
        ("matplotlib", ["sensitivity", "faulty.json", "faulty.csv", "-o", "n.svg"], "plot"),
        ("onnx", ["generate", "faulty.json", "-o", "n.onnx"], "onnx"),
        ("openpyxl", ["generate", "faulty.json", "-o", "n.xlsx"], "xlsx"),
    ],
)
def test_a_missing_library_is_said_before_what_is_wrong_in_files(
    library, arguments, extra, run, monkeypatch, tmp_path
):
    """Who mends the files should not learn after it that they lack the extra."""
    if library == "pymoo":
        pytest.importorskip("scipy")  # which is said first
    monkeypatch.chdir(tmp_path)
    for name in ("faulty.csv", "faulty.json"):
        Path(name).write_text("no,table\n")
    monkeypatch.setitem(sys.modules, library, None)
    said = f"symnet: error: {library} is not installed; pip install 'symnet[{extra}]' brings it\n"
    assert run(*arguments) == (2, "", said)


@pytest.mark.parametrize(
    ("library", "arguments"),
    [
        ("pymoo", ["fit", "faulty.csv", "-o", "n.json", "--method", "lbfgs"]),
        ("matplotlib", ["sensitivity", "faulty.json", "faulty.csv"]),
        ("onnx", ["generate", "faulty.json", "-o", "n.py"]),
    ],
)
def test_a_library_that_is_not_used_may_be_missing(library, arguments, run, monkeypatch, tmp_path):
    """The files are read, and their faults said."""
    if library == "pymoo":
        pytest.importorskip("scipy")
    monkeypatch.chdir(tmp_path)
    for name in ("faulty.csv", "faulty.json"):
        Path(name).write_text("no,table\n")
    monkeypatch.setitem(sys.modules, library, None)
    status, _, complaint = run(*arguments)
    assert status == 2
    assert "faulty." in complaint


def test_what_may_be_chosen_is_what_there_is():
    """The light tables name what the rooms do, and nothing else."""
    assert {*catalogue.BACKENDS} == {*compiling.BACKENDS}
    assert {*catalogue.FORMULAS} == {*formulas._PRINTERS} == {*formulas._SIGNS}
    assert {*catalogue.PICTURES} == {*plots.FRAMED, "network", "measured"}
    assert {*catalogue.SENSITIVITY_PICTURES} == {*distributions.PANELS}
    assert {*catalogue.DRAWN} == {*picture._CANVASES}
    assert {*catalogue.PAGES} == {*reporting.FORMATS, "pdf"}
    assert {stage for stages in catalogue.METHODS.values() for stage in stages} == {*methods._RUN}


def test_derive_makes_no_activation_that_it_does_not_use():
    """Formulas cost SymPy milliseconds each: the example needs two of all, and NumPy's masks not.

    What is left beside this is Python's, NumPy's and SymPy's own start.
    """
    code = """
import sys
from symnet import cli
from symnet.activations import ELEMENTWISE, TABLE
status = cli.main(["derive"])
print(status, sorted(TABLE.made), sorted(ELEMENTWISE.made), "numpy.ma" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert run.stdout.splitlines()[-1] == "0 ['linear', 'sigmoid'] [] False"


def test_names_of_the_package_are_there_when_asked_for():
    """Each of them, and no others."""
    for name in symnet.__all__:
        assert getattr(symnet, name) is not None
    assert set(symnet.__all__) <= set(dir(symnet))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = symnet.nothing


# --- standard input and output ------------------------------------------------------------------


def test_networks_and_data_from_standard_input(place, run, monkeypatch):
    """`-` is the network for those that take one, the data for fit."""
    net = (place / "net.json").read_text()
    _, named, _ = run("derive", place / "net.json", "--notation", "layer")
    page = process("derive", "-", "--notation", "layer", text=net).stdout
    assert page == named.removeprefix("net: ")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{")))
    status, _, said = run("derive", "-")
    assert status == 2
    assert said.startswith("symnet: error: standard input: is no JSON")


def test_what_is_drawn_goes_to_standard_output(place):
    """A page as HTML, a picture as PNG; a network file through `import`, renamed."""
    pytest.importorskip("matplotlib")
    done = binary("plot", place / "net.json", "-o", "-")
    assert done.returncode == 0
    assert done.stdout.startswith(b"\x89PNG")
    assert b"note: ranges are guessed" in done.stderr
    page = binary("report", place / "net.json", "-o", "-").stdout.decode()
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    net = (place / "net.json").read_text()
    renamed = process("import", "-", "-o", "-", "--inputs", "a,b", text=net)
    assert json.loads(renamed.stdout)["inputs"] == ["a", "b"]
    assert "standard input (symnet)" in renamed.stderr


@pytest.mark.parametrize("command", ["plot", "report", "evaluate"])
def test_standard_input_is_read_once(command, capsys):
    """Not for the network and for its data."""
    data = ["-"] if command == "evaluate" else ["-o", "-", "--data", "-"]
    assert cli.main([command, "-", *data]) == 2
    assert "standard input can be read once" in capsys.readouterr().err


def test_a_pipe_of_commands(place):
    """fit writes the network to standard output, and what it says to standard error."""
    pytest.importorskip("pymoo")
    data = (place / "water.csv").read_text()
    fitted = process("fit", "-", "--hidden", "2", "--restarts", "1", "-o", "-", text=data)
    assert fitted.returncode == 0
    assert "12 rows in rho, T" in fitted.stderr
    assert process("check", "-", text=fitted.stdout).returncode == 0
    quiet = process("fit", "-", "--hidden", "2", "--restarts", "1", "-o", "-", "-q", text=data)
    assert (quiet.stdout, quiet.stderr) == (fitted.stdout, "")


@pytest.mark.parametrize("command", ["derive", "--help"])
def test_a_reader_that_leaves_hears_nothing(command):
    """A broken pipe is no error."""
    with subprocess.Popen(
        f'"{sys.executable}" -m symnet {command} | true',
        shell=True,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as child:
        assert child.stderr.read() == b""


# --- colours and progress -----------------------------------------------------------------------


def test_errors_are_coloured_on_a_terminal_only():
    """Red there, plain where NO_COLOR is set and in a pipe."""
    assert on_a_terminal("deriv", TERM="xterm", NO_COLOR="").startswith("\x1b[1;31msymnet: error:")
    assert process("deriv", TERM="xterm", NO_COLOR="").stderr.startswith("symnet: error:")


@pytest.mark.parametrize("said", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_may_be_declined(monkeypatch, said):
    """As https://no-color.org has it, and where the terminal has none."""
    for name, value in ({"NO_COLOR": "", "TERM": "xterm"} | said).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Terminal())
    terminal.complain("no")
    assert sys.stderr.getvalue() == "symnet: error: no\n"


@pytest.mark.parametrize("drawn", ["rich", "plain"])
def test_progress_says_what_is_left(monkeypatch, drawn):
    """After the time to wait, with or without rich; nothing before, and nothing when quiet."""
    if drawn == "rich":
        pytest.importorskip("rich")
    else:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr(terminal, "_PATIENCE", 0.05)
    monkeypatch.setattr(terminal, "_EVERY", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    shown = {}
    for quiet in (False, True):
        monkeypatch.setattr(sys, "stderr", Terminal())
        with terminal.working(f"counting {'very ' * 20}much", quiet) as progress:
            progress.show(0.5, "12 [of] 24", 7.0)
            for _ in range(10 if quiet else 1000):  # the first drawing waits for an import
                if "7 s to go" in sys.stderr.getvalue():
                    break
                time.sleep(0.01)
        shown[quiet] = sys.stderr.getvalue()
    assert shown[True] == ""
    assert "counting" in shown[False]
    assert "50 %  12 [of] 24" in shown[False]
    assert "7 s to go" in shown[False]
    monkeypatch.setattr(sys, "stderr", Terminal())
    with terminal.working("counting"):
        pass
    assert sys.stderr.getvalue() == ""


@pytest.mark.parametrize("columns", [20, 30, 40, 79])
def test_the_remaining_time_is_seen_on_narrow_terminals(columns):
    """What is done gives way to it."""
    progress = terminal.Progress("the page of 4-3, graph of 3 nodes: tanh 6, linear 3, softmax 3")
    progress.show(0.5, left=7.0)
    line = progress.line(columns)
    assert len(line) <= columns
    assert line.endswith("0 s, 7 s to go"[-columns:])
    assert columns < 40 or line.startswith("the page of 4")


def test_remaining_time_is_from_the_share():
    """A quarter done: three times what has passed."""
    progress = terminal.Progress("x")
    assert progress.remaining is None
    progress.show(0.25)
    assert progress.remaining == pytest.approx(3 * progress.elapsed, rel=0.2, abs=1e-3)


def test_an_option_behind_the_end_of_options_is_not_said_to_be_meant(run):
    """It was written as it is."""
    status, _, complaint = run("derive", "--", "-dash.json", "--order", "1")
    assert status == 2
    assert complaint.endswith("unrecognized argument '--order' (see symnet derive --help)\n")


# --- standard output -----------------------------------------------------------------------------

ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


@pytest.fixture
def greek(tmp_path):
    """A folder with a network and a table whose names are no ASCII."""
    net = symnet.Network.dense([2, 2, 1], seed=0, inputs=["ρ", "Wärme 漢"], name="Zustand é")
    symnet.save(net.with_units({"ρ": "kg/m3"}), tmp_path / "net.json")
    (tmp_path / "data.csv").write_text("ρ,Wärme 漢\n1,2\n3,4\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["evaluate", "net.json", "data.csv"], "out.csv"),
        (["generate", "net.json"], "out.py"),
        (["import", "net.json"], "out.json"),
        (["sensitivity", "net.json", "data.csv", "--dependence", "ρ"], "out.csv"),
    ],
)
def test_a_file_is_the_same_on_standard_output(arguments, file, greek):
    """In UTF-8, whatever the screen shows: signs were lost from heads of columns."""
    assert process(*arguments, "-o", file, cwd=greek, **ASCII).returncode == 0
    done = process(*arguments, "-o", "-", cwd=greek, **ASCII)
    assert done.stdout == (greek / file).read_text("utf-8")


def test_pages_on_standard_output_are_utf8(greek):
    """As they say of themselves."""
    page = process("report", "net.json", "-o", "-", "-q", cwd=greek, **ASCII).stdout
    assert '<meta charset="utf-8"/>' in page
    assert "<h1>Zustand é</h1>" in page
    formulas = process("derive", "net.json", "--format", "mathml", cwd=greek, **ASCII).stdout
    assert "Zustand é" in formulas


def test_what_a_screen_lacks_is_spelled(greek):
    """A power is none of a name's digits; what has no spelling is a question mark."""
    table = process("sensitivity", "net.json", "data.csv", cwd=greek, **ASCII).stdout
    rows = [line.split("  ")[1] for line in table.splitlines()[2:]]
    assert table.startswith("Zustand e: ")
    assert rows == [
        *("dy/drho", "dy/dWarme ?"),
        *("d^2y/drho^2", "d^2y/drhodWarme ?", "d^2y/dWarme ?^2"),
    ]


@pytest.mark.parametrize("arguments", [["--version"], ["derive", "--help"], ["derive"], ["check"]])
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_is_said_once(arguments, redirection, tmp_path):
    """Whether a line or a page: Python complained again when it ended, or broke down."""
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("no device that is always full")
    environ = environment()
    environ.pop("PYTHONUNBUFFERED", None)
    command = f'"{sys.executable}" -m symnet {" ".join(arguments)} {redirection}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"symnet: error: [A-Z].*\n", done.stderr)


def test_streams_that_are_closed_are_not_taken_for_files(tmp_path):
    """A daemon has none; what it writes is in its file alone."""
    (tmp_path / "points.csv").write_text("x1,x2\n1,2\n")
    command = f'"{sys.executable}" -m symnet evaluate points.csv -o out.csv <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", command], env=environment(), cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "out.csv").read_text().count("\n") == 2


# --- completion ---------------------------------------------------------------------------------


def test_bash_completes_commands_and_options(tmp_path):
    """In a bash that has read the script."""
    pytest.importorskip("shtab")
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    script = tmp_path / "symnet.bash"
    assert process("completion", "bash", "-o", script).returncode == 0
    asked = (
        f'. "{script}"; COMP_WORDS=(symnet der); COMP_CWORD=1; _shtab_symnet; '
        'echo "${COMPREPLY[@]}"; '
        'COMP_WORDS=(symnet derive --not); COMP_CWORD=2; _shtab_symnet; echo "${COMPREPLY[@]}"'
    )
    found = subprocess.run(["bash", "-c", asked], capture_output=True, text=True)
    assert found.stdout.split() == ["derive", "--notation"]


def test_hopeless_work_is_refused_at_once(tmp_path):
    """2-32-32-1 with tanh, expanded: in a second, not after four minutes."""
    symnet.save(symnet.Network.dense([2, 32, 32, 1], hidden="tanh"), tmp_path / "net.json")
    arguments = ["derive", str(tmp_path / "net.json"), "--notation", "expanded", "--order", "1"]
    with effort.within(1):
        assert cli.main(arguments) == 2
