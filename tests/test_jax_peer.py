"""Every network of the zoo as JAX has it: the witness and both backends, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import sympy

import zoo
from symnet.activations import Z
from symnet.backends.numpy.kernel import NumpyKernels
from symnet.calculus.program import Program
from symnet.calculus.schemes import Choice, candidates, cost
from symnet.network import Network
from symnet.witness import analytic
from test_ccode import evaluated

ORDERS = (0, 1, 2)
TOLERANCE = 1e-12  # of the terms


def in_jax(net: Network) -> Any:
    """The value as a function of jax.numpy, written once more from the nodes."""
    import jax
    from jax import numpy as jnp

    modules = [{"erf": jax.scipy.special.erf}, "jax"]
    rules = {
        "form": lambda node, z: z,
        "softmax": lambda node, z: jax.nn.softmax(z),
        "log_softmax": lambda node, z: jax.nn.log_softmax(z),
        "activation": lambda node, z: sympy.lambdify(Z, node.activation.value, modules)(z),
    }

    def value(x: Any) -> Any:
        vectors = [x]
        for node in net.nodes:
            parts = [vectors[t.source] for t in node.terms]
            parts = [
                v if t.weights is None else jnp.asarray(t.weights) @ v
                for t, v in zip(node.terms, parts, strict=True)
            ]
            z = sum(parts[1:], parts[0]) + (0 if node.bias is None else jnp.asarray(node.bias))
            if node.kind == "product":
                vectors.append(z * vectors[node.factor])
            else:
                vectors.append(rules[node.kind](node, z))
        return vectors[-1]

    return value


def derivatives_in_jax(net: Network, X: np.ndarray) -> list[np.ndarray]:
    """Value, Jacobian and Hessian at the points."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        value = in_jax(net.numeric())
        functions = (value, jax.jacfwd(value), jax.jacfwd(jax.jacfwd(value)))
        all_of_them = jax.vmap(lambda x: [function(x) for function in functions])
        quick = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
        return list(map(np.asarray, jax.jit(all_of_them, compiler_options=quick)(X)))


def programs_of(net: Network) -> dict[str, tuple[Program, tuple[int, ...]]]:
    """Forward and backward; where all second derivatives vanish, backward to the first."""
    found = {s: (p, ORDERS) for s, p in candidates(net, 2).items()}
    if found["tangent"][0].outputs[2] == 0:
        found["adjoint"] = candidates(net, 1)["adjoint"], (0, 1)
    return found


def engines(net: Network, X: np.ndarray) -> Iterator[tuple[str, Sequence[np.ndarray]]]:
    """The witness, then what each backend makes of each scheme; all of C is one library."""
    yield "witness", [engine(net, X) for engine in analytic.BY_ORDER]
    programs = programs_of(net)
    choices = {name: Choice(p, orders, cost(p, "")) for name, (p, orders) in programs.items()}
    numpy = NumpyKernels.of(net, choices)
    for name, (_, orders) in programs.items():
        yield f"numpy, {name}", numpy.function(name, orders, 1)(X)
    functions = {f"all_{name}": choice for name, choice in programs.items()}
    for name, found in evaluated(net, functions, X).items():
        yield f"c, {name}", found


@pytest.mark.parametrize("name", [*zoo.GRAPHS, *zoo.LARGE, *zoo.CHAINS])
def test_every_entry_is_that_of_jax(name: str) -> None:
    """Value, Jacobian and Hessian to 1e-12 of the terms, by all five."""
    net = zoo.network(name)
    X = zoo.points(net)
    expected = derivatives_in_jax(net, X)
    sizes = [analytic.scale(net, X, order) + 1e-300 for order in ORDERS]
    seen = set()
    for engine, results in engines(net, X):
        seen.add(engine)
        for order, (found, exact, size) in enumerate(zip(results, expected, sizes, strict=False)):
            assert found.shape == exact.shape
            error = np.max(np.abs(found - exact) / size)
            assert error < TOLERANCE, f"{engine}, order {order}"
    assert len(seen) == 5
