"""What is said below formulas: what names stand for, kinks, domains, poles, and how to paste."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import sympy
from sympy import Expr, oo

from symnet.activations import Activation, Z, poles
from symnet.activations.cancelling import cancels
from symnet.activations.functions import STEPS
from symnet.activations.untaken import untaken
from symnet.formulas.labels import unicode_name
from symnet.formulas.lines import unbroken
from symnet.formulas.plain import TextPrinter
from symnet.names import listed
from symnet.network import Network


def notes(
    network: Network,
    order: int = 2,
    brief: Mapping[str, str] = MappingProxyType({}),
    shown: Callable[[str], str] = str,
) -> list[str]:
    """What names in formulas stand for, of which some are written briefly, and `limits`.

    shown: how a name of a symbol is read in the formulas.
    """
    return [*_stand_for(network, brief, shown), *limits(network, order)]


def limits(network: Network, order: int = 2) -> list[str]:
    """Activations with kinks or jumps, not defined for every z, with poles, NaN, refused."""
    used = dict.fromkeys(node.activation for node in network.nodes if node.activation)
    limited = [activation for activation in used if not activation.total]
    refusals = {activation: _refusal(activation, order) for activation in used}
    bent = [note for activation in used for note in _kink_notes(activation)]
    far = [note for activation in used for note in _pole_notes(activation)]
    lost = [note for a in used if not refusals[a] for note in _untaken_notes(a, order)]
    return [*bent, *map(_domain_note, limited), *far, *lost, *filter(None, refusals.values())]


def _stand_for(
    network: Network, brief: Mapping[str, str], shown: Callable[[str], str]
) -> list[str]:
    """`T_K stands for T [K], rho for ρ`, where there are names that formulas cannot have."""
    symbols = (*network.inputs, *network.outputs)
    called = (*network.input_names, *network.output_names)
    labels = dict.fromkeys(brief) | {s.name: c for s, c in zip(symbols, called, strict=True)}
    said = ", ".join(
        f"{unicode_name(brief[name]) if name in brief else name} for {label or name}"
        for name, label in labels.items()
        if name in brief or label not in (name, shown(name))
    )
    return [said.replace(" for ", " stands for ", 1)] if said else []


def _domain_note(activation: Activation) -> str:
    intervals = " and ".join(_interval(*ends) for ends in activation.domain) or "no z"
    return f"{activation.name} is defined for {intervals}; elsewhere it is NaN"


def _pole_notes(activation: Activation) -> Iterator[str]:
    """Where it has poles without end, which no list of intervals can have."""
    for pole in poles.endless(activation.meant):
        if pole.place is None:
            yield f"{activation.name} has poles without end, where {pole.zero} is 0"
        else:
            yield f"{activation.name} has a pole at every {pole.place}, {pole.numbers}"


def _untaken_notes(activation: Activation, order: int) -> Iterator[str]:
    """Where it is NaN though it has a value."""
    if where := untaken(activation, order):
        what = f"{activation.name} or a derivative of it" if order else activation.name
        yield f"{what} is NaN in double precision where {' or '.join(where)}"


def _interval(low: Expr, high: Expr) -> str:
    below, above = _written(low), _written(high)
    if low == -oo:
        return f"z < {above}"
    return f"z > {below}" if high == oo else f"{below} < z < {above}"


def _kink_notes(activation: Activation) -> Iterator[str]:
    """Where it jumps, where it bends, and that there is no end of such places."""
    jumps = activation.jumps
    kinks = [kink for kink in activation.kinks if kink not in jumps]
    flat = activation.constant(2) == 0
    for places, what in ((kinks, "has a kink"), (jumps, "jumps")):
        if places:
            taken = " and ".join(_written(_slope(activation, place)) for place in places)
            said = f"{activation.name} {what} at {' and '.join(map(_written, places))}"
            yield f"{said}: its derivative there is taken as {taken}" + _flat(activation, flat)
            flat = False
    if activation.endless:
        steps = sorted(map(str, activation.value.atoms(*STEPS)))
        what = (
            f"jumps without end, those of {' and '.join(steps)}" if steps else "corners without end"
        )
        taken = "its derivative there is that of one of the two sides"
        yield f"{activation.name} has {what}: {taken}" + _flat(activation, flat)


def _flat(activation: Activation, flat: bool) -> str:
    return f"; second partials of {activation.name} are zero almost everywhere" if flat else ""


def pasting(network: Network) -> list[str]:
    """How to have SymPy read symbols that bear names of its own, such as I, E, beta and gamma."""
    symbols = {*network.inputs, *network.outputs, *network.symbols}
    known = (sympy, builtins)  # what `sympify` looks names up in
    taken = sorted(s.name for s in symbols if any(hasattr(place, s.name) for place in known))
    if not taken:
        return []
    pairs = ", ".join(f'"{name}": Symbol("{name}")' for name in taken)
    return [f"in SymPy: sympify(..., locals={{{pairs}}})"]


def evaluating(network: Network, order: int) -> list[str]:
    """That what is printed may cancel or overflow in double precision, where it does."""
    used = dict.fromkeys(node.activation for node in network.nodes if node.activation)
    names = [a.own for a in used if not _refusal(a, order) and cancels(a, order)]
    if not names:
        return []
    what = f"in doubles the printed derivatives of {listed(names)} may cancel or overflow"
    return [f"exact, but {what}: see symnet.stable"]


def _refusal(activation: Activation, order: int) -> str:
    """Why an activation is not compiled, or nothing."""
    try:
        activation.forms(order)
    except ValueError as error:
        return f"not to be computed in doubles: {error}"
    return ""


def _written(number: Expr) -> str:
    """As formulas have it: a float by the fewest digits that give it back."""
    return unbroken(TextPrinter().doprint(number))


def _slope(activation: Activation, kink: Expr) -> Expr:
    return activation.derivative(1).xreplace({Z: kink}).doit()
