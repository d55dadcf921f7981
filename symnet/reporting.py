"""A page on one network to send to a colleague: what it is, its derivatives, how they were checked.

As HTML (one file, nothing loaded from elsewhere), Markdown or a LaTeX document. The page is built
once as sections and written by one short function a format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath

from symnet import formulas
from symnet.calculus.schemes import Cost
from symnet.derivation import Derivation
from symnet.formulas import tex
from symnet.network import Network
from symnet.witness.checking import Report

_LONGEST = 60  # lines of formulas in the inputs alone, beyond which nobody reads them

_STYLE = """\
body { max-width: 60rem; margin: 3rem auto; padding: 0 1.5rem; color: #1a1a1a;
       font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin-bottom: 0; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #d5d5d5; }
pre { background: #f6f6f4; padding: 1rem 1.2rem; overflow-x: auto; border-radius: 4px;
      font: 0.95rem/1.55 "DejaVu Sans Mono", "STIX Two Math", Menlo, Consolas, monospace; }
table { border-collapse: collapse; } td, th { padding: 0.2rem 1.4rem 0.2rem 0; text-align: left; }
th { font-weight: 600; border-bottom: 1px solid #d5d5d5; }
@media print { pre { white-space: pre-wrap; } body { margin: 0; } }"""


@dataclass(frozen=True)
class Section:
    """A title, a paragraph, formulas in Unicode and LaTeX, and a table with a header row.

    Each but the title may be empty.
    """

    title: str
    paragraph: str = ""
    formulas: str = ""
    tex: str = ""
    table: tuple[tuple[str, ...], ...] = ()


def page(derivation: Derivation, report: Report | None, cost: Cost | None, format: str) -> str:
    """The page in a format of `FORMATS`, by the end of its file's name: html, md or tex.

    report and cost are of the compiled functions, None where symbolic weights allow none.
    """
    heading = derivation.network.name or "Derivatives of a network"
    return FORMATS[format](heading, sections(derivation, report, cost))


def format_of(path: str) -> str:
    """The format that a file's name asks for. ValueError for one that is unknown."""
    ending = PurePath(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise ValueError(f"{path}: a report ends in one of {known}")
    return ending


def sections(derivation: Derivation, report: Report | None, cost: Cost | None) -> list[Section]:
    """What there is to say, in the order in which a reader wants it."""
    found = [_network(derivation), _layers(derivation)]
    found += _expanded(derivation)
    if report is None or cost is None:
        symbols = len(derivation.network.symbols)
        missing = f"{symbols} weights are symbols: values and checks need numbers for them."
        return [*found, Section("Check", missing)]
    return [*found, _check(report), _cost(cost, derivation.order)]


def _network(derivation: Derivation) -> Section:
    network = derivation.network
    inputs = ", ".join(network.input_names)
    outputs = ", ".join(network.output_names)
    rows = _layer_rows(network) if network.is_chain else _node_rows(network)
    text = f"{network.describe()}, {network.weights_count} weights. From {inputs} to {outputs}."
    return Section(
        "Network", " ".join([text, *(f"{n}." for n in formulas.notes(network))]), table=tuple(rows)
    )


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


def _layers(derivation: Derivation) -> Section:
    text = "A symbol stands for a layer’s vector; W is a layer’s weights, b its biases."
    return Section("Derivatives, layer by layer", text, *_formulas(derivation, "layer"))


def _expanded(derivation: Derivation) -> list[Section]:
    try:
        unicode, tex = _formulas(derivation, "expanded")
    except ValueError:  # too large, as it says
        return []
    if unicode.count("\n") > _LONGEST:
        return []
    return [Section("The same in the inputs alone", "", unicode, tex)]


def _formulas(derivation: Derivation, notation: str) -> tuple[str, str]:
    text = derivation.text(notation, "unicode")
    return text.removeprefix(formulas.heading(derivation.network)).strip("\n"), derivation.latex(
        notation
    )


def _check(report: Report) -> Section:
    rows = [("what", "against", "points", "worst error", "allowed", "")]
    for c in report.comparisons:
        verdict = "ok" if c.ok else "WRONG"
        errors = f"{c.error:.1e}", f"{c.tolerance:.1e}"
        rows.append((c.quantity, c.against, str(c.points), *errors, verdict))
    verdict = "pass" if report.ok else "FAIL"
    text = f"The generated functions {verdict}. Errors are relative to the size of the terms."
    return Section("Check", text, table=tuple(rows))


def _cost(cost: Cost, order: int) -> Section:
    text = (
        f"All orders up to {order} at one point take {cost.multiply_adds} multiply-adds and "
        f"{cost.activations} evaluations of an activation, by the {cost.scheme} scheme."
    )
    return Section("Cost", text)


# --- formats ------------------------------------------------------------------------------------


def _html(heading: str, parts: Sequence[Section]) -> str:
    body = []
    for part in parts:
        body.append(f"<h2>{escape(part.title)}</h2>")
        if part.paragraph:
            body.append(f"<p>{escape(part.paragraph)}</p>")
        if part.formulas:
            body.append(f"<pre>{escape(part.formulas)}</pre>")
        if part.table:
            body.append(_html_table(part.table))
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>{escape(heading)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>",
            f"<h1>{escape(heading)}</h1>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _html_table(rows: Sequence[Sequence[str]]) -> str:
    lines = []
    for i, row in enumerate(rows):
        tag = "td" if i else "th"
        lines.append("<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in row) + "</tr>")
    return "\n".join(["<table>", *lines, "</table>"])


def _markdown(heading: str, parts: Sequence[Section]) -> str:
    blocks = [f"# {_markdown_text(heading)}"]
    for part in parts:
        blocks.append(f"## {_markdown_text(part.title)}")
        blocks += [_markdown_text(part.paragraph)] if part.paragraph else []
        blocks += [f"```text\n{part.formulas}\n```"] if part.formulas else []
        blocks += [_markdown_table(part.table)] if part.table else []
    return "\n\n".join(blocks) + "\n"


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(map(_markdown_text, row))} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _markdown_text(text: str) -> str:
    """Plain text as Markdown: neither markup nor HTML. A _ within a word is none."""
    return re.sub(r"[\\`*\[\]<>&|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", text)


def _tex(heading: str, parts: Sequence[Section]) -> str:
    blocks = []
    for part in parts:
        blocks.append(rf"\section*{{{tex.escaped(part.title)}}}")
        blocks += [rf"\noindent {tex.escaped(_plain(part.paragraph))}"] if part.paragraph else []
        blocks += [part.tex.strip()] if part.tex else []
        blocks += [_tex_table(part.table)] if part.table else []
    return tex.document("\n\n".join(blocks), heading)


def _tex_table(rows: Sequence[Sequence[str]]) -> str:
    lines = [" & ".join(map(tex.escaped, row)) + r" \\" for row in rows]
    columns = "l" * len(rows[0])
    body = "\n".join([lines[0] + r" \hline", *lines[1:]])
    return f"\\medskip\\noindent\n\\begin{{tabular}}{{@{{}}{columns}}}\n{body}\n\\end{{tabular}}"


def _plain(text: str) -> str:
    return text.replace("’", "'")


FORMATS: dict[str, Callable[[str, Sequence[Section]], str]] = {
    "html": _html,
    "md": _markdown,
    "tex": _tex,
}
"""A function of a heading and sections for each format."""
