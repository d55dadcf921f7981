"""JavaScript: an ES module of loops over Float64Arrays, with its types for TypeScript.

Results are flat, the last index fastest: jacobian[p*n + i], hessian[(p*n + i)*n + j].
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import ClassVar

from symnet.breaking import between, listed
from symnet.languages.expressions import bare
from symnet.languages.job import Files, Job
from symnet.languages.printing import Printer, own_functions
from symnet.lowering import elementary
from symnet.lowering.loops import Routine, ScalarFunction, Shape

_COPY = re.compile(r"( *)(\S[^=]* =) (\w+\[[^]]*\];)")  # of an element


class JavaScriptPrinter(Printer):
    """Steps as JavaScript; arrays are flat, by their `shapes`."""

    width: ClassVar[int] = 80
    tab: ClassVar[str] = "  "
    times: ClassVar[str] = " * "
    over: ClassVar[str] = " / "
    bare_choice: ClassVar[bool] = True
    brackets: ClassVar[bool] = True
    lacking: ClassVar[frozenset[str]] = elementary.LACKING | {"erf", "erfc", "rint"}

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        super().__init__()
        self.shapes = shapes

    def element(self, array: str, indices: Sequence[str]) -> str:
        return f"{array}[{position(indices, self.shapes[array])}]"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        place = "" if function in self.lacking else "Math."
        return f"{place}{self.functions.get(function, function)}({', '.join(arguments)})"

    def condition(self, condition: object) -> str:
        return super().condition(condition).replace(" == ", " === ")

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        condition = bare(condition).replace(" == ", " === ")
        return super().choose(condition, value, bare(otherwise) if "?" in otherwise else otherwise)

    def literal(self, text: str) -> str:
        return text.replace("e-0", "e-") if "e" in text else text

    def undefined(self, argument: str, place: int = 0) -> str:
        return "NaN"

    def loop(self, variable: str, last: int | str) -> str:
        bound = f"< {last}" if isinstance(last, int) else f"<= {last}"
        return f"for (let {variable} = 0; {variable} {bound}; {variable}++) {{"

    def let(self, name: str, value: str) -> str:
        return f"const {name} = {value}"

    def start(self, name: str, value: str) -> str:
        return f"let {name} = {value}"

    def declare(self, name: str) -> str:
        return f"let {name}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        taken = results[0] if len(results) == 1 else f"[{', '.join(results)}]"
        return f"{taken} = {function}({argument})"

    def broken(self, line: str) -> Iterator[str]:
        """An element that is too long for its line has one of its own."""
        copied = _COPY.fullmatch(line) if len(line) > self.width else None
        if copied is None:
            return super().broken(line)
        indent, target, value = copied.groups()
        return iter([indent + target, f"{indent}{self.tab}{value}"])


def position(indices: Sequence[str], shape: Shape) -> str:
    """Where an element stands in a flat array."""
    terms = []
    for k, index in enumerate(indices):
        stride = prod(shape[k + 1 :])
        if index != "0":
            terms.append(index if stride == 1 else f"{index} * {stride}")
    return " + ".join(terms) or "0"


def camel(name: str) -> str:
    """valueJacobianHessian."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def files(job: Job) -> Files:
    """NAME.mjs and NAME.d.mts."""
    return {f"{job.name}.mjs": source(job), f"{job.name}.d.mts": types(job)}


def types(job: Job) -> str:
    """The declarations."""
    lines = ["/*", *(f" * {line}".rstrip() for line in job.head("arrays")), " */", ""]
    lines += [f"/** {len(job.network.inputs)} inputs; results are flat, the last index fastest. */"]
    lines += ["export type Inputs = ArrayLike<number>;", ""]
    for routine in job.lowered.routines:
        sizes = [f"{name}: {' × '.join(map(str, s))}" for name, s in routine.results.items()]
        lines += [f"/** {', '.join(sizes)}. */"]
        lines += [f"export function {camel(routine.name)}(x: Inputs): {_kind(routine)};", ""]
    lines += ["/** The worst error at known points, in multiples of what is allowed. */"]
    return "\n".join([*lines, "export function selfTest(): number;", ""])


def _kind(routine: Routine) -> str:
    if len(routine.results) == 1:
        return "Float64Array"
    return "{\n" + "".join(f"  {name}: Float64Array;\n" for name in routine.results) + "}"


def source(job: Job) -> str:
    """The module."""
    shapes = {name: array.shape for name, array in job.lowered.constants.items()}
    printer = JavaScriptPrinter({**shapes, "x": (job.lowered.n,)})
    lines = ["/*", *(f" * {line}".rstrip() for line in job.head("arrays")), " */", ""]
    for name, values in job.lowered.constants.items():
        lines += [*_numbers(f"const {name}", values.ravel().tolist(), printer), ""]
    for function in own_functions(job.lowered, printer):
        lines += [*_scalar(function, printer), ""]
    for function in job.lowered.functions:
        lines += [*_scalar(function, printer), ""]
    for routine in job.lowered.routines:
        own = JavaScriptPrinter({**printer.shapes, **routine.arrays, **routine.results})
        lines += [*_function(routine, own), ""]
    return "\n".join([*lines, *_self_test(job, printer)])


def _numbers(opening: str, values: Sequence[float], printer: Printer) -> list[str]:
    opening += " = new Float64Array(["
    return between(opening, printer.numbers(values), "]);", printer.tab, printer.width)


def _scalar(function: ScalarFunction, printer: Printer) -> list[str]:
    lines = [f"function {function.name}(z) {{"]
    printer.function()
    lines += printer.shared(function.shared)
    if len(function.results) == 1:
        return [*lines, *printer.assigned("return", "", function.results[0]), "}"]
    returned, named = printer.results(function)
    return [*lines, *named, f"  return [{', '.join(returned)}];", "}"]


def _function(routine: Routine, printer: JavaScriptPrinter) -> list[str]:
    printer.function()
    (n,) = printer.shapes["x"]
    lines = [f"export function {camel(routine.name)}(x) {{", f"  if (x.length !== {n}) {{"]
    lines += [f"    throw new RangeError(`x has ${{x.length}} entries, expected {n}`);", "  }"]
    for name, shape in {**routine.results, **routine.arrays}.items():
        lines.append(f"  const {name} = new Float64Array({prod(shape)});")
    names = list(routine.results)
    found = names[0] if len(names) == 1 else f"{{ {', '.join(names)} }}"
    return [*lines, *printer.lines(routine.body), f"  return {found};", "}"]


def _self_test(job: Job, printer: Printer) -> list[str]:
    lines = ["/* Self-test: points, what another engine gives there, and errors allowed. */", ""]
    rows = [printer.numbers(row) for row in job.points.tolist()]
    lines += ["// prettier-ignore", "const POINTS = ["]
    for row in rows:
        lines += ["  [", *listed(row, printer.width, "    "), "  ],"]
    lines += ["];", "", "// prettier-ignore", "const EXPECTED = ["]
    for known in job.expected:
        allowed = listed(printer.numbers(known.allowed), printer.width, "    ")
        lines += [f"  {{ stride: {known.stride}, allowed: [", *allowed, "  ], at: ["]
        for row in known.expected.tolist():
            lines += ["    [", *listed(printer.numbers(row), printer.width, "      "), "    ],"]
        lines += ["  ] },"]
    lines += ["];", ""]
    calls = []
    for routine in job.lowered.routines:
        name = camel(routine.name)
        single = len(routine.results) == 1
        results = f"[{name}(x)]" if single else f"Object.values({name}(x))"
        tables = [job.expected.index(job.known(order)) for order in routine.orders]
        calls.append(f"[{results}, {tables}]")
    several = "\n".join(["[", *(f"      {call}," for call in calls), "    ]"])
    cases = several if len(calls) > 1 else f"[{calls[0]}]"
    return [*lines, *_TEST.format(cases=cases).split("\n")]


_TEST = """\
export function selfTest() {{
  let worst = 0;
  POINTS.forEach((x, k) => {{
    const cases = {cases};
    for (const [results, orders] of cases) {{
      orders.forEach((order, which) => {{
        const {{ stride, allowed, at }} = EXPECTED[order];
        at[k].forEach((expected, entry) => {{
          const error = Math.abs(results[which][entry * stride] - expected);
          const multiple = error / allowed[entry];
          // NaN counts as a large error.
          worst = Math.max(worst, multiple <= 1e300 ? multiple : 1e300);
        }});
      }});
    }}
  }});
  return worst;
}}

const started = globalThis.process?.argv?.[1];
if (started && import.meta.url === new URL(started, "file:///").href) {{
  const worst = selfTest();
  const verdict = worst <= 1 ? "ok" : "WRONG";
  const error = worst.toPrecision(2);
  console.log(
    `self-test ${{verdict}}: ${{POINTS.length}} points, ${{error}} of the allowed error`,
  );
  globalThis.process.exitCode = worst <= 1 ? 0 : 1;
}}
"""
