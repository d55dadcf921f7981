"""symnet: the derivatives of a neural network with respect to its inputs.

As formulas to read and as functions to ship, each checked against an independent engine:

    net = symnet.load("net.json")
    d = symnet.derive(net, order=2)
    print(d.text(notation="layer"))
    y, J, H = d.compile()(X)
"""

from importlib.metadata import version

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

__version__ = version("symnet")

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
