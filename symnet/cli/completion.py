"""`symnet completion`: a script by which a shell completes commands and options."""

from __future__ import annotations

import argparse
import sys

from symnet.cli import commands
from symnet.extras import needed


def run(given: argparse.Namespace) -> int:
    """Write the script. ImportError where shtab is not installed."""
    shtab = needed("shtab", "cli")
    text = shtab.complete(commands.parser(), shell=given.shell).rstrip("\n") + "\n"
    if given.output == "-":  # as a shell asks for it when it starts
        sys.stdout.write(text)
        return 0
    from symnet.files import replacing

    with replacing(given.output) as out:
        out.write(text)
    return 0
