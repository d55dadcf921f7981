"""How NumPy calls a vector of a network: `np.sin(v)`, `W @ v`, `np.concatenate([u, v])`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, Self

import numpy as np

NUMPY: dict[str, Callable[..., Any]] = {}
"""NumPy's functions by name, but those of one number; filled by `dispatch`, of vectors."""


def _refused(self: object, *other: object) -> NoReturn:
    raise TypeError(
        "a vector of a network is a formula, and neither compared nor true or false; choose by "
        "value with np.maximum, np.clip or symnet.apply of a sympy.Piecewise"
    )


class OfNumpy:
    """What NumPy asks before it takes an object for an array of numbers.

    TypeError for a function that is not for vectors, where an array is wanted, and for comparisons,
    which would tell objects apart, not values.
    """

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = _refused
    __hash__ = object.__hash__

    def applied(self, function: str) -> Self:
        """A function of one number, entry by entry. ValueError for one that is not known."""
        raise NotImplementedError

    def __array__(self, *given: Any, **options: Any) -> Any:
        raise TypeError(
            "a vector of a network is no array of numbers; join vectors by symnet.concat, or by "
            "np.concatenate, and write functions of them with NumPy's or symnet.apply"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **options: Any) -> Any:
        """What makes `np.sin(v)`, `W @ v` and `array + v` work."""
        called = method == "__call__"
        if called and options:
            raise TypeError(f"NumPy's {ufunc.__name__} takes vectors of a network without options")
        if called and ufunc.nin == 1 and ufunc.__name__ not in NUMPY:
            with suppress(ValueError):
                return self.applied(ufunc.__name__)
        return _called(ufunc.__name__ if called else f"{ufunc.__name__}.{method}", given, options)

    def __array_function__(
        self, function: Any, types: Any, given: Sequence[Any], options: Mapping[str, Any]
    ) -> Any:
        """What makes `np.sum(v)`, `np.concatenate([u, v])` and the like work."""
        return _called(function.__name__, given, options)


def _called(name: str, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
    if name in NUMPY:
        return NUMPY[name](*given, **options)
    functions = [other for other in NUMPY if other.isidentifier()]
    raise TypeError(
        f"NumPy's {name} is not for vectors of a network, which have functions of one number, as "
        f"np.tanh, and {', '.join(functions)}; symnet.apply takes any formula of one symbol"
    )
