"""Generated modules: complete in themselves, equal to the compiled functions, and alert."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from sympy import Symbol, erf, exp

import symnet
from strategies import networks
from symnet import compiling
from symnet.activations import TABLE, Activation, Z
from symnet.languages import c_file, generate, numpy_module, running, testpoints
from symnet.languages.selftest import examples, expectations
from symnet.languages.testpoints import chosen, ordinary_points
from symnet.network import Layer, Network
from symnet.witness import analytic, sampling

NUMPY = Path(np.__file__).parents[1]
ROOT = Path(symnet.__file__).parents[1]


def namespace(text: str) -> dict[str, Any]:
    """The names that a module's text defines."""
    names: dict[str, Any] = {"__name__": "derivatives"}
    exec(compile(text, "derivatives.py", "exec"), names)
    return names


def alone(path: Path) -> subprocess.CompletedProcess[str]:
    """The module run as a script by a Python that finds NumPy, but not symnet or SymPy."""
    packages = path.parent / "packages"
    packages.mkdir()
    for package in NUMPY.glob("numpy*"):
        (packages / package.name).symlink_to(package)
    starter = (
        f"import sys, runpy; sys.path.append({str(packages)!r}); import importlib.util as u; "
        "assert u.find_spec('symnet') is None and u.find_spec('sympy') is None; "
        f"runpy.run_path({str(path)!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", starter],
        cwd=path.parent,
        capture_output=True,
        text=True,
    )


NETWORKS = {
    "example": symnet.Network.example(),
    "named": symnet.Network.dense([2, 4, 3, 1], hidden="tanh", seed=1, name="surrogate"),
    "two outputs, erf": symnet.Network.dense([3, 5, 2], hidden="gelu", output="softplus", seed=2),
    "kinks, no bias": symnet.Network.dense([2, 6, 1], hidden="relu", bias=False, seed=3),
    "linear": symnet.Network.dense([3, 2], seed=4),
    "one input": symnet.Network.dense([1, 3, 1], hidden="sin", seed=5),
    "many inputs": symnet.Network.dense([25, 6, 2], seed=6),
    "deep": symnet.Network.dense([2, *[3] * 60, 1], seed=7),
}


@cache
def text_of(name: str) -> str:
    """The module of one of these networks."""
    return numpy_module(NETWORKS[name])


@pytest.mark.parametrize("name", NETWORKS)
def test_module_tests_itself_without_symnet(name, tmp_path):
    """It runs where there is NumPy alone, prints one line, and exits with 0."""
    path = tmp_path / "derivatives.py"
    path.write_text(text_of(name), encoding="utf-8")
    done = alone(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"self-test ok: 3 points, \S+ of the allowed error\n", done.stdout)


@pytest.mark.parametrize("name", NETWORKS)
def test_functions_equal_the_compiled_ones_to_the_last_bit(name):
    """Within a block; float32, no points and NaN included."""
    network = NETWORKS[name]
    module, f = namespace(text_of(name)), compiling.compiled(network, 2)
    X = np.random.default_rng(0).standard_normal((40, network.n))
    X[3, 0] = np.nan
    for points in (X, X.astype(np.float32), X[:0], X[0], X.reshape(5, 8, -1)):
        results = module["value_jacobian_hessian"](points)
        for result, expected in zip(results, f(points), strict=True):
            assert result.dtype == expected.dtype
            np.testing.assert_array_equal(result, expected, strict=True)
        for function in ("value", "jacobian", "hessian"):
            expected = getattr(f, function)(points)
            np.testing.assert_array_equal(module[function](points), expected, strict=True)


def test_more_points_than_a_block():
    """Blocks are put together in order."""
    network = NETWORKS["named"]
    X = np.random.default_rng(0).standard_normal((20_000, 2))
    results = namespace(numpy_module(network))["value_jacobian_hessian"](X)
    for result, expected in zip(results, compiling.compiled(network, 2)(X), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-15)


@settings(max_examples=15)
@given(networks(activations=tuple(sorted(set(TABLE) - {"exp"})), width=3))
def test_any_network_passes_its_own_test(network):
    """Random networks of every activation: the text runs, and agrees with the analytic engine.

    Or is refused, where weights leave a function nowhere to stand: the logarithm of 0·x.
    """
    centre = sampling.scaling(network)[0][None]
    if all(np.isfinite(f(network, centre)).all() for f in (analytic.value, analytic.hessian)):
        assert namespace(numpy_module(network))["self_test"]() == 0
        return
    with contextlib.suppress(ValueError):  # "not finite even at …"
        assert namespace(numpy_module(network))["self_test"]() == 0


@pytest.mark.parametrize("name", ["log", "sqrt", "reciprocal"])
def test_a_network_without_a_value_anywhere_is_refused(name):
    """log(0·x) has nothing to be tested at."""
    with pytest.raises(ValueError, match=rf"1-1, {name}.*not finite even at"):
        numpy_module(Network([Layer([[0.0]], activation=name)]))


def test_terms_that_no_double_holds_are_told_apart_from_none():
    """Of sqrt at 1e-162 the slope of σ″ is none, what z moves it by is; of sqrt(0·x) nothing is."""
    last = Layer([[0, 0], [0, 1.0]], activation="abs")
    tiny = Network([Layer([[-1.0], [-1.1e-162]], activation="sqrt"), last])
    assert namespace(numpy_module(tiny))["self_test"]() == 0
    nowhere = Network([Layer([[0.0]], activation="sqrt"), Layer([[0.0]], activation="abs")])
    with pytest.raises(ValueError, match="not finite even at"):
        numpy_module(nowhere)


@pytest.mark.parametrize("order", [0, 1, 3, 4])
def test_other_orders(order):
    """The functions are those of a compilation to that order, and the self-test covers them."""
    network = NETWORKS["named"]
    module, f = namespace(numpy_module(network, order)), compiling.compiled(network, order)
    assert module["self_test"]() == 0
    X = np.random.default_rng(1).standard_normal((7, 2))
    for name, orders in compiling.methods(order).items():
        if len(orders) == 1:
            np.testing.assert_array_equal(module[name](X), f.derivative(orders[0], X), strict=True)
        else:
            for result, expected in zip(module[name](X), f(X), strict=True):
                np.testing.assert_array_equal(result, expected, strict=True)


def test_own_activation():
    """A user's formula is part of the module."""
    z = Symbol("z")
    network = symnet.Network(
        [symnet.Layer([[0.5, -1.0], [2.0, 0.25]], [0.1, 0.2], z / (1 + exp(-2 * z)))]
    )
    assert namespace(numpy_module(network))["self_test"]() == 0


@pytest.mark.parametrize("name", ["named", "many inputs"])
@pytest.mark.parametrize(
    ("found", "planted"),
    [
        (r"(W1 = np\.array\(\[\s*\[\s*)(-?[\d.e-]+)", r"\g<1>\g<2>1"),  # the 18th digit: no change
        (r"(W1 = np\.array\(\[\s*\[)", r"\g<1>1e-6+"),
        (r"(W2 = np\.array\(\[\s*\[)", r"\g<1>1e-6+"),
        (r"(b1 = np\.array\(\[\s*)", r"\g<1>1e-6+"),
        (r"(?s)(def jacobian_kernel.*?)W1 @ x", r"\g<1>(W1*(1 + 1e-6)) @ x"),
        (r"(?s)(def hessian_kernel.*?)W1 @ x", r"\g<1>(W1*(1 + 1e-6)) @ x"),
        (r"(?s)(def value_jacobian_hessian_kernel.*?)W1 @ x", r"\g<1>W1 @ x[::-1]"),
    ],
)
def test_self_test_notices_planted_errors(name, found, planted, capsys):
    """A changed digit of a weight, a factor in one kernel, swapped inputs: exit status 1."""
    text, count = re.subn(found, planted, text_of(name), count=1)
    assert count == 1
    harmless = planted == r"\g<1>\g<2>1"
    assert namespace(text)["self_test"]() == (0 if harmless else 1)
    assert capsys.readouterr().out.startswith("self-test ok" if harmless else "self-test WRONG")


def test_self_test_notices_nan():
    """NaN compares as neither smaller nor larger, and must not pass for that."""
    text = text_of("named")
    wrong = re.sub(r"(W1 = np\.array\(\[\s*\[)", r"\g<1>np.nan*", text)
    assert namespace(wrong)["self_test"]() == 1


def test_same_text_in_every_process():
    """Hashes of strings differ from process to process, the text does not."""
    program = (
        "from symnet.languages import numpy_module; from symnet.network import Network; "
        "print(numpy_module(Network.dense([3, 5, 2], hidden='gelu', seed=2)))"
    )
    net = symnet.Network.dense([3, 5, 2], hidden="gelu", seed=2)
    texts = {f"{numpy_module(net)}\n".encode()} | {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(texts) == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_text_reads_well(name):
    """Sorted imports on top, no long line (formulas aside), no trailing blanks, no leftovers."""
    text = text_of(name)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert all(line == line.rstrip() for line in lines)
    assert "\n\n\n\n" not in text
    assert text.endswith("sys.exit(self_test())\n")
    assert not re.search(r"\b(sympy|lambdify|symnet\.)", text)
    head = text.split('"""\n\n')[1]
    assert head.startswith("from __future__ import annotations\n\nimport sys\n")


@pytest.mark.parametrize("name", NETWORKS)
def test_text_is_free_of_lint(name, tmp_path):
    """Names that are missing or unused, imports out of order and the like: ruff finds none."""
    if shutil.which("ruff") is None:
        pytest.skip("ruff is not installed")
    path = tmp_path / "derivatives.py"
    path.write_text(text_of(name), encoding="utf-8")
    rules = "E,F,W,I,UP,B,C4,SIM,PT,NPY"
    command = ["ruff", "check", "--isolated", "--no-cache", "--line-length", "100", "--select"]
    done = subprocess.run([*command, rules, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_functions_that_numpy_lacks_only_where_they_are_used():
    """The error functions with the notice of their sources."""
    assert "Sun Microsystems" in text_of("two outputs, erf")
    assert "def erf" not in text_of("named")
    assert "Sun Microsystems" not in text_of("named")
    assert "tanh_from" not in numpy_module(symnet.Network.dense([2, 3, 1], seed=0))


def test_wide_networks():
    """A quarter of a million weights: read back to the last bit."""
    network = symnet.Network.dense([2, 500, 500, 1], seed=0)
    module = namespace(numpy_module(network))
    assert module["self_test"]() == 0
    for k, (weights, bias) in enumerate(network.numbers(), start=1):
        np.testing.assert_array_equal(module[f"W{k}"], weights)
        np.testing.assert_array_equal(module[f"b{k}"], bias)


def test_docstring_says_what_there_is():
    """Name, network, inputs by name, shapes, and the formulas."""
    network = symnet.Network.dense([2, 4, 1], seed=0, inputs=("bmi", "bp"), name="surrogate")
    docstring = namespace(numpy_module(network, 2, "symnet generate a.json"))["__doc__"]
    for part in ("symnet generate a.json. The generated code is yours.", "and the outputs y"):
        assert part in docstring
    for part in ("surrogate", "2-4-1, sigmoid, linear", "bmi, bp", "(..., 1, 2, 2)", "∂²y/∂xᵢ∂xⱼ"):
        assert part in docstring


def test_symbolic_weights_are_refused():
    """They have no numbers."""
    network = symnet.Network([symnet.Layer([[Symbol("w")]])])
    with pytest.raises(ValueError, match="weights are symbolic"):
        numpy_module(network)


def test_networks_without_finite_values_are_refused():
    """A self-test on infinities would test nothing."""
    network = symnet.Network.dense([1, 1, 1, 1], hidden="exp", fill=1000.0)
    with pytest.raises(ValueError, match="not finite even at"):
        numpy_module(network)


def test_points_suit_the_units_of_the_inputs():
    """Inputs around 1e5 with a spread of 1e3: there the first layer bends, at 0 it does not."""
    network = symnet.Network([symnet.Layer([[1e-3, 2e-3]], [-300.0], "tanh")])
    points = ordinary_points(network)
    z = points @ np.array([1e-3, 2e-3]) - 300
    assert np.all(np.abs(z) < 5)
    assert np.all(points > 1e4)
    known = examples(network, compiling.compiled(network, 2))
    assert np.all(np.abs(known.expected[1]) > 1e-8)


@pytest.mark.parametrize(
    ("name", "count"),
    [("gelu", 3), ("hardtanh", 3), ("relu6", 3), ("tanhshrink", 2), ("elu", 3), ("softplus", 3)],
)
def test_points_reach_the_branches_of_forms(name, count):
    """One neuron: beyond |z| = 40 and both kinks, at three points; no terms are much larger."""
    network = symnet.Network.dense([1, 1, 1], name, seed=1)
    points, ordinary = chosen(compiling.compiled(network, 2), 2), ordinary_points(network)
    branches = {name: testpoints._branches(network.activations[name], 2)}
    assert len(set().union(*testpoints._reached(network, points, branches))) == count
    np.testing.assert_array_equal(points[0], testpoints.exact(ordinary)[0])
    assert len(points) == len(ordinary)
    largest = analytic.scale(network, ordinary, 2).max()
    assert analytic.scale(network, points, 2).max() <= 100 * largest


def test_points_reach_the_branches_of_functions_that_languages_lack():
    """The polynomial of erf near 0, and on each side what comes after it."""
    bell = Activation("bell", erf(Z))
    network = Network([Layer([[1.0]], [0.0], bell)])
    points = chosen(compiling.compiled(network, 2), 2)
    branches = {"bell": testpoints._branches(bell, 2)}
    assert len(set().union(*testpoints._reached(network, points, branches))) == 3
    assert min(abs(points)) < 0.84375 < max(abs(points))


def test_points_are_right_in_single_precision():
    """Far out softplus(x)^-2 is 3e35, of which derivatives have squares that no float holds."""
    x = symnet.variables("x")
    network = Network.of(np.cbrt(x) / (1 + symnet.apply("softplus", x) ** -2))
    f = compiling.compiled(network, 2)
    points = chosen(f, 2)
    for found, wanted in zip(f(points.astype(np.float32)), f(points), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_what_single_precision_does_not_hold_is_generated_in_double():
    """exp(100) and more on the way: refused as floats; the C++ of it tests doubles only."""
    x = symnet.variables("x")
    network = Network.of(np.log(np.exp(100 * np.tanh(x) + 200) + 1))
    with pytest.raises(ValueError, match="leave out precision float"):
        generate(network, "c", precision="float")
    text = generate(network, "cpp", name="net")["net.hpp"]
    assert "Take double or a wider type" in text
    assert "worst_error<float>()" not in text
    assert running.confirm("cpp", {"net.hpp": text}) is None or not shutil.which("c++")


def test_entries_of_many_inputs_are_the_hessians():
    """Of 60 inputs few second derivatives are compared, each computed alone."""
    network = symnet.Network.dense([60, 3, 2], "tanh", seed=0)
    points, (*_, known) = expectations(network, compiling.compiled(network, 2))
    flat = analytic.hessian(network, points).reshape(len(points), -1)
    np.testing.assert_allclose(known.expected, flat[:, :: known.stride], rtol=1e-11, atol=1e-16)
    sizes = analytic.scale(network, points, 2).reshape(len(points), -1).max(axis=0)
    np.testing.assert_allclose(known.allowed / sizes[:: known.stride], 2.0**-39, rtol=0.06)


@pytest.mark.parametrize("name", ["example", "named", "two outputs, erf", "kinks, no bias"])
def test_c_file_tests_itself(name, tmp_path):
    """Compiled with its macro it is a program that agrees with the analytic engine."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    path = tmp_path / "kernel.c"
    path.write_text(c_file(NETWORKS[name]), encoding="utf-8")
    program = tmp_path / "kernel"
    flags = ["-std=c99", "-O1", "-DSYMNET_TEST", "-o", program]
    subprocess.run([compiler, *flags, path, "-lm"], check=True)
    assert subprocess.run([program], capture_output=True).returncode == 0


def test_points_beyond_single_precision_are_kept():
    """Of a network whose inputs are as large, or as small, as that."""
    points = np.array([[1e41, -1e-50, 0.0, 0.1]])
    single = float(np.float32(0.1))
    np.testing.assert_array_equal(testpoints.exact(points), [[1e41, -1e-50, 0.0, single]])
