"""Where forms end: every language agrees with NumPy's text at kinks, ends of domains and far out.

One network has each activation of the table, and a user's own, at x itself; a driver in the
language prints what its functions give at the points, and NaN must stand where NumPy has it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy

import symnet
from symnet import compiling, languages
from symnet.activations import TABLE, Activation, Z
from symnet.languages import plain
from symnet.languages.job import Job
from symnet.network.building import apply, concat

POINTS = [
    *(0.0, -1.0, 1.0, -3.0, 3.0, 6.0, -0.3, 0.3, 0.5),  # kinks, changes of forms, ends of domains
    *(-1e4, 1e4, -45.0, 45.0, -1e-9, 1e-9, 1e-300, -709.0, 709.0),
    float("nan"),
]

OWN = {
    "own_asin": sympy.asin(Z),
    "own_acosh": sympy.acosh(Z),
    "own_atanh": sympy.atanh(Z),
    "own_log": Z * sympy.log(Z),
    "own_floor": sympy.floor(Z) * Z,
    "own_sign": sympy.sign(Z) * Z**2,
    "own_max": sympy.Max(Z, Z**2),
}


def network() -> symnet.Network:
    """y_k = σ_k(x) for every activation, acosh(x + 1) for that one."""
    (x,) = symnet.variables("x")
    given = [apply(name, x) for name in TABLE]
    one = symnet.Layer([[1.0]], [1.0])(x)
    own = [
        apply(Activation(name, formula), one if name == "own_acosh" else x)
        for name, formula in OWN.items()
    ]
    return symnet.Network.of(concat(*given, *own), name="net")


@cache
def job() -> Job:
    """What all languages write down."""
    return Job.of(network(), 2, "net")


@cache
def known() -> tuple[np.ndarray, ...]:
    """What NumPy's text gives at the points."""
    with np.errstate(all="ignore"):
        results = compiling.compiled(network(), 2)(np.array(POINTS)[:, None])
    return tuple(result.reshape(len(POINTS), -1) for result in results)


M = len(TABLE) + len(OWN)

C = """
#include "net.h"
#include <math.h>
#include <stdio.h>

int main(void)
{
    const double x[] = {POINTS};
    double y[M], jacobian[M][1], hessian[M][1][1];
    for (int k = 0; k < COUNT; k++) {
        net_value_jacobian_hessian(&x[k], y, jacobian, hessian);
        for (int p = 0; p < M; p++)
            printf("%.17g %.17g %.17g\\n", y[p], jacobian[p][0], hessian[p][0][0]);
    }
    return 0;
}
"""

CPP = """
#include "net.hpp"
#include <cmath>
#include <cstdio>

int main()
{
    const double x[] = {POINTS};
    std::array<double, M> y;
    std::array<std::array<double, 1>, M> jacobian;
    std::array<std::array<std::array<double, 1>, 1>, M> hessian;
    for (double at : x) {
        net::value_jacobian_hessian<double>({at}, y, jacobian, hessian);
        for (int p = 0; p < M; p++)
            std::printf("%.17g %.17g %.17g\\n", y[p], jacobian[p][0], hessian[p][0][0]);
    }
}
"""

FORTRAN = """
program edges
    use, intrinsic :: iso_fortran_env, only: real64
    use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
    use net, only: value_jacobian_hessian
    implicit none
    real(real64) :: x(COUNT), y(M), jacobian(M, 1), hessian(M, 1, 1)
    integer :: k, p
    x = [real(real64) :: POINTS]
    x(COUNT) = ieee_value(x(1), ieee_quiet_nan)
    do k = 1, COUNT
        call value_jacobian_hessian(x(k:k), y, jacobian, hessian)
        do p = 1, M
            print '(3(es26.17e3))', y(p), jacobian(p, 1), hessian(p, 1, 1)
        end do
    end do
end program edges
"""

RUST = """
#[path = "net.rs"]
mod net;

fn main() {
    for x in [POINTS] {
        let (y, jacobian, hessian) = net::value_jacobian_hessian(&[x]);
        for p in 0..net::M {
            println!("{:e} {:e} {:e}", y[p], jacobian[p][0], hessian[p][0][0]);
        }
    }
}
"""

JAVASCRIPT = """
import { valueJacobianHessian } from "./net.mjs";

for (const x of [POINTS]) {
  const { y, jacobian, hessian } = valueJacobianHessian([x]);
  y.forEach((value, p) => console.log(value, jacobian[p], hessian[p]));
}
"""

MATLAB = """
[y, J, H] = net([POINTS]);
for k = 1:COUNT
    for p = 1:M
        printf('%.17g %.17g %.17g\\n', y(p, k), J(p, 1, k), H(p, 1, 1, k));
    end
end
"""

PYTHON = """
import numpy as np
import net

with np.errstate(all="ignore"):
    results = net.value_jacobian_hessian(np.array([[x] for x in (POINTS)]))
for rows in zip(*(result.reshape(COUNT, M) for result in results)):
    for row in zip(*rows):
        print(*map(float, row))
"""

DRIVERS = {
    "c": ("edges.c", C, "NAN", ["gcc -std=c99 edges.c net.c -o edges -lm", "./edges"]),
    "cpp": ("edges.cpp", CPP, "NAN", ["g++ -std=c++17 edges.cpp -o edges", "./edges"]),
    "fortran": (
        "edges.f90",
        FORTRAN,
        "0.0",
        ["gfortran -ffree-line-length-none net.f90 edges.f90 -o edges", "./edges"],
    ),
    "javascript": ("edges.mjs", JAVASCRIPT, "NaN", ["node edges.mjs"]),
    "matlab": ("edges.m", MATLAB, "NaN", ["octave -qf --no-history edges.m"]),
    "plain": ("edges.py", PYTHON, "np.nan", [f"{sys.executable} edges.py"]),
    "rust": ("edges.rs", RUST, "f64::NAN", ["rustc --edition 2021 edges.rs -o edges", "./edges"]),
}
"""By language a driver, its word for NaN, and the commands that build and run it."""


@pytest.mark.complete(every=8)
@pytest.mark.parametrize("language", DRIVERS)
def test_edges(language, tmp_path):
    """Infinities and NaN in the same places, else equal to rounding."""
    file, text, nothing, commands = DRIVERS[language]
    tool = commands[0].split()[0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    write(language, tmp_path)
    numbers = [nothing if np.isnan(x) else repr(x) for x in POINTS]
    if language == "fortran":
        numbers = [f"{x}_real64" for x in numbers]
    told = {"POINTS": ", ".join(numbers), "COUNT": str(len(POINTS)), "M": str(M)}
    for word, meaning in told.items():
        text = re.sub(rf"(?<!\w)(?<!::){word}\b", meaning, text)
    (tmp_path / file).write_text(text, encoding="utf-8")
    for command in commands:
        done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    words = done.stdout.replace("Infinity", "inf").split()
    found = np.array(words, dtype=float).reshape(len(POINTS), M, 3)
    names = [*TABLE, *OWN]
    wrong = {
        (names[p], order, POINTS[k]): (found[k, p, order], known()[order][k, p])
        for k, p, order in np.ndindex(found.shape)
        if not agrees(found[k, p, order], known()[order][k, p])
    }
    assert not wrong


def agrees(found: float, expected: float) -> bool:
    """NaN with NaN, an infinity with itself, numbers to rounding."""
    if np.isnan(expected) or np.isinf(expected):
        return bool(found == expected or (np.isnan(found) and np.isnan(expected)))
    return bool(abs(found - expected) <= 1e-13 * abs(expected) + 1e-300)


def write(language: str, folder: Path) -> None:
    """The generated files, all called net."""
    if language == "plain":
        made = {"net.py": plain.source(job())}
    else:
        files = languages.WRITERS[language].files
        assert files is not None
        made = dict(files(job()))
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
