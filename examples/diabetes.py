"""A network trained on real measurements, as a formula in the units they were taken in.

442 patients with diabetes: body mass index (kg/m²), mean arterial pressure (mmHg), and a measure of
how far the disease had progressed a year later (25 to 346). The network learns on standardised
numbers, as networks do; the scaling is then folded into its first and last layer, so that the file
it writes, and every formula and derivative made from it, takes kg/m² and mmHg.

Run it:  pip install '.[examples]'  and  python examples/diabetes.py   (writes diabetes.json)

Data: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least angle regression, Ann. Statist. 32
(2004), as bundled with scikit-learn.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor

import symnet

INPUTS = ("bmi", "bp")
PATH = Path(__file__).with_name("diabetes.json")


def main() -> None:
    X, y = measurements()
    held_out = np.random.default_rng(0).permutation(len(X)) < len(X) // 5
    center, scale, mean, spread = X.mean(axis=0), X.std(axis=0), y.mean(), y.std()
    U, v = (X - center) / scale, (y - mean) / spread

    model = MLPRegressor(
        hidden_layer_sizes=(3,),
        activation="tanh",
        solver="lbfgs",
        alpha=0.3,
        max_iter=5000,
        random_state=1,
    )
    model.fit(U[~held_out], v[~held_out])
    straight = LinearRegression().fit(U[~held_out], v[~held_out])
    print(f"{(~held_out).sum()} patients trained with, {held_out.sum()} held out")
    print(f"variance explained of those held out: {model.score(U[held_out], v[held_out]):.1%}")
    print(f"(by a straight line: {straight.score(U[held_out], v[held_out]):.1%})\n")

    network = folded(model, center, scale, mean, spread)
    check_folding(network, model, X, center, scale, mean, spread)
    symnet.save(network, PATH)
    assert symnet.load(PATH) == network

    derivation = symnet.derive(network, order=2)
    print(derivation.text("expanded", format="unicode", digits=4))
    explain(network, derivation, X)


def measurements() -> tuple[np.ndarray, np.ndarray]:
    """Raw values: X (442, 2) in kg/m² and mmHg, y (442,)."""
    data = load_diabetes(scaled=False)
    columns = [data.feature_names.index(name) for name in INPUTS]
    return data.data[:, columns], data.target


def folded(
    model: MLPRegressor, center: np.ndarray, scale: np.ndarray, mean: float, spread: float
) -> symnet.Network:
    """y = mean + spread·f((x - center)/scale) as one network of x.

    W1 (x - center)/scale + b1 = (W1/scale) x + (b1 - W1 center/scale), and likewise at the end.
    Computed in fractions: each weight is the exact one, rounded once.
    """
    W1, W2 = (exact(W.T) for W in model.coefs_)
    b1, b2 = (exact(b) for b in model.intercepts_)
    center, scale, mean, spread = map(exact, (center, scale, mean, spread))
    layers = [
        symnet.Layer(rounded(W1 / scale), rounded(b1 - W1 @ (center / scale)), "tanh"),
        symnet.Layer(rounded(W2 * spread), rounded(b2 * spread + mean), "linear"),
    ]
    return symnet.Network(layers, INPUTS, ("progression",), "diabetes")


def exact(values: np.ndarray | float) -> np.ndarray:
    """An array of fractions, equal to the floats."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(values))


def rounded(values: np.ndarray) -> np.ndarray:
    return values.astype(float)


def check_folding(
    network: symnet.Network,
    model: MLPRegressor,
    X: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    mean: float,
    spread: float,
) -> None:
    """In raw units the network gives what scaler, model and scaler give, slopes included."""
    predicted = mean + spread * model.predict((X - center) / scale)
    value, gradient = symnet.derive(network, order=1).compile()(X)
    np.testing.assert_allclose(value[:, 0], predicted, rtol=1e-12)

    inside = np.tanh((X - center) / scale @ model.coefs_[0] + model.intercepts_[0])
    slopes = ((1 - inside**2) * model.coefs_[1][:, 0]) @ model.coefs_[0].T
    np.testing.assert_allclose(gradient[:, 0], spread * slopes / scale, rtol=1e-10, atol=1e-12)


def explain(network: symnet.Network, derivation: symnet.Derivation, X: np.ndarray) -> None:
    """What the derivatives say about three patients."""
    f = derivation.compile()
    patients = np.array([X.mean(axis=0).round(1), (22, 80), (35, 110)])
    y, J, H = f(patients)
    print("  bmi    bp   progression   per kg/m²   per mmHg   of one per the other")
    for (bmi, bp), value, (per_bmi, per_bp), both in zip(
        patients, y[:, 0], J[:, 0], H[:, 0, 0, 1], strict=True
    ):
        print(f"{bmi:5.1f} {bp:5.1f} {value:13.1f} {per_bmi:11.2f} {per_bp:10.2f} {both:+14.3f}")
    print(
        "\nFor the average patient one more kg/m² goes with "
        f"{J[0, 0, 0]:.1f} more progression, one more mmHg with {J[0, 0, 1]:.1f}."
    )
    report = symnet.check(network, f)
    assert report.ok
    print(f"\n{report}")


if __name__ == "__main__":
    main()
