"""How names are written: sub- and superscripts, Greek letters, labels of partial derivatives.

`text` is what Python and a terminal take, `unicode` one line of mathematics, `latex` a formula:

    text       x1     rho   body_mass             ∂y/∂x1
    unicode    x₁     ρ     body_mass             ∂y/∂x₁
    latex      x_{1}  \\rho  \\mathrm{body\\_mass}   \\frac{\\partial y}{\\partial x_{1}}
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from symnet.names import runs

_DIGITS = "0123456789"
_SUBSCRIPT = str.maketrans("0123456789+-aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ",
    "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "lamda": "λ", "Lamda": "Λ",
}  # fmt: skip
"""Names that stand for Greek letters; as Python keeps `lambda` for itself, `lamda` does too."""
_NUMBERED = re.compile(r"([A-Za-z]+?)_?([0-9]+)(?:_([0-9]+))?")
_SUFFIXED = re.compile(r"([A-Za-z]+)_([A-Za-z0-9]+)")


def subscript(text: str) -> str:
    """x₁₂ᵢ from 12i: for digits, signs and the letters which Unicode has below the line."""
    return text.translate(_SUBSCRIPT)


@lru_cache(maxsize=4096)
def unicode_name(name: str) -> str:
    """x₁ for x1, ρ for rho, w₁,₂ for w1_2; other names stay."""
    if found := _NUMBERED.fullmatch(name):
        numbers = [subscript(number) for number in found.groups()[1:] if number]
        return GREEK.get(found[1], found[1]) + ",".join(numbers)
    return GREEK.get(name, name)


@lru_cache(maxsize=4096)
def latex_name(name: str) -> str:
    r"""x_{1} for x1, \rho for rho, \mathrm{bmi} for bmi, \rho_{\mathrm{gas}} for rho_gas."""
    if found := _NUMBERED.fullmatch(name):
        numbers = ",".join(number for number in found.groups()[1:] if number)
        return f"{_latex_word(found[1])}_{{{numbers}}}"
    found = _SUFFIXED.fullmatch(name)
    if found and (len(found[1]) == 1 or found[1] in GREEK):
        return f"{_latex_word(found[1])}_{{{_latex_word(found[2])}}}"
    return _latex_word(name)


def _command(letter: str) -> str:
    """LaTeX's command for a Greek letter, which Unicode calls lamda and LaTeX lambda."""
    return "\\" + letter.replace("amda", "ambda")


def _latex_word(word: str) -> str:
    if len(word) == 1:
        return word
    if word in GREEK:
        return _command(word)
    escaped = word.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


_SPECIAL = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    # In the fonts that LaTeX begins with these are other characters: ¡, ¿ and a dash.
    **{"<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "|": r"\ensuremath{\vert}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "·": r"\ensuremath{\cdot}"},
    **{"∂": r"\ensuremath{\partial}", "−": r"\ensuremath{-}", "…": r"\ldots{}"},
    **{"°": r"\ensuremath{^\circ}", "×": r"\ensuremath{\times}", "µ": r"\ensuremath{\mu}"},
    **{"ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}"},
}
_ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0308\u030a\u030c", "`'^~\"rv", strict=True))
_SET = frozenset(
    [
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
        *("lamda", "Lamda"),
        *("mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
        *("Gamma", "Delta", "Theta", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi"),
        "Omega",
    ]
)
_PLACES = {"<super>": "^", "<sub>": "_"}


def latex_escaped(text: str) -> str:
    r"""Plain text in ASCII that every LaTeX sets: `é` as `\'{e}`, `ρ` as a formula.

    What LaTeX's own fonts have no glyph for is written by its number: `U+6F22`.
    """
    return "".join(
        _SPECIAL.get(c) or (c if c.isascii() else _beyond_ascii(c))
        for c in unicodedata.normalize("NFC", text)
    )


def _beyond_ascii(character: str) -> str:
    base, accents = (parts := unicodedata.normalize("NFD", character))[:1], parts[1:]
    if base.isascii() and base.isalpha() and accents in _ACCENTS:
        return rf"\{_ACCENTS[accents]}{{{base}}}"
    place, *codes = unicodedata.decomposition(character).split() or [""]
    if place in _PLACES:
        moved = [_in_formula(chr(int(code, 16))) for code in codes]  # of ™ two
        if all(moved):
            return rf"\ensuremath{{{_PLACES[place]}{{{''.join(moved)}}}}}"
    if letter := _in_formula(character):
        return rf"\ensuremath{{{letter}}}"
    return rf"\texttt{{U+{ord(character):04X}}}"


def _in_formula(character: str) -> str:
    """ASCII for a character within a formula; "" where there is none."""
    if character.isascii() or character == "−":
        return character.replace("−", "-")
    kind, _, letter = unicodedata.name(character, "").rpartition(" LETTER ")
    letter = letter.capitalize() if kind == "GREEK CAPITAL" else letter.lower()
    return _command(letter) if kind in ("GREEK SMALL", "GREEK CAPITAL") and letter in _SET else ""


def latex_partial(of: str, along: Iterable[str]) -> str:
    r"""\frac{\partial^{2} y}{\partial x_{1} \partial x_{2}}."""
    along = list(along)
    if not along:
        return of
    below = r"\,".join(rf"\partial {_raised(name, count)}" for name, count in runs(along))
    power = f"^{{{len(along)}}}" if len(along) > 1 else ""
    return rf"\frac{{\partial{power} {of}}}{{{below}}}"


def _raised(name: str, count: int) -> str:
    return f"{name}^{{{count}}}" if count > 1 else name


def primes(order: int, prime: str) -> str:
    """′, ″, ‴ for the orders up to 3; a `prime` other than ′ is repeated."""
    return ("", "′", "″", "‴")[order] if prime == "′" else prime * order


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which x2 comes before x10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(p), "") if p[0] in _DIGITS else (1, 0, p) for p in parts)
