"""What a command's options must agree on: ValueError where they do not, before any work."""

from __future__ import annotations

import argparse
from pathlib import PurePath

from symnet.catalogue import is_folder, language_of


def plot(given: argparse.Namespace) -> None:
    """Measurements need data."""
    if given.kind == "measured" and given.data is None:
        raise ValueError(
            "--kind measured: predicted against measured needs a table with columns for outputs or "
            "partials, as y or dy/dx1; give it by --data"
        )


def sensitivity(given: argparse.Namespace) -> None:
    """A kind is of a picture; a dependence is of one network, and has neither kind nor order."""
    *networks, data = given.files
    if data == "-" and len(networks) > 1:
        raise ValueError("standard input can be read once; give the data in a file")
    if given.kind is not None and not is_picture(given.output):
        raise ValueError(f"--kind {given.kind} is a picture: give its file, -o {given.kind}.png")
    if given.dependence is not None:
        if len(networks) > 1:
            raise ValueError("--dependence is of one network at a time")
        if given.kind is not None or given.order is not None:
            raise ValueError("--dependence takes neither --kind nor --order: leave them out")


def is_picture(output: str) -> bool:
    """Whether an output of sensitivities is none of their tables."""
    return output != "-" and PurePath(output).suffix.lower() != ".csv"


def fit(given: argparse.Namespace) -> None:
    """A network that is given has its layers."""
    if given.network is not None and (given.hidden or given.activation):
        raise ValueError("--network has its layers; leave out --hidden and --activation")


def generate(given: argparse.Namespace) -> None:
    """The output is named as the language's files are; a library is a folder."""
    language_of(given.output, given.language)
    if len(given.files) > 1 and not is_folder(given.output):
        raise ValueError("several networks make one library: give -o FOLDER/")
