"""Forward or backward, decided by counting; and the count itself."""

from __future__ import annotations

import pytest
from sympy import Function

from symnet.calculus.algebra import matvec
from symnet.calculus.schemes import best, candidates, cost, entries, needed
from symnet.network import Network


def chosen(widths, order, orders=None, hidden="sigmoid"):
    """The best Choice for a dense network of these widths."""
    network = Network.dense(widths, hidden=hidden, seed=0)
    return best(candidates(network, order), orders or range(order + 1))


@pytest.mark.parametrize(
    ("widths", "order", "scheme"),
    [
        ([2, 8, 8, 1], 2, "adjoint"),  # 1 + 2 + 1 products a layer against 1 + 2 + 3
        ([200, 64, 64, 1], 2, "adjoint"),
        ([200, 64, 64, 1], 1, "adjoint"),  # one backward sweep against 200 tangents
        ([1, 8, 8, 50], 1, "tangent"),  # one tangent against 50 sweeps
        ([2, 8, 8, 50], 2, "tangent"),
    ],
)
def test_the_cheaper_scheme_is_chosen(widths, order, scheme):
    """The number of inputs, outputs and the order decide."""
    assert chosen(widths, order).cost.scheme == scheme


@pytest.mark.parametrize("n", [2, 5, 20])
def test_a_scalar_hessian_takes_n_plus_two_products_a_layer(n):
    """Value, n tangents and one adjoint, counted between the inner layers, which dominate."""
    width = 512
    program, _, total = chosen([n, width, width, 1], 2)
    products = (n + 2) * width * width + n * width + (n + 1) * width
    assert program_products(program, Network.dense([n, width, width, 1], seed=0)) == products
    elementwise = total.multiply_adds - products
    assert 0 < elementwise <= (n * (n + 1) / 2 + 3 * n + 6) * 2 * width


@pytest.mark.parametrize("n", [2, 20, 200])
def test_a_gradient_alone_is_one_sweep_each_way(n):
    """Whatever n: forward and backward, W1 and W2 once each."""
    total = chosen([n, 256, 256, 1], 1, orders=[1]).cost.multiply_adds
    weights = n * 256 + 256 * 256
    assert 2 * weights <= total <= 2.05 * weights


def test_the_count_is_that_of_a_hand_count():
    """2-8-8-1, value only: 2·8 + 8·8 + 8·1, and 16 activations."""
    program, _, total = chosen([2, 8, 8, 1], 0)
    assert (total.multiply_adds, total.activations) == (2 * 8 + 8 * 8 + 8, 16)
    assert entries(program) >= 2 + 4 * 8 + 1


def test_elementwise_products_are_counted_one_by_one():
    """2-3-1 and its gradient forward: z1, σ′ ⊙ t along both inputs, and the output's row on all."""
    program = candidates(Network.dense([2, 3, 1], seed=0), 1)["tangent"]
    assert cost(program, "tangent").multiply_adds == 2 * 3 + 3 * 2 + 3 + 3 * 2


@pytest.mark.parametrize("scheme", ["tangent", "adjoint"])
@pytest.mark.parametrize("widths", [[2, 5, 4, 1], [3, 4, 6, 2], [1, 3, 1]])
def test_the_count_is_what_interpreting_the_statements_multiplies(scheme, widths):
    """Products of matrices, counted a second way: by the shapes of each matvec's operands."""
    network = Network.dense(widths, seed=0)
    program = candidates(network, 2)[scheme]
    matrices = program_products(program, network)
    everything = cost(program, scheme).multiply_adds
    elementwise = everything - matrices
    assert 0 <= elementwise <= 12 * sum(widths) * network.n**2 * network.m


def program_products(program, network):
    """Multiply–adds of the full products of matrices alone, unit directions not counted."""
    total = 0
    shapes = {f"W{k}": layer.weights.shape for k, layer in enumerate(network.layers, 1)}
    for statement in program.statements:
        for node in statement.expression.atoms(Function):
            if not isinstance(node, matvec):
                continue
            matrix, vector = node.args
            rows, columns = shapes[str(matrix.args[0] if matrix.args else matrix)]
            along = {d for s in vector.free_symbols for d in getattr(s, "along", ())}
            copies = {0: 1, 1: network.n, 2: network.n * (network.n + 1) // 2}
            outputs = network.m if "p" in along else 1
            total += rows * columns * copies[len(along - {"p"})] * outputs
    return total


def test_only_what_is_needed_is_computed():
    """A Hessian alone leaves out the output's value, bias and gradient."""
    program, *_ = chosen([2, 8, 8, 1], 2, orders=[2])
    targets = {str(s.target) for s in program.statements}
    assert "y" not in targets
    assert "y_i" not in targets
    assert "a2" not in targets
    assert {"z2", "z2_i", "λ1_p", "y_ij"} <= targets


def test_needed_keeps_the_order_of_evaluation():
    """Every quantity stands before its use."""
    network = Network.dense([2, 4, 4, 2], seed=0)
    program = needed(candidates(network, 2)["adjoint"], [2])
    seen = set()
    for statement in program.statements:
        for s in statement.expression.free_symbols:
            if s.letter in "azλ":
                assert (s.letter, s.layer, s.order) in seen
        target = statement.target
        seen.add((target.letter, target.layer, target.order))


def test_a_vanishing_derivative_needs_nothing():
    """relu: the Hessian is zero, and its Program empty."""
    program, _, total = chosen([2, 8, 1], 2, orders=[2], hidden="relu")
    assert program.statements == ()
    assert program.outputs == (0,)
    assert total.multiply_adds == 0
