"""symnet: the derivatives of a neural network with respect to its inputs.

As formulas to read and as functions to ship, each checked against an independent engine:

    net = symnet.load("net.json")
    d = symnet.derive(net, order=2)
    print(d.text(notation="layer"))
    y, J, H = d.compile()(X)
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symnet.activations import Activation
    from symnet.compiling import Compiled
    from symnet.derivation import Derivation, derive
    from symnet.evaluable import stable
    from symnet.files import save
    from symnet.fitting import fit, objective
    from symnet.importers import from_arrays, from_jax, from_keras, from_sklearn, from_torch, load
    from symnet.network import (
        Layer,
        Network,
        apply,
        concat,
        layer_norm,
        log_softmax,
        maximum,
        mean,
        minimum,
        prelu,
        softmax,
        variables,
    )
    from symnet.plotting import Picture, plot
    from symnet.sensitivities import Dependence, Sensitivity, dependence, sensitivity
    from symnet.witness import analytic
    from symnet.witness.checking import CheckError, Comparison, Report, check

    __version__: str

_HOMES = {
    "activations": ("Activation",),
    "compiling": ("Compiled",),
    "derivation": ("Derivation", "derive"),
    "evaluable": ("stable",),
    "files": ("save",),
    "fitting": ("fit", "objective"),
    "importers": (
        *("from_arrays", "from_jax", "from_keras", "from_sklearn", "from_torch", "load"),
    ),
    "network": (
        *("Layer", "Network", "apply", "concat", "layer_norm", "log_softmax", "maximum", "mean"),
        *("minimum", "prelu", "softmax", "variables"),
    ),
    "plotting": ("Picture", "plot"),
    "sensitivities": ("Dependence", "Sensitivity", "dependence", "sensitivity"),
    "witness": ("analytic",),
    "witness.checking": ("CheckError", "Comparison", "Report", "check"),
}
"""Where each name is from: a room is imported when something of it is first asked for."""

__all__ = [
    "Activation",
    "CheckError",
    "Comparison",
    "Compiled",
    "Dependence",
    "Derivation",
    "Layer",
    "Network",
    "Picture",
    "Report",
    "Sensitivity",
    "analytic",
    "apply",
    "check",
    "concat",
    "dependence",
    "derive",
    "fit",
    "from_arrays",
    "from_jax",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "layer_norm",
    "load",
    "log_softmax",
    "maximum",
    "mean",
    "minimum",
    "objective",
    "plot",
    "prelu",
    "save",
    "sensitivity",
    "softmax",
    "stable",
    "variables",
]


if not TYPE_CHECKING:  # who would take any name for one of the package's

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version("symnet")
        for room, names in _HOMES.items():
            if name in names:
                # `analytic` is a module of its room, which does not import it.
                home = import_module(f"symnet.{room}")
                found = getattr(home, name, None) or import_module(f"symnet.{room}.{name}")
                globals()[name] = found
                return found
        if not name.startswith("_") and find_spec(f"symnet.{name}"):
            return import_module(f"symnet.{name}")
        raise AttributeError(f"module 'symnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
