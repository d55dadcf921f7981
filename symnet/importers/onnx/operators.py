"""The readers of ONNX's operators, by their domains."""

from __future__ import annotations

from collections.abc import Mapping

from symnet.importers.onnx import (
    arithmetic,
    choices,
    contributed,
    control,
    learned,
    nonlinear,
    places,
    recurrent,
    resizing,
    scattering,
    steps,
)
from symnet.importers.onnx.call import Reader

READERS: Mapping[str, Reader] = {
    **places.READERS,
    **arithmetic.READERS,
    **nonlinear.READERS,
    **choices.READERS,
    **scattering.READERS,
    **steps.READERS,
    **resizing.READERS,
    **recurrent.READERS,
    **control.READERS,
}
"""Those of ONNX itself."""

DOMAINS: Mapping[str, Mapping[str, Reader]] = {
    "": {**READERS, **contributed.PLAIN},
    "ai.onnx": READERS,
    "ai.onnx.ml": learned.READERS,
    "com.microsoft": contributed.READERS,
}

TAKING = choices.TAKING | control.READERS.keys()
"""Those that take conditions as they are, not as the numbers 0 and 1."""

SEEN = frozenset(("MatMul", "Gemm", "Add", "Constant", *nonlinear.READERS))
"""Those that a user expects to stay: all others are told as folded."""
