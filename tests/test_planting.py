"""Planted errors: both checks catch every one that changes a result by more than rounding.

SYMNET_PLANTS=30 plants as many in the C texts of nine networks; by default two in those of two,
as each has to be compiled.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sympy import Piecewise, Rational

import planting
import zoo
from symnet import cli, languages
from symnet.activations import Activation, Z
from symnet.backends.c.kernel import NativeKernels
from symnet.compiling import Compiled, compiled
from symnet.languages import running
from symnet.network import Layer, Network
from symnet.witness import sampling
from symnet.witness.checking import CheckError, check, verify

NUMPY_PLANTS = 24
C_PLANTS = int(os.environ.get("SYMNET_PLANTS", "2"))
LEAST = 1e-10
"""Of an entry's size: a change beyond this is no rounding (float32: 3e-3)."""


def scaled(unit: float) -> Network:
    """2-8-8-1 whose inputs have units `unit` apart."""
    net = Network.dense([2, 8, 8, 1], seed=5)
    first, *others = net.layers
    weights = first.weights * np.array([unit**0.5, unit**-0.5])
    return Network([Layer(weights, first.bias, first.activation), *others])


def pieces() -> Network:
    """A user's own function whose arms meet where its first derivative is smooth."""
    bent = Piecewise((0, Z < 0), (Z**2 / 2, Z < 1), (Z - Rational(1, 2), True))
    net = Network.dense([2, 3, 1], seed=3)
    return Network([replace(net.layers[0], activation=Activation("bent", bent)), net.layers[1]])


CASES: dict[str, tuple[Any, int]] = {
    **{name: (lambda name=name: zoo.network(name), 2) for name in zoo.CHAINS},
    "residual": (lambda: zoo.network("residual"), 2),
    "dense_net": (lambda: zoo.network("dense_net"), 2),
    "highway": (lambda: zoo.network("highway"), 2),
    "two_in_two_out": (lambda: zoo.network("two_in_two_out"), 2),
    "classifier": (lambda: zoo.network("classifier"), 2),
    "mixture": (lambda: zoo.network("mixture"), 2),
    "log_classifier": (lambda: zoo.network("log_classifier"), 2),
    "layer_normalisation": (lambda: zoo.network("layer_normalisation"), 2),
    "transformed_inputs": (lambda: zoo.network("transformed_inputs"), 2),
    "mixed_activations": (lambda: zoo.network("mixed_activations"), 2),
    "value only": (lambda: Network.dense([2, 5, 1], seed=1), 0),
    "first order": (lambda: Network.dense([3, 5, 2], hidden="tanh", seed=2), 1),
    "third order": (lambda: Network.dense([2, 5, 4, 1], hidden="tanh", seed=3), 3),
    "fourth order": (lambda: Network.dense([2, 4, 1], hidden="gelu", seed=4), 4),
    "units 1e8 apart": (lambda: scaled(1e8), 2),
    "units 1e4 apart": (lambda: scaled(1e4), 3),
    "wide": (lambda: Network.dense([2, 100, 100, 1], hidden="tanh", seed=6), 2),
    "own pieces": (pieces, 2),
    "wide, third order": (lambda: Network.dense([2, 80, 1], seed=7), 3),
}
C_CASES = ("several_outputs", "units 1e8 apart")
if "SYMNET_PLANTS" in os.environ:
    C_CASES += ("chain", "third order", "wide", "first order", "residual", "highway", "classifier")


def calls(f: Compiled, X: np.ndarray) -> list[np.ndarray]:
    """The results of all functions, at all points, at few, over and over, in blocks, beside NaN."""
    crowd, large = (X[np.arange(count) % len(X)] for count in (f.crowd, 211))
    crowd[7, 0] = np.nan
    found = []
    blocks = (f.crowded(threads, len(crowd)) for threads in (1, 2))
    whole = ((f, points) for points in (X, X[:1], X[:2], large))
    for subject, points in (*whole, *((block, crowd) for block in blocks)):
        found += [*subject(points), *(subject.derivative(r, points) for r in range(f.order + 1))]
    return found


def changes(right: list[np.ndarray], f: Compiled, X: np.ndarray) -> bool:
    """Whether an entry differs by more than rounding from what the right text gives."""
    least = 3e-3 if X.dtype == np.float32 else LEAST
    for was, now in zip(right, calls(f, X), strict=True):
        if now.shape != was.shape:
            return True
        if (np.isnan(now) != np.isnan(was)).any():
            return True
        size = np.abs(was) + 1e-3 * np.nanmax(np.abs(was), axis=0) + 1e-100
        with np.errstate(invalid="ignore", over="ignore"):
            if (np.abs(now - was) > least * size).any():
                return True
    return False


def caught(f: Compiled, network: Network) -> tuple[bool, bool]:
    """Whether `verify` and `check` notice; 50 digits are asked only where all else is content."""
    try:
        verify(f)
        verified = False
    except CheckError:
        verified = True
    try:
        wrong = not check(network, f, digits=False).ok or not check(network, f).ok
    except CheckError:
        wrong = True
    return verified, wrong


def quiet(make: Any) -> Any:
    """A planted text may divide by zero where no one looks after it, or not run at all."""
    try:
        with np.errstate(all="ignore"):
            return make()
    except (ArithmeticError, AttributeError, IndexError, NameError, TypeError, ValueError):
        return None


@pytest.mark.complete(every=8)
@pytest.mark.parametrize("name", CASES)
def test_numpy_plants_are_caught(name: str) -> None:
    """24 plants in each of 23 networks' NumPy texts."""
    make, order = CASES[name]
    network = make()
    f = compiled(network, order)
    random = np.random.default_rng(len(name))
    X = sampling.ordinary(network, random, 30)
    right = {t: calls(f, X.astype(t)) for t in (np.float64, np.float32)}
    verify(f)
    missed, told = [], 0
    for plant in planting.numpy_plants(f.source, random, NUMPY_PLANTS):
        planted = replace(f, kernels=replace(f.kernels, source=plant.text))
        found = quiet(
            lambda planted=planted: any(
                changes(right[t], planted, X.astype(t)) for t in (np.float64, np.float32)
            )
        )
        if not found:
            continue  # it does not run, which no one overlooks, or it changes nothing
        told += 1
        results = quiet(lambda planted=planted: caught(planted, network))
        if results is not None and not all(results):
            missed.append((str(plant), dict(zip(("verify", "check"), results, strict=True))))
    assert not missed, "\n".join(map(str, missed))
    assert told >= NUMPY_PLANTS // 3


@pytest.mark.complete(every=6)
@pytest.mark.parametrize("dtype", ["double", "float"])
@pytest.mark.parametrize("name", C_CASES)
def test_c_plants_are_caught(name: str, dtype: str) -> None:
    """In the text of either precision; float32's is compared when it is first used."""
    make, order = CASES[name]
    network = make()
    f = compiled(network, order, "c")
    kernels = f.kernels
    assert isinstance(kernels, NativeKernels)
    random = np.random.default_rng(len(name) + (dtype == "float"))
    kind = np.float32 if dtype == "float" else np.float64
    X = sampling.ordinary(network, random, 5).astype(kind)
    right = calls(f, X)
    texts = {t: kernels._text(t) for t in ("double", "float")}
    missed = []
    for plant in planting.c_plants(texts[dtype], random, C_PLANTS):
        own = {**texts, dtype: plant.text}
        planted = replace(f, kernels=replace(kernels, texts=own, _bound={}, _confirmed=set()))
        if not changes(right, planted, X):
            continue
        verified, checked = caught(planted, network)
        if dtype == "float":
            assert not verified
            with pytest.raises(CheckError):
                replace(planted, checked=True)(X)
            verified = True
        if not (verified and checked):
            missed.append((str(plant), verified, checked))
    assert not missed, "\n".join(map(str, missed))


@pytest.mark.complete
def test_c_plants_in_the_text_for_single_points_are_caught() -> None:
    """It is compiled, and compared, at the first call with a single point."""
    network = Network.dense([2, 64, 32, 1], hidden="tanh", seed=3)
    f = compiled(network, 1, "c")
    kernels = f.kernels
    assert isinstance(kernels, NativeKernels)
    assert f.lone
    random = np.random.default_rng(1)
    X = sampling.ordinary(network, random, 5)
    right = [f.derivative(r, X[:1]) for r in (0, 1)] + list(f(X[:1]))
    told = 0
    for plant in planting.lone_plants(kernels._text("double"), random, max(2, C_PLANTS // 4)):
        own = {**kernels.texts, "double": plant.text}
        planted = replace(f, kernels=replace(kernels, texts=own, _bound={}, _confirmed=set()))
        verify(planted)
        now = [planted.derivative(r, X[:1]) for r in (0, 1)] + list(planted(X[:1]))
        if all(np.allclose(a, b, 1e-10, 0) for a, b in zip(right, now, strict=True)):
            continue
        told += 1
        planted = replace(planted, kernels=replace(planted.kernels, _bound={}), checked=True)
        assert not check(network, replace(planted, checked=False), digits=False).ok, plant
        with pytest.raises(CheckError):
            planted(X[:1])
    assert told


def test_an_error_far_out_in_single_precision_is_caught() -> None:
    """Where 20 is ten times farther than ordinary: both checks look there in float32, too."""
    network = pieces()
    f = compiled(network, 2)
    head = next(line for line in f.source.splitlines() if line.startswith("def bent_0(z"))
    slip = "    z = np.where(np.abs(z) > 20, z + z/20, z) if z.dtype == np.float32 else z"
    text = f.source.replace(head, f"{head}\n{slip}")
    planted = replace(f, kernels=replace(f.kernels, source=text))
    with pytest.raises(CheckError, match="float32"):
        verify(planted)
    for seed in range(4):
        assert not check(network, planted, seed=seed, digits=False).ok


def test_a_right_function_of_float32_passes() -> None:
    """One that returns float32 for any points is held to float32's precision, not to double's."""
    network = Network.dense([2, 6, 1], hidden="tanh", seed=0)
    f = compiled(network, 2)

    class Single:
        order = 2

        def __call__(self, X: Any) -> Any:
            return f(np.asarray(X, np.float32))

        def derivative(self, order: int, X: Any) -> Any:
            return f.derivative(order, np.asarray(X, np.float32))

    report = check(network, Single())
    assert report.ok, str(report)


# --- generated files ----------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1.0, 1e8, 1e-8])
def test_a_module_with_an_error_in_one_entry_fails_its_self_test(unit: float) -> None:
    """The sign of d2y/dx2dx2 and of d2y/dx1dx1, whatever the inputs' units."""
    text = languages.numpy_module(scaled(unit), 2)
    assert running.confirm("python", {"net.py": text}) is None
    for row in (0, 2):
        wrong = text.replace("return [ddy]", f"ddy[..., {row}, :] *= -1\n    return [ddy]")
        assert wrong != text
        with pytest.raises(CheckError, match="WRONG"):
            running.confirm("python", {"net.py": wrong})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if X.ndim == 2:", "if X.ndim < 3:"),
        ("if X.ndim == 2:", "if X.ndim > 1:"),
        ("missing.any(axis=1)", "missing.all(axis=1)"),
        ("result[missing.any(axis=1)] = np.nan", "result[...] = np.nan"),
    ],
)
def test_a_module_is_tested_at_one_point_in_a_table_and_beside_nan(old: str, new: str) -> None:
    """The Jacobian of what is linear is the same at all points but where one has a NaN."""
    network = Network([Layer([[0.5, -1.0], [0.25, 2.0]], [0.5, 0.0])])
    text = languages.numpy_module(network, 1)
    assert running.confirm("python", {"net.py": text}) is None
    assert old in text
    with pytest.raises(CheckError):
        running.confirm("python", {"net.py": text.replace(old, new)})


def test_a_module_of_many_entries_is_tested_along_a_direction_in_the_inputs_units() -> None:
    """Above 300 entries a direction stands for them; each input counts as much as another."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(4, 20)) * 10.0 ** random.uniform(-6, 6, 20)
    network = Network([Layer(weights, None, "tanh"), Layer(random.normal(size=(1, 4)))])
    text = languages.numpy_module(network, 2)
    assert "DIRECTION" in text
    assert running.confirm("python", {"net.py": text}) is None
    smallest = int(np.argmin(np.abs(weights).max(axis=0)))
    wrong = text.replace("return [dy]", f"dy = dy + 0.0\n    dy[{smallest}] *= -1\n    return [dy]")
    with pytest.raises(CheckError, match="WRONG"):
        running.confirm("python", {"net.py": wrong})


def test_a_module_of_many_weights_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that NumPy reads are no text that would take long to compile."""
    text = languages.numpy_module(Network.dense([2, 150, 150, 1], "tanh", seed=1), 1)
    monkeypatch.setattr(running, "_LARGE_IF_QUICK", len(text) // 4)
    assert running.confirm("python", {"net.py": text}) is None
    wrong = text.replace("return [dy]", "dy[0] *= -1\n    return [dy]")
    with pytest.raises(CheckError, match="WRONG"):
        running.confirm("python", {"net.py": wrong})
    monkeypatch.setattr(running, "_LARGE_IF_QUICK", 10_000)
    assert "has more than 10,000 characters" in str(running.confirm("python", {"net.py": text}))


def test_c_of_one_entry_wrong_fails_its_self_test() -> None:
    """Compiled and run, with an allowance of its own for each entry."""
    text = languages.c_file(scaled(1e8), 1)
    assert running.confirm("c-batch", {"net.c": text}) is None
    stored = re.compile(r"scatter\(count, N, (\w+), (.*), V, jacobian\);")
    flipped = r"for (long c = 0; c < V; c++) \1[(N - 1)*V + c] *= -1; \g<0>"
    wrong = stored.sub(flipped, text)
    assert wrong != text
    with pytest.raises(CheckError, match="jacobian"):
        running.confirm("c-batch", {"net.c": wrong})


@pytest.mark.parametrize("language", ["cpp", "fortran", "javascript", "matlab", "rust"])
def test_files_run_their_self_test_before_they_are_written(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong weight is found by the language's tool; a tool that is missing is named."""
    net = Network([Layer([[0.5, 0.8125]], None, "tanh"), Layer([[1.5]])])
    made = dict(languages.generate(net, language, 1, name="net"))
    said = running.confirm(language, made)
    if said is not None:
        pytest.skip(said)
    wrong = {file: str(text).replace("0.8125", "0.8135") for file, text in made.items()}
    assert wrong != made
    with pytest.raises(CheckError, match="WRONG"):
        running.confirm(language, wrong)
    monkeypatch.setenv("PATH", "")
    said = running.confirm(language, made)
    assert said is not None
    assert "is not installed" in said


def test_generate_writes_nothing_that_fails_its_own_test(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip between what was verified and what is written: the file that was there stays."""
    right = languages.numpy_module

    def wrong(network: Network, order: int, command: str) -> str:
        return right(network, order, command).replace("return [dy]", "return [1.5*dy]")

    row = replace(languages.WRITERS["python"], whole=wrong)
    monkeypatch.setitem(languages.WRITERS, "python", row)
    out = tmp_path / "derivatives.py"
    out.write_text("before", encoding="utf-8")
    assert cli.main(["generate", "-o", str(out)]) == 1
    assert out.read_text(encoding="utf-8") == "before"
    assert "failed its self-test" in capsys.readouterr().err
