"""The functions of a generated C file, and the calls of them that a plan's steps become.

A step becomes one call. Functions come from `cruntime`, or are written here: one for each
activation, and one for each form that an elementwise step has in any layer.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from sympy import Expr

from symnet.activations import Activation
from symnet.algebra import DIRECTIONS, sigma
from symnet.backends import cruntime
from symnet.backends.ccalls import Call, Pointer
from symnet.backends.cexpressions import (
    EntryPrinter,
    activation_function,
    formula,
    function,
    loops,
    position_function,
)
from symnet.backends.clowering import (
    Activate,
    Contraction,
    Elementwise,
    Linear,
    Place,
    Plan,
    Result,
    Step,
)
from symnet.network import Network
from symnet.program import family


def output_name(order: int) -> str:
    """The name of the argument that takes the derivatives of this order."""
    names = ("y", "jacobian", "hessian")
    return names[order] if order < len(names) else f"derivative{order}"


def entries(order: int) -> str:
    """The number of a point's derivatives of this order."""
    return " * ".join(["M", *["N"] * order])


class Functions:
    """Collects the functions that calls need, each once, for one network shape and C type."""

    def __init__(self, network: Network, dtype: str) -> None:
        self.n, self.widths, self.dtype = network.n, network.widths, dtype
        self.starts = weight_starts(network)
        self.library: dict[str, str] = {}
        self.own: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.elementary: set[str] = set()

    @property
    def texts(self) -> list[str]:
        """All functions, each after those that it calls."""
        return [
            *self._vector_versions(),
            *(self.library[name] for name in _LIBRARY if name in self.library),
            *self.own.values(),
        ]

    def gathering(self, planned: Plan) -> Call:
        """The call that brings points into a block's memory."""
        self.need("gather")
        x = Place(planned.slabs["x"])
        return Call("gather", ("points", "count", "vectors", _pointer(x)))

    def scattering(self, result: Result, order: int) -> Call:
        """The call that brings derivatives of an order from a block's memory to the caller's."""
        name = output_name(order)
        if result.place is None:
            return Call("memset", (name, "0", f"(size_t)count * {entries(order)} * sizeof(real)"))
        columns = result.place.slab.columns
        place = _pointer(result.place)
        if order >= 2:
            self.need(f"scatter{order}", order)
            return Call(f"scatter{order}", ("count", "vectors", place, _vectors(columns), name))
        self.need("scatter")
        steps = (1, columns) if result.by_input else (columns, 1)
        columns_of_result = "N" if order else "1"
        return Call("scatter", ("count", columns_of_result, place, *map(_vectors, steps), name))

    # --- steps ----------------------------------------------------------------------------------

    def call(self, step: Step, planned: Plan, rules: Mapping[str, Activation]) -> Call:
        """The call that does `step`; `rules` are the Program's activations."""
        match step:
            case Linear():
                return self._linear(step)
            case Activate():
                return self._activation(step, rules)
            case Elementwise():
                return self._elementwise(step, planned)
            case Contraction():
                return self._contraction(step, planned)

    def _linear(self, step: Linear) -> Call:
        self.need("matvec")
        rows, depth = self.widths[step.layer], self.widths[step.layer - 1]
        matrix = self._weights(f"W{step.layer}")
        bias = self._weights(f"b{step.layer}") if step.biased else "NULL"
        shape = (rows, depth, matrix, depth, 1)
        if step.backward:
            shape = (depth, rows, matrix, 1, depth)
        places = [(_pointer(p), _vectors(p.slab.columns)) for p in (step.source, step.target)]
        return call_of(
            "matvec",
            *shape,
            bias,
            "vectors" if step.biased else 0,
            _vectors(step.source.count),
            *places[0],
            *places[1],
        )

    def _activation(self, step: Activate, rules: Mapping[str, Activation]) -> Call:
        orders = tuple(r for r, _ in step.results)
        name = f"{step.name}_{''.join(map(str, orders))}"
        if name not in self.own:
            rule = rules[step.name]
            self.own[name], called = activation_function(name, rule, orders, self.dtype)
            self.elementary |= called
        places = [step.source, *(place for _, place in step.results)]
        rows = [argument for p in places for argument in (_pointer(p), _vectors(p.slab.columns))]
        return call_of(name, step.source.slab.rows, "vectors", *rows)

    def _elementwise(self, step: Elementwise, planned: Plan) -> Call:
        printer = EntryPrinter(planned, self.dtype)
        lines = ["for (long r = 0; r < neurons; r++) {"]
        for place, along, expression in step.targets:
            target = printer.entry(place, along, "r")
            assign = "+=" if step.accumulate else "="
            statement = f"{target} {assign} {printer.value(expression)};"
            lines += (f"    {line}" for line in loops(along, [statement], "p" in along))
        written_to = {place.slab.name for place, _, _ in step.targets}
        rows = step.targets[0][0].slab.rows
        return self._shared("entries", printer, [*lines, "}"], written_to, rows, _remark(step))

    def _contraction(self, step: Contraction, planned: Plan) -> Call:
        rows, weight, target = step.weight.slab.rows, _pointer(step.weight), _pointer(step.target)
        if step.pair is not None:
            column = planned.columns.get(family(step.pair))
            if column is not None:
                self.need("pairs_of_weights")
                matrix = self._weights(str(column.args[0]))
                return call_of("pairs_of_weights", rows, "vectors", weight, matrix, target)
            self.need("pairs")
            place = planned.places[family(step.pair)]
            row = _vectors(place.slab.columns)
            return call_of("pairs", rows, "vectors", weight, _pointer(place), row, target)
        printer = EntryPrinter(planned, self.dtype)
        along = tuple(DIRECTIONS[: step.order])
        factor = printer.entry(step.weight, ("p",), "r")
        value = printer.value(step.moving)
        result = printer.entry(step.target, along, "p")
        sums = [
            "vec sum = splat(0);",
            "for (long r = 0; r < neurons; r++)",
            f"    sum += {factor} * ({value});",
            f"{result} += sum;",
        ]
        remark = f"Sums over neurons of g_p*({_layerless(step.moving)}), added to what is there."
        written_to = {step.target.slab.name}
        return self._shared("sums", printer, loops(along, sums, True), written_to, rows, remark)

    def _shared(
        self,
        kind: str,
        printer: EntryPrinter,
        lines: list[str],
        written_to: set[str],
        rows: int,
        remark: str,
    ) -> Call:
        """A call of the function with this body, which all layers with such a step share."""
        for order in printer.orders:
            self._position(order)
        parameters = ["long neurons", "long vectors"]
        arguments: list[Any] = []
        for name, actual in printer.parameters.items():
            if name in self.starts:
                parameters.append(f"const real *{name}")
                arguments.append(self._weights(name))
            else:
                const = "" if actual in written_to else "const "
                parameters.append(f"{const}vec *restrict {name}")
                arguments.append(_pointer(Place(printer.plan.slabs[actual])))
        body = f"({', '.join(parameters)})"
        key = body + "\n".join(lines)
        if key not in self.names:
            name = f"{kind}{sum(other.startswith(kind) for other in self.names.values()) + 1}"
            self.names[key] = name
            self.own[name] = function(f"SHARED void {name}{body}", lines, remark)
        return call_of(self.names[key], rows, "vectors", *arguments)

    def _weights(self, name: str) -> Pointer:
        return Pointer(name, True, self.starts[name][0])

    # --- functions of the library ---------------------------------------------------------------

    def need(self, name: str, order: int = 0) -> None:
        """Put a function of `cruntime` into the file."""
        if name in self.library:
            return
        if order >= 2:
            self._position(order)
        if name in ("pairs", "pairs_of_weights"):
            self._position(2)
            tile = min(self.n, 4)
            tiles = _pair_tiles(tile, self.n % tile)
            self.library["all_pairs"] = cruntime.PAIRS.format(tile=tile, body=tiles)
        if order == 2:
            few = self.n <= 4
            self.library[name] = cruntime.SCATTER2_FEW if few else cruntime.SCATTER2_MANY
        elif order > 2:
            self.library[name] = cruntime.SCATTER_HIGHER.format(
                order=order,
                brackets="][".join(DIRECTIONS[:order]),
                ordered=" <= ".join(DIRECTIONS[:order]),
                entries=" * ".join(["N"] * order),
                arguments=", ".join(f"index[{d}]" for d in range(order)),
            )
        else:
            self.library[name] = _LIBRARY_TEXTS[name]

    def _position(self, order: int) -> None:
        self.library[f"at{order}"] = position_function(order)

    def _vector_versions(self) -> list[str]:
        """Declarations of the vector versions of the elementary functions that are called."""
        suffix = "f" if self.dtype == "float" else ""
        texts = []
        for minor, names in _VECTOR_VERSIONS.items():
            found = [f"{name}{suffix}" for name in names if f"{name}{suffix}" in self.elementary]
            declared = "\n".join(f"VECTOR_VERSION extern real {name}(real);" for name in found)
            if found:
                texts.append(cruntime.LIBMVEC.format(minor=minor, declarations=declared))
        return [cruntime.VECTOR_VERSION, *texts] if texts else []


_VECTOR_VERSIONS = {
    22: ("exp", "log", "sin", "cos"),
    35: ("tanh", "erf", "erfc", "expm1", "log1p", "atan", "sinh", "cosh", "asinh", "tan"),
}
"""The minor version of glibc 2 from which functions of one argument have vector versions."""

_LIBRARY_TEXTS = {
    "matvec": cruntime.MATVEC,
    "pairs": cruntime.PAIRS_OF_SLAB,
    "pairs_of_weights": cruntime.PAIRS_OF_WEIGHTS,
    "gather": cruntime.GATHER,
    "scatter": cruntime.SCATTER,
    "keep_nan": cruntime.NOT_A_NUMBER,
    "allocate": cruntime.MEMORY,
}
_LIBRARY = (
    *(f"at{r}" for r in range(2, len(DIRECTIONS) + 1)),
    "matvec",
    "all_pairs",
    "pairs",
    "pairs_of_weights",
    "gather",
    "scatter",
    *(f"scatter{r}" for r in range(2, len(DIRECTIONS) + 1)),
    "keep_nan",
    "allocate",
)
"""The order in which functions stand in a file: each after those that it calls."""


def weight_starts(network: Network) -> dict[str, tuple[int, tuple[int, ...]]]:
    """W1, b1, W2, …: where each starts in `packed`, and its shape."""
    found: dict[str, tuple[int, tuple[int, ...]]] = {}
    start = 0
    for k, layer in enumerate(network.layers, 1):
        for name, array in zip((f"W{k}", f"b{k}"), layer.arrays, strict=False):
            found[name] = (start, array.shape)
            start += array.size
    return found


def call_of(name: str, *arguments: Any) -> Call:
    """A call with these arguments: pointers, numbers and text."""
    return Call(name, tuple(a if isinstance(a, Pointer) else str(a) for a in arguments))


def _pointer(place: Place) -> Pointer:
    after = _vectors(place.first) if place.first else ""
    return Pointer(place.slab.name, False, place.slab.start, after)


def _vectors(columns: int) -> str:
    return "vectors" if columns == 1 else f"{columns} * vectors"


def _pair_tiles(tile: int, rest: int) -> str:
    """Calls of pair_tile for all i ≤ j, in tiles."""
    arguments = "neurons, vectors, w, row, from, t_row, W, i, j, to"
    if rest:
        lines = [
            "long i = 0, j;",
            f"for (; i + {tile} <= N; i += {tile}) {{",
            f"    for (j = i; j + {tile} <= N; j += {tile})",
            f"        pair_tile(fixed, {tile}, {tile}, {arguments});",
            f"    pair_tile(fixed, {tile}, {rest}, {arguments});",
            "}",
            "j = i;",
            f"pair_tile(fixed, {rest}, {rest}, {arguments});",
        ]
    else:
        lines = [
            f"for (long i = 0; i < N; i += {tile})",
            f"    for (long j = i; j < N; j += {tile})",
            f"        pair_tile(fixed, {tile}, {tile}, {arguments});",
        ]
    return textwrap.indent("\n".join(lines), " " * 12)


def _remark(step: Elementwise) -> str:
    """What an elementwise step computes, in any layer: `a_i = z_i*s'(z)`."""
    assign = "+=" if step.accumulate else "="
    texts = (
        f"{re.sub(r'[0-9_]+', '', place.slab.name)}{'_' * bool(along)}{''.join(along)} {assign} "
        f"{_layerless(expression)}"
        for place, along, expression in step.targets
    )
    return f"{'; '.join(texts)}, neuron by neuron."


def _layerless(expression: Expr) -> str:
    """The formula without numbers of layers, and with any activation called s."""
    named = expression.xreplace(
        {n: sigma("s", n.order, n.argument) for n in expression.atoms(sigma)}
    )
    return re.sub(r"(?<=[a-zA-Zλ])\d+", "", formula(named)).replace("λ", "lam")
