"""What a caller writes: the functions of each language by the signatures that are promised.

Each test is a caller's own program, over two networks in one folder, that prints what it is given.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet
from symnet import languages
from test_languages import STRICT, golden_graph

X = np.array([[0.25, -0.5, 1.5], [-1.25, 0.75, 0.5]])
"""Points, exact in every precision and spelling; a network with two inputs takes two columns."""

ORDERS = ((0,), (1,), (2,), (0, 1), (0, 1, 2))
"""Of value, jacobian, hessian, value_jacobian, value_jacobian_hessian."""


def networks() -> dict[str, symnet.Network]:
    """Several outputs; named inputs, one with a unit, of a network with skip connections."""
    several = symnet.Network.dense([3, 4, 2], "gelu", output="tanh", seed=1)
    return {"several": several, "named": golden_graph()}


def expected() -> Any:
    """All that a program prints: of each network, at each point, by each function."""
    engines = (symnet.analytic.value, symnet.analytic.jacobian, symnet.analytic.hessian)
    parts = [
        engines[order](net, x[: net.n]).ravel()
        for net in networks().values()
        for x in X
        for orders in ORDERS
        for order in orders
    ]
    return np.concatenate(parts)


def written(language: str, folder: Path, **options: Any) -> dict[str, str]:
    """The files of both networks."""
    made: dict[str, str | bytes] = {}
    for name, net in networks().items():
        made |= languages.generate(net, language, name=name, **options)
    for name, text in made.items():
        (folder / name).write_text(str(text), encoding="utf-8")
    return {name: str(text) for name, text in made.items()}


def called(folder: Path, file: str, program: str, *commands: Sequence[str]) -> Any:
    """The numbers that a caller's program prints, by the tools of a language or a visible skip."""
    (folder / file).write_text(program, encoding="utf-8")
    for command in commands:
        if not command[0].startswith("./") and shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return np.array(done.stdout.split(), float)


def agrees(found: Any, rounding: float = 1e-12) -> None:
    """As the analytic engine has it."""
    np.testing.assert_allclose(found, expected(), rtol=rounding, atol=rounding)


def blocks(text: str) -> str:
    """The block for each network, with its name, N and M for @ and the two letters."""
    return "".join(
        text.replace("@", name).replace("«n»", str(net.n)).replace("«m»", str(net.m))
        for name, net in networks().items()
    )


POINTS = ", ".join("{" + ", ".join(map(str, x)) + "}" for x in X.tolist())

C_SIGNATURES = """\
void @_value(const double x[«n»], double y[«m»]);
void @_jacobian(const double x[«n»], double jacobian[«m»][«n»]);
void @_hessian(const double x[«n»], double hessian[«m»][«n»][«n»]);
void @_value_jacobian(const double x[«n»], double y[«m»], double jacobian[«m»][«n»]);
void @_value_jacobian_hessian(const double x[«n»], double y[«m»], double jacobian[«m»][«n»],
    double hessian[«m»][«n»][«n»]);
"""

C = """\
#include "several.h"
#include "named.h"
#include <stdio.h>

$signatures
static const double points[2][3] = {$points};

static void show(const double *first, int count)
{
    for (int k = 0; k < count; k++) {
        (void)printf("%.17g\\n", first[k]);
    }
}

int main(void)
{
$blocks    return 0;
}
"""

C_BLOCK = """\
    for (int k = 0; k < 2; k++) {
        double y[«m»], jacobian[«m»][«n»], hessian[«m»][«n»][«n»];
        @_value(points[k], y);
        show(y, «m»);
        @_jacobian(points[k], jacobian);
        show(&jacobian[0][0], «m» * «n»);
        @_hessian(points[k], hessian);
        show(&hessian[0][0][0], «m» * «n» * «n»);
        @_value_jacobian(points[k], y, jacobian);
        show(y, «m»);
        show(&jacobian[0][0], «m» * «n»);
        @_value_jacobian_hessian(points[k], y, jacobian, hessian);
        show(y, «m»);
        show(&jacobian[0][0], «m» * «n»);
        show(&hessian[0][0][0], «m» * «n» * «n»);
    }
"""


def filled(text: str, **parts: str) -> str:
    """The text with its $words replaced."""
    for name, part in parts.items():
        text = text.replace(f"${name}", part)
    return text


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_c(compiler, tmp_path):
    """Five functions, declared as a caller would; as C++ their declarations are in extern "C"."""
    texts = written("c", tmp_path)
    signatures = blocks(C_SIGNATURES)
    for signature in signatures.replace("\n    ", " ").splitlines():
        headers = " ".join((texts["several.h"] + texts["named.h"]).split())
        assert signature.replace("( ", "(") in headers.replace("( ", "(")
    if compiler == "g++":
        signatures = f'extern "C" {{\n{signatures}}}\n'
    program = filled(C, signatures=signatures, points=POINTS, blocks=blocks(C_BLOCK))
    kind = ["-std=c99"] if compiler == "gcc" else ["-std=c++11", "-x", "c++"]
    command = [compiler, *kind, *STRICT, "main.c", "several.c", "named.c", "-o", "main", "-lm"]
    agrees(called(tmp_path, "main.c", program, command, ["./main"]))


C_BATCH = """\
    {
        double x[2][«n»], y[2][«m»], jacobian[2][«m»][«n»], hessian[2][«m»][«n»][«n»];
        int wrong = 0;
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < «n»; i++) {
                x[k][i] = points[k][i];
            }
        }
        wrong |= @_value(2, &x[0][0], &y[0][0], 1);
        wrong |= @_jacobian(2, &x[0][0], &jacobian[0][0][0], 1);
        wrong |= @_hessian(2, &x[0][0], &hessian[0][0][0][0], 1);
        if (wrong) {
            return 1;
        }
        for (int k = 0; k < 2; k++) {
            double v[«m»], J[«m»][«n»], H[«m»][«n»][«n»];
            show(y[k], «m»);
            show(&jacobian[k][0][0], «m» * «n»);
            show(&hessian[k][0][0][0], «m» * «n» * «n»);
            wrong |= @_value(1, x[k], v, 2);
            wrong |= @_jacobian(1, x[k], &J[0][0], 2);
            show(v, «m»);
            show(&J[0][0], «m» * «n»);
            wrong |= @_value_jacobian_hessian(1, x[k], v, &J[0][0], &H[0][0][0], 2);
            show(v, «m»);
            show(&J[0][0], «m» * «n»);
            show(&H[0][0][0], «m» * «n» * «n»);
        }
        if (wrong) {
            return 1;
        }
    }
"""


def test_c_batch(tmp_path):
    """Points first, results row by row, 0 for a success."""
    written("c-batch", tmp_path)
    program = filled(C, signatures="", points=POINTS, blocks=blocks(C_BATCH))
    command = ["gcc", "-std=c99", *STRICT, "main.c", "several.c", "named.c", "-o", "main", "-lm"]
    agrees(called(tmp_path, "main.c", program, command, ["./main"]))


CPP = """\
#include "several.hpp"
#include "named.hpp"
#include <cstdio>

static const double points[2][3] = {$points};

static void show(const double &x)
{
    std::printf("%.17g\\n", x);
}

template <class T, std::size_t N>
void show(const std::array<T, N> &values)
{
    for (const T &value : values) {
        show(value);
    }
}

int main()
{
$blocks    return 0;
}
"""

CPP_BLOCK = """\
    for (int k = 0; k < 2; k++) {
        std::array<double, «n»> x;
        std::array<double, «m»> y;
        std::array<std::array<double, «n»>, «m»> jacobian;
        std::array<std::array<std::array<double, «n»>, «n»>, «m»> hessian;
        for (std::size_t i = 0; i < «n»; i++) {
            x[i] = points[k][i];
        }
        @::value(x, y);
        show(y);
        @::jacobian(x, jacobian);
        show(jacobian);
        @::hessian(x, hessian);
        show(hessian);
        @::value_jacobian(x, y, jacobian);
        show(y);
        show(jacobian);
        @::value_jacobian_hessian(x, y, jacobian, hessian);
        show(y);
        show(jacobian);
        show(hessian);
    }
"""


@pytest.mark.parametrize("standard", ["c++17", "c++20"])
def test_cpp(standard, tmp_path):
    """Functions of a namespace, over std::array."""
    written("cpp", tmp_path)
    program = filled(CPP, points=POINTS, blocks=blocks(CPP_BLOCK))
    command = ["g++", f"-std={standard}", *STRICT, "main.cpp", "-o", "main"]
    agrees(called(tmp_path, "main.cpp", program, command, ["./main"]))


FORTRAN = """\
program main
    use, intrinsic :: iso_fortran_env, only: real64
    implicit none
    real(real64), parameter :: points(3, 2) = reshape( &
        [$points], [3, 2])
    integer :: k
$blocks
contains
$callers
    subroutine show(values)
        real(real64), intent(in) :: values(:)
        integer :: k
        do k = 1, size(values)
            print '(es25.17)', values(k)
        end do
    end subroutine show
end program main
"""

FORTRAN_BLOCK = """\
    do k = 1, 2
        call call_@(points(:«n», k))
    end do
"""

FORTRAN_CALLER = """\
    pure subroutine of_@(x, y, jac, hes)
        use @, only: value, jacobian, hessian
        real(real64), intent(in) :: x(«n»)
        real(real64), intent(out) :: y(«m»), jac(«m», «n»), hes(«m», «n», «n»)
        call value(x, y)
        call jacobian(x, jac)
        call hessian(x, hes)
    end subroutine of_@

    subroutine call_@(x)
        use @, only: value_jacobian, value_jacobian_hessian
        real(real64), intent(in) :: x(«n»)
        real(real64) :: y(«m»), jac(«m», «n»), hes(«m», «n», «n»)
        integer :: p, i, j
        call of_@(x, y, jac, hes)
        call show(y)
        call show([((jac(p, i), i = 1, «n»), p = 1, «m»)])
        call show([(((hes(p, i, j), j = 1, «n»), i = 1, «n»), p = 1, «m»)])
        call value_jacobian(x=x, y=y, jacobian=jac)
        call show(y)
        call show([((jac(p, i), i = 1, «n»), p = 1, «m»)])
        call value_jacobian_hessian(x=x, y=y, jacobian=jac, hessian=hes)
        call show(y)
        call show([((jac(p, i), i = 1, «n»), p = 1, «m»)])
        call show([(((hes(p, i, j), j = 1, «n»), i = 1, «n»), p = 1, «m»)])
    end subroutine call_@
"""


def test_fortran(tmp_path):
    """Pure subroutines of a module, called by position and by keyword; jacobian(m, n)."""
    texts = written("fortran", tmp_path)
    for name in networks():
        text = texts[f"{name}.f90"].lower()
        assert f"\nmodule {name}\n" in text
        assert "pure recursive subroutine value_jacobian_hessian(x, y, jacobian, hessian)" in text
    points = ", ".join(f"{x}_real64" for x in X.ravel().tolist())
    callers = blocks(FORTRAN_CALLER)
    program = filled(FORTRAN, points=points, blocks=blocks(FORTRAN_BLOCK), callers=callers)
    flags = ["-std=f2008", "-Wall", "-pedantic", "-fcheck=all", "-Wno-unused-dummy-argument"]
    command = ["gfortran", *flags, "several.f90", "named.f90", "main.f90", "-o", "main"]
    agrees(called(tmp_path, "main.f90", program, command, ["./main"]))


MATLAB = """\
1;
function show(v)
    v = permute(v, ndims(v):-1:1);
    printf('%.17g\\n', v(:));
end
points = [$points]';
$blocks
"""

MATLAB_BLOCK = """\
for k = 1:2
    x = points(1:«n», k);
    y = @(x);
    show(y)
    [~, J] = @(x);
    show(J)
    [~, ~, H] = @(x);
    show(H)
    [y, J] = @(x);
    show(y)
    show(J)
    [y, J, H] = @(x);
    show(y)
    show(J)
    show(H)
    assert(isequal(size(y), [«m», 1]))
    assert(isequal(size(J), [«m», «n»]))
    assert(isequal(size(H), [«m», «n», «n»]))
end
[y, J, H] = @(points(1:«n», :));
assert(isequal(size(y), [«m», 2]))
assert(isequal(size(J), [«m», «n», 2]))
assert(isequal(size(H), [«m», «n», «n», 2]))
"""


def test_matlab(tmp_path):
    """[y, J, H] = name(x): nargout decides; many points are columns."""
    written("matlab", tmp_path)
    rows = "; ".join(" ".join(map(str, x)) for x in X.tolist())
    program = filled(MATLAB, points=rows, blocks=blocks(MATLAB_BLOCK))
    command = ["octave", "-qf", "--no-history", "main.m"]
    agrees(called(tmp_path, "main.m", program, command))


JAVASCRIPT_BLOCK = """\
for (const point of points) {
  const x = point.slice(0, «n»);
  show(@.value(x), «m»);
  show(@.jacobian(x), «m» * «n»);
  show(@.hessian(x), «m» * «n» * «n»);
  {
    const { y, jacobian, ...more } = @.valueJacobian(x);
    if (Object.keys(more).length) throw new Error("more than y, jacobian");
    show(y, «m»);
    show(jacobian, «m» * «n»);
  }
  const { y, jacobian, hessian } = @.valueJacobianHessian(Float64Array.from(x));
  show(y, «m»);
  show(jacobian, «m» * «n»);
  show(hessian, «m» * «n» * «n»);
}
"""


def test_javascript(tmp_path):
    """Flat Float64Arrays, the last index fastest."""
    texts = written("javascript", tmp_path)
    program = "".join(f'import * as {name} from "./{name}.mjs";\n' for name in networks())
    program += f"const points = {X.tolist()};\n"
    program += "function show(values, size) {\n  if (!(values instanceof Float64Array) || "
    program += 'values.length !== size) throw new Error("no flat array");\n'
    program += "  for (const value of values) console.log(value);\n}\n"
    agrees(called(tmp_path, "main.mjs", program + blocks(JAVASCRIPT_BLOCK), ["node", "main.mjs"]))
    types = " ".join(texts["named.d.mts"].split())
    assert "export function hessian(x: Inputs): Float64Array;" in types
    together = "{ y: Float64Array; jacobian: Float64Array; hessian: Float64Array; }"
    assert f"export function valueJacobianHessian(x: Inputs): {together};" in types


TYPESCRIPT_BLOCK = """\
{
  const x: number[] = [];
  const y: Float64Array = @.value(x);
  const all: { y: Float64Array; jacobian: Float64Array; hessian: Float64Array } =
    @.valueJacobianHessian(new Float64Array(«n»));
  const some: { y: Float64Array; jacobian: Float64Array } = @.valueJacobian(all.y);
  console.log(y.length, some.jacobian, @.jacobian(x), @.hessian(x), @.selfTest() < 1);
  // $expected: no third order was asked for.
  @.derivative3(x);
}
"""


def test_typescript(tmp_path):
    """The types say what is there, to TypeScript's own compiler with every check."""
    if shutil.which("tsc") is None:
        pytest.skip("tsc is not installed")
    written("javascript", tmp_path)
    program = "".join(f'import * as {name} from "./{name}.mjs";\n' for name in networks())
    program += filled(blocks(TYPESCRIPT_BLOCK), expected="@ts-expect-error")
    (tmp_path / "main.mts").write_text(program, encoding="utf-8")
    command = ["tsc", "--noEmit", "--strict", "--lib", "es2022,dom", "--module", "nodenext"]
    done = subprocess.run([*command, "main.mts"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


RUST_BLOCK = """\
    for point in POINTS {
        let mut x = [0.0; «n»];
        x.copy_from_slice(&point[..«n»]);
        let value: fn(&[f64; «n»]) -> [f64; «m»] = @::value;
        let jacobian: fn(&[f64; «n»]) -> [[f64; «n»]; «m»] = @::jacobian;
        let hessian: fn(&[f64; «n»]) -> [[[f64; «n»]; «n»]; «m»] = @::hessian;
        let (y, j, h) = (value(&x), jacobian(&x), hessian(&x));
        show(&y);
        show(&j.concat());
        show(&h.concat().concat());
        let (y, j): ([f64; «m»], [[f64; «n»]; «m»]) = @::value_jacobian(&x);
        show(&y);
        show(&j.concat());
        let (y, j, h): ([f64; «m»], [[f64; «n»]; «m»], [[[f64; «n»]; «n»]; «m»]) =
            @::value_jacobian_hessian(&x);
        show(&y);
        show(&j.concat());
        show(&h.concat().concat());
    }
"""


def test_rust(tmp_path):
    """Arrays by value, of the sizes that the types say."""
    written("rust", tmp_path)
    program = "".join(f"#[allow(dead_code)]\nmod {name};\n" for name in networks())
    program += f"const POINTS: [[f64; 3]; 2] = {X.tolist()};\n"
    program += 'fn show(v: &[f64]) {\n    for x in v {\n        println!("{x:e}");\n    }\n}\n'
    program += f"fn main() {{\n{blocks(RUST_BLOCK)}}}\n"
    command = ["rustc", "--edition", "2021", "-D", "warnings", "main.rs"]
    agrees(called(tmp_path, "main.rs", program, command, ["./main"]))


JULIA_BLOCK = """\
for k in 1:2
    x = points[k, 1:«n»]
    y, J, H = zeros(«m»), zeros(«m», «n»), zeros(«m», «n», «n»)
    show_all(@.value(x))
    show_all(@.jacobian(x))
    show_all(@.hessian(x))
    @.value_jacobian!(y, J, x)
    show_all(y)
    show_all(J)
    @.value_jacobian_hessian!(y, J, H, x)
    show_all(y)
    show_all(J)
    show_all(H)
end
"""


def test_julia(tmp_path):
    """Functions that return arrays, and those with ! that fill a caller's."""
    written("julia", tmp_path)
    program = "".join(f'include("{name}.jl")\n' for name in networks())
    rows = "; ".join(" ".join(map(str, x)) for x in X.tolist())
    program += f"points = [{rows}]\n"
    program += "show_all(v) = foreach(println, permutedims(v, ndims(v):-1:1))\n"
    command = ["julia", "--startup-file=no", "main.jl"]
    agrees(called(tmp_path, "main.jl", program + blocks(JULIA_BLOCK), command))


PYTHON = """\
import numpy as np
import several, named

for module, n in ((several, 3), (named, 2)):
    X = np.array($points)[:, :n]
    y, J, H = module.value_jacobian_hessian(X)
    for k in range(2):
        shown = [$first]
        shown += [y[k], J[k], y[k], J[k], H[k]]
        print(*(float(value) for part in shown for value in np.ravel(part)))
"""


@pytest.mark.parametrize("plain_text", [False, True])
def test_python(plain_text, tmp_path):
    """Arrays with the points first; the default module has a function for each order, too."""
    for name, net in networks().items():
        made = languages.generate(net, "python", name=name, plain_text=plain_text)
        (tmp_path / f"{name}.py").write_text(str(made[f"{name}.py"]), encoding="utf-8")
    single = "module.value(X[k]), module.jacobian(X[k]), module.hessian(X[k])"
    first = "y[k], J[k], H[k]" if plain_text else single
    program = filled(PYTHON, points=repr(X.tolist()), first=first)
    agrees(called(tmp_path, "main.py", program, [sys.executable, "-W", "error", "main.py"]))


def test_onnx():
    """Input x (points, n); outputs y, jacobian, hessian, for as many points as there are."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    for net in networks().values():
        (content,) = languages.generate(net, "onnx", name="net").values()
        session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
        ((x),) = session.get_inputs()
        n, m = net.n, net.m
        assert (x.name, x.shape, x.type) == ("x", ["points", n], "tensor(double)")
        outputs = [(output.name, output.shape) for output in session.get_outputs()]
        shapes = [("y", [m]), ("jacobian", [m, n]), ("hessian", [m, n, n])]
        assert outputs == [(name, ["points", *shape]) for name, shape in shapes]
        for points in (X[:, :n], X[:1, :n], np.zeros((0, n))):
            found = session.run(["hessian", "y", "jacobian"], {"x": points})
            engines = (symnet.analytic.hessian, symnet.analytic.value, symnet.analytic.jacobian)
            for result, engine in zip(found, engines, strict=True):
                known = engine(net, points)
                np.testing.assert_allclose(result, known, rtol=1e-12, atol=1e-12, strict=True)
