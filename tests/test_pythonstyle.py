"""Generated Python is as a formatter leaves it, and computes what it did before."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

import symnet
import zoo
from symnet import compiling
from symnet.backends.numpy import runtime, special
from symnet.backends.numpy.kernel import NumpyKernels
from symnet.languages import numpy_module
from symnet.languages.pythonstyle import styled
from test_languages import every_activation

NETWORKS = {
    "activations": (every_activation, 2),
    "deep": (lambda: symnet.Network.dense([2, *[3] * 30, 2], "gelu", seed=1), 1),
    "wide": (lambda: symnet.Network.dense([2, 60, 3], "tanh", seed=1), 2),
    "many inputs": (lambda: symnet.Network.dense([30, 4, 3], "tanh", seed=1), 2),
    **{
        name: (lambda name=name: zoo.network(name), 3)
        for name in ("attention", "log_shares", "spread_form", "own_activation")
    },
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_formatter_changes_nothing(name, tmp_path):
    """ruff format, at a hundred columns as in the functions that the modules are made of."""
    ruff = shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    make, order = NETWORKS[name]
    (tmp_path / "net.py").write_text(numpy_module(make(), order), encoding="utf-8")
    command = [ruff, "format", "--isolated", "--no-cache", "--line-length=100", "--diff", "net.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


LONG = "+".join(f"first[{k}]*second[{k}]" for k in range(8))
MANY = ", ".join(f"argument{k}" for k in range(8))

STYLED = {
    "y = a**2*b + 1e+20\n": "y = a**2 * b + 1e20\n",
    f"def f(first, second):\n    return [{LONG}, 1]\n": (
        "def f(first, second):\n    return [\n"
        + "".join(f"        {'+ ' * (k > 0)}first[{k}] * second[{k}]\n" for k in range(7))
        + "        + first[7] * second[7],\n        1,\n    ]\n"
    ),
    f"def function({MANY}):\n    return 1\n": f"def function(\n    {MANY}\n):\n    return 1\n",
}


@pytest.mark.parametrize("code", STYLED)
def test_style(code):
    """Spaces by precedence, exponents without a plus, items of their own lines."""
    assert styled(code) == STYLED[code]


@pytest.mark.parametrize("name", ["activations", "attention"])
def test_it_computes_the_same(name):
    """To the last bit, where parts of a long formula have names, too."""
    make, order = NETWORKS[name]
    network = make()
    kernels = NumpyKernels.of(network, compiling.choices(network, order))
    text = kernels.source
    assert styled(text) != text
    functions = [numbers(source, kernels) for source in (text, styled(text))]
    for one, other in zip(*functions, strict=True):
        np.testing.assert_array_equal(one, other)


def numbers(source: str, kernels: NumpyKernels) -> list[Any]:
    """What each function of a text gives at some points."""
    names: dict[str, Any] = {"np": np, **vars(runtime), **special.FUNCTIONS}
    exec(source, names)
    x = zoo.points(kernels.network, 20).T.copy()
    with np.errstate(all="ignore"):
        return [part for name in kernels.entries for part in names[name](x, *kernels.parameters)]
