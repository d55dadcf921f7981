"""How each format writes the layer algebra: vectors, matrices, products, sums over layers.

`text` is as NumPy takes it, primes aside:

    text       W2.T @ (w3 * sigmoid'(z2))
    unicode    W₂ᵀ (w₃ ⊙ σ′(z₂))
    latex      W_{2}^{\\top}\\,(w_{3}\\odot \\sigma'(z_{2}))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.formulas import labels


@dataclass(frozen=True)
class Signs:
    """How one format writes the layer algebra; `{}` stand for operands already written."""

    vector: Callable[[str, str, str], str]  # letter, layer, directions
    applied: str = "{} @ {}"
    product: str = "{} @ {}"
    transposed: str = "{}.T"
    column: str = "{}[:, {}]"
    row: str = "{}[{}, :]"
    entry: str = "{}[{}]"
    elementwise: str = " * "
    scaled: str = "*"
    minus: str = "-"
    sum: str = "sum over k = {}..{} of {}"
    dots: str = "{} = {}..{}"
    tangents: str = "t is ∂z/∂x"
    adjoints: str = "lam is ∂y/∂a"
    products: str = "* is elementwise, @ the matrix or scalar product"


def text_vector(letter: str, layer: str, along: str) -> str:
    """z1, t1_ij, and z[k-1], t_ij[k] for a layer that is no plain number."""
    letter = {"λ": "lam"}.get(letter, letter)
    if layer.isdigit() or not layer:
        return f"{letter}{layer}" + (f"_{along}" if along else "")
    return f"{letter}_{along}[{layer}]" if along else f"{letter}[{layer}]"


def unicode_vector(letter: str, layer: str, along: str) -> str:
    """z₁, t₁ᵢⱼ, zₖ₋₁."""
    comma = "," if along and layer and not layer.isdigit() else ""
    below = [labels.subscript(part.replace("−", "-")) for part in (layer, along)]
    return letter + comma.join(below)


def latex_vector(letter: str, layer: str, along: str) -> str:
    r"""z_{1}, t_{1,ij}, z_{k-1}."""
    letter = {"λ": r"\lambda"}.get(letter, letter)
    below = ",".join(part for part in (layer, along) if part)
    return f"{letter}_{{{below}}}" if below else letter


TEXT = Signs(text_vector)
UNICODE = Signs(
    unicode_vector,
    applied="{} {}",
    product="{}·{}",
    transposed="{}ᵀ",
    elementwise=" ⊙ ",
    scaled=" ",
    sum="Σ(k = {}…{}) {}",
    dots="{} = {}, …, {}",
    adjoints="λ is ∂y/∂a",
    products="⊙ is the elementwise product, · the scalar product",
)
LATEX = Signs(
    latex_vector,
    applied=r"{}\,{}",
    product=r"{}\cdot {}",
    transposed=r"{}^{{\top}}",
    column=r"{}[:,{}]",
    row=r"{}[{},:]",
    elementwise=r"\odot ",
    scaled=r"\,",
    sum=r"\sum_{{k={}}}^{{{}}} {}",
    dots=r"{}={},\ldots,{}",
    tangents=r"$t$ is $\partial z/\partial x$",
    adjoints=r"$\lambda$ is $\partial y/\partial a$",
    products=r"$\odot$ is the elementwise product, $\cdot$ the scalar product",
)
