"""A network whose weights are letters, and the textbook formula of its derivatives.

Symbols stay symbols through every derivative, so SymPy can go on from there: put in numbers, find
where a slope vanishes, differentiate with respect to a weight.

Run it:  python examples/symbolic.py
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy
from sympy import Symbol, exp, symbols

import symnet


def main() -> None:
    w11, w12, w21, w22, c1, c2, v1, v2 = symbols("w11 w12 w21 w22 c1 c2 v1 v2")
    network = symnet.Network(
        [
            symnet.Layer([[w11, w12], [w21, w22]], [c1, c2], "sigmoid"),
            symnet.Layer([[v1, v2]], None, "linear"),
        ]
    )
    derivation = symnet.derive(network, order=2)

    print("In the inputs and weights alone, as text:\n")
    print(symnet.derive(network, order=1).text("expanded", format="unicode"))
    print("Layer by layer, as LaTeX:\n")
    print(derivation.latex("layer"))

    # Σ v_k σ′(z_k) w_k1, as a textbook has it
    x1, x2 = network.inputs
    z1, z2 = w11 * x1 + w12 * x2 + c1, w21 * x1 + w22 * x2 + c2
    slope = exp(-z1) / (1 + exp(-z1)) ** 2 * v1 * w11 + exp(-z2) / (1 + exp(-z2)) ** 2 * v2 * w21
    assert sympy.simplify(derivation.partial("x1") - slope) == 0

    # The question's numbers: every weight 1, at (1, 1)
    ones = network.subs(dict.fromkeys(network.symbols, 1))
    assert ones == symnet.Network.example()
    exact = symnet.derive(ones).partial("x1").subs({x1: 1, x2: 1})
    print(f"With every weight 1, at (1, 1): ∂y/∂x1 = {exact} = {sympy.N(exact, 30)}")
    assert abs(exact - sympy.Float("0.09035331946182427", 20)) < 1e-17

    # Fractions stay fractions, in double precision only when compiled
    thirds = network.subs({s: Fraction(1, 3) for s in network.symbols})
    print(f"With every weight 1/3:          y = {symnet.derive(thirds).partial()}")
    y, J, _ = symnet.derive(thirds).compile()(np.ones(2))
    assert abs(y[0] - 2 / 3 / (1 + np.exp(-1))) < 1e-15
    assert abs(J[0, 0] - float(symnet.derive(thirds).partial("x1").subs({x1: 1, x2: 1}))) < 1e-15

    # How the slope answers to a weight: SymPy differentiates on
    response = derivation.partial("x1").diff(Symbol("v1"))
    print(f"∂/∂v1 of ∂y/∂x1 = {response}")
    assert sympy.simplify(response - w11 * exp(-z1) / (1 + exp(-z1)) ** 2) == 0


if __name__ == "__main__":
    main()
