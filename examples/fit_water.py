"""Learn the pressure of water from 200 pressures and 400 slopes, no two of them at one point.

    python examples/fit_water.py [PICTURE.png]

`data/water_mixed.csv` gives, at 600 states of supercritical water, either the pressure p (MPa), or
∂p/∂ρ, or ∂p/∂T, for a density ρ (kg/m³) and a temperature T (K): IAPWS-95, computed with CoolProp.
`data/water_truth.csv` has all three at 300 other states, which the network never sees.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from symnet.fitting import Fit, fit, predictions, read
from symnet.fitting.data import Kind, MixedData

DATA = Path(__file__).parent / "data"
LABELS = {"p": "p  [MPa]", "dp/drho": "∂p/∂ρ  [MPa·m³/kg]", "dp/dT": "∂p/∂T  [MPa/K]"}
INK, BLUE, RED = "#333333", "#1f77b4", "#d62728"


def main(picture: Path) -> None:
    """Train, compare with the truth, draw."""
    data, truth = read(DATA / "water_mixed.csv"), read(DATA / "water_truth.csv")
    print(data.describe())
    result = fit(data, hidden=(16, 16), activation="tanh", seed=0)
    print(result)
    print("\nat 300 states never seen, root-mean-square error of the spread:")
    for kind in truth.kinds:
        print(f"  {kind!s:8} {100 * unseen_error(result, truth, kind):.4f} %")
    draw(result, data, truth).savefig(picture, dpi=120)
    print(f"\n{picture}")


def unseen_error(result: Fit, truth: MixedData, kind: Kind) -> float:
    """Root-mean-square error over the standard deviation, for one kind."""
    rows, values = truth.of(kind)
    errors = predictions(result.network, truth.points[rows], kind) - values
    return float(np.sqrt(np.mean(errors**2)) / values.std())


def draw(result: Fit, data: MixedData, truth: MixedData) -> plt.Figure:
    """A column for each kind: predicted against true above, the learned surface below."""
    figure, axes = plt.subplots(2, 3, figsize=(13.5, 8.6), layout="constrained")
    for kind, above, below in zip(truth.kinds, *axes, strict=True):
        parity(above, result, truth, kind)
        surface(figure, below, result, data, kind)
    figure.suptitle(
        "Pressure of supercritical water, learned from 200 pressures and 400 slopes "
        f"({result.network.describe()})",
        fontsize=13,
    )
    return figure


def parity(axes: plt.Axes, result: Fit, truth: MixedData, kind: Kind) -> None:
    """Predicted against true at the states never seen."""
    rows, values = truth.of(kind)
    predicted = predictions(result.network, truth.points[rows], kind)
    ends = [values.min(), values.max()]
    axes.plot(ends, ends, color=INK, linewidth=0.8, zorder=1)
    axes.scatter(values, predicted, s=14, color=BLUE, edgecolor="white", linewidth=0.4, zorder=2)
    axes.set(xlabel=f"true {LABELS[str(kind)]}", ylabel="predicted")
    error = 100 * unseen_error(result, truth, kind)
    axes.text(
        0.04,
        0.95,
        f"300 states never seen\nrms error {error:.3f} % of the spread",
        transform=axes.transAxes,
        verticalalignment="top",
        color=INK,
    )
    axes.spines[["top", "right"]].set_visible(False)


def surface(figure: plt.Figure, axes: plt.Axes, result: Fit, data: MixedData, kind: Kind) -> None:
    """What was learned over density and temperature, and where this kind was measured."""
    low, high = data.points.min(axis=0), data.points.max(axis=0)
    rho, T = np.meshgrid(np.linspace(low[0], high[0], 120), np.linspace(low[1], high[1], 120))
    values = predictions(result.network, np.column_stack([rho.ravel(), T.ravel()]), kind)
    filled = axes.contourf(rho, T, values.reshape(rho.shape), levels=18, cmap="viridis")
    axes.contour(filled, colors="white", linewidths=0.3)
    rows, _ = data.of(kind)
    axes.scatter(
        *data.points[rows].T,
        s=9,
        color=RED,
        edgecolor="white",
        linewidth=0.4,
    )
    axes.set(xlabel="ρ  [kg/m³]", ylabel="T  [K]")
    axes.set_title(f"learned, and its {len(rows)} measurements (dots)", fontsize=10, color=INK)
    figure.colorbar(filled, ax=axes, label=LABELS[str(kind)])


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "symnet_water.png"
    main(Path(sys.argv[1]) if sys.argv[1:] else default)
