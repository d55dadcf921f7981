"""The page's contents: what there is to say on a network, in the order in which one reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from symnet import formulas, physical
from symnet.calculus.schemes import Cost
from symnet.derivation import Derivation
from symnet.names import shortened
from symnet.network import Network
from symnet.plotting.cutting import cut
from symnet.plotting.writing import number
from symnet.progress import part
from symnet.reporting import live, origin, pictures, slopes, typeset
from symnet.reporting.contents import Block, Page, Paragraph, Section, Table, listed, said
from symnet.witness.checking import Report

_MOST_ROWS = 30
_SMOOTH = "None: the outputs are defined and smooth everywhere"


@dataclass(frozen=True, eq=False)
class Subject:
    """What a page is on.

    report and cost are of the compiled functions, None where symbolic weights allow none; data are
    points (N, n) or None; command is how the page was asked for.
    """

    derivation: Derivation
    report: Report | None
    cost: Cost | None
    data: Any = None
    command: str = ""

    @property
    def network(self) -> Network:
        """The network."""
        return self.derivation.network


def page(subject: Subject) -> Page:
    """The whole page."""
    network = subject.network
    heading = network.name or "Derivatives of a network"
    subtitle = (
        f"{shortened(network.describe(), 120)} · {network.weights_count:,} weights · "
        f"from {_named(network, network.input_names)} to "
        f"{_named(network, network.output_names)}"
    )
    return Page(heading, subtitle, tuple(filter(lambda s: s.blocks, _sections(subject))))


def _sections(subject: Subject) -> Iterator[Section]:
    network, numeric = subject.network, not subject.network.symbols
    yield Section("Network", tuple(_network(network)))
    if numeric:
        with part(0.0, 0.8):
            scene = pictures.scene(subject.derivation, subject.data)
            computed = pictures.values(scene)
        yield Section("What it computes", computed)
        yield Section("At a point", live.blocks(scene))
    yield Section("Derivatives, layer by layer", typeset.layers(subject.derivation))
    yield Section("The same in the inputs alone", typeset.expanded(subject.derivation))
    yield Section("The same, neuron by neuron", typeset.neurons(subject.derivation))
    if numeric and subject.data is not None:
        with part(0.8, 1.0):
            measured = slopes.blocks(network, subject.data)
        yield Section("Sensitivity over the data", measured)
    yield Section("Kinks, jumps and domain", listed(formulas.limits(network) or [_SMOOTH]))
    yield Section("Check", tuple(_check(subject)))
    if subject.cost is not None:
        yield Section("Cost", _cost(subject.cost, subject.derivation.order))
    yield Section("Where this page comes from", origin.blocks(network, subject.command))


def _network(network: Network) -> Iterator[Block]:
    yield from pictures.drawing(network)
    rows = _layer_rows(network) if network.is_chain else _node_rows(network)
    yield Table(_fewer(rows), "Its layers" if network.is_chain else "Its nodes")


def _named(network: Network, names: Sequence[str]) -> str:
    """Of many the first and the last."""
    few = names if len(names) <= 8 else [*names[:3], names[-1]]
    shown = [physical.bracketed(cut(name, 30, names), network.units.get(name)) for name in few]
    return ", ".join(shown if len(names) <= 8 else [*shown[:3], "…", shown[-1]])


def _fewer(rows: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The rows; of many the first and last, with what is left out between."""
    left = len(rows) - 1 - _MOST_ROWS
    if left <= 0:
        return tuple(rows)
    half = 1 + _MOST_ROWS // 2
    gap = (f"… {left} more …", *[""] * (len(rows[0]) - 1))
    return (*rows[:half], gap, *rows[half + left :])


def _layer_rows(network: Network) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("layer", "neurons", "activation", "bias")]
    for k, layer in enumerate(network.layers, start=1):
        bias = "no" if layer.bias is None else "yes"
        rows.append((str(k), str(layer.outputs), layer.activation.name, bias))
    return rows


def _node_rows(network: Network) -> list[tuple[str, ...]]:
    """Each node with the vectors that it is computed from: x, or the numbers of nodes."""
    rows: list[tuple[str, ...]] = [("node", "width", "kind", "of", "bias")]
    for k, node in enumerate(network.nodes, start=1):
        sources = ", ".join(str(source) if source else "x" for source in node.sources)
        name = f"{k} ({node.name})" if node.name else str(k)
        bias = "no" if node.bias is None else "yes"
        rows.append((name, str(network.widths[k]), node.label, sources, bias))
    return rows


def _check(subject: Subject) -> Iterator[Block]:
    report = subject.report
    if report is None:
        symbols = len(subject.network.symbols)
        yield Paragraph(f"{symbols} weights are symbols: values and checks need numbers for them.")
        return
    verdict = "pass" if report.ok else "FAIL"
    yield Paragraph(
        "Each function was compared, entry by entry, with engines that share no code with it. "
        "Errors are relative to the size of the terms that an entry is the sum of.",
        f"The generated functions {verdict}.",
    )
    rows = [("what", "against", "points", "worst error", "allowed", "verdict", "where")]
    for c in report.comparisons:
        place = ", ".join(map(number, c.point[:4])) + (", …" if c.point[4:] else "")
        errors = f"{c.error:.1e}", f"{c.tolerance:.1e}"
        where = f"{c.entry} at ({place})" if c.error else ""
        word = "ok" if c.ok else "WRONG"
        rows.append((c.what, c.against, str(c.points), *errors, word, where))
    yield Table(tuple(rows), "Worst errors, and where they are")
    for note in report.notes:
        yield Paragraph(f"{note[0].upper()}{note[1:]}.")


def _cost(cost: Cost, order: int) -> tuple[Block, ...]:
    return said(
        f"All orders up to {order} at one point take {cost.multiply_adds:,} multiply-adds and "
        f"{cost.activations:,} evaluations of an activation, by the {cost.scheme} scheme."
    )
