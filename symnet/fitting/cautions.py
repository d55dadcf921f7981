"""What makes a good fit unlikely, told before the training."""

from __future__ import annotations

from symnet.fitting.data import MixedData, counted
from symnet.fitting.determined import undetermined
from symnet.network import Network


def cautions(data: MixedData, network: Network) -> tuple[str, ...]:
    """What makes a good fit unlikely, a line each."""
    return tuple(_few_rows(data, network) + _unreachable(data, network) + undetermined(data))


def _few_rows(data: MixedData, network: Network) -> list[str]:
    notes = [
        f"{kind} is measured in a single row of those trained with"
        for kind, count in data.counts.items()
        if count == 1
    ]
    if data.measurements < network.weights_count:
        notes.append(
            f"{data.measurements} measurements for {network.weights_count} weights: the network "
            "may fit them and be wrong in between; take fewer neurons or more rows"
        )
    return notes


def _unreachable(data: MixedData, network: Network) -> list[str]:
    """Partials of a piecewise linear network: steps, and zeros wherever they exist."""
    if any(own.constant(2) != 0 for own in network.activations.values()):
        return []
    names = dict.fromkeys(node.label for node in network.nodes[:-1])
    subject = f"a network with {', '.join(names) or 'no hidden layer'}"
    counts = {1: 0, 2: 0}
    for kind, count in data.counts.items():
        counts[kind.order] = counts.get(kind.order, 0) + count
    notes = []
    if counts[2]:
        notes.append(
            f"second partials of {subject} are zero wherever they exist: "
            f"{counted(counts[2], 'measurement')} cannot be learned; take a smooth one such as tanh"
        )
    if counts[1]:
        notes.append(
            f"first partials of {subject} are constant between kinks, a poor fit to "
            f"{counted(counts[1], 'measurement')}; a smooth one such as tanh does better"
        )
    return notes
