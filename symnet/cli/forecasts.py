"""What a command will take, told from sizes before it begins: seconds, and bytes of memory.

Rates are of one core of a machine of these years; a forecast is right to a factor of two or three.
What would need more memory than LARGEST is refused.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from symnet.calculus.schemes import Cost
from symnet.compiling import choices
from symnet.formulas import expanded, neuron_terms
from symnet.names import together_name
from symnet.network import Network
from symnet.witness import directions, places

LARGEST = 4 * 10**9
"""Bytes that the arrays of a command may take together."""

_PRODUCT = 1.5e-10  # seconds for a multiply–add of a compiled function
_WITNESSED = 1e-9  # for one of the analytic engine, sizes of terms included
_ACTIVATION = 3e-9
_ENTRY = 1e-8  # for an entry of the highest order, in each evaluation that is compared
_DIGIT = 1.3e-6  # for a weight in 50-digit arithmetic, for each value of the network
_READ, _WRITTEN = 3e-7, 7e-7  # for a number in a table
_LOADED = 4e-8  # for a byte of a network file
_KERAS, _ONNX = 2.5, 0.5  # until these are imported
_OF_KERAS = (".keras", ".h5", ".hdf5")
_OPERATION = 2e-4  # for an operation of an expanded formula
_TERM = 1e-4  # for one of the neuron notation
_NODE = 2e-3  # for a node's statements in a derivation and its functions, an order
_LOOPS = 1.5e-2  # for the same as loops
_TEXT = 1e-5  # for a weight in a generated text, which is then compiled and run
_TYPESET = 0.8  # for the formulas of a page, about, and to write it
_PANEL = 5.5e-2  # for a panel of a picture on a page, and for a colour bar
_CALLS = 12  # evaluations of a point in a full check, by all functions together
_COPIES = 16  # of the derivatives of a point that exist at a time in a check
_HEAD = 2**16  # bytes of a table by which the length of its rows is told


def check(network: Network, order: int, digits: bool = True) -> float:
    """Seconds of a full check. ValueError where it needs too much memory, by its results."""
    if network.symbols:
        return 0.0
    points = places.most(network, order)
    _afford(network, order)
    seconds = points * (_CALLS * _compared(network, order) + _witness(network, order))
    seconds += _deriving(network, order)
    if digits:
        values = places.in_digits(network) * (order + 1) * (order + 2) / 2
        seconds += values * network.weights_count * _DIGIT
    return seconds


def compiling(network: Network, order: int) -> float:
    """Seconds until functions are verified. ValueError as for `check`."""
    if network.symbols:
        return 0.0
    _afford(network, order)
    seconds = 4 * (4 * _compared(network, order) + _witness(network, order))
    return seconds + _deriving(network, order)


def generating(network: Network, order: int, loops: bool = True) -> float:
    """Seconds for a standalone text, of loops or not. ValueError as for `check`."""
    text = network.weights_count * _TEXT + loops * _LOOPS * network.depth * max(1, order)
    return compiling(network, order) + text


def formulas(network: Network, order: int, notation: str | None) -> float:
    """Seconds for formulas."""
    if notation == "expanded":
        return min(expanded.total_size(network, order), expanded.LARGEST) * _OPERATION
    if notation == "neuron":
        return neuron_terms(network, order) * _TERM
    return 0.0


def report(network: Network, order: int, rows: int, digits: bool) -> float:
    """Seconds for a page, with the slopes over so many rows. ValueError as for `check`."""
    from symnet.reporting.pictures import panels  # not needed by those who derive

    seconds = check(network, order, digits) + _TYPESET + pictures(network, min(order, 2))
    seconds += 3 * _deriving(network, min(order, 2))
    if not network.symbols and find_spec("matplotlib") is not None:
        seconds += _PANEL * panels(network, order)
    return seconds + (measures(network, min(order, 2), rows) if rows and order else 0.0)


def pictures(network: Network, order: int, outputs: int | None = None) -> float:
    """Seconds for the values of a picture. ValueError where it needs too much memory.

    Many inputs are held, so that a few count; of outputs those shown do.
    """
    from symnet.plotting import grids  # not needed by those who derive
    from symnet.plotting.framing import MANY, MOST

    few = network.n if network.n <= MANY else MOST
    _afford(network, 1 if network.n > MANY else order, outputs)
    products = network.weights_count * (1 + few) ** max(order - 1, 0)
    return grids.points(network, products) * products * _PRODUCT


def measures(network: Network, order: int, rows: int) -> float:
    """Seconds for sensitivities over so many rows. ValueError for too many of them."""
    kept = rows * (2 * network.n + network.m * (1 + 2 * network.n)) * 8
    _refuse(kept, f"slopes of {rows:,} rows by {network.n} inputs", "take fewer rows")
    return rows * _point(network, order)


def evaluation(network: Network, order: int, rows: int) -> float:
    """Seconds for a table of all derivatives at so many points."""
    entries = sum(network.m * network.n**r for r in range(order + 1))
    return rows * (_point(network, order) + network.n * _READ + entries * _WRITTEN)


def reading(rows: int, columns: int) -> float:
    """Seconds for a table."""
    return rows * columns * _READ


def loading(path: str) -> float:
    """Seconds for a network file, with the import of what it is compared with."""
    try:
        seconds = os.path.getsize(path) * _LOADED
    except OSError:
        return 0.0
    name = path.lower()
    if name.endswith(_OF_KERAS) and not name.endswith(".weights.h5") and find_spec("keras"):
        seconds += _KERAS
    return seconds + (_ONNX if name.endswith(".onnx") else 0.0)


def rows(path: str) -> int:
    """About how many rows a table has; 0 where that is not known, as of standard input."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return 0
    return int(size / max(1.0, len(head) / max(1, head.count(b"\n"))))


# --- the parts ----------------------------------------------------------------------------------


def _point(network: Network, order: int) -> float:
    """Seconds for one point, all orders together."""
    cost: Cost = choices(network, order)[together_name(order)].cost
    return cost.multiply_adds * _PRODUCT + cost.activations * _ACTIVATION


def _compared(network: Network, order: int) -> float:
    """Seconds for one point, and to compare what comes of it."""
    return _point(network, order) + network.m * network.n**order * _ENTRY


def _deriving(network: Network, order: int) -> float:
    """Seconds until there are functions, whatever they take."""
    return _NODE * network.depth * max(1, order)


def _witness(network: Network, order: int) -> float:
    return directions.work(network, order) * _WITNESSED


def _afford(network: Network, order: int, outputs: int | None = None) -> None:
    """Refuse derivatives of the highest order that are too many to be held in a check."""
    needed = _COPIES * (outputs or network.m) * network.n**order * 8
    advice = f"take --order {order - 1}" if order > 1 else "take fewer inputs or outputs"
    _refuse(needed, f"derivatives of order {order} by {network.n} inputs", advice)


def _refuse(needed: int, what: str, advice: str) -> None:
    if needed > LARGEST:
        raise ValueError(
            f"{what} would take about {needed / 1e9:,.0f} GB of memory, limited to "
            f"{LARGEST / 1e9:.0f} GB; {advice}"
        )
