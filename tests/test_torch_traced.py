"""PyTorch modules of plain layers, which torch.fx traces at once: the same as by torch.export."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import symnet
from symnet.importers.torch import traced
from symnet.witness import analytic
from symnet.witness.checking import CheckError

torch = pytest.importorskip("torch")
nn = torch.nn


class Skip(nn.Module):
    """Operators between layers, and two outputs."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        h = torch.tanh(self.a(x)) + x * 2
        return self.b(h), torch.sigmoid(h) / 3


def layers(*between):
    """Linear layers of 3 numbers around others."""
    return nn.Sequential(nn.Linear(3, 4), *between, nn.Linear(4, 2))


MODULES = {
    "functions": lambda: layers(
        nn.GELU(), nn.ELU(0.5), nn.LeakyReLU(0.2), nn.Softplus(), nn.SiLU()
    ),
    "tanh gelu": lambda: layers(nn.GELU("tanh"), nn.Hardswish(), nn.Dropout(0.5)),
    "normalised": lambda: layers(nn.BatchNorm1d(4), nn.LayerNorm(4), nn.Softmax(-1)),
    "skip": Skip,
}


@pytest.mark.parametrize("name", MODULES)
def test_the_network_is_that_of_torch_export(name, monkeypatch):
    """To the last bit."""
    torch.manual_seed(1)
    module = MODULES[name]().eval()
    seen = []
    own = traced.evaluated
    monkeypatch.setattr(traced, "evaluated", lambda *a: seen.append(own(*a)) or seen[-1])
    fast = symnet.from_torch(module)
    assert seen

    def never(*_):
        raise traced.Unseen

    monkeypatch.setattr(traced, "evaluated", never)
    slow = symnet.from_torch(module)
    X = np.random.default_rng(3).normal(size=(4, 3))
    for engine in (analytic.value, analytic.jacobian, analytic.hessian):
        np.testing.assert_array_equal(engine(fast, X), engine(slow, X))
    assert [n.kind for n in fast.nodes] == [n.kind for n in slow.nodes]
    assert (fast.input_names, fast.output_names) == (slow.input_names, slow.output_names)


class Held(Skip):
    """fx does not see that derivatives are kept from passing."""

    def forward(self, x):
        with torch.no_grad():
            h = torch.tanh(self.a(x))
        return self.b(h + x)


def test_derivatives_that_are_kept_from_passing_are_refused():
    """As without fx."""
    with pytest.raises(CheckError, match="no_grad"):
        symnet.from_torch(Held())


def test_compilers_are_not_imported_for_plain_layers():
    """Which take a second."""
    program = (
        "import sys, torch, symnet\n"
        "n = torch.nn\n"
        "m = n.Sequential(n.Linear(2, 256), n.Tanh(), n.Linear(256, 256), n.Linear(256, 2))\n"
        "assert symnet.from_torch(m).n == 2\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
