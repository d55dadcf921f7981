"""Pieces of Python source text: excerpts of modules, imports, long lines, arrays of numbers."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from symnet.breaking import WIDTH, broken, listed, packed

_LITERAL = 20_000  # entries; Python needs a kilobyte for each number of a list it compiles


_FILLED = re.compile(r"^ +[-0-9].*, .*,$|np.array\(\[$")
"""A line of as many numbers as it holds, or the first of an array's."""


@dataclass(frozen=True)
class Definition:
    """A function or an assignment: what it defines, its text, and the names in it."""

    name: str
    text: str
    uses: frozenset[str]
    function: bool


class Definitions:
    """The top-level definitions of a module, each with the comments above it."""

    def __init__(self, module: ModuleType) -> None:
        source = inspect.getsource(module)
        lines = source.splitlines()
        self.imported: dict[str, str] = {}
        self.found: list[Definition] = []
        end = 0
        for node in ast.parse(source).body:
            text = "\n".join(lines[end : node.end_lineno]).strip("\n")
            end = node.end_lineno or end
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.imported[alias.name] = f"from {node.module} import {alias.name}"
            elif isinstance(node, ast.FunctionDef):
                self.found.append(Definition(node.name, text, names_in(text), True))
            elif isinstance(node, ast.Assign):
                name = ast.unparse(node.targets[0])
                self.found.append(Definition(name, text, names_in(text), False))

    def needed(self, wanted: Iterable[str]) -> set[str]:
        """The names of what is defined here and `wanted`, or used by it."""
        uses = {definition.name: definition.uses for definition in self.found}
        known: set[str] = set()
        waiting = set(wanted) & uses.keys()
        while waiting:
            known |= waiting
            waiting = set().union(*(uses[name] for name in waiting)) & uses.keys() - known
        return known

    def text(self, names: Iterable[str]) -> str:
        """The definitions of these names: functions two lines apart, the rest together."""
        chosen, text, function = set(names), "", False
        for definition in self.found:
            if definition.name in chosen:
                apart = "\n\n\n" if function or definition.function else "\n"
                text += (apart if text else "") + definition.text
                function = definition.function
        return text + "\n" if text else ""

    def imports(self, text: str) -> set[str]:
        """The import statements for what `text` uses."""
        used = names_in(text)
        return {line for name, line in self.imported.items() if name in used}


def names_in(code: str) -> frozenset[str]:
    """All plain names in a piece of code, those in annotations included."""
    nodes = ast.walk(ast.parse(code))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name))


def imports(lines: Iterable[str]) -> str:
    """Import statements of single names, sorted and joined as a formatter does it.

    First what Python itself has, then NumPy.
    """
    plain = sorted(line for line in lines if not line.startswith("from "))
    named: dict[str, list[str]] = {}
    for line in sorted(set(lines) - set(plain)):
        module, _, name = line.removeprefix("from ").partition(" import ")
        named.setdefault(module, []).append(name)
    statements = [*plain, *(f"from {m} import {', '.join(named[m])}" for m in sorted(named))]
    groups = (
        [s for s in statements if "__future__" in s],
        [s for s in statements if "__future__" not in s and "numpy" not in s],
        [s for s in statements if "numpy" in s],
    )
    return "\n\n".join("\n".join(group) for group in groups if group) + "\n"


def filled(text: str, indent: str = "") -> str:
    """Running text in lines of `WIDTH`, numbers and words whole."""
    return "\n".join(broken(text, indent=indent))


def array(name: str, values: NDArray[Any]) -> str:
    """`name = np.array(...)` with every number by its `repr`, so that it is read back exactly."""
    if values.size > _LITERAL:
        text = "\n".join(packed(list(map(repr, values.ravel().tolist())), WIDTH))
        return f'{name} = np.fromstring(sep=" ", string="""\n{text}\n""").reshape({values.shape})'
    return f"{name} = np.array({nested(values.tolist(), before=len(name) + 12, after=1)})"


def unformatted(statements: Sequence[str], width: int = WIDTH) -> list[str]:
    """Statements that a formatter would write a number a line, or as they are."""
    lines = [line for statement in statements for line in statement.split("\n")]
    if max(map(len, lines), default=0) <= width and not any(map(_FILLED.search, lines)):
        return lines
    return ["# fmt: off", *lines, "# fmt: on"]


def nested(values: Any, indent: int = 0, before: int = 0, after: int = 1) -> str:
    """Nested lists of numbers as text: on one line where they fit, else one entry a line.

    indent: columns before the line; before, after: columns that other text takes in it.
    """
    flat = _flat(values)
    if not isinstance(values, list) or indent + before + len(flat) + after <= WIDTH:
        return flat
    inner = " " * (indent + 4)
    if isinstance(values[0], list):
        body = "".join(f"{inner}{nested(value, indent + 4)},\n" for value in values)
    else:
        body = "\n".join(listed(list(map(repr, values)), WIDTH, inner)) + "\n"
    return f"[\n{body}{' ' * indent}]"


def _flat(values: Any) -> str:
    return f"[{', '.join(map(_flat, values))}]" if isinstance(values, list) else repr(values)
