"""Activations: values and derivatives against 50-digit arithmetic, forms, formulas, trees."""

from __future__ import annotations

import json
import pickle
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

from symnet import activations, formulas
from symnet.activations import TABLE, Activation, Forms, Z, activation, from_tree, poles
from symnet.activations.ondemand import OnDemand
from symnet.backends.numpy import special
from symnet.network import Network

NAMES = tuple(TABLE)
SMOOTH = tuple(
    name
    for name, row in TABLE.items()
    if not row.kinks and name not in ("elu", "celu", "sinc", "tanhshrink")
)
_FULL = ("sigmoid", "tanh", "gelu", "softplus", "mish")  # on the whole grid, the others on a third
TINY = float(np.finfo(float).tiny)

# The functions once more, by hand and in multiprecision: z > 0, and z <= 0 where they differ.
LAMBDA, ALPHA = mpf(1.0507009873554804934193349852946), mpf(1.6732632423543772848170429916717)
MP: dict[str, Any] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "relu": (lambda z: z, lambda z: 0 * z),
    "leaky_relu": (lambda z: z, lambda z: z / 100),
    "elu": (lambda z: z, mpmath.expm1),
    "selu": (lambda z: LAMBDA * z, lambda z: LAMBDA * ALPHA * mpmath.expm1(z)),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "gelu": lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "gelu_tanh": lambda z: (
        z / (1 + mpmath.exp(-2 * mpmath.sqrt(2 / mpmath.pi) * (z + mpf("0.044715") * z**3)))
    ),
    "softsign": (lambda z: z / (1 + z), lambda z: z / (1 - z)),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "exp": mpmath.exp,
    "gaussian": lambda z: mpmath.exp(-z * z),
    "arctan": mpmath.atan,
    "mish": lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
    "logsigmoid": lambda z: -mpmath.log1p(mpmath.exp(-z)),
    "tanhshrink": lambda z: z - mpmath.tanh(z),
    "celu": (lambda z: z, mpmath.expm1),
    "square": lambda z: z * z,
    "sqrt": mpmath.sqrt,
    "log": mpmath.log,
    "reciprocal": lambda z: 1 / z,
    "asinh": mpmath.asinh,
    "sinc": mpmath.sinc,
}


def flat(value: int) -> Any:
    """A constant of z's own type."""
    return lambda z: 0 * z + value


# By arms: the ends of the arms, and the arm for what is below, between and above them, the ends
# themselves being of what PyTorch takes.
ARMS: dict[str, Any] = {
    "abs": ((0, 0), (lambda z: -z, flat(0), lambda z: z)),
    "hardtanh": ((-1, 1), (flat(-1), lambda z: z, flat(1))),
    "hardsigmoid": ((-3, 3), (flat(0), lambda z: (z + 3) / 6, flat(1))),
    "hardswish": ((-3, 3), (flat(0), lambda z: z * (z + 3) / 6, lambda z: z)),
    "relu6": ((0, 6), (flat(0), lambda z: z, flat(6))),
    "satlin": ((0, 1), (flat(0), lambda z: z, flat(1))),
}


def arm(name: str, z: float) -> Any:
    """The function that holds at z."""
    if name in ARMS:
        (low, high), (below, between, above) = ARMS[name]
        if name == "abs":
            return below if z < 0 else above if z > 0 else between
        return below if z <= low else above if z >= high else between
    function = MP[name]
    if not isinstance(function, tuple):
        return function
    right = z >= 0 if name == "softsign" else z > 0
    return function[0] if right else function[1]


def within(name: str, z: np.ndarray) -> np.ndarray:
    """Those of the points where the function and its derivatives are doubles."""
    inside = {"sqrt": z >= 1e-20, "log": z >= 1e-20, "reciprocal": np.abs(z) >= 1e-20}
    return z[inside.get(name, np.ones(len(z), bool))]


def grid() -> np.ndarray:
    """Both tails, both sides of every kink, the places where exp over- and underflows, and 0."""
    sizes = [0.0, 5e-324, 1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.5, 1.0, 1.2784645, 2.0, 3.7, 6.0, 10.0]
    sizes += [20.0, 27.3, 30.0, 37.0, 40.0, 100.0, 350.0, 372.0, 709.0, 710.0, 745.0, 800.0, 1e4]
    ordinary = np.random.default_rng(7).normal(scale=4, size=40)
    return np.unique(np.concatenate([sizes, np.negative(sizes), ordinary]))


def gelu(z: mpf, order: int) -> mpf:
    """Gelu's derivatives by hand: in its tails the Taylor coefficients take mpmath seconds."""
    with mpmath.workdps(60):
        density = mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)
        if order == 1:
            return mpmath.erfc(-z / mpmath.sqrt(2)) / 2 + z * density
        return density * (2 - z**2, z**3 - 4 * z, -(z**4) + 7 * z**2 - 4)[order - 2]


@cache
def truth(name: str, z: float, order: int) -> mpf:
    """The r-th derivative to 50 digits, by Taylor's coefficients of the function by hand."""
    if name == "gelu" and order > 0 and abs(z) > 6:
        return gelu(mpf(z), order)
    if name == "sinc" and z == 0:
        return mpf((1, 0, -1 / mpf(3), 0, 1 / mpf(5), 0)[order])
    with mpmath.workdps(400):  # a tail of 1e-308 beside a value of 1
        return +mpmath.diff(arm(name, z), mpf(z), order)


def terms(name: str, z: float, order: int) -> float:
    """What an error may be measured against: the value, or what z's own last digit changes it by.

    Near 0 z's last digit is taken as that of 1: terms such as `1 - 2 s` are of that size.
    """
    here, slope = truth(name, z, order), truth(name, z, order + 1)
    return float(abs(here) + max(abs(mpf(z)), 1 if abs(z) < 6 else 0) * abs(slope))


def digits(expression: sympy.Expr) -> mpf:
    """A constant expression to 45 digits."""
    with mpmath.workdps(50):
        return mpf(str(sympy.N(expression, 45)))


@cache
def evaluator(name: str, order: int) -> Any:
    """`forms(order)` as a NumPy function, printed by SymPy and executed statement by statement."""
    return compiled(TABLE[name].forms(order))


def compiled(forms: Forms) -> Any:
    names, definitions = zip(*forms.shared, strict=True) if forms.shared else ((), ())
    statements = lambda exprs, **_: (list(zip(names, definitions, strict=True)), exprs)  # noqa: E731
    modules = [special.FUNCTIONS | {"undefined": lambda z: np.full_like(z, np.nan)}, "numpy"]
    return sympy.lambdify(Z, list(forms.derivatives), modules=modules, cse=statements)


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_accurate_to_a_few_ulp_without_warning(name: str, order: int) -> None:
    """Every derivative up to the third, on the whole grid, in double precision."""
    z = within(name, grid())
    z = z if name in _FULL else np.unique(np.append(z[::3], z[z == 0]))
    if name == "exp":
        z = z[z < 709.5]  # beyond, the true value is not representable
    # A quotient with a limit is computed at 0 too, where its value is not taken.
    undefined = "ignore" if name in ("sinc", "log") else "raise"
    with (
        np.errstate(all=undefined, under="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        found = np.broadcast_to(evaluator(name, 3)(z)[order], z.shape)
    assert np.isfinite(found).all()
    for point, got in zip(z, found, strict=True):
        want = truth(name, float(point), order)
        allowed = 12 * np.finfo(float).eps * terms(name, float(point), order) + 4 * TINY
        assert abs(mpf(float(got)) - want) <= allowed, (point, got, mpmath.nstr(want, 20))


@pytest.mark.parametrize("order", range(3))
@pytest.mark.parametrize("name", [n for n in SMOOTH if n not in ("sin", "cos", "gelu_tanh")])
def test_tails_keep_their_relative_accuracy(name: str, order: int) -> None:
    """Far out, where nothing cancels any more, the error is a few ulp of the tail itself.

    gelu_tanh is left out: the cubic in its exponent magnifies the rounding of its own terms.
    """
    sizes = np.array([8.1, 11.7, 17.3, 23.9, 26.4, 33.3, 37.1, 120.7, 400.1, 690.3, 708.2])
    for point in within(name, np.concatenate([sizes, -sizes])):
        got = np.broadcast_to(evaluator(name, 2)(point)[order], ())
        want = truth(name, float(point), order)
        assert abs(mpf(float(got)) - want) <= 16 * np.finfo(float).eps * abs(want) + TINY, point


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name: str) -> None:
    """Single precision in gives single precision out, to a few of its ulp, without warning."""
    z = np.array([-80, -30, -9, -2.5, -1, -0.1, 0, 0.1, 1, 2.5, 9, 30, 80], dtype=np.float32)
    z = within(name, z)
    undefined = "ignore" if name in ("sinc", "log") else "raise"
    with np.errstate(all=undefined, under="ignore"):
        results = evaluator(name, 2)(z)
    for order, found in enumerate(results):
        if isinstance(found, int):
            continue  # a constant: whoever fills the array chooses its type
        assert found.dtype == np.float32
        for point, got in zip(z, found, strict=True):
            want = truth(name, float(point), order)
            allowed = 30 * np.finfo(np.float32).eps * terms(name, float(point), order) + 1e-37
            assert abs(mpf(float(got)) - want) <= allowed, (order, point)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", NAMES)
def test_fourth_derivative(name: str) -> None:
    """The symbolic derivative of order 4 against the Taylor coefficient, to 35 digits."""
    derivative = TABLE[name].derivative(4)
    exact = 15 if name == "selu" else 35  # selu's constants are multiplied as doubles
    for z in within(name, np.array([-2.75, -0.5, 0.25, 1.125, 3.5])).tolist():
        found, want = digits(derivative.subs(Z, sympy.Rational(z))), truth(name, z, 4)
        with mpmath.workdps(50):
            assert abs(found - want) <= mpf(10) ** -exact * (abs(want) + 1)


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("order", range(5))
@pytest.mark.parametrize("name", NAMES)
def test_formula_is_the_stable_derivative(name: str, order: int) -> None:
    """What is printed, what `sympy.diff` gives and what is computed are the same function."""
    act = TABLE[name]
    pairs = sympy.Tuple(act.formula(order), sympy.diff(act.value, Z, order), act.derivative(order))
    printed, differentiated, stable = pairs.xreplace({act.own: act.value})
    zs = ["-29/7", "-1/3", "2/5", "31/8"] if TABLE[name].total else ["2/5", "31/8"]
    for z in zs if name == "sinc" or not TABLE[name].total else [*zs, "0"]:
        point = {Z: sympy.Rational(z).n(60)}
        values = [digits(e.xreplace(point)) for e in (printed, differentiated, stable)]
        exact = 14 if name == "selu" else 35  # selu's constants are multiplied as doubles
        with mpmath.workdps(50):
            spread, size = max(values) - min(values), max(map(abs, values)) + 1
            assert spread <= mpf(10) ** -exact * size, (z, values)


def test_formulas_read_as_in_a_textbook() -> None:
    """The printed form of the best known ones, letter by letter."""
    assert str(TABLE["sigmoid"].value) == "1/(1 + exp(-z))"
    assert str(TABLE["sigmoid"].formula(1)) == "sigmoid*(1 - sigmoid)"
    assert str(TABLE["sigmoid"].formula(2)) == "sigmoid*(1 - 2*sigmoid)*(1 - sigmoid)"
    assert str(TABLE["tanh"].formula(1)) == "1 - tanh**2"
    assert str(TABLE["tanh"].formula(2)) == "-2*tanh*(1 - tanh**2)"
    assert str(TABLE["tanh"].formula(3)) == "-2*(1 - 3*tanh**2)*(1 - tanh**2)"
    assert str(TABLE["exp"].formula(3)) == "exp"
    assert str(TABLE["gaussian"].formula(2)) == "2*gaussian*(2*z**2 - 1)"
    assert str(TABLE["softplus"].formula(1)) == "1/(1 + exp(-z))"
    assert str(TABLE["arctan"].formula(2)) == "-2*z/(z**2 + 1)**2"


def test_sigmoid_takes_one_exponential() -> None:
    """Value and two derivatives: one exp, one division, and no power."""
    forms = TABLE["sigmoid"].forms(2)
    everything = sympy.Tuple(*(e for _, e in forms.shared), *forms.derivatives)
    assert everything.count(sympy.exp) == 1
    assert everything.count(lambda e: isinstance(e, sympy.Pow)) == 1
    assert len(forms.shared) == 7


@pytest.mark.parametrize("name", NAMES)
def test_forms_are_complete_and_ordered(name: str) -> None:
    """Each temporary is defined once, before its use, and used; printers know every function."""
    for order in range(5):
        forms = TABLE[name].forms(order)
        known, used = {Z}, set()
        for symbol, definition in forms.shared:
            assert symbol not in known
            assert symbol.name.isidentifier()
            assert definition.free_symbols <= known
            known.add(symbol)
            used |= definition.free_symbols
        for derivative in forms.derivatives:
            assert derivative.free_symbols <= known
            used |= derivative.free_symbols
        assert known <= used | {Z}
        for expression in (*(e for _, e in forms.shared), *forms.derivatives):
            text = sympy.ccode(
                expression, user_functions={"erfcx": "erfcx", "undefined": "undefined"}
            )
            assert "Not supported" not in text
            assert "pow(" not in text


@pytest.mark.parametrize("name", NAMES)
def test_nan_gives_nan(name: str) -> None:
    """NaN passes through the value and every derivative that depends on z."""
    results = evaluator(name, 3)(np.array([np.nan, 0.5]))
    for order, found in enumerate(results):
        if TABLE[name].constant(order) is None:
            assert np.isnan(found).tolist() == [True, False], order


_TORCH = ("sin", "cos", "exp", "arctan", "sigmoid", "tanh", "abs", "square", "sqrt", "log")
_TORCH += ("reciprocal", "asinh")


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_torch(name: str) -> None:
    """Values, first and second derivatives of the framework's own function, kinks included."""
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    peers = {
        "linear": lambda z: z * 1,
        "leaky_relu": lambda z: f.leaky_relu(z, 0.01),
        "gelu_tanh": lambda z: f.gelu(z, approximate="tanh"),
        "gaussian": lambda z: torch.exp(-z * z),
        "sinc": lambda z: torch.sinc(z / torch.pi),
        "satlin": lambda z: f.hardtanh(z, 0.0, 1.0),
        **{n: getattr(torch, n) for n in _TORCH},
    }
    z = within(name, np.array([-7.5, -3, -2.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0, 3, 6, 7.5]))
    variable = torch.tensor(z, requires_grad=True)
    peer = peers.get(name) or getattr(f, name, None)
    if peer is None:
        pytest.skip(f"PyTorch has no {name}")
    wanted = peer(variable)
    # PyTorch does not differentiate its hardsigmoid twice.
    highest = 1 if name == "hardsigmoid" else 2
    with np.errstate(all="ignore"):
        results = evaluator(name, highest)(z)
    for order, found in enumerate(results):
        found = np.broadcast_to(found, z.shape)
        target = wanted.detach().numpy(force=True)
        # Where a second derivative jumps, PyTorch has 0 and JAX one side's.
        here = z != 0 if order == 2 and name in ("softsign", "elu", "celu", "selu") else z == z
        # PyTorch has 1/6 in single precision, and no limit of sin(z)/z at 0.
        here = here & np.isfinite(target)
        rtol = 1e-7 if name == "hardsigmoid" else 1e-12
        np.testing.assert_allclose(found[here], target[here], rtol=rtol, atol=1e-14)
        if order == highest or not wanted.requires_grad:
            break
        (wanted,) = torch.autograd.grad(wanted.sum(), variable, create_graph=True)


def test_values_at_kinks() -> None:
    """The conventions stated in the module: PyTorch's and JAX's."""
    at_zero = {name: TABLE[name].derivative(1).subs(Z, 0) for name in ("relu", "leaky_relu", "elu")}
    assert at_zero == {"relu": 0, "leaky_relu": sympy.Rational(1, 100), "elu": 1}
    kinked = {name for name in NAMES if TABLE[name].kinks}
    assert kinked == {"relu", "leaky_relu", "selu", *ARMS}


def test_constants() -> None:
    """Derivatives that do not depend on z are known as numbers, others are None."""
    assert [TABLE["linear"].constant(r) for r in range(4)] == [None, 1, 0, 0]
    assert [TABLE["relu"].constant(r) for r in range(4)] == [None, None, 0, 0]
    assert all(TABLE["sigmoid"].constant(r) is None for r in range(4))


# --- a user's own -------------------------------------------------------------------------------

t = sympy.Symbol("t")
OWN = {
    "swish2": t / (1 + sympy.exp(-2 * t)),
    "mish": t * sympy.tanh(sympy.log(1 + sympy.exp(t))),
    "hard": sympy.Max(0, sympy.Min(1, t / 6 + sympy.Rational(1, 2))),
    "weighted": sympy.exp(t) / (1 + sympy.exp(t)) * sympy.log(1 + sympy.exp(t)),
    "bump": sympy.exp(t) / (1 + sympy.exp(t)) ** 2,
    "cubic": t**3 / 3 + 2.5 * t,
    "erf": sympy.erf(t / 2),
    "steps": sympy.Abs(t) + sympy.Max(t, sympy.Rational(1, 3)),
    "scaled": 3 * (sympy.exp(t / 4) - 1),
}


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", OWN)
def test_own_expression(name: str) -> None:
    """A user's own formula: what is computed, against SymPy's derivatives of the formula."""
    own = Activation(name, OWN[name])
    z = np.array([-35.0, -4.5, -1.25, 0.125, 2.0, 6.5, 30.0])
    for order, found in enumerate(compiled(own.forms(2))(z)):
        exact = sympy.diff(own.value, Z, order)
        want = [float(sympy.N(exact.subs(Z, sympy.Rational(point)), 60)) for point in z]
        np.testing.assert_allclose(np.broadcast_to(found, z.shape), want, rtol=2e-14, atol=1e-300)


def test_own_expression_is_safe_in_the_tails() -> None:
    """The logistic function and softplus are recognised inside a user's formula."""
    for name in ("swish2", "mish", "weighted", "bump"):
        with np.errstate(all="raise", under="ignore"):
            results = compiled(Activation(name, OWN[name]).forms(2))(np.array([-1e4, 800.0, 1e4]))
        assert np.isfinite(results).all()


def test_own_kinks_are_found() -> None:
    """Where the arms of a Piecewise meet at an angle."""
    assert Activation("hard", OWN["hard"]).kinks == (-3, 3)
    assert Activation("steps", OWN["steps"]).kinks == (0, sympy.Rational(1, 3))
    assert Activation("swish2", OWN["swish2"]).kinks == ()


def test_resolving() -> None:
    """By name, by expression, or already an activation; equal by name and formula; picklable."""
    assert activation("tanh") is TABLE["tanh"]
    assert activation(TABLE["tanh"]) is TABLE["tanh"]
    assert activation(t**2).name == "custom"
    assert activation(t**2) == activation(sympy.Symbol("u") ** 2) != activation(t**3)
    assert pickle.loads(pickle.dumps(TABLE["gelu"])) == TABLE["gelu"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("leaky_relu(0.2)", activations.leaky_relu(0.2)),
        ("LeakyReLU(0.01)", TABLE["leaky_relu"]),
        (" elu ( 1/2 )", activations.elu(Fraction(1, 2))),
        ("celu(2)", activations.celu(2)),
        ("softplus(0.5)", activations.softplus(0.5)),
        ("power(-3)", activations.power(-3)),
        ("power(0.5)", TABLE["sqrt"]),
        ("power(-1.5)", activations.power(Fraction(-3, 2))),
        ("clip(-1,6.5)", activations.clip(-1, 6.5)),
        ("clip(none, 6)", activations.clip(None, 6)),
        ("none", TABLE["linear"]),
    ],
)
def test_numbers_behind_a_name(spec: str, expected: Activation) -> None:
    """They are the parameters; a decimal number is the double that it is."""
    assert activation(spec) == expected
    assert activation(spec).name == expected.name


@pytest.mark.parametrize(
    ("made", "name", "latex"),
    [
        (activations.leaky_relu(0.2), "leaky_relu_0p2", r"\operatorname{leaky\_relu}_{0.2}"),
        (activations.elu(Fraction(1, 3)), "elu_1over3", r"\operatorname{elu}_{1/3}"),
        (activations.clip(-1, 2.5), "clip_m1_2p5", r"\operatorname{clip}_{-1,\,2.5}"),
        (activations.clip(None, 6), "clip_none_6", r"\operatorname{clip}_{-\infty,\,6}"),
        (activations.clip(0.5, None), "clip_0p5_none", r"\operatorname{clip}_{0.5,\,\infty}"),
    ],
)
def test_parameters_are_in_names_and_an_index_in_latex(made, name, latex):
    """A name is an identifier; of a paper the number stands below."""
    assert (made.name, made.latex) == (name, latex)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tanh(2)", r"'tanh\(2\)': only leaky_relu, elu, celu, softplus, power, clip take numbers"),
        ("clip(1)", r"clip takes 2 numbers, found 1"),
        ("elu()", r"'' is no number"),
        ("elu(1, 2)", r"elu takes a number, found 2"),
        ("elu(a)", r"'a' is no number"),
        ("elu(1_0)", r"'1_0' is no number"),
        ("elu(1/0)", r"'1/0' is no number"),
        ("elu(none)", r"expected a finite number"),
        ("elu(inf)", r"expected a finite number"),
        ("celu(-1)", r"'celu\(-1\)': celu has the parameter -1, expected one above 0"),
        ("clip(2, 1)", r"must be less than the second"),
        ("softmax", r"'softmax' is of a whole vector: in a graph, symnet.softmax"),
        ("LogSoftmax", r"is of a whole vector: in a graph, symnet.log_softmax"),
        ("PReLU", r"has a slope for each neuron: in a graph, symnet.prelu"),
        ("sigmod", r"unknown activation 'sigmod'; did you mean 'sigmoid'\? \(known: linear, "),
        ("zzz", r"unknown activation 'zzz' \(known: "),
        (np.tanh, r"is a function: give it by its name, 'tanh', or as a SymPy expression"),
        (lambda z: z, "is a function: give it by its name, as 'tanh', or as a SymPy expression"),
        ("x" * 500, r"unknown activation 'x{37}\.\.\.' \(known: "),
        (3, "activation is of type int, expected a name"),
        (t * sympy.Symbol("a"), "has the symbols a, t, expected at most one"),
        (sympy.gamma(t), "function 'gamma' is not supported; supported are"),
        (sympy.Piecewise((t, t > 0)), "does not cover every case"),
        (t + sympy.I, "has an imaginary part, .* in the domain"),
        (sympy.sqrt(sympy.sign(t)), "has an imaginary part"),
        (t * sympy.zoo, "has an infinite part"),
        (sympy.Integer(-8) ** t, r"part pow\(-8, z\): the base of a power of z must be above 0"),
        (sympy.Float("1e400") * t, r"number 1000*\.\.\. is not supported"),
    ],
)
def test_refused(spec: Any, message: str) -> None:
    """Each with one line that says what was found and what was expected."""
    with pytest.raises(ValueError, match=message) as refusal:
        activation(spec)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "2x", "a b", "lambda", "a;b", "x" * 61, "ö", None])
def test_refused_names(name: Any) -> None:
    """A name becomes part of generated code: a plain identifier, or nothing."""
    with pytest.raises(ValueError, match="is not an identifier"):
        Activation(name, t**2)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (sympy.tan(t), ["mine has a pole at every pi*k + pi/2, k a whole number"]),
        (1 / sympy.sin(2 * t + 1), ["mine has a pole at every pi*k/2 - 1/2, k a whole number"]),
        (sympy.cot(t), ["mine has a pole at every pi*k, k a whole number"]),
        (sympy.digamma(3 * t), ["mine has a pole at every -k/3, k = 0, 1, 2, ..."]),
        (1 / (1 + sympy.cos(t)), ["mine has poles without end, where cos(z) + 1 is 0"]),
        (1 / (2 + sympy.cos(t)), []),
        (sympy.sin(t) ** 2 / (1 + t**2), []),
    ],
)
def test_poles_without_end_are_said_by_formula(value: sympy.Expr, said: list[str]) -> None:
    """They stand below the formulas, and what is said of them holds."""
    own = Activation("mine", value)
    notes = formulas.notes(Network.dense([1, 1, 1], own, seed=0), 1)
    assert [note for note in notes if "pole" in note] == said
    for pole in poles.endless(own.value):
        for k in (1, 2, 5) if pole.place is not None else ():
            beside = pole.place.subs(poles.K, k) + sympy.Rational(1, 10**9)
            assert abs(sympy.N(own.value.subs(Z, beside), 30)) > 1e7


def test_a_name_of_the_table_is_taken() -> None:
    """Two functions of one name would be checked against the wrong one."""
    with pytest.raises(ValueError, match="'tanh' is taken"):
        Activation("tanh", t**2)
    assert Activation("tanh", sympy.tanh(t)) == TABLE["tanh"]


def test_negative_order() -> None:
    """There is no derivative of order -1."""
    with pytest.raises(ValueError, match="order is -1, expected 0 or more"):
        TABLE["tanh"].derivative(-1)


# --- trees --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, *OWN])
def test_tree_round_trip(name: str) -> None:
    """Through JSON and back the formula is the same, exact numbers exact and floats to the bit."""
    act = TABLE.get(name) or Activation(name, OWN[name])
    back = from_tree(name, json.loads(json.dumps(act.tree)))
    assert back == act
    assert back.tree == act.tree


def test_tree_numbers() -> None:
    """Integers, fractions and doubles are three different leaves."""
    tree = Activation("own", t / 3 + 0.1 * t**2 - sympy.pi).tree
    assert set(tree[1:]) == {("mul", "1/3", "z"), ("mul", 0.1, ("pow", "z", 2)), ("mul", -1, "pi")}


deep: Any = "z"
for _ in range(10_000):
    deep = ["sin", deep]
HOSTILE = {
    "code": "__import__('os').system('true')",
    "call": ["__import__", "os"],
    "attribute": ["lambdify", "z"],
    "tower": ["mul", "z", ["pow", 9, ["pow", 9, 9]]],
    "power of a product": ["pow", ["mul", 3, "z"], 1000000007],
    "powers of powers": ["pow", ["pow", ["mul", 3, "z"], 64], 64],
    "long product": ["mul", "z", *["9" * 400 + "/7"] * 4000],
    "product tower": ["mul", "z", ["pow", ["pow", 9, 64], 65]],
    "deep": deep,
    "wide": ["add", *["z"] * 30_000],
    "truth": True,
    "null": None,
    "nothing": [],
    "object": {"z": 1},
    "infinite": ["mul", "z", float("inf")],
    "nan": ["mul", "z", float("nan")],
    "no arguments": ["exp"],
    "two arguments": ["exp", "z", "z"],
    "division by zero": ["mul", "z", "1/0"],
    "pole": ["mul", "z", ["pow", 0, -1]],
    "huge integer": ["mul", "z", 10**500],
    "long fraction": ["mul", "z", "1/" + "9" * 500],
    "other digits": ["mul", "z", "١/٣"],
    "condition": ["piecewise", ["z", ["==", "z", 0]], 1],
    "condition code": ["piecewise", ["z", "z > 0"], 1],
    "short piece": ["piecewise", ["z"], 1],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_trees_are_refused(case: str) -> None:
    """Nothing is evaluated, nothing takes long, and the error is one readable line."""
    with pytest.raises(ValueError, match="activation 'own'") as refusal:
        from_tree("own", HOSTILE[case])
    assert len(str(refusal.value)) < 400
    assert "\n" not in str(refusal.value)


# --- error functions ----------------------------------------------------------------------------


def test_error_functions() -> None:
    """erf and erfc against mpmath, relatively, down to the last representable tail."""
    x = np.concatenate([np.linspace(-7, 27.2, 1500), [0.84375, 1.25, 1 / 0.35, 1e-300, 26.54]])
    for ours, exact in ((special.erf, mpmath.erf), (special.erfc, mpmath.erfc)):
        with np.errstate(all="raise"):
            found = ours(x)
        for point, got in zip(x, found, strict=True):
            want = exact(mpf(float(point)))
            ulp = np.spacing(float(abs(want)))
            assert abs(mpf(float(got)) - want) <= 2.5 * ulp, point


def test_scaled_error_function() -> None:
    """erfcx to 7 units in the last place, up to where erfc ends."""
    x = np.concatenate([np.linspace(0, 26.5, 1001), [1e-300, 1e-9]])
    for point, got in zip(x, special.erfcx(x), strict=True):
        with mpmath.workdps(50):
            want = mpmath.exp(mpf(float(point)) ** 2) * mpmath.erfc(mpf(float(point)))
        assert abs(mpf(float(got)) - want) <= 7 * np.spacing(float(want)), point


def test_tanh_from_the_exponential_of_its_derivative() -> None:
    """To 4 units in the last place, on both sides of where the polynomial ends."""
    x = np.concatenate([np.linspace(-1, 1, 1001), [1e-300, 1e-9, 0.2999999, 0.3000001, 19.5, -400]])
    e = np.exp(-2 * np.abs(x))
    for point, got in zip(x, special.tanh_from(x, e / (1 + e)), strict=True):
        want = mpmath.tanh(mpf(float(point)))
        assert abs(mpf(float(got)) - want) <= 4 * np.spacing(float(abs(want))), point


def test_error_functions_at_the_edges() -> None:
    """Infinities, NaN, signed zero, huge arguments, types and shapes."""
    edges = np.array([np.inf, -np.inf, 1e308, -1e308, 0.0])
    assert special.erf(edges).tolist() == [1, -1, 1, -1, 0]
    assert special.erfc(edges).tolist() == [0, 2, 0, 2, 1]
    assert np.signbit(special.erf(-0.0))
    assert np.isnan(special.erfc(np.nan))
    assert special.erfc(np.float32(3)).dtype == np.float32
    assert special.erfc(3) == special.erfc(3.0)
    assert special.erf(np.zeros((0, 3))).shape == (0, 3)


# --- rows on demand -----------------------------------------------------------------------------


def test_a_row_is_made_once_by_whoever_asks_first():
    """Threads that ask together wait for one; listing names makes nothing."""
    made = []

    def recipe(name: str) -> object:
        made.append(name)
        time.sleep(0.01)
        return object()

    table = OnDemand({"a": recipe, "b": recipe})
    assert (list(table), len(table), "a" in table, "c" in table) == (["a", "b"], 2, True, False)
    assert table.made == frozenset()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: table["a"], range(8)))
    assert (len(found), made, table.made) == (1, ["a"], {"a"})
    with pytest.raises(KeyError):
        table["c"]


def test_a_row_that_is_being_made_is_not_there_yet():
    """Its recipe may ask for its name; one that failed is tried again."""
    table: OnDemand[object] = OnDemand({"a": lambda name: (name, table.get(name))})
    assert table["a"] == ("a", None)
    tries = iter([ValueError("no"), "row"])

    def second(name: str) -> object:
        found = next(tries)
        if isinstance(found, ValueError):
            raise found
        return found

    again = OnDemand({"b": second})
    with pytest.raises(ValueError, match="no"):
        again["b"]
    assert again["b"] == "row"


def test_a_power_keeps_what_is_not_whole() -> None:
    assert activations.power(1.5).value == Z ** sympy.Rational(3, 2)
    assert activations.power(1.7).value == Z**1.7
    assert activations.power(3.0).value == Z**3
