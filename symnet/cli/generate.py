"""`symnet generate`: the derivatives as a standalone file of source text."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from symnet import languages
from symnet.cli import options
from symnet.languages import running


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "generate",
        run,
        "write the derivatives as a standalone file: a module that needs NumPy only, or C",
        "symnet generate net.json -o derivatives.py && python derivatives.py",
    )
    options.file(parser)
    options.output(parser, "the file")
    options.order(parser)
    parser.add_argument(
        "--language", choices=tuple(languages.LANGUAGES), default="python", help="(python)"
    )


def run(given: argparse.Namespace) -> int:
    """Write the text once it has passed its own self-test; CheckError where it fails it."""
    text = languages.LANGUAGES[given.language](options.network(given), given.order)
    unconfirmed = running.confirm(given.language, text)
    if unconfirmed:
        sys.stderr.write(f"symnet: {unconfirmed}\n")
    with options.opened(given.output) as out:
        out.write(text)
    return 0
