"""How the page came about, so that a reader can make it again."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from symnet import files
from symnet.network import Network
from symnet.reporting.contents import Block, Code, Folded, Paragraph

_LARGEST = 300_000  # characters of a network file that the page holds
_MADE_WITH = ("symnet", "numpy", "sympy", "matplotlib")


def blocks(network: Network, command: str) -> tuple[Block, ...]:
    """The command, the versions, and the network itself where it is small."""
    command = command or "symnet report network.json -o report.html"
    used = ", ".join(f"{name} {found}" for name in _MADE_WITH if (found := _version(name)))
    made = (
        Paragraph("The page holds no date and no random numbers: made again, it is the same."),
        Code(command),
        Paragraph(f"Made with {used} and Python {platform.python_version()}."),
    )
    if 30 * network.weights_count > _LARGEST:
        return (*made, Paragraph("The network’s file is too large to be part of the page."))
    folded = Folded(
        "The network’s file (JSON)", (Code("".join(files.text(network)), "network.json"),)
    )
    return (*made, folded)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
