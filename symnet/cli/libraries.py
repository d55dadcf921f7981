"""The libraries that a command needs: ImportError where one is missing, before a file is opened."""

from __future__ import annotations

import argparse
from importlib.util import find_spec

from symnet.catalogue import LANGUAGES, METHODS, language_of
from symnet.cli.agreement import is_picture
from symnet.extras import missing


def plot(given: argparse.Namespace) -> None:
    """A picture's."""
    _installed("plot", "matplotlib")


def sensitivity(given: argparse.Namespace) -> None:
    """A picture's, but for a table."""
    if is_picture(given.output):
        _installed("plot", "matplotlib")


def fit(given: argparse.Namespace) -> None:
    """Those of the method; without a name the data choose, a swarm but for the largest."""
    swarm = given.method is None or "swarm" in METHODS[given.method]
    _installed("fit", "scipy", *["pymoo"] * swarm)


def generate(given: argparse.Namespace) -> None:
    """A format's own."""
    asked = language_of(given.output, given.language)
    if library := LANGUAGES[asked].library:
        _installed(asked, library)


def _installed(extra: str, *names: str) -> None:
    for name in names:
        if find_spec(name) is None:
            raise missing(name, extra)
