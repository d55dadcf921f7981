"""Elementary functions as C text: errors in units in the last place, by two compilers."""

from __future__ import annotations

import ctypes
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf
from sympy.codegen.cfunctions import expm1, log1p

from symnet.backends.c.text import elementary
from symnet.backends.c.text.file import FLAGS

NAMES = (
    *("exp_of", "decay_of", "expm1_of", "log_of", "log1p_of", "log1p_of_unit", "tanh_of", "erf_of"),
    *("erfcx_of", "erfc_of", "decay_less_one_of", "sign_of"),
)
TYPES = {"double": np.float64, "float": np.float32}
BEST = tuple("-O3" if flag == "-O2" else flag for flag in FLAGS)  # plain loops as vectors
PLAIN = tuple(flag for flag in BEST if flag != "-march=native")
COMPILERS = [c for c in ("gcc", "clang") if shutil.which(c)]
NEEDS_COMPILER = pytest.mark.skipif(not COMPILERS, reason="neither gcc nor clang")

TEXT = """\
#include <math.h>
#include <stdint.h>
#include <string.h>
typedef {dtype} real;
#define INLINE static inline
{definitions}
{loops}
"""
LOOP = """\
void each_{name}(const real *x, real *y, long count)
{{
    for (long i = 0; i < count; i++)
        y[i] = {name}(x[i]);
}}
"""


def text(dtype: str) -> str:
    """A library with a loop for each function."""
    definitions = "\n".join(elementary.definitions(NAMES, dtype))
    loops = "\n".join(LOOP.format(name=name) for name in NAMES)
    return TEXT.format(dtype=dtype, definitions=definitions, loops=loops)


def compiled(folder: Path, compiler: str, dtype: str, *flags: str) -> ctypes.CDLL:
    source, library = folder / f"{dtype}.c", folder / f"{dtype}.so"
    source.write_text(text(dtype))
    warnings = ("-Wall", "-Wextra", "-pedantic", "-Werror")
    command = [compiler, *flags, *warnings, "-fPIC", "-shared", str(source), "-o", str(library)]
    subprocess.run([*command, "-lm"], check=True)
    return ctypes.CDLL(str(library))


MAIN = """\
int main(void)
{{
    uint64_t state = 1;
    real x, sum = 0;
    for (long i = 0; i < 200000; i++) {{
        state = state * 6364136223846793005u + 1442695040888963407u;
        const uint64_t bits = state >> (64 - 8 * sizeof x);
        memcpy(&x, &bits, sizeof x);
        sum += {calls};
    }}
    return sum == 0;
}}
"""
"""Every function of 200,000 numbers whose bits are random: all magnitudes, infinities, NaN."""


def values(library: ctypes.CDLL, name: str, x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (x, y))
    library[f"each_{name}"](*pointers, ctypes.c_long(x.size))
    return y


def worst(name: str, x: np.ndarray, y: np.ndarray) -> float:
    """The greatest error in units in the last place; of subnormal numbers, 0 is right too."""
    info, exact = np.finfo(x.dtype), truth(name, x.dtype.name, x.tobytes())
    errors = []
    for got, want in zip(y.tolist(), exact, strict=True):
        tiny = abs(want) < 1.5 * float(info.smallest_normal)
        unit = np.spacing(x.dtype.type(max(abs(want), info.smallest_normal)))
        errors.append(0.0 if tiny and got == 0 else float(abs(mpf(got) - want) / mpf(float(unit))))
    return max(errors)


@cache
def truth(name: str, dtype: str, points: bytes) -> list[mpf]:
    functions = {"decay_of": mpmath.exp, "log1p_of_unit": mpmath.log1p}
    functions["decay_less_one_of"] = mpmath.expm1
    functions["erfcx_of"] = lambda x: mpmath.exp(x * x) * mpmath.erfc(x)
    function = functions.get(name) or getattr(mpmath, name.removesuffix("_of"))
    with mpmath.workdps(50):
        return [function(mpf(point)) for point in np.frombuffer(points, dtype).tolist()]


def points(name: str, dtype: str) -> np.ndarray:
    """Ordinary, tiny and large arguments, and the ends of the range."""
    rng, info = np.random.default_rng(5), np.finfo(TYPES[dtype])
    most, least = float(np.log(info.max)), float(np.log(info.smallest_normal))
    zero = 26.5 if dtype == "double" else 9.1
    small = 10.0 ** rng.uniform(-20, 0, 100)
    wide = np.exp(rng.uniform(least, most, 300))
    low, high = {
        "exp_of": (least, most),
        "decay_of": (least, 0),
        "decay_less_one_of": (-50, 0),
        "expm1_of": (-50, most),
        "tanh_of": (-25, 25),
        "erf_of": (-7, 7),
        "erfc_of": (-7, zero),
        "erfcx_of": (0, zero),
        "log_of": (0.5, 2),
        "log1p_of": (-0.999, 2),
        "log1p_of_unit": (0, 1),
    }[name]
    near = rng.uniform(max(low, -1.5), min(high, 1.5), 600)
    found = [rng.uniform(low, high, 600), near, small, [low, high]]
    found += [wide] if name.startswith("log") else []
    found += [-small] if low < 0 else []
    x = np.concatenate(found)
    inside = (x >= low) & ((x <= high) | name.startswith("log")) & (x != 0)
    x = x[inside & ((x <= 1) | (name != "log1p_of_unit"))]
    x = x.astype(TYPES[dtype])
    return x[np.abs(x) < 0.9999 * most] if name in ("exp_of", "expm1_of") else x


BOUNDS = {"erf_of": 2.0, "erfcx_of": 4.0}
"""In units in the last place; 1.5 for the others, and erfc has bounds of its own."""


@pytest.mark.complete(every=3)
@NEEDS_COMPILER
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("flags", [BEST, PLAIN, ("-std=c99", "-O0")], ids=["best", "plain", "O0"])
@pytest.mark.parametrize("compiler", COMPILERS or ["cc"])
def test_errors(compiler, flags, dtype, tmp_path):
    """Against 50 digits; erfc is less exact without fused multiply-adds."""
    library = compiled(tmp_path, compiler, dtype, *flags)
    for name in NAMES[:-1]:
        x = points(name, dtype)
        allowed = (6.5 if flags != BEST else 5) if name == "erfc_of" else BOUNDS.get(name, 1.5)
        assert worst(name, x, values(library, name, x)) <= allowed, name


ENDS = {
    "exp_of": {-np.inf: 0, -1e4: 0, 0: 1, 1e4: np.inf, np.inf: np.inf},
    "decay_of": {-np.inf: 0, -1e30: 0, -1e4: 0, 0: 1},
    "decay_less_one_of": {-np.inf: -1, -1e4: -1, 0: 0},
    "expm1_of": {-np.inf: -1, -1e4: -1, 0: 0, 1e4: np.inf, np.inf: np.inf},
    "log_of": {-np.inf: np.nan, -1: np.nan, 0: -np.inf, 1: 0, np.inf: np.inf},
    "log1p_of": {-np.inf: np.nan, -2: np.nan, -1: -np.inf, 0: 0, np.inf: np.inf},
    "log1p_of_unit": {0: 0},
    "tanh_of": {-np.inf: -1, -1e30: -1, 0: 0, 1e30: 1, np.inf: 1},
    "erf_of": {-np.inf: -1, -1e30: -1, 0: 0, 1e30: 1, np.inf: 1},
    "erfcx_of": {0: 1},
    "erfc_of": {-np.inf: 2, -1e30: 2, 0: 1, 30: 0, 1e30: 0, np.inf: 0},
    "sign_of": {-np.inf: -1, -1e-30: -1, 1e-30: 1, np.inf: 1},
}


@NEEDS_COMPILER
@pytest.mark.parametrize("dtype", TYPES)
def test_ends(dtype, tmp_path):
    """Infinities, zeros, what overflows, and NaN."""
    library = compiled(tmp_path, COMPILERS[0], dtype, *BEST)
    for name, wanted in ENDS.items():
        found = values(library, name, np.array([*wanted, np.nan], TYPES[dtype]))
        assert found[:-1].tolist() == pytest.approx([*wanted.values()], abs=0, nan_ok=True), name
        assert np.isnan(found[-1]) or name == "sign_of", name


@NEEDS_COMPILER
@pytest.mark.parametrize("dtype", TYPES)
def test_subnormal_arguments(dtype, tmp_path):
    """A logarithm knows them, and what is linear near 0 keeps them."""
    library = compiled(tmp_path, COMPILERS[0], dtype, *BEST)
    x = np.finfo(TYPES[dtype]).smallest_subnormal * np.array([1, 3, 1000, 12345], TYPES[dtype])
    assert worst("log_of", x, values(library, "log_of", x)) <= 1.5
    for name in ("log1p_of", "log1p_of_unit", "tanh_of"):
        np.testing.assert_array_equal(values(library, name, x), x)


@pytest.mark.complete(every=2)
@NEEDS_COMPILER
@pytest.mark.parametrize("dtype", TYPES)
def test_no_undefined_behaviour(dtype, tmp_path):
    """No shift, conversion or overflow that C leaves open, whatever the argument."""
    calls = " + ".join(f"{name}(x)" for name in NAMES)
    source, program = tmp_path / "main.c", tmp_path / "main"
    source.write_text(text(dtype) + MAIN.format(calls=calls))
    checks = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    command = [COMPILERS[0], "-std=c99", "-O1", *checks, str(source), "-o", str(program), "-lm"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("the compiler has no sanitizer")
    subprocess.run([str(program)], check=True)


@pytest.mark.skipif("gcc" not in COMPILERS, reason="no gcc")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="another machine's instructions")
def test_vectors_and_shared_work(tmp_path):
    """No calls; and tanh with the logistic function of 2 |x| takes one exponential and division."""
    both = "const real e = decay_of(-2*fabs(x[i])), p = 1/(1 + e); y[i] = tanh_of(x[i])*p;"
    loop = LOOP.replace("y[i] = {name}(x[i]);", f"{{{{ {both} }}}}").format(name="both")
    source = tmp_path / "both.c"
    source.write_text(text("double") + loop)
    flags = ("-mavx2", "-mfma", *PLAIN, "-S", "-o", "-")
    run = subprocess.run(["gcc", *flags, str(source)], check=True, capture_output=True, text=True)
    for name in (*NAMES, "both"):
        body = run.stdout.split(f"each_{name}:")[1].split(".size")[0]
        assert "call" not in body, name
        assert "ymm" in body, name
    whole = [line for line in body.split("\n") if "%ymm" in line]
    assert sum("vdivpd" in line for line in whole) == 1
    assert sum("vpsllq" in line for line in whole) == 1


def test_only_what_is_wanted():
    """Each text once, after those that it calls; other names are not of this module."""
    texts = elementary.definitions(["tanh_of", "exp_of", "sqrt", "exp_of"], "double")
    defined = [re.search(r"(\w+)\(real x\)", text)[1] for text in texts]
    assert defined == ["bits_of", "reduced", "decay_of", "exp_of", "tanh_of"]
    assert elementary.definitions(["sin", "sqrt"], "double") == []


def test_names():
    """A cheaper function where the argument is known to be in its range."""
    x, e = sympy.symbols("x e", real=True)
    name = elementary.function_name
    assert name(sympy.exp(x), {}) == "exp_of"
    assert name(sympy.exp(-2 * abs(x)), {}) == "decay_of"
    assert name(expm1(x), {}) == "expm1_of"
    assert name(expm1(-2 * abs(x)), {}) == "decay_less_one_of"
    assert name(log1p(e), {e: sympy.exp(-abs(x))}) == "log1p_of_unit"
    assert name(log1p(e), {e: sympy.exp(x)}) == "log1p_of"
    assert name(sympy.sin(x), {}) is None
