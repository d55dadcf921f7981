"""PyTorch modules: values, Jacobians and Hessians beside its own autodiff, in double precision."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.importers import Options
from symnet.witness import analytic

torch = pytest.importorskip("torch")
pytest.importorskip("scipy")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from symnet.importers.torch import imported  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of its own


class Skips(nn.Module):
    """Functional calls, a skip connection, a module used twice, parts of the input."""

    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Linear(3, 4), nn.Linear(4, 4)
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        h = h + F.softplus(self.again(h))
        h = h + torch.sin(self.again(h)) * torch.exp(-(h**2))
        return self.last(torch.cat([h, x[:, 1:] / (1 + x[:, :1] ** 2)], dim=1))


def chain(*functions):
    """Dense layers with these functions between them."""
    parts = [nn.Linear(3, 4)]
    for function in functions:
        parts += [function, nn.Linear(4, 4)]
    return nn.Sequential(*parts)


MODULES = {
    "tanh": lambda: chain(nn.Tanh(), nn.Tanh()),
    "smooth": lambda: chain(nn.SiLU(), nn.Softplus(), nn.GELU(), nn.Mish(), nn.LogSigmoid()),
    "gelu": lambda: chain(nn.GELU("tanh"), nn.Softplus(beta=2)),
    "kinks": lambda: chain(nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(0.7), nn.SELU(), nn.CELU(0.5)),
    "bounded": lambda: chain(nn.Hardtanh(), nn.ReLU6(), nn.Hardswish(), nn.PReLU()),
    "normalised": lambda: chain(nn.BatchNorm1d(4), nn.LayerNorm(4)),
    "dropout": lambda: chain(nn.Dropout(0.5), nn.Sigmoid()),
    "softmax": lambda: nn.Sequential(chain(nn.Tanh()), nn.Softmax(-1)),
    "log softmax": lambda: nn.Sequential(chain(nn.Tanh()), nn.LogSoftmax(-1)),
    "skips": Skips,
    "weight norm": lambda: nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.Tanh(), nn.Linear(4, 1)
    ),
}


def trained(name):
    """The module after some steps in single precision."""
    torch.manual_seed(len(name))
    module = MODULES[name]()
    steps = torch.optim.SGD(module.parameters(), 0.05)
    X = torch.randn(20, 3)
    for _ in range(5):
        steps.zero_grad()
        (module(X) ** 2).mean().backward()
        steps.step()
    return module


@pytest.mark.parametrize("name", MODULES)
def test_values_and_derivatives_are_pytorchs(name):
    """To 1e-12 of the terms; the module stays in training mode."""
    module = trained(name)
    found = imported(module, Options())
    assert "compared with PyTorch in double precision" in found.compared
    assert module.training
    net, wide = found.network, module.double().eval()
    X = np.random.default_rng(1).normal(size=(5, 3))

    def call(x):
        return wide(x[None])[0]

    points = torch.from_numpy(X)
    expected = [
        torch.stack([call(x) for x in points]),
        torch.stack([torch.func.jacrev(call)(x) for x in points]),
        torch.stack([torch.func.jacfwd(torch.func.jacrev(call))(x) for x in points]),
    ]
    for order, engine in enumerate(analytic.BY_ORDER):
        error = np.abs(engine(net, X) - expected[order].detach().numpy())
        assert (error <= 1e-12 * (1 + analytic.scale(net, X, order))).all(), order


def test_weights_are_held_exactly():
    """Single precision as it is; batch normalisation goes into the layer before it."""
    module = trained("tanh")
    net = symnet.from_torch(module, inputs=("a", "b", "c"))
    assert net.describe() == "3-4-4-4, tanh, tanh, linear"
    weights = module[0].weight.detach().double().numpy()
    np.testing.assert_array_equal(net.layers[0].weights, weights)
    normal = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    assert symnet.from_torch(normal).describe() == "3-4-1, tanh, linear"


def test_images():
    """Convolution and pooling, with the shape of the input told."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.MaxPool2d(2), nn.Flatten()
    )
    assert symnet.from_torch(module, shape=(1, 6, 6)).widths[0] == 36
    with pytest.raises(ValueError, match="say its input's shape"):
        symnet.from_torch(module)


class Several(nn.Module):
    """Two inputs of different shapes, two outputs in a dictionary."""

    def __init__(self):
        super().__init__()
        self.state, self.image = nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, state, image):
        h = torch.tanh(self.state(state) + self.image(image.flatten(1)))
        return {"value": h.sum(1), "action": F.softmax(h, dim=1)}


def test_several_inputs_and_outputs():
    """Laid side by side, with the names that forward and what it gives have."""
    torch.manual_seed(0)
    module = Several()
    net = symnet.from_torch(module, shape=[(3,), (2, 2)])
    assert [s.name for s in net.inputs[2:5]] == ["state_3", "image_1", "image_2"]
    assert [s.name for s in net.outputs] == ["value", *(f"action_{i}" for i in range(1, 5))]
    x = np.random.default_rng(3).normal(size=7)
    with torch.no_grad():
        wide = module.double()
        found = wide(torch.from_numpy(x[None, :3]), torch.from_numpy(x[None, 3:].reshape(1, 2, 2)))
    expected = np.concatenate([found["value"].numpy(), found["action"][0].numpy()])
    np.testing.assert_allclose(analytic.value(net, x), expected, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match=r"torch\.export cannot trace"):
        symnet.from_torch(module, shape=(3,))


class Chooses(nn.Module):
    """A step that depends on values."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


class Sorts(nn.Module):
    """An operation that is not read."""

    def forward(self, x):
        return torch.sort(x)[0]


def test_what_cannot_be_read_is_named():
    """What is no module, depends on values, or has no rule."""
    with pytest.raises(ValueError, match=r"dict is no torch\.nn\.Module"):
        symnet.from_torch({})
    with pytest.raises(ValueError, match=r"torch\.export cannot trace"):
        symnet.from_torch(Chooses(), shape=(3,))
    with pytest.raises(ValueError, match=r"node 'sort' .*no rule"):
        symnet.from_torch(Sorts(), shape=(3,))
