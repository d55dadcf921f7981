"""A standalone NumPy module of a network's derivatives: text to save, read and ship.

It is what `Compiled.source` has, with the network's numbers, the few functions of `runtime` (and
`special`) which that calls, and a self-test; it imports nothing but NumPy. The text depends on the
network, the order and symnet's version only: generating it twice gives the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection

import numpy as np

from symnet import compiling, formulas, physical
from symnet.backends.numpy import gammas, runtime, special
from symnet.backends.numpy.kernel import NumpyKernels
from symnet.breaking import WIDTH
from symnet.calculus.algebra import DIRECTIONS
from symnet.languages.job import costs, made_by
from symnet.languages.pythonstyle import styled
from symnet.languages.pythontext import (
    Definitions,
    array,
    filled,
    imports,
    names_in,
    nested,
    unformatted,
)
from symnet.languages.selftest import Examples, examples
from symnet.languages.testpoints import direction_of
from symnet.lowering import programs
from symnet.lowering.counting import operations
from symnet.names import commented, partial_name
from symnet.network import Network
from symnet.witness import checking

_TABULATED = 300  # expected entries a point; above, directional derivatives stand for all of them

_IMPORTS = {
    "from __future__ import annotations",
    "import sys",
    "from functools import partial",
    "from typing import Any",
    "import numpy as np",
}

_DOCSTRING = '''\
"""{title}

{inputs}

{functions}

Results are full arrays, float32 for float32 points and float64 otherwise; a point with a NaN in it
has NaN in all of its results. TypeError for points that are not real, ValueError for another number
of inputs.

{costs}

The formulas, in which a symbol stands for a layer's vector:

{formulas}

Run this file to test it. It needs NumPy only.

{made}
"""
'''

_RUN = '''
def run(kernel: Kernel, block: int, X: Any, *orders: int) -> list[Array]:
    """Derivatives of these orders at points X (..., {n}), computed `block` points at a time."""
    return evaluate(partial(in_blocks, kernel, PARAMETERS, block), X, ({n}, {m}), orders)
'''

_FUNCTION = '''\
def {name}(X: Any) -> {kind}:
    """{points} to {results}."""
    return {call}
'''

_EXPECTED = """\
# What another engine gives there, which shares nothing with the formulas above, and the errors
# allowed in each entry, which are roundings of the terms that it is made of."""

_ALONG = '''

def along(result: Array) -> Array:
    """A derivative along DIRECTION, to which every entry contributes: y, J u, u H u, ..."""
    while result.ndim > 2:
        result = result @ DIRECTION
    return result
'''

_SELF_TEST = '''

def beside_nan(result: Array) -> Array:
    """Without what is at the second point, where everything has to be NaN."""
    return np.delete(result, 1, axis=0) + (0.0 if np.isnan(result[1]).all() else np.inf)


ASKED = [
    (POINTS, lambda result: result),
    (POINTS[0], lambda result: result[None]),
    (POINTS[None], lambda result: result[0]),
    (np.insert(POINTS, 1, [*POINTS[0, :-1], np.nan], axis=0), beside_nan),
]


def worst_error(result: Array, order: int) -> float:
    """In parts of what is allowed; infinite for another shape."""
    expected = np.array(EXPECTED[order][: len(result)])
    if result.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(result - expected) / TOLERANCE[order]))


def self_test() -> int:
    """Compare every function with EXPECTED and print the verdict; returns the exit status."""
    functions = [{functions}]
    errors = [
        worst_error({result}, order)
        for X, found in ASKED
        for order, function in enumerate(functions)
        for result in map(found, ({results}))
    ]
    worst = float(np.max(errors))  # NaN where any of them is
    verdict = "ok" if worst <= 1 else "WRONG"
    print(f"self-test {{verdict}}: {{len(POINTS)}} points, {{worst:.2g}} of the allowed error")
    return 0 if worst <= 1 else 1


if __name__ == "__main__":
    sys.exit(self_test())
'''


def numpy_module(network: Network, order: int = 2, command: str = "") -> str:
    """The text of a module with `value(X)`, `jacobian(X)`, `hessian(X)`, … up to `order`.

    For points X (…, n) they return (…, m), (…, m, n), (…, m, n, n), by the text that
    `compiling.compiled(network, order)` runs: within a block of points equal to the last bit. Their
    names are those of `compiling.methods`, for third and higher orders `derivative3`, …. Run as a
    script, the module compares itself with values from the analytic engine (orders above the
    second, which that engine does not know: from functions checked in 50-digit arithmetic) and
    exits with 1 where they differ.

    command: how the text was asked for, which its head repeats.

    ValueError when a weight is symbolic, or where the network overflows at ordinary points;
    CheckError when the functions fail their check.
    """
    known = verified(network, order)
    choices = compiling.choices(network, order).items()
    generated = NumpyKernels.of(network, {f"{name}_kernel": choice for name, choice in choices})
    kernels = generated.source
    helpers = Definitions(runtime)
    aliases = {"Array", "Kernel", "Run"}
    called = helpers.needed({"evaluate", "in_blocks"} | names_in(kernels)) - aliases
    running = helpers.text(called) + "\n" + _RUN.format(n=network.n, m=network.m)
    functions, imported = _functions_needed(special.FUNCTIONS.keys() & names_in(kernels))
    sections = {
        "the network": _parameters(network),
        "any number of points": running,
        "functions that NumPy lacks": _with_notice(functions),
        "a block of points x (n, points)": styled(kernels),
        "value and derivatives": _functions(network, order, generated),
        "self-test": _self_test(known),
    }
    used = _IMPORTS | helpers.imports(running + helpers.text(aliases)) | imported
    parts = [_section(title, text) for title, text in sections.items() if text]
    head = [_docstring(network, order, command), imports(_IMPORTS | used), helpers.text(aliases)]
    return "\n".join(head) + "\n" + "\n\n".join(parts)


def verified(network: Network, order: int, precision: str = "double") -> Examples:
    """What the functions give; CheckError where they fail their own check."""
    function = compiling.compiled(network, order)
    tabulated = network.m * sum(network.n**r for r in range(order + 1)) <= _TABULATED
    direction = None if tabulated else direction_of(network)
    known = examples(network, function, precision, direction)
    checking.verify(function)
    return known


def _section(title: str, text: str) -> str:
    apart = "\n\n\n" if text.lstrip().startswith("def ") else "\n\n"
    return f"# --- {title} ".ljust(WIDTH, "-") + f"{apart}{text.strip()}\n"


# --- the head -----------------------------------------------------------------------------------


def _docstring(network: Network, order: int, command: str) -> str:
    title = f"{network.describe()}: value and derivatives with respect to the inputs."
    if network.name or len(title) > WIDTH - 3:
        name = network.name or "A network"
        title = f"{name}: value and derivatives with respect to the inputs.\n\n" + filled(
            f"The network is {network.describe()}."
        )
    names, outputs = (
        commented(", ".join(physical.bracketed(name, network.units.get(name)) for name in labels))
        for labels in (network.input_names, network.output_names)
    )
    start = f"For points X (..., {network.n}), with any leading shape or none, the inputs being"
    text = formulas.text(network, order, "layer", "unicode", None)
    shown = commented(text.removeprefix(formulas.heading(network)).strip("\n"))
    return _DOCSTRING.format(
        title=title,
        inputs=filled(f"{start} {names} and the outputs {outputs}:"),
        made=filled(commented(made_by(command))),
        functions=textwrap.indent(_signatures(network, order), "    "),
        costs="\n".join(_costs(network, order)),
        formulas=_indented(shown),
    )


def _costs(network: Network, order: int) -> list[str]:
    names = compiling.methods(order)
    routines = programs.lowered(network, order).routines
    return costs({r.name: operations(r, network.n) for r in routines if r.name in names})


def _indented(text: str) -> str:
    """Formulas as they are broken already, remarks broken where they are too long."""
    lines = textwrap.indent(text, "    ").splitlines()
    return "\n".join(filled(line.strip(), "    ") if len(line) > WIDTH else line for line in lines)


def _signatures(network: Network, order: int) -> str:
    rows = []
    for name, orders in compiling.methods(order).items():
        shapes = [_shape(network.m, *[network.n] * r) for r in orders]
        entry = _entry(orders[0]) if len(orders) == 1 else ""
        rows.append((f"{name}(X)", ", ".join(shapes), entry))
    # The last row's shapes are those above it once more: they don't widen the column.
    widths = [max(len(row[k]) for row in rows[: order + 1]) for k in (0, 1)]
    widths[0] = max(len(row[0]) for row in rows)
    return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}".rstrip() for a, b, c in rows)


def _entry(order: int) -> str:
    place = ", ".join(["...", "p", *DIRECTIONS[:order]])
    return f"[{place}] is {partial_name('y_p', [f'x_{i}' for i in DIRECTIONS[:order]])}"


def _shape(*sizes: int) -> str:
    return f"({', '.join(['...', *map(str, sizes)])})"


def _functions_needed(names: Collection[str]) -> tuple[str, set[str]]:
    """The text of `special` and `gammas` that these functions need, and its imports."""
    modules = [Definitions(special), Definitions(gammas)]
    texts = [module.text(module.needed(names)) for module in modules]
    imported = [m.imports(text) for m, text in zip(modules, texts, strict=True)]
    return "\n\n".join(filter(None, texts)), set().union(*imported)


def _with_notice(text: str) -> str:
    """Functions of `special`, the error functions below the notice of their sources."""
    notice = (special.__doc__ or "").partition("Source of")
    comment = filled("".join(notice[1:]), "# ")
    return f"{comment}\n\n{text}" if "def erf" in text else text


# --- the sections -------------------------------------------------------------------------------


def _parameters(network: Network) -> str:
    lines, arguments = [], []
    for name, numbers in network.numeric().parameters.items():
        lines.append(array(name, numbers))
        arguments.append(name if numbers.ndim == 2 else f"{name}[:, None]")
    listed = styled(f"PARAMETERS = [{', '.join(arguments)}]").rstrip()
    return "\n".join([*unformatted(lines), listed])


def _functions(network: Network, order: int, kernels: NumpyKernels) -> str:
    texts = []
    for name, orders in compiling.methods(order).items():
        kernel = f"{name}_kernel"
        call = f"run({kernel}, {kernels.block(kernel)}, X, {', '.join(map(str, orders))})"
        single = len(orders) == 1
        text = _FUNCTION.format(
            name=name,
            kind="Array" if single else "tuple[Array, ...]",
            points=_shape(network.n),
            results=", ".join(_shape(network.m, *[network.n] * r) for r in orders),
            call=f"{call}[0]" if single else f"tuple({call})",
        )
        texts.append(text)
    return "\n\n".join(texts)


def _self_test(known: Examples) -> str:
    """Points, what every function gives there, and a comparison that runs as a script."""
    order = len(known.expected) - 1
    tables = [array("POINTS", known.points)]
    if known.direction is not None:
        tables.append(array("DIRECTION", known.direction))
    entries = "".join(f"    {nested(result.tolist(), 4)},\n" for result in known.expected)
    rounded = (np.vectorize(_short)(errors).tolist() for errors in known.allowed)
    allowed = "".join(f"    {nested(errors, 4)},\n" for errors in rounded)
    tables += ["", _EXPECTED, f"EXPECTED = [\n{entries}]", f"TOLERANCE = [\n{allowed}]"]
    names = list(compiling.methods(order))
    together = [f"{name}(X)[order]" for name in names[order + 1 :]]
    test = _SELF_TEST.format(
        functions=", ".join(names[: order + 1]),
        result="result" if known.direction is None else "along(result)",
        results=", ".join(["function(X)", *together]) + "," * (not together),
    )
    return "\n".join(unformatted(tables)) + "\n" + _ALONG * (known.direction is not None) + test


def _short(error: float) -> float:
    return float(f"{error:.1e}")
