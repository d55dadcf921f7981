"""Labels of inputs and outputs, and the names that stand for them in formulas and in code.

An input may be called anything that is printable: `T [K]`, `ρ`, `s5`. That is its label. Its symbol
bears the label where that is a plain ASCII identifier, else a name made of it: `T_K`, `rho`. Names
that generated text uses itself get an underscore: Python's and C's keywords, and the functions and
constants of generated text (`exp`, `sqrt`, `pi`, `np`, ...). A derivation's own quantities (`z1`,
`W1`, `lam1`) give way to such names, see `symnet.formulas.signs`; an activation may not be called
as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from itertools import groupby
from keyword import iskeyword
from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple

from symnet import words

if TYPE_CHECKING:
    from sympy import Symbol

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_OWN_QUANTITY = re.compile(r"d*(z|a|s|t|lam|mu|lse)[0-9]+(_[A-Za-z0-9_]*)?")
_LONGEST_LABEL = 100
_SUPERSCRIPT = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")


def check_name(name: object, what: str) -> str:
    """The name itself when generated text may contain it.

    `what` begins the message of the ValueError raised otherwise ("input", "weight [0, 1]", ...).
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(
            f"{what}: {shortened(repr(name))} is no plain name; "
            "use letters a-z, digits and _, a letter first"
        )
    if name in words.FORMULAS or _OWN_QUANTITY.fullmatch(name):
        raise ValueError(
            f"{what}: the name {shortened(repr(name))} is used by generated formulas; "
            "choose another"
        )
    return name


def check_called(name: object, language: str) -> str:
    """The name itself when what is generated in a language may be called so, else ValueError."""
    what = "name of what is generated"
    found = check_name(name, what)
    if words.taken(found, language):
        raise ValueError(
            f"{what}: {shortened(repr(found))} is a word of {language}, or of its texts; "
            "choose another"
        )
    longest = words.LONGEST.get(language, len(found))
    if len(found) > longest:
        raise ValueError(
            f"{what}: {shortened(repr(found))} has {len(found)} letters; "
            f"{language} takes {longest}: choose another"
        )
    return found


def check_module(name: object) -> str:
    """The name itself when a file of Python that says no names of its own may be called so."""
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or iskeyword(name):
        raise ValueError(
            f"name of what is generated: {shortened(repr(name))} is no name of a module; "
            "use letters a-z, digits and _, a letter first"
        )
    return name


def called(label: str | None, language: str) -> str:
    """A name for what is generated of a network of this label: small letters, digits and _.

    >>> [called(label, "cpp") for label in ("Water 3", "class", "7 seas", None)]
    ['water_3', 'class_net', 'network_7_seas', 'network']
    """
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in label or "network")
    letters = letters.strip("_").lower()
    name = letters if letters[:1].isalpha() else f"network_{letters}".rstrip("_")
    unusable = words.taken(name, language) or name in words.FORMULAS
    name = f"{name}_net" if unusable or _OWN_QUANTITY.fullmatch(name) else name
    return name[: words.LONGEST.get(language)]


def check_symbol(symbol: Symbol, what: str) -> Symbol:
    """The symbol itself when its name is allowed and it carries no assumptions."""
    if not _is_plain(symbol.name):
        check_name(symbol.name, what)
    from sympy import Symbol

    if symbol != Symbol(symbol.name):
        shown = shortened(symbol.name)
        # A copy without them would print alike, and the user's own subs would not find it.
        raise ValueError(f"{what}: symbol {shown} carries assumptions; use Symbol({shown!r})")
    return symbol


def _is_plain(name: str) -> bool:
    """Whether a symbol of this name may stand in formulas and code."""
    return _IDENTIFIER.fullmatch(name) is not None and name not in words.FORMULAS


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


class Variables(NamedTuple):
    """The symbols of a network's inputs or outputs, and how they were called."""

    symbols: tuple[Symbol, ...]
    labels: tuple[str, ...]


def variables(
    names: Iterable[str | Symbol] | None,
    role: str,
    letter: str,
    count: int,
    taken: Iterable[str] = (),
) -> Variables:
    """`count` symbols of these labels or symbols; x1, x2, ... for the letter x where None is given.

    `role` is "input" or "output"; a name that is made for a label is none of `taken`. ValueError
    for another number of names, for symbols that are no plain names, and for text that cannot be
    printed on one line.
    """
    if names is None:
        names = [f"{letter}{i}" for i in range(1, count + 1)]
    if isinstance(names, str):
        raise ValueError(f"{role}s: give a sequence of names such as ({names!r},), not a string")
    from sympy import Symbol

    given = list(names)
    if len(given) != count:
        raise ValueError(f"{role}s: {len(given)} names, but the network has {count} {role}s")
    labels = [
        check_symbol(name, role).name if isinstance(name, Symbol) else check_end(name, role)
        for name in given
    ]
    used = {*taken, *filter(_is_plain, labels)}
    symbols = []
    for number, label in enumerate(labels, start=1):
        name = label if _is_plain(label) else _made(label, f"{letter}{number}", used)
        used.add(name)
        symbols.append(Symbol(name))
    return Variables(tuple(symbols), tuple(labels))


def check_end(name: object, role: str) -> str:
    """The label of an input or output: any printable line. ValueError, with the role, else."""
    text = name if isinstance(name, str) else ""
    if not (text.isprintable() and text == text.strip() and 0 < len(text) <= _LONGEST_LABEL):
        raise ValueError(
            f"{role}: {shortened(repr(name))} is no name; use one printable line of at most "
            f"{_LONGEST_LABEL} characters, without blanks before or after"
        )
    return text


def _made(label: str, otherwise: str, used: Container[str]) -> str:
    """A plain name that reads like the label, and is none of those used.

    >>> [_made(label, "x1", ()) for label in ("T [K]", "ρ", "漢字", "in")]
    ['T_K', 'rho', 'x1', 'in_']
    """
    letters = "".join(map(spelled, unicodedata.normalize("NFKD", label)))
    name = re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_") or otherwise
    if not name[0].isalpha():
        name = f"{otherwise.rstrip('0123456789')}_{name}"
    if name in words.FORMULAS:
        name += "_"
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name}_{number}"
    return found


def spelled(character: str) -> str:
    """`rho` for ρ, nothing for an accent."""
    if unicodedata.combining(character):
        return ""
    kind, _, letter = unicodedata.name(character, "").partition(" LETTER ")
    if kind not in ("GREEK SMALL", "GREEK CAPITAL") or " " in letter:
        return character
    return letter.lower() if kind == "GREEK SMALL" else letter.capitalize()


def check_distinct(inputs: Variables, outputs: Variables, weights: Iterable[str]) -> None:
    """ValueError when the names of inputs, outputs and weight symbols don't differ."""
    seen: dict[str, str] = {}
    roles = {"input": inputs.labels, "output": outputs.labels, "weight symbol": sorted(weights)}
    for role, names in roles.items():
        for name in names:
            if name in seen:
                raise ValueError(
                    f"{role}: {shortened(repr(name))} is already the name of an {seen[name]}; "
                    "choose another"
                )
            seen[name] = role


def commented(text: str) -> str:
    """The text as it may stand in a comment of any language: nothing ends it, or begins another."""
    for sign, shown in (("\\", "/"), ("`", "'"), ('"', "'"), ("*/", "* /"), ("/*", "/ *")):
        text = text.replace(sign, shown)
    return text


def superscript(text: str) -> str:
    """⁻² from -2: for digits, signs and parentheses."""
    return text.translate(_SUPERSCRIPT)


def whole(value: object, what: str, least: int, most: int | None = None) -> int:
    """The value as an int. ValueError where it is no whole number, or not within the limits."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise ValueError(f"{what} is {shortened(repr(value))}; a whole number {limits} is needed")


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


def method_name(order: int) -> str:
    """What computes the derivatives of an order: value, jacobian, hessian, derivative3, …"""
    return ("value", "jacobian", "hessian")[order] if order < 3 else f"derivative{order}"


def together_name(order: int) -> str:
    """What computes all orders up to one: value, value_jacobian, value_jacobian_hessian, …"""
    names = {0: "value", 1: "value_jacobian", 2: "value_jacobian_hessian"}
    return names.get(order, f"value_to_derivative{order}")


def array_name(order: int) -> str:
    """What an order's results are called in generated code: y, jacobian, hessian, …"""
    return method_name(order) if order else "y"


def partial_name(output: str, inputs: Sequence[str] = ()) -> str:
    """The plain name of a partial derivative: `y`, `dy/dx1`, `d2y/dx1dx2`, `d3y/dx1dx1dx2`."""
    order = len(inputs)
    if order == 0:
        return output
    return f"d{order if order > 1 else ''}{output}/{''.join('d' + name for name in inputs)}"


def text_partial(of: str, along: Iterable[str]) -> str:
    """∂²y/∂x1∂x2, ∂²y/∂x1²: the label of a partial derivative of `of`, or `of` itself."""
    along = list(along)
    if not along:
        return of
    below = "".join(f"∂{name}{_power(count)}" for name, count in runs(along))
    return f"∂{_power(len(along))}{of}/{below}"


def runs(names: Iterable[str]) -> list[tuple[str, int]]:
    """Names that follow each other, each with how often it does."""
    return [(name, len(list(run))) for name, run in groupby(names)]


def _power(count: int) -> str:
    return superscript(str(count)) if count > 1 else ""
