"""The loss of a network on mixed data, with exact derivatives in the weights.

    r_c = √(w_c/Σw) (prediction_c − measurement_c)/d_kind        loss = Σ_c r_c²

over all measurements c: values, first and second partials. d_kind is the standard deviation of
the kind's measurements, which makes kinds in different units comparable, and w_c the weight of
the row times that of its kind. The square root of the loss is a relative error: 0.01 is 1 % of
the spread of the data.

The derivatives are symnet's closed forms with the weights as run-time arguments; they are derived
and written as NumPy code once. Rows of one derivative order are evaluated together, each along its
own directions; an order that no row measures is not computed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symnet.backends.numpy import special
from symnet.backends.numpy.runtime import log_softmax, softmax
from symnet.fitting.data import Kind, MixedData, checked
from symnet.fitting.packing import Packing, Scaling
from symnet.fitting.rowcode import source
from symnet.fitting.rows import Rows, gathered
from symnet.network import Network

Array: TypeAlias = NDArray[np.float64]

_SOFT = {"softmax": softmax, "log_softmax": log_softmax}
_WORKING_SET = 2**18  # bytes of one layer's array for a block of particles: measured, half of L2


@dataclass(frozen=True, eq=False)
class Objective:
    """The loss of networks of one shape on one table of data. Made by `objective`.

    Parameters are vectors p (P,), or P (particles, P) where a whole swarm is evaluated; they
    belong to a network in standard units, and `network(p)`, `pack(network)` convert. Any
    optimiser will do:

        scipy.optimize.minimize(o.loss_and_gradient, o.start(seed=0), jac=True)
        scipy.optimize.least_squares(o.residuals, o.start(seed=0), o.residual_jacobian)

    `kinds` says which residuals belong to which kind of measurement, `importance` (R,) is their
    √(w/Σw), `code` the NumPy text that runs. Where a derivative overflows, residuals are inf or
    NaN and `loss` is inf. It pickles.
    """

    packing: Packing
    scaling: Scaling
    data: MixedData
    rows: tuple[Rows, ...]
    kinds: Mapping[Kind, slice]
    importance: Array
    code: str = field(repr=False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the P parameters in order: `W1[0,0]`, …, `b1[0]`, …."""
        return self.packing.names

    @property
    def size(self) -> int:
        """The number of residuals."""
        return self.rows[-1].part.stop

    def start(self, seed: int | Sequence[int] = 0, count: int | None = None) -> Array:
        """Random parameters (P,), or (count, P): uniform within the bounds of Glorot and Bengio."""
        shape = (self.packing.size,) if count is None else (count, self.packing.size)
        return np.random.default_rng(seed).uniform(-1, 1, shape) * self.packing.spread

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper bounds (P,) for optimisers that need a box: 4 times those of `start`."""
        return -4 * self.packing.spread, 4 * self.packing.spread

    def network(self, p: ArrayLike) -> Network:
        """The network with the parameters p (P,), in the data's units."""
        numbers = self.packing.unpack(self._checked(p, 1))
        return self.packing.build(self.scaling.to_raw(numbers))

    def pack(self, network: Network) -> Array:
        """The parameters (P,) of a network in the data's units: the inverse of `network`."""
        if Packing(network).shapes != self.packing.shapes:
            expected = self.packing.network.describe()
            raise ValueError(f"the network is {network.describe()}; the objective's is {expected}")
        return self.packing.pack(self.scaling.to_standard(network.numeric().parameters))

    def residuals(self, p: ArrayLike) -> Array:
        """r (R,) at p (P,); (…, R) at P (…, P)."""
        P = self._checked(p)
        result = np.empty((*P.shape[:-1], self.size))
        arguments = self.packing.arguments(P)
        with np.errstate(all="ignore"):
            for rows in self.rows:
                y = rows.run(self._apart, "value", *arguments)
                result[..., rows.part] = rows.residuals(y)
        return result

    def loss(self, P: ArrayLike) -> Any:
        """Σ r²: a float at p (P,), (particles,) at P (particles, P)."""
        P = self._checked(P)
        if P.ndim == 1:
            return float(self._losses(P[None])[0])
        swarm = P.reshape(-1, P.shape[-1])
        blocks = np.array_split(swarm, max(1, -(-len(swarm) // self._block)))
        results = self._pool.map(self._losses, blocks) if blocks[1:] else map(self._losses, blocks)
        return np.concatenate([*results]).reshape(P.shape[:-1])

    def residual_jacobian(self, p: ArrayLike) -> Array:
        """∂r/∂p at p (P,): (R, P)."""
        return self.linearised(p)[1]

    def linearised(self, p: ArrayLike) -> tuple[Array, Array]:
        """Residuals (R,) and their Jacobian (R, P), in one pass."""
        arguments = self.packing.arguments(self._checked(p, 1))
        residuals = np.empty(self.size)
        columns = np.zeros((self.packing.size, self.size))
        with np.errstate(all="ignore"):
            for rows in self.rows:
                y, adjoints = rows.run(self._apart, "adjoint", *arguments, rows.residuals_slope)
                residuals[rows.part] = rows.residuals(y)
                for part, products in zip(self.packing.slices, adjoints, strict=True):
                    _fill(columns[part, rows.part], products)
        return residuals, columns.T

    def gradient(self, p: ArrayLike) -> Array:
        """∂loss/∂p at p (P,): (P,)."""
        return self.loss_and_gradient(p)[1]

    def loss_and_gradient(self, p: ArrayLike) -> tuple[float, Array]:
        """The loss and its gradient (P,) in one pass, in memory that does not grow as R·P."""
        arguments = self.packing.arguments(self._checked(p, 1))
        loss, gradient = 0.0, np.zeros(self.packing.size)
        with np.errstate(all="ignore"):
            for rows in self.rows:
                y, sums = rows.run(self._summed, "adjoint", *arguments, rows.loss_slope)
                loss += float(np.sum(rows.residuals(y) ** 2))
                for part, total in zip(self.packing.slices, sums, strict=True):
                    gradient[part] += np.ravel(total)
        return (loss if np.isfinite(loss) else np.inf), gradient

    def relative_errors(self, residuals: Array) -> dict[Kind, float]:
        """For each kind the (weighted) root-mean-square error over the spread of its measurements.

        `residuals` (R,) as the method of that name gives them.
        """
        return {
            kind: float(np.linalg.norm(residuals[part]) / np.linalg.norm(self.importance[part]))
            for kind, part in self.kinds.items()
        }

    def __getstate__(self) -> dict[str, Any]:
        # Kernels and threads don't pickle; they are made anew from `code` where they are needed.
        return {name: content for name, content in vars(self).items() if name[0] != "_"}

    def _losses(self, P: Array) -> Array:
        residuals = self.residuals(P)
        losses = np.einsum("pr,pr->p", residuals, residuals)
        return np.where(np.isfinite(losses), losses, np.inf)

    @cached_property
    def _apart(self) -> dict[str, Any]:
        """Kernels that give the parameters' adjoints as products t̄ v, still to be multiplied."""
        return _executed(self.code, lambda t, v: [(t, v)], lambda t: [(t, 1.0)])

    @cached_property
    def _summed(self) -> dict[str, Any]:
        """Kernels that sum the parameters' adjoints over the rows: (out, in)."""
        return _executed(self.code, lambda t, v: t @ v.T, lambda t: t.sum(axis=-1))

    @cached_property
    def _block(self) -> int:
        """Particles evaluated at once, such that a layer's array fits the cache."""
        rows = max(len(rows.target) for rows in self.rows)
        return max(1, _WORKING_SET // (8 * rows * max(self.packing.network.widths)))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count())

    def _checked(self, p: ArrayLike, ndim: int | None = None) -> Array:
        P = np.asarray(p, dtype=np.float64)
        if P.ndim == 0 or P.shape[-1] != self.packing.size or ndim not in (None, P.ndim):
            raise ValueError(f"parameters have shape {P.shape}, expected ({self.packing.size},)")
        return P


def objective(
    network: Network,
    data: MixedData,
    weights: Mapping[str, float] | None = None,
    standardise: bool = True,
) -> Objective:
    """The loss on `data` of networks of `network`'s shape and activations.

    Of `network` only shapes, biases, activations and names count; its weights may be symbols.
    `weights` says how much a kind counts beside the others, as in {"dy/dx1": 2}, 1 by default.
    With `standardise=False` parameters are the network's own, in the data's units.

    Raises ValueError where the network's inputs and outputs are not called as the data's, for
    weights of unknown kinds or not above 0, and for an input that is constant.
    """
    _check_names(network, checked(data))
    importance = _importance(data, dict(weights or {}))
    scaling = Scaling.of(data, network) if standardise else Scaling.none(network)
    rows, kinds = gathered(data, scaling, importance)
    shares = np.concatenate([importance[kind] for kind in data.kinds])
    code = source(network, [group.order for group in rows])
    return Objective(Packing(network), scaling, data, rows, kinds, shares, code)


def _check_names(network: Network, data: MixedData) -> None:
    for role, own, given in (
        ("inputs", network.input_names, data.inputs),
        ("outputs", network.output_names, data.outputs),
    ):
        if own != tuple(given):
            raise ValueError(
                f"the network has the {role} {', '.join(own)}, the data {', '.join(given)}; "
                f"give the network the data's names"
            )


def _importance(data: MixedData, weights: dict[str, float]) -> dict[Kind, Array]:
    """√(w/Σw) of each measurement."""
    known = {str(kind): kind for kind in data.kinds}
    for name, weight in weights.items():
        if name not in known:
            raise ValueError(
                f"weights: {name!r} is no kind of the data, which has {', '.join(known)}"
            )
        if not 0 < weight < np.inf:
            raise ValueError(f"weights: {name} counts {weight}, expected a number above 0")
    found = {
        kind: data.weights[data.of(kind)[0]] * weights.get(str(kind), 1.0) for kind in data.kinds
    }
    total = sum(float(w.sum()) for w in found.values())
    return {kind: np.sqrt(w / total) for kind, w in found.items()}


def _executed(
    code: str, outer: Callable[[Array, Array], Any], column: Callable[[Array], Any]
) -> dict[str, Any]:
    names = {"np": np, **special.FUNCTIONS, **_SOFT, "outer": outer, "column": column}
    # The text is this package's own: every name in it was validated as a plain identifier.
    exec(compile(code, "<symnet row kernels>", "exec"), names)
    return names


def _fill(columns: Array, products: Any) -> None:
    """Σ t̄ vᵀ, row by row of the data, into the columns (out·in, rows) of one parameter."""
    if not products:  # 0: a bias that a derivative does not depend on
        return
    neurons = columns.reshape(len(products[0][0]), -1, columns.shape[-1])
    # A neuron at a time: temporaries of the whole block cost more in page faults than in products.
    for r, block in enumerate(neurons):
        for t, v in products:
            block += t[r] * v
