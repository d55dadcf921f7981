"""The README runs: every command and code block, and what they print is what it shows.

Numbers may differ in their last digits from machine to machine, everything else may not.
`python tests/test_readme.py` writes what they print now into the README.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import symnet
from symnet.activations import TABLE
from symnet.catalogue import READERS
from symnet.cli import main
from symnet.witness import analytic

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")


@dataclass(frozen=True)
class Run:
    """A command or a piece of Python, where its output stands in the README, and that output."""

    language: str
    text: str
    start: int
    end: int
    shown: str


def runs(readme: str) -> list[Run]:
    """Everything in the README that can be run, in its order."""
    found: list[Run] = []
    blocks = list(BLOCK.finditer(readme))
    for i, block in enumerate(blocks):
        language, text, start = block[1], block[2], block.start(2)
        if language == "console":
            for command in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                place = start + command.start(2), start + command.end(2)
                found.append(Run("console", command[1], *place, command[2]))
        elif language == "python":
            after = blocks[i + 1] if i + 1 < len(blocks) and blocks[i + 1][1] == "text" else None
            place = (after.start(2), after.end(2)) if after else (block.end(), block.end())
            found.append(Run("python", text, *place, after[2] if after else ""))
    return found


def lacks(run: Run) -> bool:
    """Whether it imports a framework that is not installed: the tests' extra brings none."""
    if run.language != "python":
        return False
    modules = re.findall(r"^import (\w+)", run.text, re.MULTILINE)
    return any(importlib.util.find_spec(module) is None for module in modules)


def output(run: Run, names: dict[str, object]) -> str:
    """What a run prints, in the current folder."""
    if run.language == "python":
        return printed(lambda: exec(compile(run.text, "README.md", "exec"), names))
    program, *arguments = shlex.split(run.text.rpartition("&&")[2])
    if Path(program).name == "symnet":
        return printed(lambda: main(arguments))
    assert program == "python", run.text
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def printed(call) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    with contextlib.redirect_stdout(stream):
        status = call()
    assert not status
    stream.seek(0)
    return stream.read()


def is_for_pytest(run: Run) -> bool:
    """The command that runs these tests; they don't run themselves."""
    return run.text.endswith("pytest")


@contextlib.contextmanager
def like_a_user(folder: Path) -> Iterator[None]:
    """In a folder with a copy of the examples, so that nothing is written to the checkout."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    with contextlib.chdir(folder):
        yield


def same(actual: str, shown: str) -> bool:
    """Equal but for the last digits of numbers; any two rounding errors are equal."""
    if NUMBER.sub("#", actual) != NUMBER.sub("#", shown):
        return False
    pairs = zip(NUMBER.findall(actual), NUMBER.findall(shown), strict=True)
    return all(
        math.isclose(float(a), float(b), rel_tol=1e-9) or max(abs(float(a)), abs(float(b))) < 1e-3
        for a, b in pairs
    )


def test_every_command_and_block_prints_what_the_readme_shows(tmp_path):
    """Run from top to bottom in one folder and one Python, as a reader would."""
    names: dict[str, object] = {}
    found = [run for run in runs(README.read_text("utf-8")) if not is_for_pytest(run)]
    assert len(found) >= 5
    with like_a_user(tmp_path):
        for run in found:
            if lacks(run):
                continue
            actual = output(run, names)
            assert same(actual, run.shown), f"{run.text}\nprints\n{actual}"


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/symnet derive",
        "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/pytest",
    ],
)
def test_the_two_commands_for_a_fresh_machine(command):
    """They are there to the letter, alone in their blocks."""
    assert f"```console\n$ {command}\n" in README.read_text("utf-8")


def test_the_network_file_shown_is_one(tmp_path):
    """The JSON in the README loads, with its fraction and its symbol."""
    (text,) = [
        block[2] for block in BLOCK.finditer(README.read_text("utf-8")) if block[1] == "json"
    ]
    json.loads(text)
    path = tmp_path / "net.json"
    path.write_text(text, encoding="utf-8")
    network = symnet.load(path)
    assert network.widths == (2, 2, 1)
    assert {symbol.name for symbol in network.symbols} == {"w21"}


def test_links_lead_somewhere():
    """Every relative link names a file of the repository."""
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8"))
    assert links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


@pytest.mark.parametrize(
    ("actual", "shown", "equal"),
    [
        ("y = 1.9051482536448667", "y = 1.905148253644866", True),
        ("y = 1.905148", "y = 1.905149", False),
        ("y = 0.0903533", "y = -0.0903533", False),
        ("worst error 1.9e-16", "worst error 2.2e-16", True),
        ("exp(-x1 - 1)", "exp(-x1 + 1)", False),
        ("2*x1", "3*x1", False),
    ],
)
def test_what_counts_as_the_same(actual, shown, equal):
    """The comparison itself sees every difference but one of rounding."""
    assert same(actual, shown) is equal


def updated(readme: str) -> str:
    """The README with what its commands and blocks print now."""
    names: dict[str, object] = {}
    results = [
        (run, run.shown if is_for_pytest(run) or lacks(run) else output(run, names))
        for run in runs(readme)
    ]
    for run, text in reversed(results):
        readme = readme[: run.start] + text + readme[run.end :]
    return readme


def test_where_things_live():
    """Every room has its row, and every file that a step names is there."""
    section = (
        README.read_text(encoding="utf-8").split("## Where things live")[1].split("## Tests")[0]
    )
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {name.split("/")[0] for row in rows for name in re.findall(r"`([\w/]+)`", row)}
    package = ROOT / "symnet"
    rooms = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert rooms - {"__init__", "__main__"} <= named
    assert {name for name in named if not (package / name).exists()} == {
        path.stem for path in package.glob("*.py") if path.stem in named
    }
    for path in re.findall(r"`((?:symnet|tests)/[a-z_/]+\.py)`", section):
        assert (ROOT / path).exists(), path


def test_the_steps_to_add_something_are_those_that_were_taken():
    """Each activation has a row in the witness, each reader a function `read`."""
    assert set(TABLE) <= set(analytic.table.TABLE)
    for suffix, module in READERS.items():
        assert suffix.startswith(".")
        read = importlib.import_module(f"symnet.importers.{module}").read
        assert list(inspect.signature(read).parameters) == ["path", "options"]


if __name__ == "__main__":
    import tempfile

    text = README.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder, like_a_user(Path(folder)):
        os.environ.setdefault("PYTHONPATH", str(ROOT))
        text = updated(text)
    README.write_text(text, "utf-8")
