"""The functions of a generated C file, and the calls of them that a plan's steps become.

A step becomes one call. Functions come from `library`, or are written here: one for each
activation, one for each shape of a layer, and one for each form that a pass over neurons has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symnet import activations
from symnet.backends.c.plan.steps import (
    Activated,
    Contraction,
    Linear,
    Pass,
    Place,
    Plan,
    Result,
    Softmax,
    Step,
    Total,
    written_by,
)
from symnet.backends.c.text.activations import (
    Stages,
    activation_function,
    inner_function,
    stages,
)
from symnet.backends.c.text.bodies import over_neurons, remark, sum_over_neurons
from symnet.backends.c.text.calls import Call, Pointer
from symnet.backends.c.text.expressions import (
    EntryPrinter,
    function,
    loops,
)
from symnet.backends.c.text.needed import Needed
from symnet.backends.c.text.products import linear_lines
from symnet.names import array_name
from symnet.network import Network


def count_of(order: int) -> str:
    """The number of a point's derivatives of this order."""
    return " * ".join(["M", *["N"] * order])


class Functions:
    """Collects the functions that calls need, each once, for one network shape and C type.

    `vectors` is V, the number of vectors of points in a block.
    """

    def __init__(self, network: Network, dtype: str, vectors: int) -> None:
        self.n, self.m, self.dtype, self.vectors = network.n, network.m, dtype, vectors
        self.starts = weight_starts(network)
        self.library = Needed(self.n, dtype)
        self.own: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.inner: dict[str, str] = {}
        self.first: dict[tuple[str, tuple[int, ...]], str] = {}

    @property
    def texts(self) -> list[str]:
        """All functions, each after those that it calls."""
        return [*self.library.in_order, *self.own.values()]

    def gathering(self, planned: Plan) -> Call:
        """The call that brings points into a block's memory."""
        self.library.need("gather")
        return Call("gather", ("points", "count", _pointer(planned, Place(planned.slabs["x"]))))

    def scattering(self, planned: Plan, result: Result, order: int) -> Call:
        """The call that brings derivatives of an order from a block's memory to the caller's."""
        name = array_name(order)
        if result.place is None:
            return Call("memset", (name, "0", f"(size_t)count * {count_of(order)} * sizeof(real)"))
        columns, place = result.place.slab.columns, _pointer(planned, result.place)
        if order >= 2:
            self.library.need(f"scatter{order}", order)
            return Call(f"scatter{order}", ("count", place, _vectors(columns), name))
        self.library.need("scatter")
        steps = (1, columns) if result.by_input else (columns, 1)
        columns_of_result = "N" if order else "1"
        return Call("scatter", ("count", columns_of_result, place, *map(_vectors, steps), name))

    # --- steps ----------------------------------------------------------------------------------

    def call(self, step: Step, planned: Plan, rules: Mapping[str, activations.Activation]) -> Call:
        """The call that does `step`; `rules` are the Program's activations."""
        match step:
            case Linear():
                return self._linear(step, planned)
            case Pass():
                return self._pass(step, planned, rules)
            case Softmax():
                return self._softmax(step, planned)
            case Total():
                return self._total(step, planned)
            case Contraction():
                return self._contraction(step, planned)

    def _linear(self, step: Linear, planned: Plan) -> Call:
        _, (rows, depth) = self.starts[step.matrix.name]
        down, right = depth, 1
        if step.backward:
            rows, depth, down, right = depth, rows, 1, depth
        self.library.need("tiles")
        strides = _vectors(step.source.slab.columns), _vectors(step.target.slab.columns)
        lines = linear_lines(
            (rows, depth, down, right),
            self.vectors * step.source.count,
            self.vectors if step.bias else 0,
            strides,
            step.accumulate,
        )
        operation = f"W{' transposed' * step.backward} in{' + b' if step.bias else ''}"
        assign = "+=" if step.accumulate else "="
        told = f"out {assign} {operation} for {step.source.count} column(s) of vectors."
        parameters = [
            "const real *W",
            *(["const real *b"] if step.bias else []),
            "const vec *in",
            "vec *out",
        ]
        name = self._named("linear", parameters, lines, lambda: told, f"_{rows}x{depth}")
        given = [self._weights(w.name) for w in (step.matrix, step.bias) if w is not None]
        return call_of(name, *given, *(_pointer(planned, p) for p in (step.source, step.target)))

    def _pass(self, step: Pass, planned: Plan, rules: Mapping[str, activations.Activation]) -> Call:
        printer = EntryPrinter(planned, self.dtype, step.rows, step)
        inner: list[str] = []
        body: list[str] = []
        if step.activated:
            inner, body = self._activated(step.activated, planned, rules, printer)
        for entry in step.entries:
            printer.output = "p" if "p" in entry.along else "r"
            target = printer.entry(entry.target, entry.along, "r")
            assign = "+=" if entry.accumulate else "="
            statement = f"{target} {assign} {printer.value(entry.expression)};"
            body += loops(entry.along, [statement], "p" in entry.along)
        printer.output = "p"
        start: list[str] = []
        for s in step.sums:
            target = printer.entry(s.target, s.along, "p")
            if not s.accumulate:
                constant = f"{printer.parameter(s.bias)}[p]" if s.bias else "0"
                start += loops(s.along, [f"{target} = splat({constant});"], True)
            body += loops(s.along, [f"{target} += {printer.product(s)};"], True, unrolled=True)
        sums = self.vectors * self.m * sum(s.target.count for s in step.sums)
        lines = over_neurons(inner, body, start, sums)
        return self._shared("pass", printer, lines, step)

    def _activated(
        self,
        step: Activated,
        planned: Plan,
        rules: Mapping[str, activations.Activation],
        printer: EntryPrinter,
    ) -> tuple[list[str], list[str]]:
        """Lines of two stages: calls of elementary functions into k0, k1, …; σ, σ′, … of these.

        These are in s0, s1, …, and where others read them in memory too.
        """
        orders = tuple(r for r, _ in step.results)
        suffix = "".join(map(str, orders))
        found = stages(rules[step.name], orders)
        name, inner = f"{step.name}_{suffix}", ""
        if found.calls:
            inner = self._inner(step.name, orders, found)
        if name not in self.own:
            self._own(name, activation_function(name, found, orders, self.dtype))
        z = printer.entry(step.source, (), "r")
        values = [f"k{i}[(r - first) * V + c]" for i in range(len(found.calls))]
        given = ", ".join([z, *(f"&{k}" for k in values)])
        first = [
            f"vec {', '.join(f'k{i}[ROWS * V]' for i in range(len(values)))};",
            f"{inner}({given});",
        ]
        second = [
            f"vec {', '.join(f's{r}' for r in orders)};",
            f"{name}({', '.join([z, *values, *(f'&s{r}' for r in orders)])});",
            *(
                f"{printer.entry(place, (), 'r')} = s{r};"
                for r, place in step.results
                if place.slab.name in planned.starts
            ),
        ]
        return (first if values else []), second

    def _inner(self, activation: str, orders: tuple[int, ...], found: Stages) -> str:
        """The name of the first stage's function, which all orders with the same calls share."""
        if (activation, orders) not in self.first:
            text = inner_function("inner", found, self.dtype)
            if text not in self.inner:
                number = 1 + sum(name.startswith(f"{activation}_inner") for name in self.own)
                name = f"{activation}_inner{number}"
                self.inner[text] = name
                self._own(name, inner_function(name, found, self.dtype))
            self.first[activation, orders] = self.inner[text]
        return self.first[activation, orders]

    def _own(self, name: str, text: str) -> None:
        """Put an activation's function into the file."""
        self.own[name] = text
        self.library.called_in(text)

    def _softmax(self, step: Softmax, planned: Plan) -> Call:
        name = "log_softmax" if step.logarithm else "softmax"
        self.library.need("lanes")
        self.library.need(name)
        self.library.elementary |= {"decay_of", "log_of"} if step.logarithm else {"decay_of"}
        given = []
        for place in (step.source, step.target):
            given += [_pointer(planned, place), _vectors(place.slab.columns)]
        return call_of(name, step.source.slab.rows, *given)

    def _total(self, step: Total, planned: Plan) -> Call:
        """Σ_r of an expression, for all directions, or outputs, of its target."""
        printer = EntryPrinter(planned, self.dtype, step.rows)
        value = printer.value(step.expression)
        result = printer.entry(step.target, step.along, "0")
        lines = sum_over_neurons(value, result, step.accumulate)
        lines = loops(step.along, lines, "p" in step.along)
        return self._shared("total", printer, lines, step)

    def _contraction(self, step: Contraction, planned: Plan) -> Call:
        weight, target = _pointer(planned, step.weight), _pointer(planned, step.target)
        if step.pair is not None:
            more = int(step.accumulate)
            column = planned.weights.get(step.pair.family)
            if column is not None:
                self.library.need("pairs_of_weights")
                matrix = self._weights(str(column.args[0]))
                return call_of("pairs_of_weights", step.rows, weight, matrix, target, more)
            self.library.need("pairs")
            place = planned.places[step.pair.family]
            row = _vectors(place.slab.columns)
            return call_of("pairs", step.rows, weight, _pointer(planned, place), row, target, more)
        printer = EntryPrinter(planned, self.dtype, step.rows)
        at = "0" if step.weight.slab.rows < step.rows else "r"
        factor = printer.entry(step.weight, ("p",), at)
        value = printer.value(step.moving)
        result = printer.entry(step.target, step.along, "p")
        lines = sum_over_neurons(f"{factor} * ({value})", result, step.accumulate)
        return self._shared("sums", printer, loops(step.along, lines, True), step)

    def _shared(
        self, kind: str, printer: EntryPrinter, lines: list[str], step: Pass | Total | Contraction
    ) -> Call:
        """A call of the function with this body, which all vectors with such a step share."""
        for order in printer.orders:
            self.library.position(order)
        parameters = ["wide neurons"]
        arguments: list[Any] = []
        written = written_by(step)
        for name, actual in printer.parameters.items():
            if actual in self.starts:
                parameters.append(f"const real *{name}")
                arguments.append(self._weights(actual))
            else:
                const = "" if actual in written else "const "
                parameters.append(f"{const}vec *restrict {name}")
                arguments.append(_pointer(printer.plan, Place(printer.plan.slabs[actual])))
        name = self._named(kind, parameters, lines, lambda: remark(step))
        return call_of(name, step.rows, *arguments)

    def _named(
        self,
        kind: str,
        parameters: list[str],
        lines: list[str],
        told: Callable[[], str],
        shape: str = "",
    ) -> str:
        """The name of the function with these parameters and lines, which is written once."""
        opening = f"({', '.join(parameters)})"
        key = opening + "\n".join(lines)
        if key not in self.names:
            # No number at the end: activations' functions have one there.
            number = 1 + sum(other.startswith(kind) for other in self.names.values())
            name = f"{kind}{number}{shape}"
            self.names[key] = name
            self.own[name] = function(f"SHARED void {name}{opening}", lines, told())
        return self.names[key]

    def _weights(self, name: str) -> Pointer:
        return Pointer(name, True, self.starts[name][0])


def weight_starts(network: Network) -> dict[str, tuple[int, tuple[int, ...]]]:
    """W1, b1, W2, …: where each starts in `packed`, and its shape."""
    found: dict[str, tuple[int, tuple[int, ...]]] = {}
    start = 0
    for name, array in network.parameters.items():
        found[name] = (start, array.shape)
        start += array.size
    return found


def call_of(name: str, *arguments: Any) -> Call:
    """A call with these arguments: pointers, numbers and text."""
    return Call(name, tuple(a if isinstance(a, Pointer) else str(a) for a in arguments))


def _pointer(planned: Plan, place: Place) -> Pointer:
    after = _vectors(place.first) if place.first else ""
    return Pointer(place.slab.name, False, planned.starts[place.slab.name], after)


def _vectors(columns: int) -> str:
    return "V" if columns == 1 else f"{columns} * V"
