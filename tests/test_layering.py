"""The order of the modules: each imports only from those above it, and only `cli` prints."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import symnet

PACKAGE = Path(symnet.__file__).parent

ORDER = (
    "extras",
    "precision",
    "showing",
    "progress",
    "breaking",
    "leftovers",
    "words",
    "catalogue",
    "names",
    "physical",
    "dialect",
    "activations",
    "evaluable",
    "network",
    "foreign",
    "files",
    "witness",
    "calculus",
    "formulas",
    "backends",
    "lowering",
    "compiling",
    "derivation",
    "languages",
    "tables",
    "fitting",
    "sensitivities",
    "plotting",
    "reporting",
    "importers",
    "cli",
    "__main__",
)
"""The package's modules; a module imports only from those before it. A folder counts as one."""

UPWARD = {
    "symnet.network.network": ("draw",),
    "symnet.derivation": ("plot", "generate", "report"),
    "symnet.sensitivities.measures": ("plot",),
    "symnet.sensitivities.curves": ("plot",),
}
"""Methods that only pass on to a room above, and import it when they are called."""


@cache
def modules() -> dict[str, list[Path]]:
    """Each module or folder of the package with its source files, `__init__` aside."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of everything imported anywhere, `from a import b` as a.b."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports with the package's name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def called_later(path: Path) -> set[str]:
    """What a file imports from rooms above it: for type checkers, and in methods of `UPWARD`."""
    tree, found = parsed(path), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            found |= imported(node)
        if isinstance(node, ast.FunctionDef) and node.name in UPWARD.get(dotted(path), ()):
            found |= imported(node)
    return found


@cache
def needed(path: Path) -> set[str]:
    """Dotted names of what a file imports to be imported itself."""
    return imported(parsed(path)) - called_later(path)


def own(names: set[str]) -> set[str]:
    """The symnet modules among imported names."""
    return {name.split(".")[1] for name in names if name.startswith("symnet.")}


def dependencies(name: str) -> set[str]:
    """The symnet modules which a module imports."""
    return set().union(*(own(needed(path)) for path in modules()[name])) - {name}


def printing_calls(tree: ast.AST) -> list[int]:
    """Lines that call print() or write to a standard stream."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            lines += [node.lineno] if node.func.id == "print" else []
        if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr"):
            lines += [node.lineno] if ast.unparse(node.value) == "sys" else []
    return lines


def test_every_module_has_its_place_in_the_order():
    """A new module must be given a place: an unknown one would escape the test below."""
    assert len(set(ORDER)) == len(ORDER)
    assert set(modules()) <= set(ORDER)
    assert {"activations", "network", "files"} <= set(modules())


def test_the_readme_lists_the_rooms_in_this_order():
    """Row by row, each room once."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Where things live")[2].partition("**To add")[0]
    lines = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    rows = [{name.partition("/")[0] for name in re.findall("`([^`]+)`", line)} for line in lines]
    assert sorted(name for row in rows for name in row) == sorted({*ORDER} - {"__main__"})
    places = [[ORDER.index(name) for name in row] for row in rows]
    assert all(max(above) < min(below) for above, below in pairwise(places))


@pytest.mark.parametrize("name", sorted(modules()))
def test_modules_import_only_from_above(name):
    """No cycle and no shortcut: what a module imports stands before it in ORDER."""
    allowed = set(ORDER[: ORDER.index(name)])
    assert dependencies(name) <= allowed


def test_no_file_imports_itself_through_others():
    """Inside the folders too: every file can be put after all those which it imports."""
    files = {path: dotted(path) for paths in modules().values() for path in paths}
    names = set(files.values())
    waiting = {
        name: {owner(found, names) for found in needed(path)} - {name}
        for path, name in files.items()
    }
    while waiting:
        ready = {name for name, needs in waiting.items() if not needs & set(waiting)}
        assert ready, f"a circle among {sorted(waiting)}"
        waiting = {name: needs for name, needs in waiting.items() if name not in ready}


def dotted(path: Path) -> str:
    """The name by which a file is imported."""
    parts = ("symnet", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def owner(name: str, files: set[str]) -> str:
    """The file that an imported name is, or is in."""
    return name if name in files else name.rpartition(".")[0]


def test_the_analytic_engine_shares_nothing_with_the_symbolic_side():
    """Its files import each other, and nothing of symnet's but a lock, no SymPy."""
    files = list((PACKAGE / "witness" / "analytic").glob("*.py"))
    assert len(files) > 4
    found = set().union(*(imported(parsed(file)) for file in files))
    foreign = {name for name in found if not name.startswith("symnet.witness.analytic.")}
    foreign -= {"symnet.precision"}
    assert not {name.split(".")[0] for name in foreign} & {"sympy", "symnet"}


def test_no_witness_shares_the_calculus():
    """What is checked against the witnesses is not what they are made of."""
    shared = {"precision", "showing", "progress", "names", "activations", "network"}
    assert dependencies("witness") <= shared


def test_what_is_called_later_only_passes_on():
    """Such a method imports what it passes on to and nothing else; all listed are there."""
    rooms = {"plotting.plot", "languages.placing.generated", "reporting.reported"}
    for name, methods in UPWARD.items():
        (path,) = [p for paths in modules().values() for p in paths if dotted(p) == name]
        defined = {n.name: n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef)}
        assert set(methods) <= set(defined)
        for method in methods:
            (room,) = imported(defined[method])
            assert room.removeprefix("symnet.") in rooms
            assert len(defined[method].body) == 3  # docstring, import, return


@pytest.mark.parametrize("name", sorted(set(modules()) - {"cli", "__main__"}))
def test_only_the_command_line_prints(name):
    """A library that prints can't be used quietly."""
    for path in modules()[name]:
        assert printing_calls(parsed(path)) == [], path.name


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import symnet.network", {"network"}),
        ("from symnet.network import Network", {"network"}),
        ("from symnet import network, files", {"network", "files"}),
        ("def f():\n    from symnet import cli", {"cli"}),
        ("import numpy", set()),
    ],
)
def test_imports_are_seen_in_every_form(source, names):
    """The reader of imports itself misses none."""
    assert own(imported(ast.parse(source))) == names


@pytest.mark.parametrize("source", ["print('x')", "if 1:\n  sys.stdout.write('x')"])
def test_printing_is_seen(source):
    """The reader of calls itself misses none; text that contains a call is no call."""
    assert printing_calls(ast.parse(source))
    assert not printing_calls(ast.parse(repr(source)))


def test_data_are_immutable():
    """Every dataclass is frozen but for those that gather something on their way."""
    plain = [
        (path.relative_to(PACKAGE).as_posix(), node.name)
        for paths in modules().values()
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if decorator.startswith("dataclass") and "frozen=True" not in decorator
    ]
    assert sorted(plain) == [
        ("fitting/search.py", "Search"),
        ("importers/keras/graph.py", "Reading"),
        ("importers/onnx/graph.py", "Graph"),
        ("languages/cells.py", "Cells"),
    ]


def test_public_names_are_the_same_for_users_type_checkers_and_imports():
    """Said three times, since type checkers read what is never run."""
    file = PACKAGE / "__init__.py"
    checked = {name.rpartition(".")[2] for name in called_later(file)}
    homes = [name for names in symnet._HOMES.values() for name in names]
    assert sorted(homes) == symnet.__all__ == sorted(checked)
    assert all(hasattr(symnet, name) for name in [*homes, "__version__"])
    assert not hasattr(symnet, "derivee")
