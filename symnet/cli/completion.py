"""`symnet completion`: a script by which a shell completes commands and options."""

from __future__ import annotations

import argparse
from typing import Any

from symnet.cli import exchange, options
from symnet.importers.extras import needed

SHELLS = ("bash", "zsh", "tcsh")


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "completion",
        run,
        'symnet completion bash > symnet.bash && grep -c complete symnet.bash  # and: ". '
        'symnet.bash" in ~/.bashrc',
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    options.output(parser, "the script")


def run(given: argparse.Namespace) -> int:
    """Write the script. ImportError where shtab is not installed."""
    from symnet.cli import parser

    text = needed("shtab", "cli").complete(parser(), shell=given.shell)
    with exchange.opened(given.output) as out:
        out.write(text.rstrip("\n") + "\n")
    return 0
