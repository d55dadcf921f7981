"""PyTorch modules that take derivatives themselves, and those that mix the points of a batch."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.importers.imported import Options
from symnet.importers.torch import imported
from symnet.witness import analytic
from symnet.witness.checking import CheckError

torch = pytest.importorskip("torch")
pytest.importorskip("scipy")
from torch import nn  # noqa: E402
from torch.func import grad, hessian, jacrev, vmap  # noqa: E402
from torch.nn import functional as F  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of its own


class Of(nn.Module):
    """A function of a network and a batch."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function, self.net = function, nn.Sequential(*layers)

    def forward(self, x):
        return self.function(self.net, x)


def dense(*between, n=4, m=1):
    return [nn.Linear(n, 4), *between, nn.Linear(4, m)]


def pushed(f, x):
    """A derivative along the inputs themselves, by forward mode."""
    return torch.func.jvp(f, (x,), (x,))[1]


def by_point(f, x):
    """The same of single points."""
    return vmap(lambda p: torch.func.jvp(f, (p,), (p,))[1])(x)


def of_inputs(f, x):
    """A gradient by the tape, which is asked for of the input itself."""
    x.requires_grad_(True)
    return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]


def of_one_input(f, x):
    """∂²f/∂x₁² at each point, the other inputs given."""
    return vmap(lambda p: hessian(lambda u: f(torch.cat([u[None], p[1:]])).sum())(p[0]))(x)[:, None]


def lagrangian(f, x):
    """Accelerations of a Lagrangian of two positions and two speeds."""

    def energy(q, v):
        return f(torch.cat([q, v])).sum()

    def accelerations(p):
        q, v = p[:2], p[2:]
        mass = hessian(energy, 1)(q, v) + 2 * torch.eye(2, dtype=x.dtype)
        mixed = jacrev(grad(energy, 1), 0)(q, v)
        return torch.linalg.solve(mass, grad(energy, 0)(q, v) - mixed @ v)

    return vmap(accelerations)(x)


def forces(f, x):
    """Of an energy, at each point."""
    return vmap(grad(lambda p: f(p).sum()))(x)


MODULES = {
    "forward mode": lambda: Of(pushed, *dense(nn.Tanh(), m=2)),
    "forward mode of points": lambda: Of(by_point, *dense(nn.Softplus(), m=2)),
    "tape": lambda: Of(of_inputs, *dense(nn.Tanh())),
    "one input": lambda: Of(of_one_input, *dense(nn.SiLU())),
    "Lagrangian": lambda: Of(lagrangian, *dense(nn.Tanh())),
    "of LayerNorm": lambda: Of(forces, *dense(nn.LayerNorm(4), nn.Tanh())),
    "of GroupNorm": lambda: Of(of_inputs, *dense(nn.GroupNorm(2, 4), nn.Tanh())),
    "of Softshrink": lambda: Of(forces, *dense(nn.Softshrink(0.25), nn.Tanh())),
}


@pytest.mark.parametrize("name", MODULES)
def test_derivatives_inside_of_modules(name):
    """Values and Jacobians beside PyTorch's own of the module in double precision."""
    torch.manual_seed(2)
    module = MODULES[name]()
    net = symnet.from_torch(module)
    wide, points = module.double(), torch.linspace(-1, 1, 8, dtype=torch.float64).reshape(2, 4)
    for point in points:
        slopes = torch.autograd.functional.jacobian(lambda x: wide(x[None])[0], point)
        x = point.numpy()
        expected = wide(point[None].clone())[0].detach().numpy()
        np.testing.assert_allclose(analytic.value(net, x), expected, rtol=0, atol=1e-13)
        np.testing.assert_allclose(analytic.jacobian(net, x), slopes.numpy(), rtol=0, atol=1e-12)


def test_the_derivative_of_distances_has_none_in_pytorch():
    """Its values are read all the same."""
    anchors = torch.arange(12.0).reshape(3, 4)
    module = Of(lambda f, x: of_inputs(lambda v: torch.cdist(f(v), anchors.to(v.dtype)), x),
                nn.Linear(4, 4))  # fmt: skip
    net = symnet.from_torch(module)
    x = torch.tensor([[0.5, -1.0, 0.25, 2.0]], dtype=torch.float64)
    expected = module.double()(x)[0].detach().numpy()
    np.testing.assert_allclose(analytic.value(net, x[0].detach()), expected, rtol=1e-13)


def test_slopes_that_pytorch_has_in_single_precision():
    """Its own of hardsigmoid is float32(1/6), for doubles too; that of the formula is read."""
    module = Of(of_inputs, nn.Linear(3, 4), nn.Hardsigmoid(), nn.Linear(4, 1))
    W1, b, W2 = (p.detach().double().numpy() for p in list(module.parameters())[:3])
    X = np.random.default_rng(0).normal(size=(9, 3)) * 3
    expected = ((np.abs(X @ W1.T + b) < 3) * W2 / 6) @ W1
    found = analytic.value(symnet.from_torch(module), X)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_derivatives_that_cannot_be_traced():
    """What to give instead is said."""
    linear = Of(
        lambda f, x: vmap(lambda p: torch.func.linearize(f, p)[1](torch.ones_like(p)))(x), *dense()
    )
    with pytest.raises(ValueError, match=r"give the module that it takes them of, and have them"):
        symnet.from_torch(linear)


MIXING = {
    "softmax": lambda f, x: F.softmax(f(x), 0),
    "centred": lambda f, x: f(x - x.mean(0)),
    "largest": lambda f, x: f(x) / f(x).abs().max(),
    "summed up": lambda f, x: f(x).cumsum(0),
    "turned round": lambda f, x: f(x).flip(0),
    "one of two": lambda f, x: {"a": f(x), "b": F.softmax(f(x), 0)},
}


@pytest.mark.parametrize("name", MIXING)
def test_modules_that_mix_the_points_of_a_batch_are_refused(name):
    """A batch of one, which is read, would give something else than it does in use."""
    with pytest.raises(ValueError, match="the module mixes the points of a batch"):
        symnet.from_torch(Of(MIXING[name], nn.Linear(3, 2)))


@pytest.mark.parametrize("layer", [nn.LSTM(3, 4), nn.TransformerEncoderLayer(3, 1, 4)])
def test_sequences_whose_first_axis_is_time_are_refused(layer):
    """The default of PyTorch's layers; a shape (5, 3) would be five sequences of one step."""
    with pytest.raises(ValueError, match="a sequence whose first axis is time"):
        symnet.from_torch(layer, shape=(5, 3))


APART = {
    "summed": lambda f, x: f(x).sum(),
    "squeezed": lambda f, x: f(x)[:, 0],
    "points last": lambda f, x: torch.stack([f(x)[:, 0], x[:, 0], x[:, 1]]),
    "for one point": lambda f, x: f(x[0]),
    "written": lambda f, x: f(x).scatter(1, torch.tensor([[1]]), 0.5),
}


@pytest.mark.parametrize("name", APART)
def test_modules_that_do_not_mix(name):
    """Wherever the axis of the points is, if there is one."""
    assert symnet.from_torch(Of(APART[name], nn.Linear(3, 3))).n == 3


def test_what_is_given_of_a_whole_batch_is_said():
    """A sum of losses is none of one point in use."""
    notes = [imported(Of(APART[name], nn.Linear(3, 3)), Options()).notes for name in APART]
    assert [any("gives an array of the shape ()" in note for note in each) for each in notes] == [
        True
    ] + 4 * [False]


@pytest.mark.parametrize("layer", [nn.Embedding(5, 2), nn.EmbeddingBag(5, 2)])
def test_categories_are_refused_with_what_to_give(layer):
    """Numbers that are looked up by whole ones."""
    with pytest.raises(ValueError, match="with the category fixed"):
        symnet.from_torch(layer, shape=(3,))


def test_statistics_of_the_batch_are_refused_with_what_is_needed():
    """PyTorch cannot compute them of one point."""
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False))
    with pytest.raises(ValueError, match="track_running_stats"):
        symnet.from_torch(module)


def backwards(f, x):
    """As code does that was written for training: a copy that is no leaf has no gradient."""
    with torch.enable_grad():
        x = x.clone().requires_grad_(True)
        y = f(x)
        y.backward(torch.ones_like(y))
        return -x.grad


def test_what_stands_still_where_gradients_are_taken_is_read_as_it_is():
    """The module raises for inputs that take gradients themselves, as PyTorch's Jacobian has it."""
    module = Of(backwards, *dense(nn.Softplus()))
    net = symnet.from_torch(module)
    x = torch.rand(3, 4, dtype=torch.float64)
    np.testing.assert_allclose(analytic.value(net, x), module.double()(x), rtol=1e-13)


def test_slopes_that_are_held_back_are_those_of_the_values_where_that_is_asked():
    """The refusal says how."""
    module = Of(lambda f, x: f(x.detach()) + 0 * x.sum(1, keepdim=True), *dense(nn.Softplus()))
    with pytest.raises(CheckError, match="check=False gives the slopes of its values"):
        symnet.from_torch(module)
    net = symnet.from_torch(module, check=False)
    assert analytic.jacobian(net, np.ones(4)).all()
