"""PyTorch modules: values, Jacobians and Hessians beside its own autodiff, in double precision."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import effort
import symnet
from symnet.importers import Options
from symnet.witness import analytic
from symnet.witness.checking import CheckError

torch = pytest.importorskip("torch")
pytest.importorskip("scipy")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from symnet.importers.torch import imported, refusals  # noqa: E402

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


def forward(function, **parts):
    """A module of this forward, with these layers, parameters and buffers."""

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in parts.items():
                if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                    self.register_buffer(name, part)
                else:
                    setattr(self, name, part)

        def forward(self, x):
            return function(self, x)

    return Own()


def leaky(m, x):
    """A choice by the sign of a layer that is written three times."""
    return m.last(torch.where(m.first(x) > 0, m.first(x), 0.1 * m.first(x)))


def written_where(m, x):
    """Entries below a bound are overwritten; a distribution's logarithm, checked by PyTorch."""
    h = m.first(x)
    h[h < 0.125] = 0.125
    return torch.distributions.Normal(h, 1.25).log_prob(x[:, :1])


def in_place(m, x):
    """A part of a tensor is written to, then all of it."""
    h = m.first(x)
    h[:, 0] = x[:, 1] ** 2
    h[:, 1:3].mul_(3.0)
    return torch.tanh_(h)


def ensemble(m, x):
    """Stacked weights, mean and deviation of the members."""
    h = torch.tanh(torch.einsum("bi,eio->ebo", x, m.w) + m.b)
    return torch.cat([h.mean(0), torch.vmap(lambda w: x @ w)(m.w).std(0)], 1)


def causal(m, x):
    """Attention of three tokens with a mask."""
    h = m.first(x.unsqueeze(-1))
    scores = (h @ h.mT / 2).masked_fill(m.mask == 0, float("-inf"))
    later = F.scaled_dot_product_attention(h, h, h, is_causal=True)
    return (F.softmax(scores, -1) @ h + later).flatten(1)


def sums(m, x):
    """What has rules of its own, beside what PyTorch takes apart."""
    h = m.first(x)
    parts = [h.logsumexp(1), torch.logaddexp(h, h.flip(1)).prod(1), F.normalize(h).amax(1)]
    more = [
        torch.linalg.norm(x[:, None] - m.points, dim=2).exp().sum(1),
        (x.sign() * torch.log1p(x.abs())).sum(1),
    ]
    angles = torch.atan2(h[:, 0], x[:, 1]) + torch.cumprod(h, 1)[:, 2]
    return torch.stack([*parts, *more, angles, torch.cumsum(h, 1)[:, 2], h.max(1).values], 1)


def special(m, x):
    """Functions of probabilities, and what runs along an axis."""
    h = m.first(x)
    parts = [torch.special.log_ndtr(3 * h), torch.special.entr(torch.sigmoid(h)), h.erf().erfinv()]
    jumping = torch.remainder(h, 0.75) + torch.frac(h) * torch.fmod(h, 2) - h.round()
    return torch.cat([*parts, h.logcumsumexp(1), jumping], 1)


def factors(m, x):
    """Precision that is changed on the way, and constants that are made there."""
    made = torch.linspace(0, 1, 3).type_as(x) + x.new_full((3,), 0.1) + torch.full_like(x, 0.3)
    return F.rms_norm(m.first(x.float() * made), (4,), eps=1e-6)


def splines(m, x):
    """B-splines on a grid by their recursion, as Kolmogorov-Arnold networks have them."""
    x, g = x.unsqueeze(-1), m.grid
    bases = ((x >= g[:, :-1]) & (x < g[:, 1:])).to(x.dtype)
    for k in (1, 2):
        left = (x - g[:, : -k - 1]) / (g[:, k:-1] - g[:, : -k - 1]) * bases[..., :-1]
        right = (g[:, k + 1 :] - x) / (g[:, k + 1 :] - g[:, 1:-k]) * bases[..., 1:]
        bases = left + right
    return m.base(F.silu(x[..., 0])) + F.linear(bases.flatten(1), m.weight)


def matrices(m, x):
    """Small matrices of what varies, and entries in order."""
    h = m.first(x).reshape(-1, 2, 2)
    A = h @ h.mT + torch.eye(2)
    solved = torch.linalg.solve(A, x[:, :2]) + torch.linalg.cholesky(A)[:, 1]
    factor = torch.linalg.cholesky(A)
    for upper in (False, True):
        known = factor.mT if upper else factor
        solved = solved + torch.cholesky_solve(x[:, :2, None], known, upper)[..., 0]
    ordered = torch.sort(x, descending=True)[0][:, :2] + x.median(1, keepdim=True).values
    return torch.cat([solved, ordered, torch.logdet(A)[:, None]], 1)


def forces(m, x):
    """Derivatives that the module takes itself."""

    def energy(v):
        return m.last(F.softplus(m.first(v))).sum() + m.first(v).relu().square().sum()

    return torch.func.vmap(torch.func.grad(energy))(x)


def scatters(m, x):
    """Entries added to those of other places, two of them at one."""
    h, places = m.first(x), torch.tensor([0, 0, 2, 1])
    rows = places.expand(len(x), 4)
    added = torch.zeros_like(h).scatter_add(1, rows, h) + h.index_add(1, places, torch.sin(h))
    return torch.tanh(added)


MODULES |= {
    "special": lambda: forward(special, first=nn.Linear(3, 2)),
    "splines": lambda: forward(
        splines,
        base=nn.Linear(3, 2),
        weight=nn.Parameter(torch.randn(2, 12)),
        grid=torch.linspace(-2, 2, 7).expand(3, -1).contiguous(),
    ),
    "matrices": lambda: forward(matrices, first=nn.Linear(3, 4)),
    "forces": lambda: forward(forces, first=nn.Linear(3, 4), last=nn.Linear(4, 1)),
    "scatters": lambda: forward(scatters, first=nn.Linear(3, 4)),
    "leaky": lambda: forward(leaky, first=nn.Linear(3, 4), last=nn.Linear(4, 1)),
    "written where": lambda: forward(written_where, first=nn.Linear(3, 4)),
    "in place": lambda: forward(in_place, first=nn.Linear(3, 4)),
    "ensemble": lambda: forward(
        ensemble, w=nn.Parameter(torch.randn(5, 3, 2)), b=nn.Parameter(torch.randn(5, 1, 2))
    ),
    "causal": lambda: forward(causal, first=nn.Linear(1, 4), mask=torch.tril(torch.ones(3, 3))),
    "sums": lambda: forward(sums, first=nn.Linear(3, 4), points=torch.randn(5, 3)),
    "recurrent": lambda: forward(
        lambda m, x: m.last(x.unsqueeze(-1))[0][:, -1], last=nn.LSTM(1, 2, batch_first=True)
    ),
    "groups": lambda: nn.Sequential(
        nn.Linear(3, 8),
        nn.GroupNorm(2, 8),
        nn.Mish(inplace=True),
        nn.Threshold(0.1, 0.0),
        nn.Softshrink(0.1),
    ),
    "windows": lambda: nn.Sequential(
        nn.Linear(3, 12),
        nn.Unflatten(1, (2, 6)),
        nn.Conv1d(2, 3, 3, padding="same", padding_mode="circular"),
        nn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        nn.ConvTranspose1d(3, 1, 3, stride=2, padding=1),
        nn.MaxPool1d(3, 2, ceil_mode=True),
        nn.Flatten(),
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
    found = imported(module, Options(), (3,))
    assert "in double precision (24 points)" in found.compared
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


@pytest.mark.parametrize("how", ["prod", "amax", "amin"])
def test_entries_are_joined_at_places(how):
    """By autograd: PyTorch's forward mode has other second derivatives here than it itself."""
    places = torch.tensor([[0, 0, 2, 1]])
    module = forward(
        lambda m, x: m.a(x).scatter_reduce(1, places, m.a(x) ** 2, how), a=nn.Linear(3, 4)
    )
    net, wide = symnet.from_torch(module, shape=(3,)), module.double()
    jacobian = torch.autograd.functional.jacobian
    for x in np.random.default_rng(2).normal(size=(3, 3)):
        point = torch.from_numpy(x)

        def call(p):
            return wide(p[None])[0]

        def slopes(p, call=call):
            return jacobian(call, p, create_graph=True)

        np.testing.assert_allclose(analytic.value(net, x), call(point).detach(), atol=1e-13)
        np.testing.assert_allclose(analytic.jacobian(net, x), slopes(point).detach(), atol=1e-12)
        np.testing.assert_allclose(analytic.hessian(net, x), jacobian(slopes, point), atol=1e-12)


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


def test_precision_that_is_changed_inside_is_double():
    """By PyTorch's exported program, widened; constants keep the precision they are made in."""
    torch.manual_seed(0)
    module = forward(factors, first=nn.Linear(3, 4))
    found = imported(module, Options())
    assert "compared with its exported program in double precision (24 points)" in found.compared
    X = np.random.default_rng(2).normal(size=(5, 3))
    single = module(torch.from_numpy(X).float()).detach().numpy()
    np.testing.assert_allclose(analytic.value(found.network, X), single, rtol=1e-5, atol=1e-6)


def test_scripts_compiled_modules_and_dictionaries():
    """The module inside; forward may take keywords, or a dictionary, and give nothing for some."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    plain = symnet.from_torch(module).weights_count
    assert symnet.from_torch(torch.compile(module)).weights_count == plain
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        assert symnet.from_torch(torch.jit.script(module)).weights_count == plain
    named = forward(lambda m, d: (m.a(d["s"]) + m.b(d["p"]), None), a=nn.Linear(3, 2), b=module)
    net = symnet.from_torch(named, shape={"s": (3,), "p": (3,)})
    assert [s.name for s in net.inputs] == ["s_1", "s_2", "s_3", "p_1", "p_2", "p_3"]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's own, as it decomposes
def test_exported_programs():
    """With the shapes they were exported with, in whole layers or decomposed into core ones."""
    torch.manual_seed(0)
    normalised = forward(
        lambda own, x: F.softmax(
            own.last(own.layer(own.group(own.conv(x[:, None])).flatten(1))), -1
        ),
        conv=nn.Conv1d(1, 2, 3, padding=1),
        group=nn.GroupNorm(2, 2),
        layer=nn.LayerNorm(8),
        last=nn.Linear(8, 3),
    ).eval()
    chained = chain(nn.Tanh(), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.LogSoftmax(-1)).eval()
    for module, n in ((normalised, 4), (chained, 3)):
        expected = symnet.from_torch(module, shape=(n,))
        batch = {0: torch.export.Dim("batch")}
        program = torch.export.export(module, (torch.zeros(5, n),), dynamic_shapes=(batch,))
        point = np.linspace(-1, 1, n)
        for given in (program, program.run_decompositions()):
            net = symnet.from_torch(given)
            values = [analytic.value(one, point) for one in (net, expected)]
            np.testing.assert_allclose(*values, rtol=1e-12)
    fixed = torch.export.export(chained, (torch.zeros(5, 3),))
    with pytest.raises(ValueError, match="export it with a batch of one"):
        symnet.from_torch(fixed)


def test_derivatives_that_are_held_back_are_no_networks():
    """A Jacobian in PyTorch that is not that of the values is an error; none at all is not."""
    module = forward(lambda m, x: m.a(x).detach() * x[:, :1], a=nn.Linear(3, 2))
    with pytest.raises(CheckError, match="keeps derivatives from passing"):
        symnet.from_torch(module)
    whole = forward(lambda m, x: torch.tanh(m.a(x)).detach(), a=nn.Linear(3, 2))
    assert "gives no derivatives itself" in imported(whole, Options()).compared


def test_log_sum_exp_of_large_numbers():
    """Values of 1e4 do not overflow."""
    module = forward(lambda m, x: m.a(x).logsumexp(1), a=nn.Linear(3, 4))
    net = symnet.from_torch(module)
    x = 1e4 * np.random.default_rng(2).normal(size=3)
    expected = module.double()(torch.from_numpy(x[None])).item()
    assert analytic.value(net, x)[0] == pytest.approx(expected, rel=1e-14)


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


def gradient(m, x):
    """A gradient by the tape, and a number that is made in the precision of what is beside it."""
    with torch.enable_grad():
        x = x.requires_grad_()
        energy = -torch.distributions.Normal(m.a(x), 1.3).log_prob(torch.tensor(0.5)).sum()
        return torch.autograd.grad(energy, x, create_graph=True)[0]


def test_derivatives_by_the_tape():
    """Those of a normal distribution of a layer; the deviation is 1.3 in single precision."""
    module = forward(gradient, a=nn.Linear(3, 2))
    found = imported(module, Options())
    assert "compared with its exported program in double precision" in found.compared
    W, b = (p.detach().double().numpy() for p in module.a.parameters())
    x = np.array([0.5, -1.0, 2.0])
    expected = W.T @ (W @ x + b - 0.5) / np.float64(np.float32(1.3)) ** 2
    np.testing.assert_allclose(analytic.value(found.network, x), expected, rtol=1e-14)


class Chooses(nn.Module):
    """A step that depends on values."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


class Sorts(nn.Module):
    """An operation that is read of few entries."""

    def forward(self, x):
        return torch.sort(x)[0]


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda m, x: m.a(x) + torch.randn(2), "draws random numbers"),
        (lambda m, x: torch.linalg.eigvalsh(m.a(x).diag_embed()), "factors a matrix"),
        (lambda m, x: torch.view_as_complex(m.a(x)), "complex numbers"),
        (lambda m, x: torch.special.i0(m.a(x)), "special function"),
        (lambda m, x: torch.where(x[:, :1] > 0, m.a(x), torch.nan), "arms is NaN or infinite"),
        (lambda m, x: F.dropout(m.a(x), 0.5, training=True), "drops at random"),
        (lambda m, x: torch.copysign(m.a(x), x[:, :1]), "jumps"),
    ],
)
def test_operations_are_refused_by_name_and_with_a_reason(function, what):
    """The node, and why it has no derivative."""
    with pytest.raises(ValueError, match=rf"node '.*' \(aten.*{what}"):
        symnet.from_torch(forward(function, a=nn.Linear(3, 2)))


ELEMENTWISE = (
    *("celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu"),
    *("logsigmoid", "mish", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softplus"),
    *("softshrink", "softsign", "tanh", "tanhshrink"),
)
SPECIAL = (
    *("digamma", "entr", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p"),
    *("log_softmax", "logit", "ndtr", "psi", "sinc", "softmax"),
)
OTHERS = {"log_ndtr", "logsumexp", "multigammaln", "xlog1py", "xlogy", "round", "polygamma"}


def test_elementwise_functions_are_read_or_refused_by_name():
    """torch.nn.functional's, and torch.special's of one tensor within their domain: (0, 1)."""

    def every(m, x):
        parts = [getattr(F, name)(x) for name in ELEMENTWISE]
        more = {"log_softmax": (1,), "softmax": (1,)}
        inside = x.sigmoid()
        parts += [getattr(torch.special, name)(inside, *more.get(name, ())) for name in SPECIAL]
        return torch.cat(parts, 1)

    found = imported(forward(every), Options(), (2,))
    assert "(24 points): worst difference" in found.compared
    for name in set(torch.special.__all__) - set(SPECIAL) - OTHERS:
        own = f"special_{name}" if hasattr(torch.ops.aten, f"special_{name}") else name
        assert "special function" in refusals.reason(None, own), name


def test_what_cannot_be_read_is_named():
    """What is no module, depends on values, or has no rule."""
    with pytest.raises(ValueError, match=r"a torch\.nn\.Module is needed, got dict"):
        symnet.from_torch({})
    with pytest.raises(ValueError, match=r"torch\.export cannot trace"):
        symnet.from_torch(Chooses(), shape=(3,))
    with pytest.raises(ValueError, match=r"node 'sort' .*it sorts 20 entries"):
        symnet.from_torch(Sorts(), shape=(20,))


def test_parameters_without_numbers_are_named():
    """Of lazy layers that were never called, and on the device meta."""
    with pytest.raises(ValueError, match=r"'0\.weight' of a lazy layer has no numbers"):
        symnet.from_torch(nn.Sequential(nn.LazyLinear(2)), shape=(3,))
    with pytest.raises(ValueError, match=r"'weight' is on the device meta"):
        symnet.from_torch(nn.Linear(3, 2, device="meta"))


def test_what_pytorch_cannot_take_apart_is_named():
    """PyTorch's own error beside the operations, not in place of them."""
    with pytest.raises(ValueError, match=r"PyTorch cannot take apart aten\."):
        symnet.from_torch(nn.CrossMapLRN2d(2), shape=(4, 2, 2))


def test_places_that_values_choose_are_refused():
    """A mixture of the two experts whose weights are largest."""

    def largest(m, x):
        values, places = torch.topk(m.a(x), 2)
        return torch.zeros_like(m.a(x)).scatter(-1, places, F.softmax(values, -1))

    with pytest.raises(ValueError, match=r"node 'scatter' .*its places depend on the inputs"):
        symnet.from_torch(forward(largest, a=nn.Linear(3, 4)))


def test_frozen_scripts():
    """They have no mode of training, and their weights are constants of the graph."""
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).eval()
    net = symnet.from_torch(torch.jit.freeze(torch.jit.script(module)), shape=(3,))
    x = np.array([0.5, -1.0, 2.0])
    expected = module.double()(torch.from_numpy(x[None])).detach().numpy()[0]
    np.testing.assert_allclose(analytic.value(net, x), expected, rtol=0, atol=1e-14)


def test_largest_of_windows_of_a_given_number_in_space():
    """adaptive_max_pool3d."""
    module = nn.AdaptiveMaxPool3d(2)
    net = symnet.from_torch(module, shape=(1, 3, 3, 2))
    x = np.linspace(-1, 1, 18) ** 3 % 0.7
    expected = module(torch.from_numpy(x.reshape(1, 1, 3, 3, 2))).numpy().reshape(-1)
    np.testing.assert_allclose(analytic.value(net, x), expected, rtol=0, atol=1e-15)


def test_numbers_that_numpy_draws_are_no_network():
    """Tracing makes constants of them, with which the traced program agrees."""
    rng = np.random.default_rng()

    def noisy(m, x):
        return m.a(x) + torch.tensor(rng.normal(size=2), dtype=x.dtype)

    with pytest.raises(CheckError, match="made constants of what it computes"):
        symnet.from_torch(forward(noisy, a=nn.Linear(3, 2)))


def test_imports_are_linear_in_the_number_of_layers():
    """Four times the layers are at most five times the calls, though fx looks through all."""
    counts = []
    for depth in (2, 20, 80):  # the first makes what is made once
        module = nn.Sequential(
            *[part for _ in range(depth) for part in (nn.Linear(3, 3), nn.SiLU())]
        )
        counts.append(effort.calls(lambda module=module: symnet.from_torch(module)))
    assert counts[2] < 5 * counts[1], counts
