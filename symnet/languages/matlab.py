"""MATLAB and GNU Octave: one function file of matrix statements for any number of points.

    [y, J, H] = NAME(x)      x (n, points), y (m, points), J (m, n, points), H (m, n, n, points)

Points are columns. Every array has the axes (r, p, i, j, …, points), one long where nothing depends
on it, so that products and sums are broadcast; `nargout` decides what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from symnet.breaking import WIDTH, Kind, broken, listed
from symnet.languages.job import Files, Job
from symnet.languages.matlab_statements import Statements, assigned
from symnet.languages.matrixform import ArrayPrinter, Functions
from symnet.languages.printing import own_functions
from symnet.lowering import elementary, programs
from symnet.lowering.loops import ScalarFunction
from symnet.names import together_name

_CODE = Kind("    ", going_on=" ...", kept=r"(?<=[0-9]) (?=[0-9])")  # lists of axes are whole
_COMPLEX = ["log", "log1p", "sqrt", "pow", "asin", "acos", "acosh", "atanh"]
"""Functions that leave the real numbers beyond their domains."""

_ROW = 96  # columns of numbers, before dots


class MatlabPrinter(ArrayPrinter):
    """Elementwise expressions; `total`: of functions that have a value everywhere."""

    lacking: ClassVar[frozenset[str]] = elementary.LACKING - {"erfcx"} | {"rint"}
    times: ClassVar[str] = ".*"
    over: ClassVar[str] = "./"
    both: ClassVar[str] = "&"
    either: ClassVar[str] = "|"

    def __init__(self, total: bool = False) -> None:
        super().__init__()
        self.total = total

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        return f"choose({condition}, {value}, {otherwise})"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        text = super().call(function, arguments)
        if function == "pow":
            text = f"({arguments[0]}).^({arguments[1]})"
        return text if self.total or function not in _COMPLEX else f"real_of({text})"


def files(job: Job) -> Files:
    """NAME.m and NAME_test.m."""
    return {f"{job.name}.m": source(job), f"{job.name}_test.m": _test(job)}


def source(job: Job) -> str:
    """The function."""
    names = [("y", "J", "H")[r] if r < 3 else f"D{r}" for r in range(job.order + 1)]
    routines = [together_name(r) for r in range(job.order + 1)]
    lines = [f"function {assigned(names)} = {job.name}(x)"]
    lines += [f"% {line}".rstrip() for line in job.head("", routines)]
    lines += ["%", *(f"% {line}".rstrip() for line in _usage(job, names))]
    lines += [f"    if size(x, 1) ~= {job.lowered.n}"]
    lines += [f"        error('{job.name}: x has %d rows, expected {job.lowered.n}', size(x, 1));"]
    lines += ["    end"]
    choices = programs.choices(job.network, job.order)
    functions: Functions = {}
    together = {
        max(c.orders): c for c in choices.values() if c.orders == tuple(range(len(c.orders)))
    }
    lines += ["    switch max(nargout, 1)"]
    bodies = []
    for order, choice in sorted(together.items()):
        found = assigned(names[: order + 1])
        lines += [f"        case {order + 1}", f"            {found} = up_to_{order}(x);"]
        bodies += ["", *Statements(job, choice, functions).lines(names)]
    lines += ["    end", "end", *bodies]
    after: list[str] = []
    for (activation, orders), name in functions.items():
        known = job.network.activations[activation]
        function = programs.scalar_function(name, known, orders)
        after += ["", *_activation(function, known.total)]
    for own in own_functions(job.lowered, MatlabPrinter()):
        after += ["", *_activation(own)]
    before, behind = ("\n".join(map(_broken, part)) for part in (lines, after))
    helpers = [f"\n{f}" for name, f in _HELPERS.items() if f"{name}(" in before + behind]
    parts = [before, "", *_parameters(job), *filter(None, [behind]), *helpers, ""]
    return "\n".join(parts)


def _broken(line: str) -> str:
    """The line, continued at blanks where it is too long."""
    if len(line) <= WIDTH or line.lstrip().startswith("%"):
        return line
    return "\n".join(broken(line, _CODE))


def _usage(job: Job, names: Sequence[str]) -> list[str]:
    n, m = job.lowered.n, job.lowered.m
    lines = [f"x is ({n}, points), one column a point, single or double, and the results"]
    for order, name in enumerate(names):
        lines.append(f"    {name}  ({', '.join(map(str, [m, *[n] * order]))}, points)")
    return [*lines, "Only what is asked for is computed."]


def _parameters(job: Job) -> list[str]:
    lines = ["function w = weights(kind)", "    persistent double_w", "    if isempty(double_w)"]
    for name, values in job.lowered.constants.items():
        rows = values[:, None] if values.ndim == 1 else values
        lines += _matrix(f"        double_w.{name}", rows)
    lines += ["    end", "    w = double_w;", "    if strcmp(kind, 'single')"]
    lines += ["        w = structfun(@single, w, 'UniformOutput', false);", "    end", "end"]
    return lines


def _matrix(name: str, rows: np.ndarray, end: str = "];") -> list[str]:
    """An assignment of numbers in lines, a semicolon between rows."""
    indent = " " * (len(name) - len(name.lstrip()) + 4)
    lines = (l for row in rows.tolist() for l in listed(list(map(repr, row)), _ROW, indent, ";"))
    return [f"{name} = [ ...", " ...\n".join(lines).removesuffix(";") + end]


def _activation(function: ScalarFunction, total: bool = False) -> list[str]:
    printer = MatlabPrinter(total)
    names = [f"sigma{order}" for order in function.orders]
    lines = [f"function {assigned(names)} = {function.name}(z)"]
    pairs = [(s.name, e) for s, e in function.shared]
    for name, value in [*pairs, *zip(names, function.results, strict=True)]:
        lines += printer.assigned("let", name, value)
    return [*lines, "end"]


_HELPERS = {
    "matvec": """\
function r = matvec(W, v)
    % W times each vector along the first axis.
    shape = size(v);
    r = reshape(W*reshape(v, shape(1), []), [size(W, 1), shape(2:end)]);
end""",
    "choose": """\
function r = choose(condition, a, b)
    r = b + zeros(size(condition), 'like', b);
    a = a + zeros(size(r), 'like', r);
    r(condition) = a(condition);
end""",
    "real_of": """\
function v = real_of(v)
    % NaN where there is no real value.
    if ~isreal(v)
        v(imag(v) ~= 0) = NaN;
        v = real(v);
    end
end""",
    "filled": """\
function r = filled(v, shape, rank, points)
    % A result for each point, as an array of its full shape.
    r = reshape(v + zeros([ones(1, rank - 1), points]), [shape, points]);
end""",
    "softmax_of": """\
function s = softmax_of(z)
    e = exp(z - max(z, [], 1));
    s = e./sum(e, 1);
end""",
    "log_softmax_of": """\
function s = log_softmax_of(z)
    z = z - max(z, [], 1);
    s = z - log(sum(exp(z), 1));
end""",
}


def _test(job: Job) -> str:
    names = [("y", "J", "H")[r] if r < 3 else f"D{r}" for r in range(job.order + 1)]
    lines = [
        f"function {job.name}_test()",
        f"    % Compares {job.name} with another engine's values.",
        *(f"    % {line}" for line in job.made()),
    ]
    lines += _matrix("    points", job.points.T)
    for known in job.expected:
        lines += _matrix(f"    expected{known.order}", known.expected.T)
        lines += _matrix(f"    allowed{known.order}", known.allowed[None], "]';")
    lines += ["    worst = 0;"]
    for order in range(job.order + 1):
        lines.append(f"    {assigned(names[: order + 1])} = {job.name}(points);")
        for r, known in enumerate(job.expected[: order + 1]):
            arguments = [names[r], f"expected{r}", f"allowed{r}", str(known.stride)]
            lines.append(f"    worst = max(worst, error_of({', '.join(arguments)}));")
    return "\n".join([*lines, *_VERDICT.format(count=len(job.points)).split("\n")])


_VERDICT = """\
    if worst <= 1
        fprintf('self-test ok: {count} points, %.2g of the allowed error\\n', worst);
    else
        fprintf('self-test WRONG: {count} points, %.2g of the allowed error\\n', worst);
        error('the self-test found wrong numbers'); % exit would end the user's session
    end
end

function worst = error_of(got, expected, allowed, stride)
    % The largest error of every so many entries, the last index fastest.
    points = size(expected, 2);
    axes = max(ndims(got), 2);
    if points == 1
        axes = axes + 1;
    end
    flat = reshape(permute(got, [axes - 1:-1:1, axes]), [], points);
    errors = abs(flat(1:stride:end, :) - expected)./allowed;
    errors(~(errors <= 1e300)) = 1e300;
    worst = max(errors(:));
end
"""
