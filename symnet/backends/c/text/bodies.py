"""Bodies of functions that go over a layer's neurons, and what they compute, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sympy import Expr

from symnet.backends.c.plan.steps import Contraction, Entry, Pass, Sum, Total
from symnet.backends.c.text.expressions import formula
from symnet.calculus.algebra import sigma

_SUMS = 12  # vectors that stay in registers, of sixteen


def over_neurons(inner: list[str], body: list[str], start: list[str], sums: int) -> list[str]:
    """Loops over neurons r and vectors c around `body`; for some rows at a time after `inner`.

    `sums` vectors are sums over neurons, which stay in registers: those of one c, the neurons being
    the inner loop, or where there is nothing else of all, which then share what is read of weights.
    """
    vectors = "for (wide c = 0; c < V; c++)"
    rows = f"for (wide r = {'first' if inner else '0'}; r < {'end' if inner else 'neurons'}; r++)"
    if not sums:
        heads = [rows, f"    {vectors} {{"]
    elif inner or sums > _SUMS:
        heads = [vectors, f"    {rows} {{"]
    else:
        heads = [f"{rows} {{", "    UNROLL", f"    {vectors} {{"]
    lines = [*heads, *_indented(body, 2), "    }", *["}"] * heads[0].endswith("{")]
    if inner:
        declaration, call = inner
        stage = [declaration, rows, f"    {vectors}", f"        {call}"]
        lines = [
            "for (wide first = 0; first < neurons; first += ROWS) {",
            "    const wide end = first + ROWS < neurons ? first + ROWS : neurons;",
            *_indented([*stage, *lines]),
            "}",
        ]
    return [f"{vectors} {{", *_indented(start), "}", *lines] if start else lines


def sum_over_neurons(value: str, result: str, accumulate: bool) -> list[str]:
    """The sum of `value` over neurons r, for each vector c, which becomes or is added to result."""
    return [
        "for (wide c = 0; c < V; c++) {",
        "    vec sum = splat(0);",
        "    for (wide r = 0; r < neurons; r++)",
        f"        sum += {value};",
        f"    {result} {'+=' if accumulate else '='} sum;",
        "}",
    ]


def _indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    return [f"{' ' * 4 * depth}{line}" for line in lines]


def remark(step: Pass | Total | Contraction) -> str:
    """What a step computes, in any layer: `a_i = z_i*s'(z)`."""
    if isinstance(step, Total):
        return f"Sums over neurons of {_layerless(step.expression)}."
    if isinstance(step, Contraction):
        return f"Sums over neurons of g_p*({_layerless(step.moving)})."
    texts = []
    if step.activated:
        orders = [r for r, _ in step.activated.results]
        locals_, values = (f"s{r}" for r in orders), (f"s{chr(39) * r}(z)" for r in orders)
        texts.append(f"{', '.join(locals_)} = {', '.join(values)}")
    texts += (
        f"{_target(entry)} {'+=' if entry.accumulate else '='} {_layerless(entry.expression)}"
        for entry in step.entries
    )
    sums = [f"{_target(s)} += {_layerless(s.weight * s.moving)}" for s in step.sums]
    taken = [f"the sums {'; '.join(sums)}"] if sums else []
    return f"{'; '.join([*texts, *taken])}, neuron by neuron."


def _target(step: Entry | Sum) -> str:
    name = re.sub(r"[0-9_]+", "", step.target.slab.name)
    return f"{name}{'_' * bool(step.along)}{''.join(step.along)}"


def _layerless(expression: Expr) -> str:
    """The formula without numbers of layers, and with any activation called s."""
    named = expression.xreplace(
        {n: sigma("s", n.order, n.argument) for n in expression.atoms(sigma)}
    )
    return re.sub(r"(?<=[a-zA-Z])\d+(_\d+)?", "", formula(named))
