"""What one language is asked beyond the contract of `test_languages`: its own tools and callers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import sympy

import symnet
import zoo
from symnet import catalogue, languages
from symnet.activations import Z
from symnet.network.building import apply, concat
from test_languages import FORTRAN, NETWORKS, tools_of

LIBM = """\
#![no_std]
extern "C" {
    fn exp(x: f64) -> f64;
    fn tanh(x: f64) -> f64;
    fn log1p(x: f64) -> f64;
    fn expf(x: f32) -> f32;
    fn tanhf(x: f32) -> f32;
    fn log1pf(x: f32) -> f32;
}
"""


def libm(folder: Path) -> None:
    """A crate of the name and the functions of `libm`, by those of C; it has no std either."""
    text = LIBM.replace("fn ", '#[link_name = "{}"] fn c_')
    lines = []
    for line in text.splitlines():
        name = line.partition("fn c_")[2].partition("(")[0]
        lines.append(line.replace("{}", name))
        if name:
            kind = "f32" if name.endswith("f") else "f64"
            body = f"pub fn {name}(x: {kind}) -> {kind} {{ unsafe {{ c_{name}(x) }} }}"
            lines.insert(1, body)
    lines += ["pub fn fabs(x: f64) -> f64 { if x < 0.0 { -x } else { x } }"]
    lines += ["pub fn fabsf(x: f32) -> f32 { if x < 0.0 { -x } else { x } }"]
    (folder / "libm.rs").write_text("\n".join(lines), encoding="utf-8")
    rustc("--crate-type=rlib", "libm.rs", folder=folder)


def rustc(*words: str, folder: Path, tool: str = "rustc") -> str:
    """The tool run without a complaint."""
    command = [tool, "--edition", "2021", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@pytest.mark.parametrize("precision", catalogue.PRECISIONS)
def test_rust_without_std(precision, tmp_path):
    """A crate of `#![no_std]` with the feature libm, and a program that calls it."""
    tools_of("rust")
    libm(tmp_path)
    net = symnet.Network.dense([2, 5, 1], "tanh", output="softplus", seed=1)
    ((file, text),) = languages.generate(net, "rust", name="net", precision=precision).items()
    (tmp_path / file).write_text(str(text), encoding="utf-8")
    (tmp_path / "lib.rs").write_text("#![no_std]\npub mod net;\n", encoding="utf-8")
    program = "fn main() { assert!(firmware::net::worst_error() <= 1.0); }\n"
    (tmp_path / "main.rs").write_text(program, encoding="utf-8")
    feature = ("--cfg", 'feature="libm"', "--extern", "libm=liblibm.rlib", "-D", "warnings")
    rustc("--crate-type=rlib", "--crate-name=firmware", *feature, "lib.rs", folder=tmp_path)
    rustc("-L.", "--extern", "firmware=libfirmware.rlib", "main.rs", folder=tmp_path)
    subprocess.run(["./main"], cwd=tmp_path, check=True)


DUAL = """
#include <cmath>

namespace ad {

struct Dual {
    double v, d;
    Dual(double value = 0, double slope = 0) : v(value), d(slope) {}
};

inline Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
inline Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
inline Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
inline Dual operator/(Dual a, Dual b)
{
    return {a.v / b.v, (a.d * b.v - a.v * b.d) / (b.v * b.v)};
}
inline Dual operator-(Dual a) { return {-a.v, -a.d}; }
inline Dual &operator+=(Dual &a, Dual b) { return a = a + b; }
inline bool operator<=(Dual a, Dual b) { return a.v <= b.v; }
inline bool operator>=(Dual a, Dual b) { return a.v >= b.v; }
inline Dual abs(Dual a) { return a.v < 0 ? -a : a; }
inline Dual exp(Dual a) { return {std::exp(a.v), std::exp(a.v) * a.d}; }
inline Dual log(Dual a) { return {std::log(a.v), a.d / a.v}; }
inline Dual log1p(Dual a) { return {std::log1p(a.v), a.d / (1 + a.v)}; }
inline Dual tanh(Dual a)
{
    const double t = std::tanh(a.v);
    return {t, (1 - t * t) * a.d};
}

} // namespace ad

#include "net.hpp"

#include <cstdio>

int main()
{
    using ad::Dual;
    for (double at : {0.3, -2.0}) {
        std::array<Dual, 2> y;
        std::array<std::array<Dual, 2>, 2> jacobian;
        std::array<std::array<std::array<Dual, 2>, 2>, 2> hessian;
        net::value_jacobian_hessian<Dual>({Dual(at, 1), Dual(0.7)}, y, jacobian, hessian);
        for (std::size_t p = 0; p < 2; p++) {
            std::printf("%.17g %.17g ", y[p].d, jacobian[p][0].v);
            std::printf("%.17g %.17g\\n", jacobian[p][1].d, hessian[p][1][0].v);
        }
    }
}
"""


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_cpp_of_other_numbers(compiler, tmp_path):
    """Dual numbers, of whose limits std knows nothing, give the derivatives; NaN off the domain."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    draw, x = zoo.Draw(5), symnet.variables("x1", "x2")
    h = draw(3, 2, "tanh")(x) + draw(3, 2, "softplus")(x)
    net = symnet.Network.of(concat(draw(1, 3)(h), draw(1, 3)(h) + apply("log", x[0])))
    for name, text in languages.generate(net, "cpp", name="net").items():
        (tmp_path / name).write_text(str(text), encoding="utf-8")
    (tmp_path / "dual.cpp").write_text(DUAL, encoding="utf-8")
    command = [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "dual.cpp", "-o", "dual"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(["./dual"], cwd=tmp_path, check=True, capture_output=True, text=True)
    found = np.array(said.stdout.split(), dtype=float).reshape(2, 2, 2, 2)
    by_dual, generated = found[..., 0], found[..., 1]
    np.testing.assert_allclose(by_dual[0], generated[0], rtol=1e-13)
    assert np.isnan(generated[1, 1, 0])


@pytest.mark.complete
@pytest.mark.parametrize("name", ["one", "activations"])
def test_rust_examples_are_tests(name, tmp_path):
    """rustdoc runs one for each function; rustfmt changes nothing, clippy finds nothing."""
    tools_of("rust")
    text = languages.generate(NETWORKS[name](), "rust", name="net")["net.rs"]
    (tmp_path / "net.rs").write_text(str(text), encoding="utf-8")
    rustc("--crate-type=rlib", "net.rs", folder=tmp_path)
    if name == "one":
        said = rustc("-L.", "--test", "net.rs", folder=tmp_path, tool="rustdoc")
        assert "test result: ok. 5 passed; 0 failed" in said
    for tool, words in {
        "rustfmt": ("--check", "net.rs"),
        "clippy-driver": (
            *("--crate-type=rlib", "-Dwarnings", "-Wclippy::all", "-Wclippy::must_use_candidate"),
            "net.rs",
        ),
    }.items():
        if shutil.which(tool):
            assert rustc(*words, folder=tmp_path, tool=tool) == ""


THREADS = """\
program threads
    use net, only: wp, points, value_to_derivative3
    implicit none
    real(wp) :: alone(5, 12, 12, 12, 3), y(5), jacobian(5, 12), hessian(5, 12, 12)
    real(wp), allocatable :: found(:, :, :, :)
    logical :: same
    integer :: k
    do k = 1, 3
        call value_to_derivative3(points(:, k), y, jacobian, hessian, alone(:, :, :, :, k))
    end do
    same = .true.
    !$omp parallel do private(y, jacobian, hessian, found) reduction(.and.: same) num_threads(4)
    do k = 1, 400
        allocate (found(5, 12, 12, 12))
        call value_to_derivative3(points(:, mod(k, 3) + 1), y, jacobian, hessian, found)
        same = same .and. all(found == alone(:, :, :, :, mod(k, 3) + 1))
        deallocate (found)
    end do
    if (.not. same) stop 1
end program threads
"""


def test_fortran_in_threads(tmp_path):
    """Each call has arrays of its own, also those that compilers would give one place for all."""
    tools_of("fortran")
    net = symnet.Network.dense([12, 30, 30, 5], "softplus", seed=1)
    text = str(languages.generate(net, "fortran", 3, name="net")["net.f90"])
    assert "pure recursive subroutine value_to_derivative3" in text
    text = text.replace("public :: wp,", "public :: wp, points,")
    (tmp_path / "net.f90").write_text(text, encoding="utf-8")
    (tmp_path / "threads.f90").write_text(THREADS, encoding="utf-8")
    for command in (
        ("gfortran", "-O1", "-fmax-stack-var-size=100", "-c", "net.f90"),
        ("gfortran", "-O1", "-fopenmp", "net.o", "threads.f90", "-o", "net"),
        ("./net",),
    ):  # the option would make the subroutines of net.f90 recursive
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


UMAT = """\
recursive subroutine umat(stress, ddsdde, strain, ntens)
    use net, only: wp, value_jacobian_hessian
    implicit none
    integer, intent(in) :: ntens
    real(wp), intent(out) :: stress(ntens), ddsdde(ntens, ntens)
    real(wp), intent(in) :: strain(ntens)
    real(wp) :: energy(1), jacobian(1, 6), hessian(1, 6, 6)
    call value_jacobian_hessian(strain, energy, jacobian, hessian)
    stress = jacobian(1, :)
    ddsdde = hessian(1, :, :)
end subroutine umat

program point
    use net, only: wp
    implicit none
    real(wp) :: stress(6), ddsdde(6, 6)
    real(wp), parameter :: strain(6) = [1e-3_wp, -2e-3_wp, 5e-4_wp, 3e-3_wp, 0.0_wp, -1e-3_wp]
    integer :: i
    call umat(stress, ddsdde, strain, 6)
    write (*, '(6es26.17)') stress
    do i = 1, 6
        write (*, '(6es26.17)') ddsdde(i, :)
    end do
end program point
"""


def test_fortran_in_a_user_material(tmp_path):
    """Stress and stiffness of an energy of strains, as the help says."""
    tools_of("fortran")
    net = symnet.Network.dense([6, 12, 1], "softplus", seed=3)
    (tmp_path / "net.f90").write_text(
        str(languages.generate(net, "fortran", 2, name="net")["net.f90"]), encoding="utf-8"
    )
    (tmp_path / "umat.f90").write_text(UMAT, encoding="utf-8")
    command = ["gfortran", *FORTRAN, "net.f90", "umat.f90", "-o", "point"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = subprocess.run(["./point"], cwd=tmp_path, capture_output=True, text=True, check=True)
    stress, *stiffness = np.array([line.split() for line in told.stdout.splitlines()], float)
    strain = np.array([[1e-3, -2e-3, 5e-4, 3e-3, 0.0, -1e-3]])
    J, H = symnet.analytic.jacobian(net, strain), symnet.analytic.hessian(net, strain)
    np.testing.assert_allclose(stress, J[0, 0], rtol=1e-12)
    np.testing.assert_allclose(stiffness, H[0, 0], rtol=1e-12, atol=1e-15)


def test_fortran_does_not_stop_inside_of_a_domain(tmp_path):
    """What is NaN elsewhere is no invalid operation here."""
    tools_of("fortran")
    layers = [symnet.Layer([[0.1, 0.1]], [2.0], sympy.log(Z) * sympy.sqrt(Z))]
    for name, text in languages.generate(symnet.Network(layers), "fortran", 3, name="net").items():
        (tmp_path / name).write_text(str(text), encoding="utf-8")
    flags = ("-std=f2008", *FORTRAN, "-ffpe-trap=invalid,zero")
    command = ["gfortran", *flags, "net.f90", "net_test.f90", "-o", "net"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run(["./net"], cwd=tmp_path, check=True)


def test_matlab_stays_real(tmp_path):
    """Beyond a domain there is NaN, as everywhere: its own log and sqrt leave the real numbers."""
    tools_of("matlab")
    layers = [symnet.Layer([[1.0], [1.0]], [0.0, 2.0], "log")]
    layers += [symnet.Layer([[1.0, 1.0]], [1.0], "sqrt")]
    for name, text in languages.generate(symnet.Network(layers), "matlab", name="net").items():
        (tmp_path / name).write_text(str(text), encoding="utf-8")
    told = "[y, J, H] = net([-1 3 0.01]); disp([isreal(y) isnan(y); isreal(J) isnan(J(:)')])"
    command = ["octave", "-qf", "--no-history", "--eval", told]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["1", "1", "0", "1"] * 2, done.stderr


def test_javascript_refuses_points_of_another_size(tmp_path):
    """Missing entries were NaN, and those too many were left out without a word."""
    tools_of("javascript")
    files = languages.generate(symnet.Network.dense([2, 3, 1], "tanh", seed=1), "javascript", 1)
    ((name, text), *_) = files.items()
    (tmp_path / name).write_text(str(text), encoding="utf-8")
    calls = "[() => value([1]), () => jacobian([1, 2, 3]), () => valueJacobian(1, 2)]"
    (tmp_path / "use.mjs").write_text(
        f'import {{ value, jacobian, valueJacobian }} from "./{name}";\n'
        f"for (const call of {calls})\n"
        "  try { call(); console.log('taken'); } catch (error) { console.log(String(error)); }\n",
        encoding="utf-8",
    )
    done = subprocess.run(["node", "use.mjs"], cwd=tmp_path, capture_output=True, text=True)
    counts = ("1", "3", "undefined")
    assert done.stdout.splitlines() == [
        f"RangeError: x has {count} entries, expected 2" for count in counts
    ]


@pytest.mark.complete
def test_matlab_gives_parts_of_long_formulas_names():
    """Polynomials are no line that goes on, and a vector's axes are moved once."""
    text = str(languages.generate(NETWORKS["activations"](), "matlab", 3, name="net")["net.m"])
    functions = text.partition("function w = weights(kind)")[2].partition("\nend\n")[2]
    assert "part1 = " in functions
    assert not re.search(r"[.]{3}$", functions, re.MULTILINE)
    assert "permute(permute(" not in text
    assert "(-1.0).*" not in text


@pytest.mark.complete
def test_rust_of_pieces(tmp_path):
    """No comparison follows from another; the types of four results stand below each other."""
    tools_of("rust")
    if not (shutil.which("clippy-driver") and shutil.which("rustfmt")):
        pytest.skip("clippy and rustfmt are not installed")
    own = sympy.Max(Z, 0) * sympy.Min(Z, 2) + sympy.Abs(Z - 1)
    layers = [symnet.Layer([[0.5, 1.0], [1.0, -2.0]], [0.3, 0.1], own), symnet.Layer([[1.0, 2.0]])]
    text = languages.generate(symnet.Network(layers), "rust", 3, name="net")["net.rs"]
    (tmp_path / "net.rs").write_text(str(text), encoding="utf-8")
    rustc("--check", "net.rs", folder=tmp_path, tool="rustfmt")
    flags = ("--crate-type=rlib", "-Dwarnings", "-Wclippy::all", "net.rs")
    rustc(*flags, folder=tmp_path, tool="clippy-driver")
