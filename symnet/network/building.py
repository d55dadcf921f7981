"""A graph as one writes it: vectors of formulas of the inputs, until `Network.of` makes it nodes.

    x = variables("rho", "T")
    h = Layer(W1, b1, "tanh")(x)
    g = Layer(W2, b2, "tanh")(h) + h           a skip connection
    y = Layer(W3)(concat(g, x))
    net = Network.of(y)

A vector is an affine form of values that nodes compute. Concatenation, slices, permutations and
scaling, whose rows have one entry each, dissolve in the matrices of what comes next; a sum stays
a sum. Elementwise functions are `apply("sin", v)` or NumPy's, `np.sin(v)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import sympy
from sympy import Expr, Symbol

from symnet.activations import Activation, Z, activation, power
from symnet.network.graph import Node, Term
from symnet.network.layer import Layer, Spec
from symnet.network.weights import Array, as_expression, matrix, vector, weight

Scalar: TypeAlias = Any
"""A number, exact or not, or a plain SymPy symbol: what a weight can be."""


@dataclass(frozen=True, eq=False)
class _Atom:
    """A value that a node computes, or the inputs; told apart by identity."""

    width: int
    kind: str = "inputs"
    form: Vector | None = None
    activation: Activation | None = None
    factor: _Atom | None = None
    names: tuple[str | Symbol, ...] = ()
    layer: Layer | None = None

    @property
    def sources(self) -> tuple[_Atom, ...]:
        factor = () if self.factor is None else (self.factor,)
        return factor if self.form is None else (*self.form.terms, *factor)


@dataclass(frozen=True, eq=False)
class Vector:
    """A vector of a graph, `Σ_j A_j a_j + c`; made by `variables` and by what is done with them.

    `v[0]`, `v[1:3]` and `rho, T = x` are parts of it. `+ - * /` and `**` work entry by entry, with
    vectors of the same width, a vector one wide, numbers and arrays; `W @ v` is a matrix times it;
    NumPy's `exp`, `sin`, … are `apply`.

    ValueError for widths that do not fit and for what `Layer` refuses as weights; TypeError for a
    function that is no activation.
    """

    width: int
    terms: Mapping[_Atom, Array | None]
    """The matrix of each value, None for the identity."""
    bias: Array | None = None

    def __len__(self) -> int:
        return self.width

    def __iter__(self) -> Iterator[Vector]:
        return (self[i] for i in range(self.width))

    def __getitem__(self, which: int | slice | Sequence[int]) -> Vector:
        try:
            rows = np.atleast_1d(np.arange(self.width)[which])
        except IndexError as error:
            raise IndexError(f"a vector of {self.width} entries: {error}") from None
        if not rows.size:
            raise ValueError(f"no entry of a vector of {self.width} is chosen")
        return self._times(_selection(rows, self.width))

    def through(self, layer: Layer) -> Vector:
        """σ(W v + b)."""
        if layer.inputs != self.width:
            raise ValueError(
                f"the layer's weights have {layer.inputs} columns, but the vector has "
                f"{self.width} entries"
            )
        form = self._times(layer.weights)._shifted(layer.bias)
        kind = "form" if layer.activation.value == Z else "activation"
        return _value(form, kind, None if kind == "form" else layer.activation, layer=layer)

    # --- arithmetic -----------------------------------------------------------------------------

    def __add__(self, other: Any) -> Vector:
        return self._sum(other)

    __radd__ = __add__

    def __neg__(self) -> Vector:
        return self._scaled(-1)

    def __sub__(self, other: Any) -> Vector:
        return self._sum(-other if isinstance(other, Vector) else np.negative(other))

    def __rsub__(self, other: Any) -> Vector:
        return -self + other

    def __mul__(self, other: Any) -> Vector:
        return _product(self, other) if isinstance(other, Vector) else self._scaled(other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Vector:
        if isinstance(other, Vector):
            return self * apply("reciprocal", other)
        return self._scaled(_reciprocal(other))

    def __rtruediv__(self, other: Any) -> Vector:
        return apply("reciprocal", self) * other

    def __pow__(self, exponent: Any) -> Vector:
        if isinstance(exponent, Vector):
            return apply("exp", exponent * apply("log", self))
        return apply(_power(exponent), self)

    def __rpow__(self, base: Any) -> Vector:
        return apply(_exponential(base), self)

    def __rmatmul__(self, other: Any) -> Vector:
        weights = matrix(other)
        if weights.shape[1] != self.width:
            raise ValueError(
                f"the matrix has {weights.shape[1]} columns, but the vector has {self.width} "
                "entries"
            )
        return self._times(weights)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **options: Any) -> Vector:
        """What makes `np.sin(v)`, `W @ v` and `array + v` work."""
        binary = _UFUNCS.get(ufunc.__name__)
        if method != "__call__" or options:
            raise TypeError(f"NumPy's {ufunc.__name__} takes vectors of a network without options")
        if binary is not None:
            return binary(*given)
        name = {"absolute": "abs", "arcsin": "asin", "arccos": "acos", "arcsinh": "asinh"}.get(
            ufunc.__name__, ufunc.__name__
        )
        if ufunc.nin == 1:
            return apply(name, given[0])
        raise TypeError(f"NumPy's {ufunc.__name__} is not for vectors of a network")

    def _sum(self, other: Any) -> Vector:
        if not isinstance(other, Vector):
            return self._shifted(_entries(other, self.width))
        wide = max(self.width, other.width)
        left, right = (_spread(v._seen, wide) for v in (self, other))
        terms = dict(left.terms)
        for atom, added in right.terms.items():
            terms[atom] = _added(terms[atom], added, wide) if atom in terms else added
        return Vector(wide, terms, left.bias)._shifted(right.bias)

    def _shifted(self, bias: Array | None) -> Vector:
        if bias is None:
            return self
        if self.width == 1 and len(bias) > 1:
            return _spread(self, len(bias))._shifted(bias)
        total = bias if self.bias is None else _plus(self.bias, bias)
        return Vector(self.width, self.terms, total)

    def _scaled(self, factor: Any) -> Vector:
        entries = _entries(factor, self.width)
        if self.width == 1 and len(entries) > 1:
            return _spread(self, len(entries))._scaled(factor)
        return self._times(_diagonal(entries))

    @cached_property
    def _node(self) -> Vector:
        """The vector as a value of a node of its own, which it may be already."""
        alone = len(self.terms) == 1 and self.bias is None
        plain = alone and next(iter(self.terms.values())) is None
        return self if plain else _value(self, "form")

    @property
    def _seen(self) -> Vector:
        """The node that the vector has got by now, else the vector: sums of sums stay short."""
        return self.__dict__.get("_node", self)

    def _times(self, weights: Array) -> Vector:
        """A matrix times the vector; a vector whose rows have several entries gets a node."""
        plain = self if _has_single_entries(self) else self._node
        terms = {atom: _product_of(weights, A) for atom, A in plain.terms.items()}
        bias = None if plain.bias is None else _product_of(weights, plain.bias[:, None])[:, 0]
        return Vector(len(weights), terms, bias)


def variables(*names: str | Symbol) -> Vector:
    """The inputs of a network that is written as a graph: `x = variables("rho", "T")`.

    ValueError without names; what a name may be is checked by the network.
    """
    if not names:
        raise ValueError("variables: give the names of the inputs, as variables('x1', 'x2')")
    return _of(_Atom(len(names), names=names))


def concat(*vectors: Vector) -> Vector:
    """The vectors one after the other."""
    if not vectors or not all(isinstance(v, Vector) for v in vectors):
        raise ValueError("concat: give vectors of a network, at least one")
    total = sum(v.width for v in vectors)
    result, start = None, 0
    for v in vectors:
        rows = np.arange(start, start + v.width)
        placed = v._times(_selection(rows, total).T)
        result = placed if result is None else result._sum(placed)
        start += v.width
    assert result is not None
    return result


def apply(spec: Spec, v: Vector) -> Vector:
    """An activation or any function of one symbol, entry by entry: `apply("sin", v)`.

    ValueError for one that is not known.
    """
    found = activation(spec)
    return v if found.value == Z else _value(v, "activation", found)


def softmax(v: Vector) -> Vector:
    """exp(v)/Σ exp(v_r), over all entries of the vector."""
    return _value(v, "softmax")


def log_softmax(v: Vector) -> Vector:
    """v − log Σ exp(v_r), over all entries of the vector."""
    return _value(v, "log_softmax")


def maximum(a: Vector, b: Any) -> Vector:
    """The larger, entry by entry: b + relu(a − b)."""
    return apply("relu", a - b) + b


def minimum(a: Vector, b: Any) -> Vector:
    """The smaller, entry by entry: a − relu(a − b)."""
    return a - apply("relu", a - b)


def mean(v: Vector) -> Vector:
    """The mean of all entries, one wide."""
    return v._times(matrix([[sympy.Rational(1, v.width)] * v.width]))


def prelu(v: Vector, slopes: Any) -> Vector:
    """z where z > 0, else slope·z, a slope for each entry: α z + (1 − α) relu(z).

    Its derivative at 0 is the slope, as in PyTorch.
    """
    alpha = _entries(slopes, v.width)
    return v * alpha + apply("relu", v) * _plus(_entries(1, v.width), -alpha)


def layer_norm(v: Vector, scale: Any = 1, shift: Any = 0, epsilon: Scalar = 1e-5) -> Vector:
    """(v − mean)/sqrt(variance + ε) · scale + shift over all entries, variance by their number.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton, Layer Normalization, 2016, arXiv:1607.06450.
    """
    centred = (v - mean(v))._node
    spread = mean(apply("square", centred)) + epsilon
    return centred * apply(_power(sympy.Rational(-1, 2)), spread) * scale + shift


# --- from vectors to nodes ----------------------------------------------------------------------


def nodes_of(y: Vector) -> tuple[tuple[str | Symbol, ...], list[Node]]:
    """The names of the inputs and the nodes of the graph whose last value is y.

    Values are in the order in which they are needed, so a graph of any depth will do.
    """
    if not isinstance(y, Vector):
        raise ValueError(f"Network.of: y is a {type(y).__name__}; give a vector of variables")
    last = next(iter(y._node.terms))
    if last.kind == "inputs":
        last = _Atom(last.width, "form", y)
    ordered = _ordered(last)
    inputs = [atom for atom in ordered if atom.kind == "inputs"]
    if len(inputs) != 1:
        found = " and ".join(str(atom.names) for atom in inputs) or "none"
        raise ValueError(f"Network.of: y needs one set of variables, found {found}")
    places = {inputs[0]: 0} | {
        atom: k for k, atom in enumerate((a for a in ordered if a.kind != "inputs"), start=1)
    }
    structural = _Structural(list(places))
    return inputs[0].names, [_as_node(a, places, structural) for a in places if places[a]]


def _ordered(last: _Atom) -> list[_Atom]:
    """The values that `last` needs, each after those that it needs itself; no recursion."""
    found: dict[_Atom, None] = {}
    waiting = [last]
    while waiting:
        atom = waiting[-1]
        if missing := [s for s in atom.sources if s not in found]:
            waiting += reversed(missing)
        else:
            found[waiting.pop()] = None
    return list(found)


class _Structural:
    """Matrices of slices, scales and the like as doubles where the network's other weights are.

    They are exact themselves, and would make every sum with them one of SymPy's.
    """

    def __init__(self, atoms: Iterable[_Atom]) -> None:
        arrays = [a for atom in atoms if atom.form for a in _arrays(atom.form)]
        self.doubles = any(array.dtype == np.float64 for array in arrays)

    def __call__(self, array: Array | None) -> Array | None:
        if array is None or not self.doubles or array.dtype == np.float64:
            return array
        if not all(isinstance(e, sympy.Number) for e in array.flat):
            return array
        return np.array([float(e) for e in array.flat]).reshape(array.shape)


def _arrays(form: Vector) -> Iterator[Array]:
    yield from (A for A in form.terms.values() if A is not None)
    if form.bias is not None:
        yield form.bias


def _as_node(atom: _Atom, places: Mapping[_Atom, int], structural: _Structural) -> Node:
    assert atom.form is not None
    change = structural if atom.layer is None or not _is_direct(atom) else (lambda array: array)
    terms = sorted(
        (Term(change(A), places[source]) for source, A in atom.form.terms.items()),
        key=lambda term: -term.source,
    )
    factor = None if atom.factor is None else places[atom.factor]
    return Node(tuple(terms), change(atom.form.bias), atom.kind, atom.activation, factor)


def _is_direct(atom: _Atom) -> bool:
    """Whether a layer's own arrays are the node's."""
    assert atom.form is not None
    assert atom.layer is not None
    return all(A is atom.layer.weights for A in atom.form.terms.values())


def _of(atom: _Atom) -> Vector:
    return Vector(atom.width, {atom: None})


def _value(
    form: Vector,
    kind: str,
    function: Activation | None = None,
    factor: _Atom | None = None,
    layer: Layer | None = None,
) -> Vector:
    width = form.width if factor is None else max(form.width, factor.width)
    return _of(_Atom(width, kind, form, function, factor, layer=layer))


def _product(left: Vector, right: Vector) -> Vector:
    if left.width != right.width and 1 not in (left.width, right.width):
        raise ValueError(f"vectors of {left.width} and {right.width} entries have no product")
    if left._node is left and right._node is not right:
        left, right = right, left
    factor = next(iter(right._node.terms))
    return _value(left, "product", factor=factor)


# --- matrices -----------------------------------------------------------------------------------


def _entries(given: Any, width: int) -> Array:
    """A number or an array of them as a vector's entries: as many, or one for all."""
    flat = list(given) if np.ndim(given) else [given] * width
    if width not in (1, len(flat)):
        raise ValueError(f"{len(flat)} numbers for a vector of {width} entries")
    return vector([weight(e, f"number [{i}]") for i, e in enumerate(flat)], len(flat))


def _selection(rows: Array, width: int) -> Array:
    """The matrix that takes these rows of a vector."""
    chosen = np.full((len(rows), width), sympy.S.Zero, dtype=object)
    chosen[np.arange(len(rows)), rows] = sympy.S.One
    return chosen


def _diagonal(entries: Array) -> Array:
    if entries.dtype == np.float64:
        return np.diag(entries)
    result = np.full((len(entries),) * 2, sympy.S.Zero, dtype=object)
    np.fill_diagonal(result, entries)
    return result


def _has_single_entries(v: Vector) -> bool:
    """Whether each row of the form has one entry at most, so that matrices can take it in."""
    counts = np.zeros(v.width, dtype=int)
    for A in v.terms.values():
        counts += 1 if A is None else np.count_nonzero(A, axis=1)
    return bool((counts <= 1).all())


def _spread(v: Vector, width: int) -> Vector:
    if v.width == width:
        return v
    if v.width != 1:
        raise ValueError(f"a vector of {v.width} entries and one of {width} have no sum")
    return v._times(np.full((width, 1), sympy.S.One, dtype=object))


def _product_of(weights: Array, A: Array | None) -> Array:
    """W A; doubles where one of the two is and the other's entries are integers."""
    if A is None:
        return weights
    left, right = _alike(weights, A)
    if left.dtype == np.float64:
        return left @ right
    return _by_rows(left, right)


def _by_rows(left: Array, right: Array) -> Array:
    """A product of SymPy's numbers in which zeros cost nothing."""
    result = np.full((left.shape[0], right.shape[1]), sympy.S.Zero, dtype=object)
    for i, k in np.argwhere(left != 0):
        for j in np.flatnonzero(right[k] != 0):
            result[i, j] += left[i, k] * right[k, j]
    return result


def _alike(left: Array, right: Array) -> tuple[Array, Array]:
    """Both as doubles, or both of SymPy's objects."""
    if left.dtype == right.dtype:
        return left, right
    exact = left if right.dtype == np.float64 else right
    if all(isinstance(e, sympy.Number) for e in exact.flat):
        return left.astype(np.float64), right.astype(np.float64)
    to = np.vectorize(lambda e: as_expression(float(e)), otypes=[object])
    return (left, to(right)) if exact is left else (to(left), right)


def _plus(left: Array, right: Array) -> Array:
    a, b = _alike(left, right)
    return a + b


def _added(left: Array | None, right: Array | None, width: int) -> Array:
    unit = _selection(np.arange(width), width)
    return _plus(unit if left is None else left, unit if right is None else right)


# --- functions ----------------------------------------------------------------------------------


def _reciprocal(number: Any) -> Any:
    if np.ndim(number):
        return [_reciprocal(e) for e in number]
    found = weight(number, "divisor")
    if found == 0:
        raise ValueError("a vector is divided by 0")
    return 1 / found


def _power(exponent: Any) -> Activation:
    number = as_expression(weight(exponent, "exponent"))
    return power(sympy.nsimplify(number, rational=True))


def _exponential(base: Any) -> Activation:
    number = sympy.nsimplify(as_expression(weight(base, "base")), rational=True)
    if number <= 0:
        raise ValueError(f"a vector is the exponent of {base}; the base must be positive")
    return Activation(f"exp_base_{_identifier(number)}", number**Z)


def _identifier(number: Expr) -> str:
    return str(number).replace("-", "m").replace("/", "_over_")


_UFUNCS: dict[str, Callable[..., Vector]] = {
    "add": lambda a, b: b + a if isinstance(b, Vector) else a + b,
    "subtract": lambda a, b: a - b if isinstance(a, Vector) else b.__rsub__(a),
    "multiply": lambda a, b: b * a if isinstance(b, Vector) else a * b,
    "divide": lambda a, b: a / b if isinstance(a, Vector) else b.__rtruediv__(a),
    "power": lambda a, b: a**b if isinstance(a, Vector) else b.__rpow__(a),
    "negative": lambda a: -a,
    "matmul": lambda a, b: b.__rmatmul__(a),
    "maximum": lambda a, b: maximum(a, b) if isinstance(a, Vector) else maximum(b, a),
    "minimum": lambda a, b: minimum(a, b) if isinstance(a, Vector) else minimum(b, a),
}
