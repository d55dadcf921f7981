"""Formulas as texts to take along: LaTeX, Python that runs, plain text."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from itertools import combinations_with_replacement

from symnet import formulas
from symnet.derivation import Derivation
from symnet.languages import generate
from symnet.names import partial_name, text_partial

_MOST_WEIGHTS = 1000  # of a module to be copied


def copies(derivation: Derivation, notation: str) -> tuple[tuple[str, str], ...]:
    """Texts of the formulas, with exact numbers, by what they are called.

    Python is a module of the layers' formulas, or statements of those in the inputs; it is left
    out where there is none that runs.
    """
    python = {"layer": _module, "expanded": _statements}.get(notation)
    found = {
        "LaTeX": derivation.latex(notation).strip(),
        "Python": python(derivation) if python else "",
        "plain text": text(derivation, notation, "unicode"),
    }
    return tuple((name, text) for name, text in found.items() if text)


def text(derivation: Derivation, notation: str, format: str, digits: int | None = None) -> str:
    """The formulas in a format of `Derivation.text`, without the network's name."""
    head = formulas.heading(derivation.network)
    return derivation.text(notation, format, digits).removeprefix(head).strip("\n")


def _module(derivation: Derivation) -> str:
    network, order = derivation.network, min(derivation.order, 2)
    if network.symbols or network.weights_count > _MOST_WEIGHTS:
        return ""
    try:
        (module,) = generate(network, "python", order, plain_text=True).values()
    except ValueError:
        return ""
    return str(module)


def _statements(derivation: Derivation) -> str:
    """`dy_dx1 = …` for each formula, for inputs that have values; remarks are comments."""
    lines = list(_lines(derivation))
    body = "\n".join(lines)
    try:
        tree = ast.parse(body)
    except SyntaxError:  # a name that Python keeps for itself
        return ""
    own = {symbol.name for symbol in (*derivation.network.inputs, *derivation.network.symbols)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - own
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    called = {function.id for function in calls if isinstance(function, ast.Name)}
    known = {name for name in used if hasattr(math, name)}
    if not called <= known:
        return ""
    return f"from math import {', '.join(sorted(known))}\n\n{body}" if known else body


def _lines(derivation: Derivation) -> Iterator[str]:
    names = dict(_names(derivation))
    width = max(map(len, names.values()))
    for line in text(derivation, "expanded", "text").splitlines():
        label, equals, formula = line.partition(" = ")
        if equals and label.strip() in names:
            yield f"{names[label.strip()]:{width}} = {formula}"
        else:
            yield line if line[:1] in ("", " ") else f"# {line}"


def _names(derivation: Derivation) -> Iterator[tuple[str, str]]:
    """The labels of the printed formulas, and what they are called in Python."""
    network = derivation.network
    inputs = [symbol.name for symbol in network.inputs]
    for output in network.outputs:
        for order in range(derivation.order + 1):
            for along in combinations_with_replacement(inputs, order):
                name = partial_name(output.name, along).replace("/", "_")
                yield text_partial(output.name, along), name
