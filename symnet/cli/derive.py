"""`symnet derive`: the formulas, values at a point, and what the functions were checked against."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from html import escape
from itertools import combinations_with_replacement

from symnet import derivation, formulas
from symnet.cli import encoding, exchange, forecasts, terminal
from symnet.compiling import Compiled
from symnet.derivation import Derivation
from symnet.formulas import expanded, labels
from symnet.names import listed, text_partial
from symnet.network import Network
from symnet.witness.checking import Report
from symnet.witness.comparing import ITSELF, worst
from symnet.witness.places import few_weights

_TYPESET = ("latex", "mathml")  # which are no text for a screen


def run(given: argparse.Namespace) -> int:
    """Print the page; 1 when the functions fail their check."""
    network = exchange.network(given)
    derived = derivation.derive(network, given.order)
    format = given.format or _terminal_format()
    at = given.at or ([1.0] * network.n if given.file is None else None)
    _check_point(network, at)
    if given.notation == "expanded":
        expanded.check_size(network, given.order)
    if given.notation == "neuron":
        formulas.check_neuron_terms(network, given.order)
    few = few_weights(network)
    checking = forecasts.check(network, given.order, few)  # refuses before anything is done
    seconds = forecasts.formulas(network, given.order, given.notation)
    with terminal.working(f"deriving {network.describe()}", given.quiet, seconds):
        page = derived.text(given.notation, format, given.digits)
    heading = formulas.heading(network)
    title = ("built-in example: " if given.file is None else "") + heading
    with terminal.working(f"checking {network.describe()}", given.quiet, checking):
        lines, ok = _figures(derived, at, format, given.digits)
    if format in _TYPESET:
        encoding.as_file()
    print(_beside(format, [title]) + "\n")
    print(page.removeprefix(heading).strip("\n") + "\n")
    print(_beside(format, lines))
    return 0 if ok else 1


def _beside(format: str, lines: Sequence[str]) -> str:
    """Lines of plain text as they may stand beside formulas: a comment of LaTeX, or HTML."""
    if format == "mathml":
        return f"<pre>{escape(chr(10).join(lines))}</pre>"
    comment = "% " if format == "latex" else ""
    return "\n".join(f"{comment}{line}".rstrip() for line in lines)


def _figures(
    derivation: Derivation, at: list[float] | None, format: str, digits: int | None
) -> tuple[list[str], bool]:
    """Values at a point, what the functions were checked against, and whether they passed."""
    symbols = derivation.network.symbols
    if symbols:
        return [f"values and checks need numbers for the weights {listed(symbols)}"], True
    few = few_weights(derivation.network)
    function, report = exchange.checked(derivation, digits=few)
    values = [] if at is None else [*_values(function, at, format, digits), ""]
    return [*values, _verdict(report)], report.ok


def _terminal_format() -> str:
    try:
        "∂²σ′₁ᵢ·⊙λ".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "text"
    return "unicode"


def _check_point(network: Network, at: list[float] | None) -> None:
    names = list(network.input_names)
    if at is not None and len(at) != network.n:
        raise ValueError(f"--at has {len(at)} number(s), but the inputs are {', '.join(names)}")
    if at is not None and network.symbols:
        raise ValueError(f"--at: the weights {listed(network.symbols)} have no values")


def _values(function: Compiled, at: list[float], format: str, digits: int | None) -> Iterator[str]:
    """`at x1 = 1, x2 = 1`, and a line for the value and each partial there."""
    name = labels.unicode_name if format in ("unicode", "mathml") else str
    inputs = [name(symbol.name) for symbol in function.network.inputs]
    yield "at " + ", ".join(f"{i} = {_shown(x, None)}" for i, x in zip(inputs, at, strict=True))
    rows = []
    for order, result in enumerate(function(at)):
        for output, array in zip(function.network.outputs, result, strict=True):
            for indices in combinations_with_replacement(range(len(inputs)), order):
                label = text_partial(name(output.name), [inputs[i] for i in indices])
                rows.append((label, _shown(float(array[indices]), digits)))
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        yield f"  {label:{width}} = {value if value[0] == '-' else ' ' + value}"


def _shown(value: float, digits: int | None) -> str:
    return repr(value).removesuffix(".0") if digits is None else f"{value:.{digits}g}"


def _verdict(report: Report) -> str:
    """Against what the functions were checked, on how many points, with what worst error."""
    points: dict[str, int] = {}
    for comparison in report.comparisons:
        if comparison.against != ITSELF:
            most = max(points.get(comparison.against, 0), comparison.points)
            points[comparison.against] = most
    witnesses = " and ".join(f"{against} ({count} points)" for against, count in points.items())
    if report.ok:
        narrowest = min(comparison.tolerance for comparison in report.comparisons)
        double = [c for c in report.comparisons if c.tolerance == narrowest]
        return f"functions checked against {witnesses}: worst error {worst(double).error:.1e}"
    return f"CHECK FAILED: {report.worst}"
