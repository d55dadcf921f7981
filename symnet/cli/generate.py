"""`symnet generate`: the derivatives as a standalone file of source text."""

from __future__ import annotations

import argparse
from typing import Any

from symnet import languages
from symnet.cli import options


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
    """Write the text; CheckError where what was generated fails its check."""
    text = languages.LANGUAGES[given.language](options.network(given), given.order)
    with options.opened(given.output) as out:
        out.write(text)
    return 0
