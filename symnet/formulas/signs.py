"""How each format writes the layer algebra: vectors, matrices, products, sums over layers.

`text` is as NumPy takes it, primes aside:

    text       W2.T @ (w3 * sigmoid'(z2))
    unicode    W₂ᵀ (w₃ ⊙ σ′(z₂))
    latex      W_{2}^{\\top}\\,(w_{3}\\odot \\sigma'(z_{2}))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from symnet.calculus.algebra import SPELLED
from symnet.formulas import labels


@dataclass(frozen=True)
class Signs:
    """How one format writes the layer algebra; `{}` stand for operands already written."""

    written: Callable[[str, str, str], str]  # letter, layer, directions
    marked: Callable[[str], str]  # a vector so written, where a user's name could be read as it
    taken: frozenset[str] = frozenset()
    inline: str = "{}"
    gives_way: str = "{} belongs to the network, not to its inputs or outputs"
    applied: str = "{} @ {}"
    product: str = "{} @ {}"
    transposed: str = "{}.T"
    column: str = "{}[:, {}]"
    row: str = "{}[{}, :]"
    entry: str = "{}[{}]"
    elementwise: str = " * "
    scaled: str = "*"
    minus: str = "-"
    quoted: str = "{}"
    escaped: Callable[[str], str] = str
    total: str = "sum({})"
    sum: str = "sum over {} = {}..{} of {}"
    stepped_sum: str = "sum over {} = {}, {}, .., {} of {}"
    dots: str = "{} = {}..{}"
    stepped: str = "{} = {}, {}, .., {}"
    softmax: str = "softmax"
    log_softmax: str = "log_softmax"
    softmax_is: str = "exp(z)/sum(exp(z))"
    log_softmax_is: str = "z - log(sum(exp(z)))"
    tangents: str = "t is ∂z/∂x"
    moved: str = "{0}_i is ∂{0}/∂x_i"
    adjoints: str = "lam is ∂y/∂a"
    adjoint_of: str = "{} is ∂y/∂{}"
    bare: str = "lam of a node without a is ∂y/∂z"
    unit: str = "u_i is the unit vector of x_i"
    unit_output: str = "e_p is the unit vector of y_p"
    spread: str = "a vector with one entry is spread over the others"
    ones: str = ""
    products: str = "* is elementwise, @ the matrix or scalar product"

    def vector(self, letter: str, layer: str, along: str) -> str:
        """A vector of the algebra, or a matrix."""
        return self.own(letter, self.written(letter, layer, along))

    def own(self, letter: str, text: str) -> str:
        """What a derivation's own quantity of this letter is called: z1, or _z1 beside a user's."""
        return self.marked(text) if SPELLED.get(letter, letter) in self.taken else text

    def beside(self, names: Iterable[str]) -> Signs:
        """The signs of a network whose inputs, outputs and weights have these names."""
        found = filter(None, map(_LIKE_OWN.fullmatch, names))
        return replace(self, taken=frozenset(match[1] for match in found))

    def remarks(self, written: str) -> list[str]:
        """A sentence for each letter that gives way in what is written."""
        greek = {name: letter for letter, name in SPELLED.items()}
        found = []
        for name in sorted(self.taken):
            letter = greek.get(name, name)
            shown = (
                self.vector(letter, "", ""),
                self.marked(f"d{letter}"),
                self.marked(f"dd{letter}"),
            )
            if any(text in written for text in shown):
                found.append(self.gives_way.format(self.inline.format(shown[0])))
        return found


_LIKE_OWN = re.compile(r"d*(z|a|b|e|m|p|s|t|u|w|W|lam|zeta|mu|pi|lse)_?[0-9]\w*")
_LATEX = {"λ": r"\lambda", "ζ": r"\zeta", "μ": r"\mu", "π": r"\pi"}


def text_vector(letter: str, layer: str, along: str) -> str:
    """z1, t1_ij, W4_3, and z[k-1], t_ij[k], W[k,k-2] for a layer that is no plain number."""
    letter = SPELLED.get(letter, letter)
    if layer.replace(",", "").isdigit() or not layer:
        return f"{letter}{layer.replace(',', '_')}" + (f"_{along}" if along else "")
    return f"{letter}_{along}[{layer}]" if along else f"{letter}[{layer}]"


def unicode_vector(letter: str, layer: str, along: str) -> str:
    """z₁, t₁ᵢⱼ, W₄,₃, zₖ₋₁."""
    comma = "," if along and layer and not layer.isdigit() else ""
    below = [labels.subscript(part.replace("−", "-")) for part in (layer, along)]
    return letter + comma.join(below)


def latex_vector(letter: str, layer: str, along: str) -> str:
    r"""z_{1}, t_{1,ij}, W_{4,3}, z_{k-1}."""
    letter = _LATEX.get(letter, letter)
    below = ",".join(part for part in (layer, along) if part)
    return f"{letter}_{{{below}}}" if below else letter


def latex_marked(vector: str) -> str:
    r"""\bar{z}_{1}."""
    letter, below, rest = vector.partition("_")
    return rf"\bar{{{letter}}}{below}{rest}"


TEXT = Signs(text_vector, "_{}".format)
UNICODE = Signs(
    unicode_vector,
    "_{}".format,
    applied="{} {}",
    product="{}·{}",
    transposed="{}ᵀ",
    elementwise=" ⊙ ",
    scaled=" ",
    sum="Σ({} = {}…{}) {}",
    stepped_sum="Σ({} = {}, {}, …, {}) {}",
    dots="{} = {}, …, {}",
    stepped="{} = {}, {}, …, {}",
    log_softmax="log softmax",
    softmax_is="exp(z)/sum(exp(z))",
    log_softmax_is="z − log(sum(exp(z)))",
    moved="{0}ᵢ is ∂{0}/∂xᵢ",
    adjoints="λ is ∂y/∂a",
    bare="λ of a node without a is ∂y/∂z",
    unit="uᵢ is the unit vector of xᵢ",
    unit_output="eₚ is the unit vector of yₚ",
    products="⊙ is the elementwise product, · the scalar product",
)
LATEX = Signs(
    latex_vector,
    latex_marked,
    applied=r"{}\,{}",
    product=r"{}\cdot {}",
    transposed=r"{}^{{\top}}",
    column=r"{}[:,{}]",
    row=r"{}[{},:]",
    elementwise=r"\odot ",
    scaled=r"\,",
    quoted=r"\text{{{}}}",
    inline="${}$",
    escaped=labels.latex_escaped,
    total=r"\mathbf{{1}}\cdot {}",
    sum=r"\sum_{{{}={}}}^{{{}}} {}",
    stepped_sum=r"\sum_{{{}={},{},\ldots,{}}} {}",
    dots=r"{}={},\ldots,{}",
    stepped=r"{}={},{},\ldots,{}",
    softmax=r"\operatorname{softmax}",
    log_softmax=r"\log\operatorname{softmax}",
    softmax_is=r"\frac{e^{z}}{\sum_{r} e^{z_{r}}}",
    log_softmax_is=r"z - \log\sum_{r} e^{z_{r}}",
    tangents=r"$t$ is $\partial z/\partial x$",
    moved=r"${0}_i$ is $\partial {0}/\partial x_i$",
    adjoints=r"$\lambda$ is $\partial y/\partial a$",
    adjoint_of=r"${}$ is $\partial y/\partial {}$",
    bare=r"$\lambda$ of a node without $a$ is $\partial y/\partial z$",
    unit=r"$u_i$ is the unit vector of $x_i$",
    unit_output=r"$e_p$ is the unit vector of $y_p$",
    ones=r"$\mathbf{1}$ is the vector of ones",
    products=r"$\odot$ is the elementwise product, $\cdot$ the scalar product",
)
