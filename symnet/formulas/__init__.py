"""A network's derivatives as text, Unicode or LaTeX, in any of the three notations.

    expanded   a formula in the inputs        ∂y/∂x1 = 2*exp(-x1 - x2 - 1)/(1 + …)**2
    neuron     a statement for each neuron    ∂a1_3/∂x1 = 0.5*ds1_3
    layer      a symbol is a layer's vector   ∂y/∂xᵢ = w₂·(σ′(z₁) ⊙ t₁ᵢ)

Each notation makes blocks of lines `left = right`; `pages` puts them on a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from html import escape
from itertools import combinations_with_replacement
from math import comb
from typing import NamedTuple

from symnet import catalogue
from symnet.activations import Activation, Z
from symnet.breaking import SENTENCES, paragraph
from symnet.calculus.algebra import DIRECTIONS, sigma
from symnet.calculus.neurons import Place, neurons
from symnet.calculus.program import Statement
from symnet.formulas import brief, expanded, labels, layers, mathml, pages, tex
from symnet.formulas.lines import BREAK
from symnet.formulas.mathml import MATHML
from symnet.formulas.pages import Block, Line, Rows
from symnet.formulas.plain import TextPrinter, UnicodePrinter
from symnet.formulas.printers import FormulaPrinter
from symnet.formulas.remarks import evaluating, limits, notes, pasting
from symnet.formulas.signs import LATEX, TEXT, UNICODE, Signs
from symnet.formulas.tex import LatexPrinter
from symnet.names import shortened, whole
from symnet.network import Network
from symnet.network.graph import called
from symnet.progress import part, steps

__all__ = [
    "document",
    "heading",
    "latex",
    "limits",
    "notebook",
    "notes",
    "text",
]

LARGEST_NEURON = 1_000_000
"""Terms that the neuron notation has at most: a minute's work, and 40 MB of text."""

_NOTEBOOK = 80  # characters of a sentence's line, which no display breaks by itself

_PRINTERS = {
    "text": TextPrinter,
    "unicode": UnicodePrinter,
    "latex": LatexPrinter,
    "mathml": LatexPrinter,
}
_SIGNS = {"text": TEXT, "unicode": UNICODE, "latex": LATEX, "mathml": MATHML}


def text(
    network: Network,
    order: int = 2,
    notation: str = "expanded",
    format: str = "text",
    digits: int | None = None,
    columns: int = pages.COLUMNS,
) -> str:
    """The value and all derivatives up to `order`, with a line on the network before them.

    Args:
        format: "text", whose right sides Python takes where they are expanded, "unicode",
            "latex", as `latex`, or "mathml", which is HTML.
        digits: significant digits of the floats shown; None for the fewest that give them back.
        columns: of lines, where formulas can be broken.

    ValueError for an unknown notation or format, for fewer than one digit, and for an expanded
    notation that would be too large.
    """
    _check(format, catalogue.FORMULAS, "format")
    if format == "latex":
        return latex(network, order, notation, digits)
    sheet = _sheet(network, order, notation, format, digits)
    if format == "mathml":
        said = [*map(mathml.sentence, sheet.remarks), *map(escape, sheet.notes)]
        return mathml.html(sheet.blocks, said) + "\n"
    lines = [heading(network), *pages.text(sheet.blocks, format == "text", columns)]
    plain = format == "text"
    said = [*sheet.remarks, *sheet.notes, *(evaluating(network, order) if plain else [])]
    said = [*(pasting(network) if plain else []), *paragraph(said, SENTENCES, columns)]
    return "\n".join([*lines, *([""] if said else []), *said]) + "\n"


def latex(
    network: Network,
    order: int = 2,
    notation: str = "expanded",
    digits: int | None = None,
    points: float = pages.POINTS,
) -> str:
    """The same as LaTeX for the amsmath package: displays of lines that are at most `points` wide.

    So wide are those of an article at 10 pt, whose \\textwidth is 345 pt, where they are indented.

    Names that are too long are symbols, of which it says what they stand for. `tex.document` makes
    a complete document of it. Arguments and errors as for `text`.
    """
    sheet = _sheet(network, order, notation, "latex", digits)
    said = [*sheet.remarks, *map(tex.escaped, sheet.notes)]
    paragraphs = [rf"\noindent {sentence}." for sentence in said]
    return "\n\n".join([*pages.latex(sheet.blocks, points), *paragraphs]) + "\n"


def notebook(
    network: Network, order: int = 2, notation: str = "expanded", digits: int | None = None
) -> str:
    """The same as one display for MathJax and KaTeX, as notebooks have them.

    It says so where numbers are rounded.
    """
    sheet = _sheet(network, order, notation, "latex", digits)
    said = [sentence for remark in sheet.remarks for sentence in remark.split("; ")]
    if digits and sheet.blocks != _sheet(network, order, notation, "latex", None).blocks:
        said.append(f"numbers are rounded to {digits} digits, of which latex() has all")
    said += map(tex.escaped, paragraph(sheet.notes, SENTENCES, _NOTEBOOK))
    return pages.notebook(sheet.blocks, list(map(tex.in_notebooks, said)))


def document(
    network: Network, order: int = 2, notation: str = "expanded", digits: int | None = None
) -> str:
    """A complete LaTeX document of `latex`, under the network's heading."""
    return tex.document(latex(network, order, notation, digits), heading(network))


def heading(network: Network) -> str:
    """The network in a line: `surrogate: 2-8-8-1, sigmoid, sigmoid, linear`."""
    return f"{network.name}: {network.describe()}" if network.name else network.describe()


def _check(choice: str, known: tuple[str, ...], what: str) -> None:
    if choice not in known:
        raise ValueError(f"unknown {what} {choice!r}; choose {', '.join(known)}")


class _Sheet(NamedTuple):
    """A derivation in one notation: blocks of lines, and sentences to end with.

    remarks are in the format of the formulas, notes plain text.
    """

    blocks: list[Block]
    remarks: Sequence[str] = ()
    notes: Sequence[str] = ()


def _sheet(network: Network, order: int, notation: str, format: str, digits: int | None) -> _Sheet:
    _check(notation, catalogue.NOTATIONS, "notation")
    if digits is not None:
        digits = whole(digits, "digits", 1)
    # Entries of weights have no place in the layer notation.
    weights = network.symbols if notation == "neuron" else ()
    symbols = (*network.inputs, *network.outputs, *weights)
    signs = _SIGNS[format].beside(symbol.name for symbol in symbols)
    short = brief.names(network, order) if format in ("latex", "mathml") else {}
    printer = partial(
        _PRINTERS[format], network.inputs, network.activations, digits, signs.own, brief=short
    )
    if notation == "expanded":
        sheet = _expanded(network, order, printer())
    elif notation == "neuron":
        sheet = _neuron(network, order, signs, printer)
    else:
        sheet = _layer(network, order, signs, printer())
    brief_names = brief.written(short, _written(sheet.blocks))
    shown = str if format == "text" else labels.unicode_name
    return sheet._replace(notes=notes(network, order, brief_names, shown))


def _expanded(network: Network, order: int, printer: FormulaPrinter) -> _Sheet:
    """A block for each output: its value, then its partials."""
    expanded.check_size(network, order)
    blocks = []
    for p, output in enumerate(network.outputs):
        rows = []
        for chosen in _multi_indices(network.n, order):
            along = [printer.name(network.inputs[i].name) for i in chosen]
            label = printer.partial(printer.name(output.name), along)
            rows.append([Line(label, printer.doprint(expanded.shown(network, p, chosen)))])
        blocks.append(Block([rows]))
    return _Sheet(blocks)


def _multi_indices(n: int, order: int) -> Iterator[tuple[int, ...]]:
    """(), (0,), (1,), …, (0, 0), (0, 1), …: those of lower order first."""
    for r in range(order + 1):
        yield from combinations_with_replacement(range(n), r)


def _neuron(
    network: Network, order: int, signs: Signs, printers: Callable[..., FormulaPrinter]
) -> _Sheet:
    """A block for each layer, one for the outputs, and the activations."""
    check_neuron_terms(network, order)
    with part(0.0, 0.4):
        scalars, printer = neurons(network, order), printers(sort=False)
    blocks: dict[str, dict[Place, list[list[Line]]]] = {}
    for statement in steps(scalars.statements):
        place = scalars.place(statement.target)
        title = "output" if place.output else _title(network, place.node)
        line = Line(printer.doprint(statement.target), printer.doprint(statement.expression))
        blocks.setdefault(title, {}).setdefault(place, []).append([line])
    zeros = []
    for r in scalars.vanishing:
        x = [signs.vector("x", "", d) for d in DIRECTIONS[:r]]
        zeros.append([Line(printer.partial(_output(network, printer), x), "0")])
    if zeros:
        blocks["output"][Place(True, network.depth + 1, 0, 0)] = zeros
    found = [Block(_joined(tables.values()), title, True) for title, tables in blocks.items()]
    found += _where(_definitions(network, scalars.statements, printers()))
    return _Sheet(found, signs.remarks(_written(found)))


def _joined(tables: Iterable[Rows]) -> list[Rows]:
    """One table for neurons of one statement each."""
    found = list(tables)
    single = all(len(rows) == 1 for rows in found)
    return [[row for rows in found for row in rows]] if single else found


def neuron_terms(network: Network, order: int) -> int:
    """About how many terms the neuron notation has: a weight's in each partial."""
    return network.weights_count * comb(network.n + order, order)


def check_neuron_terms(network: Network, order: int) -> None:
    """ValueError, at once, for more terms than LARGEST_NEURON."""
    terms = neuron_terms(network, order)
    if terms > LARGEST_NEURON:
        raise ValueError(
            f"the neuron notation of {shortened(network.describe())} has about {terms:,} terms up "
            f"to order {order}, more than {LARGEST_NEURON:,}; use the layer notation, or a lower "
            "order"
        )


def _title(network: Network, k: int) -> str:
    """`layer 2`, or of a graph `node 2 (attention)`."""
    return f"layer {k}" if network.is_chain else called(k, network.nodes[k - 1])


def _output(network: Network, printer: FormulaPrinter) -> str:
    return printer.name(network.outputs[0].name) if network.m == 1 else "y"


def _layer(network: Network, order: int, signs: Signs, printer: FormulaPrinter) -> _Sheet:
    """The results, then what they are made of."""
    formulas = layers.formulas(network, order, signs, printer)
    made = _where(
        list(_named(network, printer)),
        formulas.layers,
        [[line] for line in formulas.adjoints],
        [
            *_definitions(network, formulas.statements, printer),
            *_softmaxes(network, signs, printer),
        ],
    )
    results = Block([[[line] for line in formulas.results]])
    blocks = [results, *made]
    return _Sheet(blocks, [formulas.legend, *signs.remarks(_written(blocks))])


def _written(blocks: Iterable[Block]) -> str:
    """All that stands in the blocks."""
    lines = (line for block in blocks for rows in block.tables for row in rows for line in row)
    return " ".join(f"{line.left} {line.right}" for line in lines)


def _where(*tables: Rows) -> list[Block]:
    filled = [rows for rows in tables if rows]
    return [Block(filled, "where")] if filled else []


def _named(network: Network, printer: FormulaPrinter) -> Iterator[list[Line]]:
    """What x and y are, where inputs or outputs are not called x1, x2, … and y1, y2, …."""
    for letter, symbols in (("x", network.inputs), ("y", network.outputs)):
        names = [symbol.name for symbol in symbols]
        plain = names == [f"{letter}{i}" for i in range(1, len(names) + 1)]
        if not plain and not (letter == "y" and network.m == 1):
            shown = [printer.name(name) for name in names]
            listed = shown if len(shown) <= 8 else [*shown[:3], printer.dots, shown[-1]]
            yield [Line(letter, f"({f', {BREAK}'.join(listed)})")]


def _definitions(
    network: Network, statements: Iterable[Statement], printer: FormulaPrinter
) -> list[list[Line]]:
    """σ(z) = 1/(1 + exp(-z)), σ′ = σ (1 - σ), …: a row for each activation, as far as used."""
    highest: dict[str, int] = {}
    for statement in statements:
        for node in statement.expression.atoms(sigma):
            highest[node.name] = max(node.order, highest.get(node.name, 0))
    rows = [
        [
            line
            for r in range(order + 1)
            for line in _definition(network.activations[name], r, printer)
        ]
        for name, order in highest.items()
    ]
    return [row for row in rows if row]


def _softmaxes(network: Network, signs: Signs, printer: FormulaPrinter) -> Rows:
    """softmax(z) = exp(z)/sum(exp(z)), where nodes are one, or its logarithm."""
    kinds = {node.kind for node in network.nodes}
    soft = Line(printer.call(signs.softmax, "z"), signs.softmax_is)
    log = Line(printer.call(signs.log_softmax, "z"), signs.log_softmax_is)
    shown = kinds & {"softmax", "log_softmax"}
    return [[soft]] * bool(shown) + [[log]] * ("log_softmax" in shown)


def _definition(activation: Activation, order: int, printer: FormulaPrinter) -> Iterator[Line]:
    """The line for one derivative, unless it says that sin(z) is sin(z)."""
    formula, label = activation.formula(order), printer.function(activation.name, order)
    if formula.has(Z):
        # Where z itself occurs, σ is written σ(z) on both sides.
        formula = formula.xreplace({activation.own: sigma(activation.name, 0, Z)})
        label = printer.call(label, printer.doprint(Z))
    right = printer.doprint(formula)
    if right != label:
        yield Line(label, right)
