"""What a file needs of the library: functions each after those that it calls, each once."""

from __future__ import annotations

import re

from symnet.backends.c.text import elementary, library
from symnet.backends.c.text.expressions import position_function
from symnet.calculus.algebra import DIRECTIONS

_VECTOR_VERSIONS = {
    22: ("sin", "cos"),
    35: ("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"),
}
"""The minor version of glibc 2 from which functions of one argument have vector versions.

Those that `elementary` has no text for.
"""

_LIBRARY = (
    *(f"at{r}" for r in range(2, len(DIRECTIONS) + 1)),
    "tiles",
    "all_pairs",
    "pairs",
    "pairs_of_weights",
    "lanes",
    "softmax",
    "log_softmax",
    "gather",
    "scatter",
    *(f"scatter{r}" for r in range(2, len(DIRECTIONS) + 1)),
    "keep_nan",
    "allocate",
)
"""The order in which functions stand in a file: each after those that it calls."""


class Needed:
    """Collects the functions of `library`, for n inputs and one C type."""

    def __init__(self, n: int, dtype: str) -> None:
        self.n, self.dtype = n, dtype
        self.texts: dict[str, str] = {}
        self.elementary: set[str] = set()

    @property
    def in_order(self) -> list[str]:
        """Their texts, elementary functions first."""
        return [
            *self._vector_versions(),
            *elementary.definitions(sorted(self.elementary), self.dtype),
            *(self.texts[name] for name in _LIBRARY if name in self.texts),
        ]

    def called_in(self, text: str) -> None:
        """Put the elementary functions that a text calls into the file."""
        self.elementary |= set(re.findall(r"\b([a-z]\w*)\(", text))

    def need(self, name: str, order: int = 0) -> None:
        """Put a function of `library` into the file."""
        if name in self.texts:
            return
        if order >= 2:
            self.position(order)
        if name in ("pairs", "pairs_of_weights"):
            self.position(2)
            self.texts["all_pairs"] = library.text("all_pairs")
        if order == 2:
            few = self.n <= 4
            self.texts[name] = library.text("scatter2_few" if few else "scatter2_many")
        elif order > 2:
            self.texts[name] = library.filled(
                "scatter_higher",
                order=order,
                brackets="][".join(DIRECTIONS[:order]),
                ordered=" <= ".join(DIRECTIONS[:order]),
                entries=" * ".join(["N"] * order),
                arguments=", ".join(f"index[{d}]" for d in range(order)),
            )
        else:
            self.texts[name] = library.text(name)

    def position(self, order: int) -> None:
        """Put the function that finds the place of i ≤ j ≤ … into the file."""
        self.texts[f"at{order}"] = position_function(order)

    def _vector_versions(self) -> list[str]:
        """Declarations of the vector versions of the elementary functions that are called."""
        suffix = "f" if self.dtype == "float" else ""
        texts = []
        for minor, names in _VECTOR_VERSIONS.items():
            found = [f"{name}{suffix}" for name in names if f"{name}{suffix}" in self.elementary]
            declared = "\n".join(f"VECTOR_VERSION extern real {name}(real);" for name in found)
            if found:
                texts.append(library.filled("libmvec", minor=minor, declarations=declared))
        return [library.text("vector_version"), *texts] if texts else []
