"""The question that started symnet, case by case: its class in a few lines, and what went wrong.

Someone had a network with two inputs and hidden layers of sigmoids, and wanted a method that
returns [∂y/∂x1, ∂y/∂x2]. Every attempt was tried on weights, biases and inputs that are all 1. Here
is the class that was wanted, the three networks that were discussed, and the three attempts, whose
numbers are worth a look: each is wrong in its own way.

Run it:  python examples/question.py
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import symnet


class NeuralNetwork:
    """The class that was wanted: values, and derivatives of any order, at one point or many."""

    def __init__(self, network: symnet.Network) -> None:
        self.functions = symnet.derive(network, order=2).compile()

    def compute(self, point: np.ndarray) -> np.ndarray:
        """y: (…, 2) to (…, 1)."""
        return self.functions.value(point)

    def compute_derivative(self, order: int, point: np.ndarray) -> np.ndarray:
        """[∂y/∂x1, ∂y/∂x2] for order 1, the matrix of second partials for order 2."""
        return self.functions.derivative(order, point).squeeze(axis=-1 - order)


ONES = np.array([1.0, 1.0])

CASES = {  # network; y, each first partial, each second partial in 40-digit arithmetic
    "one hidden layer": (
        symnet.Network.dense([2, 2, 1], fill=1, output_bias=False),
        (1.905148253644866, 0.09035331946182427, -0.08178314932188696),
    ),
    "two hidden layers": (
        symnet.Network.dense([2, 2, 2, 1], fill=1, output_bias=False),
        (1.896200694978303, 0.008891865074823118, -0.008768472319421628),
    ),
    "sigmoid everywhere": (
        symnet.Network.dense([2, 2, 2, 1], output="sigmoid", fill=1),
        (0.9476583038317510, 0.0004410546738847584, -0.0004384453925881286),
    ),
}


def main() -> None:
    print("The three networks at (1, 1)\n")
    for title, (network, expected) in CASES.items():
        nn = NeuralNetwork(network)
        y = nn.compute(ONES)
        gradient, hessian = (nn.compute_derivative(order, ONES) for order in (1, 2))
        for result, number in zip((y, gradient, hessian), expected, strict=True):
            np.testing.assert_allclose(result, number, rtol=1e-14)
        assert (y.shape, gradient.shape, hessian.shape) == ((1,), (2,), (2, 2))
        print(f"  {title + ':':20}{network.describe()}")
        print(f"    y = {y[0]:.16g}   ∂y/∂x = {gradient}   ∂²y/∂x1² = {hessian[0, 0]:.7g}")

    many = np.random.default_rng(0).standard_normal((100_000, 2))
    print(f"\n  second partials at 100,000 points at once: {nn.compute_derivative(2, many).shape}")

    print("\nWhere the attempts went wrong: ∂y/∂x1 at (1, 1)\n")
    two, everywhere = CASES["two hidden layers"], CASES["sigmoid everywhere"]
    show("each layer overwrites the product of those before it", two, first_attempt())
    show("derivatives summed before they are multiplied", two, second_attempt(hidden=2))
    show("  the same with one hidden layer", CASES["one hidden layer"], second_attempt(hidden=1))
    show("pre-activations fed to the next layer", everywhere, third_attempt())
    without_ones()


def show(mistake: str, case: tuple, wrong: float) -> None:
    right = case[1][1]
    assert abs(wrong / right - 1) > 0.1
    print(f"  {mistake + ':':54}{wrong:<22.15g} right: {right:.15g}")


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def slope(z: np.ndarray) -> np.ndarray:
    return np.exp(-z) / (1 + np.exp(-z)) ** 2


W, V = np.ones((2, 2)), np.ones((2, 1))  # as in the question: (inputs, neurons)


def first_attempt() -> float:
    """`self.output_derivatives = dl.T.dot(dprev)` in a loop: only the last two layers remain."""
    z1 = ONES @ W + 1
    z2 = sigmoid(z1) @ W + 1
    layers = [slope(z1) * W, slope(z2) * W, V]
    for before, here in pairwise(layers):
        result = here.T @ before
    return float(result[0, 0])


def second_attempt(hidden: int) -> float:
    """Each layer's matrix of derivatives is summed to one number, and the sums are multiplied.

    A product of sums is no sum of products: every path from an input to the output is mixed with
    every other. (Its "second derivative" multiplies σ″ in the same way, which the chain rule
    never does, and the question's `linear` returns x for order 2, where it should return 0.)
    """
    a, matrices = ONES, []
    for _ in range(hidden):
        z = a @ W + 1
        matrices.append(slope(z) * W)
        a = sigmoid(z)
    result = V.sum()
    for matrix in matrices[:0:-1]:
        result *= matrix.sum()
    return float(result * matrices[0].sum(axis=1)[0])


def third_attempt() -> float:
    """The next layer's Jacobian is taken at z1 = 3 instead of at a1 = σ(3), and so on."""

    def jacobian(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return slope(x @ w + 1) * w

    last = jacobian(np.array([2.90514825, 2.90514825]), V)
    return float((last.T @ jacobian(np.array([3.0, 3.0]), W) @ jacobian(ONES, W))[0, 0])


def without_ones() -> None:
    """All weights 1 hides every transposed matrix and swapped index: random ones don't."""
    random = np.random.default_rng(0)
    w1, w2, w3 = (random.uniform(-1, 1, shape) for shape in ((2, 2), (2, 2), (2, 1)))
    b1, b2 = random.uniform(-1, 1, (2, 2))
    network = symnet.Network(
        [symnet.Layer(w1.T, b1, "sigmoid"), symnet.Layer(w2.T, b2, "sigmoid"), symnet.Layer(w3.T)]
    )
    gradient = NeuralNetwork(network).compute_derivative(1, ONES)
    z1 = ONES @ w1 + b1
    z2 = sigmoid(z1) @ w2 + b2
    by_hand = w1 @ (slope(z1) * (w2 @ (slope(z2) * w3[:, 0])))
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-13)
    print(f"\nWith random weights, where transposition shows: ∂y/∂x = {gradient}")
    print(f"  by hand, W1 (σ′(z1) ⊙ (W2 (σ′(z2) ⊙ w3))):    {by_hand}")
    print("\nThe formula of it, layer by layer:\n")
    print(symnet.derive(network, order=1).text("layer", format="unicode"))


if __name__ == "__main__":
    main()
