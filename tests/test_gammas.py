"""erfinv, loggamma, digamma and round: accuracy of each text of them, and as activations."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import warnings

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

import symnet
from symnet.activations import Activation, Z, digits, from_tree
from symnet.activations.functions import POLYGAMMAS, rint
from symnet.backends.c.text import elementary
from symnet.backends.numpy import gammas, special
from symnet.languages.printing import Printer
from symnet.witness import analytic

RNG = np.random.default_rng(0)
RIGHT = np.concatenate(
    [
        RNG.uniform(0, 5, 60),
        10 ** RNG.uniform(-300, 300, 30),
        RNG.uniform(0, 40, 30),
        [1.0, 2.0, 3.0, 4.0, 8.0, 1.4616321449683623, 5e-324],
    ]
)
LEFT = -np.concatenate([RNG.uniform(0, 5, 40), 10 ** RNG.uniform(-8, 4, 20)])
INSIDE = np.concatenate(
    [RNG.uniform(-1, 1, 100), 1 - 10 ** RNG.uniform(-15.9, -1, 60), [1 - 2**-53, 1e-300, 0.0]]
)


def units(found, exact, points, beside: bool) -> float:
    """The worst error in units in the last place; of |f| + |x f'| where `beside`."""
    worst = 0.0
    with mpmath.workdps(50):
        for x, got in zip(points.tolist(), np.asarray(found).tolist(), strict=True):
            want = exact(mpf(x))
            size = abs(want)
            if size > 1e308 or size < 1e-300:
                continue
            if beside:
                h = mpf(10) ** -20 * abs(x)
                size += abs(x * (exact(x + h) - want) / h)
            worst = max(worst, float(abs(mpf(got) - want) / (size * mpf(2) ** -53)))
    return worst


def psi(n: int):
    """mpmath's, by reflection on the left."""
    return lambda x: digits.FUNCTIONS[sympy.polygamma](n, x)


def test_numpy_texts() -> None:
    """Without a warning, and with what they are at the ends."""
    with np.errstate(all="ignore"):
        assert units(special.erfinv(INSIDE), mpmath.erfinv, INSIDE, False) < 10
        assert units(gammas.loggamma(RIGHT), mpmath.loggamma, RIGHT, False) < 16
        for n in range(len(POLYGAMMAS)):
            assert units(gammas.polygamma(n, RIGHT), psi(n), RIGHT, True) < 6
            assert units(gammas.polygamma(n, LEFT), psi(n), LEFT, True) < 6
        assert special.erfinv([1, -1, 2, -3]).tolist()[:2] == [np.inf, -np.inf]
        assert np.isnan(special.erfinv([2, -3, np.nan])).all()
        assert np.isnan(gammas.loggamma([-0.5, np.nan])).all()
        assert gammas.loggamma([0, np.inf]).tolist() == [np.inf, np.inf]
        assert np.isinf(gammas.polygamma(1, [0, -1, -2])).all()
    for function in (special.erfinv, gammas.loggamma, lambda x: gammas.polygamma(0, x)):
        assert function(np.float32(0.5)).dtype == np.float32
        assert function(np.zeros((0, 3)) + 0.5).shape == (0, 3)


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
@pytest.mark.parametrize("dtype", ["double", "float"])
def test_c_texts(tmp_path, dtype) -> None:
    """The kernel's own, and those that generated C has instead."""
    real = np.float64 if dtype == "double" else np.float32
    names = ("erfinv_of", "loggamma_of", "polygamma_of")
    text = "#include <math.h>\n#include <stdint.h>\n#include <string.h>\n"
    text += f"typedef {dtype} real;\n#define INLINE static inline\n"
    text += "\n".join(elementary.definitions(names, dtype))
    for name in names:
        first = "int n, " if name == "polygamma_of" else ""
        passed = "n, " if first else ""
        text += f"\nvoid each_{name}({first}const real *x, real *y, long count)\n"
        text += f"{{ for (long i = 0; i < count; i++) y[i] = {name}({passed}x[i]); }}\n"
    (tmp_path / "f.c").write_text(text)
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    subprocess.run(["cc", *flags, "f.c", "-o", "f.so", "-lm"], cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "f.so"))
    scale = 1 if dtype == "double" else 2.0**29

    def called(name, points, *before):
        x = points.astype(real)
        y = np.empty_like(x)
        array = np.ctypeslib.ndpointer(real, flags="C")
        function = getattr(library, f"each_{name}")
        function.argtypes = [*[ctypes.c_int] * len(before), array, array, ctypes.c_long]
        function(*before, x, y, len(x))
        return y, x.astype(np.float64)

    inside = INSIDE if dtype == "double" else INSIDE[np.abs(INSIDE.astype(real)) < 1]
    right = RIGHT if dtype == "double" else RIGHT[(RIGHT > 1e-4) & (RIGHT < 1e4)]
    left = LEFT if dtype == "double" else LEFT[(LEFT < -1e-2) & (LEFT > -100)]
    y, x = called("erfinv_of", inside)
    assert units(y, mpmath.erfinv, x, False) < 12 * scale
    y, x = called("loggamma_of", right)
    assert units(y, mpmath.loggamma, x, False) < (16 if dtype == "double" else 40) * scale
    for n in range(4 if dtype == "float" else len(POLYGAMMAS)):
        for points in (right, left):
            y, x = called("polygamma_of", points, n)
            assert units(y, psi(n), x, True) < 10 * scale


Z_ = sympy.Symbol("z", real=True)
FORMULAS = {
    "erfinv": (sympy.erfinv(Z_), (-0.999, -0.3, 1e-9, 0.7)),
    "loggamma": (sympy.loggamma(Z_), (1e-6, 0.5, 1.0, 2.5, 1e5)),
    "digamma": (sympy.digamma(Z_), (-2.5, -0.1, 0.3, 1.4616321449683623, 900.0)),
    "round": (sympy.Function("round")(2 * Z_) * Z_, (-1.3, 0.6, 2.4)),
}


@pytest.mark.complete(every=2)
@pytest.mark.parametrize("name", FORMULAS)
def test_as_activations(name) -> None:
    """Value and derivatives to the fourth order against differences in many digits."""
    formula, points = FORMULAS[name]
    own = Activation("own", formula)
    assert from_tree("own", own.tree) == own
    net = symnet.Network([symnet.Layer([[1.0]], None, own)])
    derivation = symnet.derive(net, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [derivation.compile(b)(np.array(points)[:, None]) for b in ("numpy", "c")]
    for row, point in enumerate(points):
        want = digits.derivatives(own.value, point, 5, 1, 50)
        assert want is not None
        for order, parts in enumerate(zip(*results, strict=True)):
            size = abs(want[order]) + abs(point * want[order + 1])
            assert all(abs(part.ravel()[row] - want[order]) <= 1e-13 * size for part in parts)


def test_the_witness_has_its_own() -> None:
    """Not by the package's texts: Python's, mpmath's and Newton's steps."""
    for formula, points in FORMULAS.values():
        own = Activation("own", formula)
        net = symnet.Network([symnet.Layer([[1.0]], None, own)])
        for point in points:
            want = digits.derivatives(own.value, point, 3, 1, 50)
            found = [float(part(net, [point]).ravel()[0]) for part in analytic.BY_ORDER]
            for order, value in enumerate(found):
                size = abs(want[order]) + abs(point * want[order + 1])
                assert abs(value - want[order]) <= 1e-13 * size


def test_rounding() -> None:
    """Half to even, as NumPy, PyTorch and JAX; jumps are said, slopes are 0."""
    own = Activation("own", sympy.Function("round")(Z_))
    assert own.value == rint(Z)
    net = symnet.Network([symnet.Layer([[1.0]], None, own)])
    X = np.array([[0.5], [1.5], [2.5], [-0.5], [-1.5], [0.49999999999999994], [1e300]])
    for backend in ("numpy", "c"):
        y, J = symnet.derive(net, 1).compile(backend)(X)
        assert y.ravel().tolist() == [0, 2, 2, 0, -2, 0, 1e300]
        assert not J.any()
    said = "own has jumps without end, those of rint(z)"
    assert said in symnet.derive(net, 1).text("layer")
    assert rint(sympy.Rational(5, 2)) == 2
    assert rint(sympy.pi) == 3


def test_what_is_refused() -> None:
    """Higher polygammas are no formula's own; their names are said."""
    with pytest.raises(ValueError, match="'polygamma' is not supported"):
        Activation("own", sympy.polygamma(1, Z_))
    assert "polygamma3" in Printer.lacking


@pytest.mark.parametrize(
    ("formula", "at", "wanted"),
    [
        (sympy.digamma(1 + sympy.exp(Z)), 800.0, [800, 1]),
        (sympy.digamma(1 + sympy.exp(Z)), 41.0, [41, 1]),
        (sympy.digamma(sympy.Rational(1, 2) + sympy.exp(-Z)), -750.0, [750, -1]),
    ],
)
def test_digamma_of_what_is_beyond_doubles(formula, at, wanted):
    """It is the exponent from some 40 on: from 710 on exp(z) is no double, and it was refused."""
    net = symnet.Network([symnet.Layer([[1.0]], None, Activation("own", formula))])
    found = symnet.derive(net, order=1).compile()(np.array([at]))
    np.testing.assert_allclose([float(p.ravel()[0]) for p in found], wanted, rtol=1e-14)
