"""What symnet is measured against: each peer makes a function X (N, n) → (y, J, H) of a network.

A peer that is not installed, or that cannot do a network of some size, is left out by name and
with its reason, never silently.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import symnet

Function = Callable[[np.ndarray], tuple[np.ndarray, ...]]
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class TooLarge(Exception):
    """This peer cannot do this network in a sensible time; the text says what happens."""


def symnet_numpy(network: symnet.Network) -> Function:
    """symnet's default backend."""
    return symnet.derive(network).compile()


def symnet_c(network: symnet.Network) -> Function:
    """symnet's C kernel."""
    return symnet.derive(network).compile("c")


def published_loop(network: symnet.Network) -> Function:
    """The published answer: a Python loop over points, value and Jacobian, no Hessian."""
    layers = [
        (W, np.zeros(len(W)) if b is None else b, layer.activation.name == "sigmoid")
        for (W, b), layer in zip(network.numbers(), network.layers, strict=True)
    ]

    def value_and_derivative(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        jacobian = None
        for W, b, sigmoid in layers:
            x = np.add(np.dot(W, x), b)
            factor = W
            if sigmoid:
                e = np.exp(-x)
                x = 1 / (1.0 + e)
                factor = np.dot(np.diag(e / (1 + e) ** 2), W)
            jacobian = factor if jacobian is None else np.dot(factor, jacobian)
        return x, jacobian

    def function(X: np.ndarray) -> tuple[np.ndarray, ...]:
        pairs = [value_and_derivative(x) for x in X]
        return np.array([y for y, _ in pairs]), np.array([J for _, J in pairs])

    return function


def jax_forward_over_reverse(network: symnet.Network) -> Function:
    """JAX: jit of vmap, Hessian as jacfwd of jacrev."""
    import jax

    return _jax(network, jax.jacrev)


def jax_forward_over_forward(network: symnet.Network) -> Function:
    """JAX: jit of vmap, Hessian as jacfwd of jacfwd."""
    import jax

    return _jax(network, jax.jacfwd)


def _jax(network: symnet.Network, inner: Callable) -> Function:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    sigma = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "linear": lambda z: z}
    sigma |= {"softplus": jax.nn.softplus, "gelu": lambda z: jax.nn.gelu(z, approximate=False)}
    layers = [
        (jnp.asarray(W), 0.0 if b is None else jnp.asarray(b), sigma[layer.activation.name])
        for (W, b), layer in zip(network.numbers(), network.layers, strict=True)
    ]

    def value(x):
        for W, b, s in layers:
            x = s(W @ x + b)
        return x

    def together(x):
        return value(x), inner(value)(x), jax.jacfwd(inner(value))(x)

    compiled = jax.jit(jax.vmap(together))

    def function(X: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            return tuple(r.block_until_ready() for r in compiled(X))
        except jax.errors.JaxRuntimeError as error:  # it allocates arrays of all points at once
            raise TooLarge(f"{len(X):,} points: {str(error).splitlines()[0]}") from error

    return function


def pytorch(network: symnet.Network) -> Function:
    """PyTorch: torch.func, vmap of jacrev and of jacfwd over jacrev."""
    import torch

    torch.set_num_threads(THREADS)
    sigma = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "linear": lambda z: z}
    sigma |= {"softplus": torch.nn.functional.softplus, "gelu": torch.nn.functional.gelu}
    layers = [
        (torch.tensor(W), torch.tensor(np.zeros(len(W)) if b is None else b), layer.activation.name)
        for (W, b), layer in zip(network.numbers(), network.layers, strict=True)
    ]

    def value(x):
        for W, b, name in layers:
            x = sigma[name](W @ x + b)
        return x

    jacobian = torch.func.jacrev(value)
    together = torch.func.vmap(lambda x: (value(x), jacobian(x), torch.func.jacfwd(jacobian)(x)))

    def function(X: np.ndarray) -> tuple[np.ndarray, ...]:
        with torch.no_grad():
            return tuple(r.numpy() for r in together(torch.from_numpy(X)))

    return function


_DRIVER = """
#include <stdlib.h>
void drive(long points, const double *x, double *y, double *J, double *H) {
#pragma omp parallel
  {
    double *w = malloc(sizeof(double) * (%(w)d + 1));
    casadi_int *iw = malloc(sizeof(casadi_int) * (%(iw)d + 1));
    const double *arg[%(arg)d];
    double *res[%(res)d];
#pragma omp for
    for (long p = 0; p < points; ++p) {
      arg[0] = x + p * %(n)d;
      res[0] = y + p * %(m)d;
      res[1] = J + p * %(J)d;
      res[2] = H + p * %(H)d;
      network(arg, res, iw, w, 0);
    }
    free(w);
    free(iw);
  }
}
"""


def casadi_value(network: symnet.Network) -> tuple[object, object]:
    """CasADi's x and y of a chain, as SX expressions."""
    import casadi

    sigma = {"sigmoid": lambda z: 1 / (1 + casadi.exp(-z)), "tanh": casadi.tanh}
    sigma |= {"linear": lambda z: z, "softplus": lambda z: casadi.log1p(casadi.exp(z))}
    x = casadi.SX.sym("x", network.n)
    value = x
    for (W, b), layer in zip(network.numbers(), network.layers, strict=True):
        value = sigma[layer.activation.name](
            casadi.mtimes(casadi.DM(W), value) + (0 if b is None else casadi.DM(b))
        )
    return x, value


def casadi_c(network: symnet.Network) -> Function:
    """CasADi: SX expressions, its generated C with the same flags, points in an OpenMP loop."""
    import casadi

    if network.weights_count * network.n > 6000:
        raise TooLarge("the C compiler does not finish on its scalar code")
    if network.m != 1:
        raise TooLarge("measured for one output")
    x, value = casadi_value(network)
    hessian, gradient = casadi.hessian(value, x)
    dense = [casadi.densify(e) for e in (value, gradient.T, hessian)]
    function = casadi.Function("network", [x], dense)
    with tempfile.TemporaryDirectory() as folder:
        generator = casadi.CodeGenerator("network")
        generator.add(function)
        text = generator.dump()
        sizes = {"w": function.sz_w(), "iw": function.sz_iw(), "n": network.n, "m": 1}
        sizes |= {"arg": function.sz_arg(), "res": function.sz_res()}
        sizes |= {"J": network.n, "H": network.n**2}
        source, library = Path(folder, "network.c"), Path(folder, "network.so")
        source.write_text(text + _DRIVER % sizes)
        compiler = shlex.split(os.environ.get("CC", "cc"))
        flags = ["-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-w"]
        subprocess.run([*compiler, *flags, str(source), "-o", str(library), "-lm"], check=True)
        drive = ctypes.CDLL(str(library)).drive

    def call(X: np.ndarray) -> tuple[np.ndarray, ...]:
        count, n = X.shape
        results = np.empty((count, 1)), np.empty((count, 1, n)), np.empty((count, 1, n, n))
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (X, *results)]
        drive(ctypes.c_long(count), *pointers)
        return results

    return call


def symengine_lambdify(network: symnet.Network) -> Function:
    """SymEngine: nested expressions, diff, Lambdify with cse."""
    import symengine

    _only_small(network)
    variables = [symengine.Symbol(s.name) for s in network.inputs]
    expressions = _partials(symengine.sympify(network.expression()[0]), variables, symengine.diff)
    function = symengine.Lambdify(variables, expressions, cse=True)
    return lambda X: _unpacked(np.asarray(function(X)).reshape(len(X), -1).T, network.n)


def sympy_lambdify(network: symnet.Network) -> Function:
    """SymPy: nested expressions, diff, lambdify with cse=True."""
    import sympy

    _only_small(network)
    variables = list(network.inputs)
    expressions = _partials(network.expression()[0], variables, sympy.diff)
    function = sympy.lambdify(variables, expressions, "numpy", cse=True)
    return lambda X: _unpacked(np.array(np.broadcast_arrays(*function(*X.T))), network.n)


def _only_small(network: symnet.Network) -> None:
    if network.weights_count > 200:
        raise TooLarge("one nested expression of this network takes minutes to differentiate")
    if network.m != 1:
        raise TooLarge("measured for one output")


def _partials(value, variables: list, diff: Callable) -> list:
    first = [diff(value, v) for v in variables]
    second = [diff(first[i], variables[j]) for i in range(len(first)) for j in range(i, len(first))]
    return [value, *first, *second]


def _unpacked(rows: np.ndarray, n: int) -> tuple[np.ndarray, ...]:
    i, j = np.triu_indices(n)
    H = np.empty((rows.shape[1], 1, n, n))
    H[:, 0, i, j] = H[:, 0, j, i] = rows[1 + n :].T
    return rows[0][:, None], rows[1 : 1 + n].T[:, None], H


PEERS: dict[str, Callable[[symnet.Network], Function]] = {
    "symnet c": symnet_c,
    "symnet numpy": symnet_numpy,
    "JAX fwd-over-rev": jax_forward_over_reverse,
    "JAX fwd-over-fwd": jax_forward_over_forward,
    "PyTorch torch.func": pytorch,
    "CasADi C, OpenMP": casadi_c,
    "SymEngine Lambdify": symengine_lambdify,
    "SymPy lambdify cse": sympy_lambdify,
    "per-point loop (no Hessian)": published_loop,
}
