"""The derivatives as formulas: rounded to read, exact a click away, and as texts to take along."""

from __future__ import annotations

from dataclasses import replace

from symnet import formulas
from symnet.derivation import Derivation
from symnet.formulas import expanded as in_inputs
from symnet.reporting.contents import Block, Folded, Formulas, Paragraph, said
from symnet.reporting.copies import copies, text
from symnet.reporting.latex import POINTS

DIGITS = 4
"""Significant digits of the numbers shown first."""

_LONGEST = 90  # lines of formulas in the inputs alone, beyond which nobody reads them
_MOST_OPERATIONS = 3000
_MOST_NEURONS = 400  # statements, beyond which they are a program and no page
_UNFOLDED = 24


def layers(derivation: Derivation) -> tuple[Block, ...]:
    """In a symbol for each layer's vector."""
    told = "A symbol stands for a layer’s vector; W is a layer’s weights, b its biases."
    # The notation has no numbers but those of activations.
    shown = _formulas(derivation, "layer", None)
    return Paragraph(told), replace(shown, copies=copies(derivation, "layer"))


def expanded(derivation: Derivation) -> tuple[Block, ...]:
    """In the inputs and nothing else, or why not."""
    for order in range(derivation.order, -1, -1):
        lower = Derivation(derivation.network, order)
        small = in_inputs.total_size(lower.network, order) <= _MOST_OPERATIONS
        if small and _lines(lower, "expanded") <= _LONGEST:
            cut = order < derivation.order
            which = f"Partials of orders above {order}" if order else "Partials"
            told = f"{which} are too long to read, and left out."
            return (*said(told if cut else ""), *_rounded(lower, "expanded"))
    return _left_out("expanded", "would be too long to read")


def neurons(derivation: Derivation) -> tuple[Block, ...]:
    """A statement a neuron's quantity, or why not."""
    network = derivation.network
    width = sum(network.widths) * (1 + network.n) ** min(derivation.order, 2)
    if width > 4 * _MOST_NEURONS or (count := _lines(derivation, "neuron")) > _MOST_NEURONS:
        return _left_out("neuron", "would be too many statements to read")
    blocks = _rounded(derivation, "neuron")
    if count <= _UNFOLDED:
        return blocks
    told = f"{count} lines, which symnet derive --notation neuron prints, too."
    return Paragraph(told), Folded("Show them", blocks)


def _left_out(notation: str, why: str) -> tuple[Block, ...]:
    return (
        Paragraph(
            f"Left out, as it {why}; symnet derive --notation {notation} prints it where it can."
        ),
    )


def _lines(derivation: Derivation, notation: str) -> int:
    return derivation.text(notation, "unicode", DIGITS).count("\n")


def _rounded(derivation: Derivation, notation: str) -> tuple[Block, ...]:
    """To DIGITS digits; where these are not the numbers themselves, the exact ones folded."""
    short, exact = (_formulas(derivation, notation, digits) for digits in (DIGITS, None))
    shown = replace(short, copies=copies(derivation, notation))
    if short.html == exact.html:
        return (shown,)
    told = Paragraph(f"Numbers are rounded to {DIGITS} digits.")
    return told, shown, Folded("Exact numbers", (exact,))


def _formulas(derivation: Derivation, notation: str, digits: int | None) -> Formulas:
    html, unicode = (text(derivation, notation, form, digits) for form in ("mathml", "unicode"))
    network, order = derivation.network, derivation.order
    latex = formulas.latex(network, order, notation, digits, POINTS).strip()
    return Formulas(html, unicode, latex)
