"""Names that are safe in formulas and in generated source text.

Names of inputs, outputs and weight symbols end up in text that is printed, compiled and
executed, so they are plain ASCII identifiers and none of the following:

- Python's and C's keywords, and the functions and constants which generated text uses (`exp`,
  `sqrt`, `pi`, `np`, ...);
- the names of a derivation's own quantities: `z`, `a`, `s`, `t`, `lam` or `mu`, a layer number
  and what may follow after an underscore, with any number of `d` before it (`z1`, `a1_3`,
  `da2_1`, `lam1`);
- for inputs and outputs only, the names by which the layer notation calls weights: `W1`, `w1`,
  `b1`. Weight symbols may be called so.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence

from sympy import Symbol

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_OWN_QUANTITY = re.compile(r"d*(z|a|s|t|lam|mu|lse)[0-9]+(_[A-Za-z0-9_]*)?")
_LAYER_WEIGHT = re.compile(r"[Wwb][0-9]+")
_C_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long main register restrict return short signed sizeof static struct switch "
    "typedef union unsigned void volatile while"
)
_FUNCTIONS = (
    "exp expm1 log log1p sqrt sin cos tan tanh sinh cosh atan arctan asin acos erf erfc erfcx "
    "abs Abs fabs pow sign Piecewise Min Max min max where logaddexp matvec dot pi nan inf NAN "
    "INFINITY np numpy math"
)
_RESERVED = frozenset([*keyword.kwlist, *_C_KEYWORDS.split(), *_FUNCTIONS.split()])
_LONGEST_LABEL = 100


def check_name(name: object, what: str) -> str:
    """The name itself when generated text may contain it.

    `what` begins the message of the ValueError raised otherwise ("input", "weight [0, 1]", ...).
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(
            f"{what}: {shortened(repr(name))} is no plain name; "
            "use letters a-z, digits and _, a letter first"
        )
    if name in _RESERVED or _OWN_QUANTITY.fullmatch(name):
        raise ValueError(
            f"{what}: the name {shortened(repr(name))} is used by generated formulas; "
            "choose another"
        )
    return name


def check_symbol(symbol: Symbol, what: str) -> Symbol:
    """The symbol itself when its name is allowed and it carries no assumptions."""
    check_name(symbol.name, what)
    if symbol != Symbol(symbol.name):
        shown = shortened(symbol.name)
        # A copy without them would print alike, and the user's own subs would not find it.
        raise ValueError(f"{what}: symbol {shown} carries assumptions; use Symbol({shown!r})")
    return symbol


def check_label(label: object) -> str:
    """A network's name as it may stand in a heading or in a comment of generated source.

    One printable line of at most 100 characters without quotes, backslashes and comment signs;
    anything else raises ValueError.
    """
    text = label if isinstance(label, str) else ""
    plain = text.isprintable() and text == text.strip() and 0 < len(text) <= _LONGEST_LABEL
    if not plain or re.search(r"[\"'`\\]|\*/|/\*", text):
        raise ValueError(
            f"network name {shortened(repr(label))}: use one printable line of at most "
            f"{_LONGEST_LABEL} characters without quotes, backslashes and comment signs"
        )
    return text


def variables(
    names: Iterable[str | Symbol] | None, role: str, letter: str, count: int
) -> tuple[Symbol, ...]:
    """`count` symbols from names or symbols; x1, x2, ... for the letter x where None is given.

    `role` is "input" or "output". Raises ValueError for another number of names and for names
    that are reserved.
    """
    if names is None:
        return tuple(Symbol(f"{letter}{i}") for i in range(1, count + 1))
    if isinstance(names, str):
        raise ValueError(f"{role}s: give a sequence of names such as ({names!r},), not a string")
    symbols = tuple(_variable(name, role) for name in names)
    if len(symbols) != count:
        raise ValueError(f"{role}s: {len(symbols)} names, but the network has {count} {role}s")
    return symbols


def _variable(name: str | Symbol, role: str) -> Symbol:
    symbol = (
        check_symbol(name, role) if isinstance(name, Symbol) else Symbol(check_name(name, role))
    )
    if _LAYER_WEIGHT.fullmatch(symbol.name):
        raise ValueError(
            f"{role}: {shortened(repr(symbol.name))} stands for a layer's weights; choose another"
        )
    return symbol


def check_distinct(
    inputs: Sequence[Symbol],
    outputs: Sequence[Symbol],
    weights: Iterable[Symbol],
    activations: Iterable[str],
) -> None:
    """ValueError when the names of inputs, outputs, weight symbols and activations don't differ."""
    seen = dict.fromkeys(activations, "activation")
    roles = {"input": inputs, "output": outputs, "weight symbol": sorted(weights, key=str)}
    for role, symbols in roles.items():
        for symbol in symbols:
            if symbol.name in seen:
                raise ValueError(
                    f"{role}: {shortened(repr(symbol.name))} is already the name of an "
                    f"{seen[symbol.name]}"
                )
            seen[symbol.name] = role


def listed(symbols: Iterable[Symbol], most: int = 6) -> str:
    """The names in alphabetical order, at most so many of them: for messages."""
    names = sorted(shortened(symbol.name) for symbol in symbols)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if names[most:] else "")


def shortened(text: str, width: int = 60) -> str:
    """The text on one line, its end cut off where it is longer than `width`: for messages."""
    return visible(text if len(text) <= width else text[: width - 3] + "...")


def visible(text: str) -> str:
    """The text with what moves a cursor, breaks a line or turns writing around as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def partial_name(output: str, inputs: Sequence[str] = ()) -> str:
    """The plain name of a partial derivative: `y`, `dy/dx1`, `d2y/dx1dx2`, `d3y/dx1dx1dx2`."""
    order = len(inputs)
    if order == 0:
        return output
    return f"d{order if order > 1 else ''}{output}/{''.join('d' + name for name in inputs)}"
