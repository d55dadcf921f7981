"""C99 text of Programs: what it computes, how it reads, and that it stays inside its arrays."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccalls import LEVEL, call
from strategies import EVERYWHERE, SMOOTH, networks, points
from symnet import compiling
from symnet.activations import TABLE, Activation
from symnet.backends.c.plan import lowering, steps
from symnet.backends.c.plan.steps import Contraction, Linear, Pass, Step
from symnet.backends.c.run import compiler, loading
from symnet.backends.c.text import file
from symnet.backends.c.text.calls import Call, Pointer, written
from symnet.calculus.schemes import candidates, needed
from symnet.names import array_name
from symnet.network import Layer, Network
from symnet.witness import analytic

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror")


def kernels(network: Network, order: int = 2) -> file.Kernels:
    """The functions that a compilation consists of."""
    plan = compiling.choices(network, order)
    return {name: (choice.program, choice.orders) for name, choice in plan.items()}


def every_scheme(network: Network, order: int) -> file.Kernels:
    """Each order alone and with all below it, forward and backward."""
    found = {}
    for r in range(order + 1):
        for scheme, program in candidates(network, r).items():
            found[f"only{r}_{scheme}"] = (needed(program, (r,)), (r,))
            found[f"all{r}_{scheme}"] = (program, tuple(range(r + 1)))
    return found


@lru_cache(maxsize=32)
def library(text: str) -> loading.Library:
    """The functions of a text, compiled as `loading.load` does it but for the level."""
    attempts = [(*flags, *LEVEL) for flags in loading._ATTEMPTS]
    return compiler.opened(
        loading.Library, text, compiler.command(), attempts, compiler.cache_directory()
    )


def evaluated(network, functions, X, dtype="double", weights="argument", threads=1):
    """The results of each function, in arrays that were full of something else."""
    made = library(file.source(functions, network, dtype, weights))
    given = file.packed(network, dtype) if weights == "argument" else None
    results = {}
    for name, (_, orders) in functions.items():
        shapes = [(len(X), network.m) + (network.n,) * r for r in orders]
        results[name] = [np.full(shape, 7.0, X.dtype) for shape in shapes]
        call(made, name, X, results[name], threads, given)
    return results


def check(network, X, functions=None, tolerance=1e-13, **options):
    """Results of every scheme against the analytic engine's, by the size of their terms."""
    functions = functions or every_scheme(network, 2)
    results = evaluated(network, functions, X, **options)
    known = {}
    for name, (_, orders) in functions.items():
        for r, found in zip(orders, results[name], strict=True):
            if r not in known:
                known[r] = analytic.BY_ORDER[r](network, X), analytic.scale(network, X, r)
            value, size = known[r]
            assert (np.abs(found - value) <= tolerance * size + 1e-300).all(), (name, r)


def sample(network: Network, count: int = 37, bound: float = 2.0) -> np.ndarray:
    return np.random.default_rng(count).uniform(-bound, bound, (count, network.n))


# --- what it computes ---------------------------------------------------------------------------


def of_activation(name: str) -> Network:
    """`exp` of `exp` leaves the range in which errors can be told from overflow."""
    return Network.dense([2, 3, 4, 2], name, output="sigmoid" if name == "exp" else name, seed=3)


@pytest.mark.complete(every=5)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_every_activation(name):
    """In a hidden layer and at the end, orders 0 to 2, forward and backward, several outputs."""
    network = of_activation(name)
    check(network, sample(network))


@pytest.mark.complete(every=6)
@pytest.mark.parametrize(
    ("widths", "hidden", "output"),
    [
        ([3, 2], "linear", "linear"),
        ([3, 2], "linear", "tanh"),
        ([1, 1], "tanh", "tanh"),
        ([3, 4, 2], "linear", "tanh"),
        ([3, 4, 2], "relu", "linear"),
        ([2, 4, 3, 2], ["linear", "tanh"], "linear"),
        ([2, 4, 3, 2], ["tanh", "linear"], "linear"),
        ([5, 6, 7, 3], "tanh", "sigmoid"),
        ([9, 6, 7, 3], "tanh", "linear"),
        ([2, 3, 3, 3], "tanh", "sigmoid"),
        ([1, 1, 1, 1], "gelu", "tanh"),
        ([3, 3, 3, 3], ["linear", "silu"], "tanh"),
        ([2, 53, 7, 1], "sigmoid", "linear"),
        ([3, 5, 4, 1], "tanh", "linear"),
        ([2, 4, 1, 1], "gelu", "sigmoid"),
        ([1, 9, 3, 2], "silu", "linear"),
        ([2, 6, 1], ["exp"], "linear"),
        ([2, 300, 5, 1], "sin", "linear"),
        ([30, 9, 2], "silu", "linear"),
        ([2, 8, 7, 1], "sigmoid", "linear"),
        ([10, 8, 8, 1], "tanh", "linear"),
        ([12, 7, 4, 2], "tanh", "tanh"),
        ([4, 4, 8, 4, 3], "sigmoid", "linear"),
    ],
    ids=str,
)
def test_every_shape(widths, hidden, output):
    """Layers without activation or of one width, tiles of every kind, two parts of a sum.

    And outputs that are sums taken by a pass over neurons: all, some and none of them.
    """
    network = Network.dense(widths, hidden, output, seed=3)
    check(network, sample(network))


def test_sums_are_taken_where_their_terms_are():
    """With few outputs and inputs, of value, Jacobian and Hessian no term is stored."""

    def planned(widths: list[int]) -> tuple[Step, ...]:
        network = Network.dense(widths, "sigmoid")
        program, _ = kernels(network)["value_jacobian_hessian"]
        return lowering.lowered(program).steps

    assert not [s for s in planned([2, 8, 8, 1]) if isinstance(s, Contraction)]
    assert len([s for s in planned([2, 8, 8, 1]) if isinstance(s, Linear)]) == 3
    passes = [s for s in planned([3, 8, 8, 1]) if isinstance(s, Pass)]
    assert [[s.along for s in p.sums] for p in passes if p.sums] == [
        [(), ("i",)],
        [("i", "j")],
    ]
    assert not any(p.sums for p in planned([9, 8, 8, 2]) if isinstance(p, Pass))


def test_planning_grows_with_the_depth():
    """500 layers are planned in a second: no step looks through all the others."""
    counts = []
    for layers in (10, 40):
        network = Network.dense([2, *[4] * layers, 1], "tanh")
        program, _ = kernels(network)["value_jacobian_hessian"]
        with mock.patch.object(steps, "_read", wraps=steps._read) as looks:
            lowering.lowered(program)
        counts.append(looks.call_count)
    assert counts[1] < 4.2 * counts[0]


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_random_networks(data):
    """Any mixture of activations, with and without biases."""
    names = [name for name in EVERYWHERE if name != "exp"]  # see of_activation
    network = data.draw(networks(activations=names))
    check(network, data.draw(points(network)))


@pytest.mark.parametrize("order", [3, 4])
def test_higher_orders(order):
    """Against the NumPy functions: packed multi-indices, their parts, and full results."""
    network = Network.dense([3, 4, 3, 2], hidden="tanh", output="sigmoid", seed=3)
    X = sample(network, 11)
    expected = compiling.compiled(network, order).derivative(order, X)
    for name, found in evaluated(network, every_scheme(network, order), X).items():
        if str(order) in name:
            np.testing.assert_allclose(found[-1], expected, rtol=1e-11, atol=1e-12, err_msg=name)


def test_wide_and_many_inputs():
    """Full Hessians of 50 inputs, whose tiles and cache lines do not come out even."""
    network = Network.dense([50, 20, 13, 2], hidden="tanh", seed=1)
    check(network, sample(network, 9))


def test_users_own_activation():
    """A SymPy expression goes through SymPy's own C printer."""
    z = sympy.Symbol("z")
    swish = Activation("swish2", z / (1 + sympy.exp(-2 * z)) + sympy.Max(z, 0) ** 3 / 7)
    network = Network.dense([2, 5, 1], hidden=swish, seed=2)
    check(network, sample(network))
    assert "swish2_012(" in file.source(kernels(network), network)


def test_more_than_ten_calls_of_elementary_functions():
    """Results named k0, …, k10 stand in the order of their numbers."""
    z = sympy.Symbol("z")
    value = sum(sympy.sin(i * z + 1) / i for i in range(1, 12))
    network = Network([Layer([[1.0]], None, Activation("own", value))])
    check(network, np.array([[0.3], [-1.2]]))


def test_float():
    """`float` in, `float` out, with no number or function of double precision between."""
    network = Network.dense([2, 8, 8, 2], seed=0)
    X = sample(network).astype(np.float32)
    check(network, X, tolerance=2e-6, dtype="float")
    text = file.source(kernels(network), network, "float")
    assert "fabsf(" in text
    assert not re.search(r"\bfabs\(|\d\.\d+\b(?!F)", text.split("*/", 1)[1])


def test_constant_weights():
    """The same results to the last bit as with the weights handed over."""
    network = Network.dense([3, 4, 5, 2], hidden="gelu", seed=0)
    X = sample(network)
    found = [evaluated(network, kernels(network), X, weights=w) for w in ("constant", "argument")]
    for name, results in found[0].items():
        for constant, argument in zip(results, found[1][name], strict=True):
            np.testing.assert_array_equal(constant, argument)


@pytest.mark.parametrize("threads", [0, -3, 2, 64])
def test_any_number_of_threads(threads):
    """None, or more than there are blocks: the same results to the last bit as with one."""
    network = Network.dense([3, 4, 2], seed=0)
    X = sample(network, 200)
    expected = evaluated(network, kernels(network), X)
    for name, results in evaluated(network, kernels(network), X, threads=threads).items():
        for one, other in zip(expected[name], results, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_single_constant_function():
    """A text of nothing but derivatives that vanish."""
    network = Network.dense([2, 3, 1], hidden="relu", seed=0)
    functions = {name: kernel for name, kernel in kernels(network).items() if name == "hessian"}
    assert not evaluated(network, functions, sample(network, 5))["hessian"][0].any()


def test_exact_weights():
    """Fractions are rounded once."""
    network = Network([Layer([[sympy.Rational(1, 3), 2]], [sympy.Rational(1, 7)], "tanh")])
    check(network, sample(network))
    constants = file.source(kernels(network), network, weights="constant")
    assert "0.3333333333333333, 2.0," in constants
    assert "0.14285714285714285," in constants


def test_zero_derivatives_are_filled():
    """A linear network's Hessian is an array of zeros, its Jacobian the same everywhere."""
    network = Network.dense([2, 3, 1], hidden="linear", seed=0)
    results = evaluated(network, kernels(network), sample(network, 5))
    assert not results["hessian"][0].any()
    matrix = network.layers[1].weights @ network.layers[0].weights
    np.testing.assert_allclose(results["jacobian"][0], np.broadcast_to(matrix, (5, 1, 2)))


def test_not_a_number_is_kept_only_where_a_result_does_not_depend_on_its_point():
    """A linear network's Jacobian is a product of weights: NaN has to be brought to it."""
    for hidden, expected in (("linear", True), ("tanh", False)):
        network = Network.dense([2, 3, 1], hidden=hidden, seed=0)
        found = kernels(network)
        assert ("keep_nan(" in file.source({"jacobian": found["jacobian"]}, network)) is expected
        results = evaluated(network, found, np.array([[np.nan, 0.5]]))
        assert np.isnan(results["jacobian"][0]).all()


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("name", SMOOTH)
def test_neighbours_do_not_matter(name):
    """NaN and infinity in a point stay in its own results: points never mix."""
    network = of_activation(name)
    functions = every_scheme(network, 2)
    X = sample(network, 40)
    clean = evaluated(network, functions, X)
    X[[3, 17, 39]] = [[np.nan, 1], [np.inf, 0], [1, -np.inf]]
    spoilt = evaluated(network, functions, X)
    others = np.setdiff1d(np.arange(40), [3, 17, 39])
    for name_, results in clean.items():
        for before, after in zip(results, spoilt[name_], strict=True):
            np.testing.assert_array_equal(before[others], after[others])
            assert np.isnan(after[3]).all()


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_extreme_points(name):
    """Tails and infinities have the values that the analytic engine gives them."""
    network = Network([Layer([[1.0]], None, name)])
    X = np.array([[0.0], [1e-300], [1e-8], [30.0], [700.0], [745.0], [1e4], [1e100]])
    X = np.concatenate([X, -X])
    if name == "exp":
        X = X[X < 709].reshape(-1, 1)
    check(network, X, kernels(network))


@pytest.mark.parametrize("name", sorted(set(TABLE) - set(EVERYWHERE)))
def test_outside_of_a_domain(name):
    """NaN or infinity where NumPy has it, and nowhere else; inside the same numbers."""
    network = Network([Layer([[1.0]], None, name)])
    X = np.array([[-745.0], [-1.0], [-1e-8], [0.0], [1e-8], [0.5], [30.0], [1e100]])
    program = kernels(network)["value_jacobian_hessian"][0]
    found = evaluated(network, {"all": (program, (0, 1, 2))}, X)["all"]
    for own, known in zip(found, compiling.compiled(network, 2)(X), strict=True):
        np.testing.assert_allclose(own, known, rtol=1e-14)


@pytest.mark.complete
def test_deep():
    """Layers alike become loops: 300 layers have hardly more text than 30, and are as right."""
    texts = []
    for depth in (30, 300):
        network = Network.dense([2, *[3] * depth, 1], hidden="softsign", seed=1)
        check(network, sample(network, 5), kernels(network))
        texts.append(file.source(kernels(network), network))
    assert len(texts[1]) < 1.1 * len(texts[0])
    assert "for (wide k = 0; k < 29" in texts[1]


# --- the self-test and the sanitizers -----------------------------------------------------------


def examples(network: Network, tolerance: float = 1e-12) -> file.Known:
    X = sample(network, 5)
    expected = {r: analytic.BY_ORDER[r](network, X) for r in range(3)}
    sizes = {r: float(analytic.scale(network, X, r).max()) for r in range(3)}
    return file.Known(X, expected, {r: tolerance * size for r, size in sizes.items()})


def self_test(
    folder: Path, text: str, *flags: str, compiler: str = "cc"
) -> subprocess.CompletedProcess[str]:
    """Compile the file as a program, without a warning, and run it."""
    (folder / "kernel.c").write_text(text)
    command = [compiler, *WARNINGS, "-DSYMNET_TEST", *flags, "-o", "kernel", "kernel.c", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run([folder / "kernel"], capture_output=True, text=True, check=False)


SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.mark.complete(every=3)
@pytest.mark.parametrize(
    ("widths", "hidden", "weights", "flags"),
    [
        ([2, 8, 8, 1], "sigmoid", "argument", (*SANITIZERS, "-march=native", "-fopenmp")),
        ([3, 5, 4, 2], "gelu", "constant", (*SANITIZERS, "-march=native", "-fopenmp")),
        ([9, 70, 3], "softplus", "constant", SANITIZERS),
        ([2, *[4] * 30, 2], "tanh", "argument", SANITIZERS),
        ([3, 5, 4, 2], "tanh", "constant", ("-O2", "-DSYMNET_PLAIN")),
        ([9, 70, 3], "tanh", "argument", ("-O3",)),
        ([5, 6, 7, 2], "relu", "constant", ("-O3", "-march=native", "-ffp-contract=fast")),
    ],
    ids=str,
)
def test_self_test_passes(tmp_path, widths, hidden, weights, flags):
    """At 0, 1 and about a block's points it stays inside its arrays, on any compiler's level."""
    network = Network.dense(widths, hidden, seed=0)
    functions = {f"net_{name}": kernel for name, kernel in kernels(network).items()}
    text = file.source(functions, network, weights=weights, examples=examples(network))
    done = self_test(tmp_path, text, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("self-test ok: ")


@pytest.mark.complete(every=2)
@pytest.mark.skipif(shutil.which("clang") is None, reason="no clang")
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "gelu", "relu"])
def test_another_compiler(tmp_path, hidden):
    """Clang takes the text without a warning, and loops over lanes become its vectors too."""
    network = Network.dense([3, 5, 4, 2], hidden, seed=0)
    text = file.source(kernels(network), network, examples=examples(network))
    done = self_test(tmp_path, text, *file.FLAGS, compiler="clang")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("self-test ok: ")


@pytest.mark.parametrize("order", [0, 1, 2])
def test_self_test_finds_errors(tmp_path, order):
    """One wrong entry of one expected result fails it, and it says which function."""
    network = Network.dense([2, 3, 2], seed=0)
    known = examples(network)
    known.expected[order].flat[-1] += 1e-9
    done = self_test(tmp_path, file.source(kernels(network), network, examples=known))
    assert done.returncode == 1
    assert f"{array_name(order)} at " in done.stdout
    assert "\nself-test WRONG: " in done.stdout


def test_a_part_of_many_entries_is_compared(tmp_path):
    """Every third one; one that is wrong is said by its own place."""
    network = Network.dense([3, 4, 2], seed=0)
    known = examples(network)
    few = {r: table.reshape(len(table), -1)[:, ::3] for r, table in known.expected.items()}
    known = replace(known, expected=few, strides=dict.fromkeys(few, 3))
    assert (
        self_test(tmp_path, file.source(kernels(network), network, examples=known)).returncode == 0
    )
    few[2][0, 2] += 1e-9
    done = self_test(tmp_path, file.source(kernels(network), network, examples=known))
    assert done.returncode == 1
    assert re.search(r"hessian at [0-9]+ points: error 1e-09 in entry 6,", done.stdout)


# --- how it reads -------------------------------------------------------------------------------


def test_text_does_not_depend_on_widths():
    """Loops, not scalars: a wide network's text has a narrow one's length.

    From 256 neurons on, there are loops over parts of the inner dimension too.
    """
    narrow, wide, wider = (
        len(file.source(kernels(network), network))
        for network in (Network.dense([2, w, w, 1], fill=1.0) for w in (10, 300, 1000))
    )
    assert narrow < wide < 1.15 * narrow
    assert abs(wide - wider) < 0.02 * wide


@pytest.mark.parametrize("names", [("sigmoid",), ("sigmoid", "tanh", "silu", "gelu"), ("sin",)])
def test_no_function_is_there_twice(names):
    """Whatever calls it: not one body of a file stands there under a second name."""
    layers = [Layer(np.eye(3) + 0.25, np.ones(3), name) for name in names]
    text = file.source(every_scheme(net := Network(layers), 2), net)
    found = re.findall(r"^(?:INLINE|SHARED) \w+ (\w+)(\(.*?^\})$", text, re.MULTILINE | re.DOTALL)
    first: dict[str, str] = {}
    assert [
        (name, first[body]) for name, body in found if first.setdefault(body, name) != name
    ] == []
    assert len(first) > 10


def test_text_of_a_small_chain_is_no_longer_than_it_was_before_graphs():
    """The kernel of 2-2-2-1 had 35,776 bytes when networks were chains only."""
    net = Network.dense([2, 2, 2, 1], hidden="sigmoid", seed=0)
    assert len(file.source(kernels(net), net).encode()) <= 35_776


def test_text_is_deterministic_and_tidy():
    """No line is too long, none ends in a blank, and the same network gives the same bytes."""
    network = Network.dense([3, 4, 5, 2], hidden="gelu", seed=0)
    texts = [file.source(kernels(network), network, weights="constant") for _ in range(2)]
    assert texts[0] == texts[1]
    for line in texts[0].split("\n"):
        assert len(line) <= 100, line
        assert line == line.rstrip()
    assert texts[0].isascii()


def test_heading_documents_arrays_and_formulas():
    """A C engineer finds shapes, the way to compile it, and the layer formulas."""
    network = Network.dense([2, 8, 1], seed=0)
    heading = file.source(kernels(network), network, heading="Surrogate").split("*/")[0]
    words = " ".join(heading.replace(" * ", " ").split())
    assert "Surrogate" in words
    assert "x (points, n); y (points, m); jacobian (points, m, n)" in words
    assert "hessian (points, m, n, n); with n = 2, m = 1" in words
    assert "W1 (8, 2), b1 (8,), W2 (1, 8), b2 (1,)" in words
    assert "a1 = sigmoid(z1)" in words
    assert (
        "int hessian(ptrdiff_t points, const real *x, const real *weights, real *hessian" in words
    )


def test_bad_arguments():
    """Errors name what was found and what is possible."""
    network = Network.dense([2, 3, 1], seed=0)
    with pytest.raises(ValueError, match="dtype is 'half', expected 'double' or 'float'"):
        file.source(kernels(network), network, "half")
    with pytest.raises(ValueError, match="weights is 'file', expected 'constant' or 'argument'"):
        file.source(kernels(network), network, weights="file")
    symbolic = Network([Layer([[sympy.Symbol("w11")]])])
    with pytest.raises(ValueError, match="w11"):
        file.source(kernels(symbolic), symbolic, weights="constant")


# --- calls into loops ---------------------------------------------------------------------------


def layer(k: int, function: str = "f") -> list[Call]:
    """Two calls as of layer k."""
    a, z, w = (
        Pointer(f"a{k}", False, 7 * k),
        Pointer(f"z{k}", False, 90 - k),
        Pointer(f"W{k}", True, 5 * k),
    )
    return [Call("matvec", (w, a, z)), Call(function, (z, "3", a))]


def run(lines: list[str]) -> list[tuple[str, ...]]:
    """What generated lines call, pointers by their numbers."""
    program = "\n".join(lines)
    program = re.sub(r"for \(wide k = 0; k < (\d+); k\+\+\) \{", r"for k in range(\1):", program)
    program = program.replace("const real *const ", "").replace("vec *const ", "")
    program = program.replace(";", "").replace("}", "")
    calls: list[tuple[str, ...]] = []
    names = {
        name: (lambda *given, name=name: calls.append((name, *given)))
        for name in ("matvec", "f", "g")
    }
    exec(program, {**names, "weights": 1000, "memory": 0, "V": 1})
    return calls


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 40])
def test_loops_make_the_same_calls(count):
    """Whether written one by one or as a loop, before and after other calls."""
    calls = [call for k in range(count) for call in layer(k)]
    calls = [*layer(50, "g"), *calls, *layer(60, "g"), *calls]
    expected = [
        (
            call.function,
            *(
                a.start + 1000 * a.weights if isinstance(a, Pointer) else int(a)
                for a in call.arguments
            ),
        )
        for call in calls
    ]
    assert run(written(calls)) == expected


def test_uneven_steps_are_no_loop():
    """Layers whose places do not advance evenly are written one by one."""
    starts = [0, 7, 14, 22, 28, 35, 40]
    calls = [Call("f", (Pointer(f"a{k}", False, start),)) for k, start in enumerate(starts)]
    assert run(written(calls)) == [("f", start) for start in starts]
