"""PyTorch's operations by themselves, with each of their options: read as they are, or refused."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.witness import analytic

torch = pytest.importorskip("torch")
pytest.importorskip("scipy")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of its own

X = np.random.default_rng(5).normal(size=(4, 3)) * 2


class Function(nn.Module):
    """A module of one function of x."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def agrees(function):
    """The network's values are those of the function in double precision, sample by sample."""
    net = symnet.from_torch(Function(function), shape=(3,), check=False)
    samples = [function(torch.tensor(x[None])) for x in X]
    expected = [np.ravel(y.detach().double().numpy()) for y in samples]
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=1e-12, atol=1e-14)


def written(whole, place, value=None):
    """A function that writes x, or what is made of it, into a tensor."""

    def function(x):
        y = whole(x)
        y[place] = x[:, 1] if value is None else value
        return y

    return function


MOVED = {
    "cat": lambda x: torch.cat([x, torch.tensor([[4, 5]])], 1),
    "cat of truth values": lambda x: torch.cat([torch.tensor([[True, False]]), x], 1),
    "stack": lambda x: torch.stack([x, torch.tensor([[4, 5, 7]])], 1),
    "hstack": lambda x: torch.hstack([x, torch.tensor([[4]])]),
    "vstack": lambda x: torch.vstack([x, torch.tensor([[4, 5, 7]])]),
    "column_stack": lambda x: torch.column_stack([x, torch.tensor([[4, 5, 7]])]),
    "slice_scatter": lambda x: torch.slice_scatter(x, torch.tensor([[7, 8]]), 1, 0, 2),
    "select_scatter": lambda x: torch.select_scatter(x, torch.tensor([7]), 1, 0),
    "set": written(torch.clone, (0, 1), 7),
    "set to a truth value": lambda x: written(torch.clone, (0, 1), (x[:, 0] > 0))(x),
    "scatter of a number": lambda x: x.scatter(1, torch.tensor([[1]]), 2.0),
    "scatter of a named one": lambda x: torch.scatter(x, 1, torch.tensor([[2]]), value=-1),
    "cat of conditions": lambda x: torch.cat([x > 0, torch.tensor([[True]])], 1) * 1.0,
    "pad": lambda x: F.pad(x, (1, 2), value=3.5),
    "gather": lambda x: torch.gather(x, 1, torch.tensor([[2, 2, 0, 1, 1]])),
    "take": lambda x: torch.take(x, torch.tensor([2, 0, -1])),
    "repeat_interleave": lambda x: x.repeat_interleave(torch.tensor([1, 2, 0]), dim=1),
    "tensor_split": lambda x: torch.tensor_split(x, torch.tensor([1]), dim=1)[1],
    "movedim": lambda x: torch.movedim(torch.stack([x, x**2], 1), 1, 2),
    "full_like of whole numbers": lambda x: torch.full_like(x, 2.7, dtype=torch.int64) + x,
    "whole numbers": lambda x: x + x.long() / 2 + (x > 0).int() + x.to(torch.tensor([1, 2])),
    "looked up": lambda x: torch.tensor([1.0, 4.0, 2.5])[(x.abs() * 2).long().clamp(0, 2)] * x,
    "looked up from the end": lambda x: torch.arange(6.0).reshape(3, 2)[x.long().clamp(-3, 2)],
    "selected": lambda x: torch.index_select(x, 1, x.sum().abs().long().clamp(0, 2)[None]),
    "counted": lambda x: x.gather(1, (x > 0).sum(1, keepdim=True) // 2),
    "zeros_like as places": lambda x: x.gather(1, torch.zeros_like(x, dtype=torch.int64)),
}


@pytest.mark.parametrize("name", MOVED)
def test_numbers_of_every_type_beside_a_tensor_are_numbers(name):
    """Whole ones, truth values and single ones were taken for places."""
    agrees(MOVED[name])


@pytest.mark.parametrize("kind", [torch.int64, torch.bool])
@pytest.mark.parametrize("way", ["set", "copy", "slice_scatter"])
def test_real_numbers_written_into_whole_ones_are_refused(way, kind):
    """PyTorch rounds them."""

    def function(x):
        whole = torch.zeros(1, 3, dtype=kind)
        if way == "set":
            whole[:, 1] = x[:, 0]
        elif way == "copy":
            whole.copy_(x)
        else:
            whole = torch.slice_scatter(whole, x[:, :2], 1, 0, 2)
        return whole

    with pytest.raises(ValueError, match=r"copy|scatter.*tensor of whole numbers"):
        symnet.from_torch(Function(function), shape=(3,))


def test_places_to_write_to_that_depend_on_the_inputs_are_refused():
    counted = Function(lambda x: x.scatter(1, (x > 0).sum(1, keepdim=True) // 2, 1.0))
    with pytest.raises(ValueError, match=r"scatter.*places depend on the inputs"):
        symnet.from_torch(counted, shape=(3,))


CONDITIONS = {
    "and, of another shape": lambda x: ((x[:, :1] > 0) & torch.ones(1, 3, dtype=bool)) * 1.0,
    "or, of another shape": lambda x: ((x[:, :1] > 0) | torch.zeros(1, 3, dtype=bool)) * x,
    "decided by a constant": lambda x: ((x > 0) & torch.zeros(2, 1, 1, dtype=bool)) * 1.0,
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_and_constants_have_their_common_shape(name):
    """Not that of one of them."""
    agrees(CONDITIONS[name])


def test_masks_of_truth_values_that_depend_on_the_inputs_are_refused():
    """They were added to the scores as 0 and 1."""

    def function(x):
        q = x[:, :, None]
        return F.scaled_dot_product_attention(q, q, q, attn_mask=x[:, :, None] > x[:, None, :])

    with pytest.raises(ValueError, match=r"scaled_dot_product.*mask, of truth values"):
        symnet.from_torch(Function(function), shape=(3,))


def transposed(rank, **options):
    """A transposed convolution of a small image of so many axes."""
    image = {1: (3,), 2: (1, 3), 3: (1, 3, 1)}[rank]
    weight = torch.randn(2, 3, *[2] * rank, generator=torch.Generator().manual_seed(rank))
    bias = torch.arange(3.0 * options.get("groups", 1))
    operation = getattr(F, f"conv_transpose{rank}d")

    def function(x):
        both = torch.stack([x, x.flip(1)], 1).reshape(-1, 2, *image)
        return operation(both, weight.to(x.dtype), bias.to(x.dtype), **options)

    return function


TRANSPOSED = {
    "row": transposed(1),
    "row, with steps": transposed(1, stride=3, padding=1, output_padding=2),
    "row, spread": transposed(1, dilation=2, stride=2, groups=2),
    "image": transposed(2, stride=(2, 1), padding=(0, 1)),
    "image, with a part beyond": transposed(2, stride=2, output_padding=(1, 0), groups=2),
    "volume": transposed(3, stride=2, padding=(0, 1, 0), dilation=(1, 2, 1)),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's own, of its own
@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolutions(name):
    """As they are, and taken apart by torch.export."""
    agrees(TRANSPOSED[name])
    example = (torch.ones(1, 3),)
    program = torch.export.export(Function(TRANSPOSED[name]), example).run_decompositions()
    assert any("aten.convolution" in str(node.target) for node in program.graph.nodes)
    expected = [np.ravel(TRANSPOSED[name](torch.tensor(x[None]))) for x in X]
    values = analytic.value(symnet.from_torch(program), X)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-14)


ADAPTED = {
    "rows": lambda x: F.adaptive_max_pool1d(x[:, None, [0, 1, 2, 0, 1]], 3),
    "images": lambda x: F.adaptive_max_pool2d(x[:, None, :, None] * x[:, None, None], (2, 3)),
    "averages": lambda x: F.adaptive_avg_pool2d(x[:, None, :, None] * x[:, None, None], (2, 3)),
}


@pytest.mark.parametrize("name", ADAPTED)
def test_windows_that_overlap(name):
    """Of sizes that do not divide those of the image."""
    agrees(ADAPTED[name])


def test_images_are_averaged_one_by_one():
    """The matrix of all together, made of as many unit vectors, would take 1.5 GB."""
    net = symnet.from_torch(nn.AvgPool2d(24), shape=(24, 24, 24))
    assert net.widths == (24**3, 24)


def test_slopes_of_softplus_beyond_its_threshold():
    """Where it is linear its slope is 1."""

    def slopes(x):
        with torch.enable_grad():
            x = x.requires_grad_()
            y = F.softplus(x, beta=2, threshold=0.5).sum()
            return torch.autograd.grad(y, x, create_graph=True)[0]

    agrees(slopes)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: x.sum(1, dtype=torch.int64), r"sum.*to integers"),
        (lambda x: x.cumsum(1, dtype=torch.int32), r"cumsum.*to integers"),
        (lambda x: x.prod(1, dtype=torch.bool), r"prod.*to integers"),
        (lambda x: torch.abs(x.to(torch.complex128)), r"to\.dtype.*complex numbers"),
        (lambda x: x.type_as(torch.tensor([True])), r"to integers"),
    ],
)
def test_types_that_are_not_of_real_numbers_are_refused(function, what):
    """Whatever the operation, and however they are told."""
    with pytest.raises(ValueError, match=what):
        symnet.from_torch(Function(function), shape=(3,))


@pytest.mark.parametrize(
    "function", [lambda n: n & 1, lambda n: n | 1, torch.bitwise_not, lambda n: 1 & n]
)
def test_bits_of_whole_numbers_are_refused(function):
    """They were taken for truth values."""
    counted = Function(lambda x: function((x > 0).sum(1)) * 1.0)
    with pytest.raises(ValueError, match="by their bits"):
        symnet.from_torch(counted, shape=(3,))
