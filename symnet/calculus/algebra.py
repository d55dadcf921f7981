"""The layer algebra: one calculus for every width.

A symbol stands for a whole layer's vector and a product is elementwise, so commutative SymPy
symbols are the right ones and its sums and products the textbook's. A vector one wide is spread
over the other in a product or a sum. These functions are added:

    matvec(W, v)     W v                     linear in W and in v
    dot(u, v)        Σ_r u_r v_r             bilinear; one wide
    sigma(σ, r, z)   σ⁽ʳ⁾(z) elementwise     ∂ sigma(σ, r, z) = sigma(σ, r+1, z) · ∂z
    softmax(z)       exp(z)/Σ exp(z_r) = s   ∂ softmax(z) = s · (∂z − dot(s, ∂z))
    log_softmax(z)   z − log Σ exp(z_r)      ∂ log_softmax(z) = ∂z − dot(s, ∂z)

`rules` has how each is differentiated. A derivative is taken along a *generic direction* (`i`, `j`,
…), so that its cost depends neither on the width of a layer nor on the number of inputs: ∂_i x =
u_i, and x1, x2, … are the choices u = e1, e2, …. Adjoints are taken of e·y, where e selects the
output p. What a matrix makes of unit vectors has a name:

    column(W, u_i)   W u_i = W[:, i]         row(W, e)   Wᵀ e = W[p, :]
    entry(v, u)      u·v, one entry of v: v_i of a unit direction u_i, v_p of e
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import Add, Basic, Expr, Function, Integer, Mul, S, Symbol
from sympy.core.symbol import Str

DIRECTIONS = "ijklmnoq"
"""Names of the generic directions, in the order in which derivatives are taken; p is an output."""

SPELLED = {"λ": "lam", "μ": "mu", "ζ": "zeta", "π": "pi"}
"""The Greek letters of adjoints, of a, z, m and s, and how source code spells them."""


class Quantity(Symbol):
    """A layer's vector, or one neuron's entry of it, or a partial derivative of either.

    `letter` and `layer` say which vector (`z`, 2), `along` the directions it has been
    differentiated in, the latest last, and `index` the neuron (from 1) where it is one entry only;
    `family`, (letter, layer, order), is what it has in common with its namesakes along others:

        Quantity("z", 2)                   z₂                 a whole layer
        Quantity("z", 2, ("i",))           ∂z₂ along u_i      a whole layer
        Quantity("z", 2, ("x1",), 3)       ∂z₂,₃/∂x1          one neuron
    """

    __slots__ = ("_content", "along", "family", "index", "layer", "letter")

    letter: str
    layer: int | None
    along: tuple[str, ...]
    index: int | None
    family: tuple[str, int | None, int]
    _content: tuple[Any, ...]

    def __new__(
        cls,
        letter: str,
        layer: int | None = None,
        along: tuple[str, ...] = (),
        index: int | None = None,
    ) -> Quantity:
        return _quantity(letter, layer, along, index)

    def _hashable_content(self) -> tuple[Any, ...]:
        return self._content

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.letter, self.layer, self.along, self.index), {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Quantity, (self.letter, self.layer, self.along, self.index)

    @property
    def order(self) -> int:
        """How often this quantity has been differentiated."""
        return len(self.along)

    def toward(self, direction: str) -> Quantity:
        """This quantity's derivative along one more direction."""
        return Quantity(self.letter, self.layer, (*self.along, direction), self.index)


@lru_cache(maxsize=2**16)
def _quantity(
    letter: str, layer: int | None, along: tuple[str, ...], index: int | None
) -> Quantity:
    """The one object that stands for it: SymPy compares others by their parts."""
    name = letter + ("" if layer is None else str(layer))
    name += "" if index is None else f"_{index}"
    name += "_" + "".join(along) if along else ""
    made: Quantity = Symbol.__xnew__(Quantity, name)
    made.letter, made.layer, made.along, made.index = letter, layer, along, index
    made.family = letter, layer, len(along)
    numbers = (-1 if n is None else n for n in (layer, index))
    made._content = letter, *numbers, *along  # compared often
    return made


X = Quantity("x")
Y = Quantity("y")
OUTPUT = Quantity("e", None, ("p",))
"""The unit covector that selects output p: adjoints are taken of e·y."""


def is_direction(vector: Basic) -> bool:
    """Whether `vector` is the unit direction u_i of the inputs."""
    return isinstance(vector, Quantity) and vector.letter == "x" and vector.order == 1


@lru_cache(maxsize=2**14)
def along_directions(expression: Basic) -> frozenset[str]:
    """The directions that `expression` depends on, "p" for an adjoint's output."""
    if isinstance(expression, Quantity):
        return frozenset(expression.along)
    return frozenset().union(*map(along_directions, expression.args))


def without_output(vector: Expr) -> Expr | None:
    """f for e ⊙ f, else None."""
    if vector == OUTPUT:
        return S.One
    if not vector.is_Mul or OUTPUT not in vector.args:
        return None
    return Mul(*(factor for factor in vector.args if factor != OUTPUT))


class Head(Function):
    """A function of the algebra: made by its `eval` or as it stands, and never evaluated to digits.

    SymPy's own functions look at their arguments for numbers, and carry a set of how many there may
    be, in each of the thousands that a deep network's Program has.
    """

    is_commutative = True  # SymPy would ask it of all arguments

    def __new__(cls, *args: Basic) -> Expr:
        head: Any = cls
        return _headed(head, *args)


@lru_cache(maxsize=2**16)
def _headed(head: Any, *args: Basic) -> Expr:
    if len(args) not in head._nargs:  # `nargs` is made anew each time
        raise TypeError(f"{head.__name__} takes {head.nargs} arguments, got {len(args)}")
    value = head.eval(*args)
    return Expr.__new__(head, *args) if value is None else value


class matvec(Head):
    """matvec(W, v) = W v: a weight matrix applied to a layer's vector; linear in both."""

    nargs = 2

    @classmethod
    def eval(cls, matrix: Basic, vector: Basic) -> Expr | None:
        if matrix == 0 or vector == 0:
            return S.Zero
        if is_direction(vector):
            return column(matrix, vector)
        if isinstance(matrix, transposed):
            scale = without_output(vector)
            if scale is not None:
                return row(matrix.args[0], OUTPUT) * entry(scale, OUTPUT)
        return None


class transposed(Head):
    """transposed(W) = Wᵀ."""

    nargs = 1

    @classmethod
    def eval(cls, matrix: Basic) -> Expr | None:
        return matrix.args[0] if isinstance(matrix, cls) else None


class column(Head):
    """column(W, u_i) = W[:, i]."""

    nargs = 2


class row(Head):
    """row(W, e) = W[p, :], as a vector."""

    nargs = 2


class entry(Head):
    """entry(v, u) = u·v: the entry of v that the unit vector u selects."""

    nargs = 2

    @classmethod
    def eval(cls, vector: Basic, unit: Basic) -> Expr | None:
        return vector if vector.is_number else None


class dot(Head):
    """dot(u, v) = Σ_r u_r v_r over a layer's neurons; bilinear.

    dot(c, dot(u, v)), of a number c and what is a number itself, is dot(c u, v).
    """

    nargs = 2

    @classmethod
    def eval(cls, left: Basic, right: Basic) -> Expr | None:
        if left == 0 or right == 0:
            return S.Zero
        if isinstance(right, dot):
            return dot(left * right.args[0], right.args[1])
        if right.is_Mul and isinstance(right.args[-1], dot):
            number, inner = right.as_coeff_Mul()
            return dot(number * left * inner.args[0], inner.args[1])
        for vector, other in ((left, right), (right, left)):
            scale = without_output(vector)
            if scale is not None:
                return entry(scale * other, OUTPUT)
        for unit, other in ((left, right), (right, left)):
            if is_direction(unit) and not along_directions(other) - {"p"}:
                return entry(other, unit)
        return None


class outer(Head):
    """outer(u, v) = u vᵀ: the adjoint of a weight matrix, ∂/∂W dot(u, W v)."""

    nargs = 2


class softmax(Head):
    """softmax(z) = exp(z)/Σ_r exp(z_r)."""

    nargs = 1


class log_softmax(Head):
    """log_softmax(z) = z − log Σ_r exp(z_r)."""

    nargs = 1


class sigma(Head):
    """sigma(σ, r, z): the r-th derivative of the activation named σ, elementwise.

    It stays named until a formula is printed in full or compiled.
    """

    nargs = 3

    def __new__(cls, name: str | Str, order: int | Integer, argument: Expr) -> sigma:
        name = name if isinstance(name, Str) else Str(name)
        return super().__new__(cls, name, Integer(order), argument)

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def order(self) -> int:
        return int(self.args[1])

    @property
    def argument(self) -> Expr:
        return self.args[2]


@lru_cache(maxsize=2**16)
def sigmas(expression: Basic) -> frozenset[sigma]:
    """The activations' derivatives in an expression."""
    own = (expression,) if isinstance(expression, sigma) else ()
    return frozenset(own).union(*map(sigmas, expression.args))


@lru_cache(maxsize=2**16)
def symbols(expression: Basic) -> frozenset[Quantity]:
    """The quantities in an expression."""
    if isinstance(expression, Quantity):
        return frozenset((expression,))
    return frozenset().union(*map(symbols, expression.args))


@lru_cache(maxsize=2**16)
def heads(expression: Basic) -> frozenset[type]:
    """The functions in an expression, and the sums."""
    own = (type(expression),) if isinstance(expression, (Head, Add)) else ()
    return frozenset(own).union(*map(heads, expression.args))


@lru_cache(maxsize=2**14)
def outside(expression: Expr) -> frozenset[Quantity]:
    """The quantities in an expression, but for those that only activations are applied to."""
    if isinstance(expression, sigma):
        return frozenset()
    if isinstance(expression, Quantity):
        return frozenset((expression,))
    return frozenset().union(*map(outside, expression.args))
