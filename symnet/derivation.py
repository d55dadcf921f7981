"""Derivation: a network's derivatives, as formulas and as functions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sympy import Expr, Matrix, Symbol

from symnet import compiling, formulas
from symnet.calculus.algebra import DIRECTIONS
from symnet.catalogue import file_name
from symnet.formulas import expanded, safe
from symnet.names import whole
from symnet.network import Network
from symnet.network.mistaken import unlike

if TYPE_CHECKING:
    from symnet.plotting import Picture
    from symnet.witness.checking import Report

HIGHEST = len(DIRECTIONS)
"""The highest order of derivative: there are names for as many directions."""

_DIGITS = 4  # of numbers in a notebook, as on a page; `latex` has all


def derive(network: Network, order: int = 2) -> Derivation:
    """The derivatives of `network` with respect to its inputs, up to `order`.

    Nothing is computed before it is asked for. TypeError when `network` is none, ValueError for
    an order below 0 or above HIGHEST.
    """
    return Derivation(network, order)


@dataclass(frozen=True)
class Derivation:
    """The value and the partial derivatives of a network's outputs, up to an order.

    Formulas in the inputs alone are `network.expression()` differentiated by `sympy.diff`:

        d.partial("x1", "x2", of="y")      ∂²y/∂x1∂x2; d.partial() is the value
        d.jacobian(), d.hessian(of="y")    SymPy matrices (m, n) and (n, n)

    As text `d.text(notation="layer")`, `d.latex(notation="layer")`, where the notation is
    "expanded" (a formula in the inputs), "neuron" (a statement a neuron) or "layer" (a symbol
    stands for a layer's vector). As functions `d.compile()`. `of` names an output and may be left
    out when there is one only.
    """

    network: Network
    order: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network):
            raise TypeError(f"a Network is needed, got {unlike(self.network)}")
        object.__setattr__(self, "order", whole(self.order, "order", 0, HIGHEST))

    def partial(
        self, *inputs: str | Symbol, of: str | Symbol | None = None, stable: bool = False
    ) -> Expr:
        """The partial derivative of one output with respect to these inputs, in any order.

        stable: in a form that is safe to evaluate in double precision: equal, but longer, with
        each activation's derivatives as they are compiled (see `symnet.stable`).

        ValueError for an unknown name, for more inputs than `order`, and for a formula that would
        be too large to read (the message says which notation to use).
        """
        if len(inputs) > self.order:
            raise ValueError(f"{len(inputs)} inputs, but derived to order {self.order} only")
        chosen = tuple(sorted(self._input(name) for name in inputs))
        if stable:
            expanded.check_partial(self.network, len(chosen))
            return safe.partial(self.network, self._output(of), chosen)
        return expanded.partial(self.network, self._output(of), chosen)

    def jacobian(self) -> Matrix:
        """∂y_p/∂x_i as a SymPy Matrix (m, n). Raises as `partial`."""
        names = self.network.inputs
        return Matrix(
            [[self.partial(name, of=output) for name in names] for output in self.network.outputs]
        )

    def hessian(self, of: str | Symbol | None = None) -> Matrix:
        """∂²y/∂x_i∂x_j of one output as a SymPy Matrix (n, n). Raises as `partial`."""
        names = self.network.inputs
        return Matrix([[self.partial(a, b, of=of) for b in names] for a in names])

    def text(
        self, notation: str | None = None, format: str = "text", digits: int | None = None
    ) -> str:
        """The derivatives as "text", "unicode", "latex" or "mathml".

        Right sides of expanded "text" paste into Python; other notations have names such as
        ∂a1_1/∂x1 and tanh'(z1).

        "mathml" is HTML with formulas that browsers set: divisions of the classes `lines`, in
        which each term stays together where there is room.

        The default notation is "expanded" where that is small enough to read, else "layer".
        `digits` rounds the numbers shown; by default they are shown with the fewest digits that
        give them back. Raises ValueError as `partial`, and for an unknown notation or format.
        """
        notation = notation or self._readable()
        return formulas.text(self.network, self.order, notation, format, digits)

    def latex(self, notation: str | None = None, digits: int | None = None) -> str:
        """The derivatives as LaTeX for the amsmath package. Arguments as for `text`."""
        return formulas.latex(self.network, self.order, notation or self._readable(), digits)

    def __str__(self) -> str:
        return self.text(format="unicode")

    def _repr_latex_(self) -> str:
        return formulas.notebook(self.network, self.order, self._readable(), _DIGITS)

    def plot(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Picture:
        """A picture of the value and the partials; see `symnet.plot`."""
        from symnet.plotting import plot

        return plot(self, path, **options)

    def compile(
        self, backend: str = "numpy", *, check: bool = True, threads: int | None = None
    ) -> compiling.Compiled:
        """The value and derivatives as functions of arrays of points; see `Compiled`.

        backend: "numpy", or "c" for a kernel made by the system's C compiler.
        check: compare every function with the analytic engine before it is returned, on a few
            points; CheckError when one disagrees, and a warning to the logger "symnet" where
            nothing could be compared.
        threads: how many to use at most; None for as many as pay.

        ValueError when a weight is symbolic: give numbers by `network.subs` first.
        """
        function = compiling.compiled(self.network, self.order, backend, threads)
        return function.verified() if check else function

    def generate(
        self,
        path: str | os.PathLike[str],
        language: str | None = None,
        *,
        precision: str = "double",
        only: Sequence[str] = (),
    ) -> None:
        """Write the derivatives as source text that needs no symnet: a file, or those of a folder.

        Functions or the module are called as the file, in a folder as the network.

        language: of `symnet generate --help`; None for the one whose files end as `path` does.
        precision, only: as `symnet.languages.generate` has them.

        The functions are checked, and the text's own self-test is run where its tools are installed
        (a warning to the logger "symnet" where not), before anything is written. ValueError as
        there and for a `path` that names no file of the language; CheckError where a check fails.
        """
        from symnet.languages.placing import generated

        generated(self.network, self.order, file_name(path), language, precision, only)

    def report(self, path: str | os.PathLike[str], data: Any = None) -> Report | None:
        """Write a page about the network: HTML, Markdown, LaTeX or PDF by the name's ending.

        data: points (N, n), over which slopes are measured. Gives the report of the check that the
        page shows, which need not have passed, or None where weights are symbols. ValueError for
        another ending, and for data of another shape.
        """
        from symnet.reporting import reported

        return reported(self, file_name(path), data)

    def _readable(self) -> str:
        return "expanded" if expanded.is_readable(self.network, self.order) else "layer"

    def _input(self, name: str | Symbol) -> int:
        return _position(name, self.network.inputs, self.network.input_names, "input")

    def _output(self, name: str | Symbol | None) -> int:
        names = self.network.output_names
        if name is None and len(names) > 1:
            raise ValueError(f"the network has outputs {', '.join(names)}: say of which (of=...)")
        return 0 if name is None else _position(name, self.network.outputs, names, "output")


def _position(
    name: str | Symbol, symbols: Sequence[Symbol], names: Sequence[str], what: str
) -> int:
    """Where an input or output stands that is given by its name, or by its symbol."""
    for known in (names, [symbol.name for symbol in symbols]):
        if str(name) in known:
            return known.index(str(name))
    raise ValueError(f"no {what} is called {str(name)!r}; there are {', '.join(names)}")
