"""Generated files in their places: in a folder, or beside a file that is called as was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from symnet import files, languages, names
from symnet.catalogue import LANGUAGES, is_folder, language_of
from symnet.languages import running
from symnet.network import Network
from symnet.progress import warn


def generated(
    network: Network,
    order: int,
    output: str,
    language: str | None = None,
    precision: str = "double",
    only: Sequence[str] = (),
) -> None:
    """Write a network's files once they have passed their own self-test.

    See `Derivation.generate`.
    """
    language = language_of(output, language)
    written = languages.generate(
        network, language, order, name=named(output, language), precision=precision, only=only
    )
    if unconfirmed := running.confirm(language, written):
        warn(unconfirmed)
    write(written, output, language)


def named(output: str, language: str) -> str | None:
    """What functions or the module are called of a file of this name; nothing of a folder."""
    if is_folder(output):
        return None
    stem = Path(output).stem
    return names.called(stem, language) if LANGUAGES[language].free else stem


def placed(
    written: Mapping[str, str | bytes], output: str, language: str
) -> Mapping[Path, str | bytes]:
    """What is written, by its path; ValueError where none of it would be the file that is asked."""
    asked = Path(output)
    if is_folder(output):
        return {asked / file: content for file, content in written.items()}
    if len(written) == 1:
        return {asked: next(iter(written.values()))}
    if LANGUAGES[language].free:
        endings = {file: file.partition(".")[2] for file in written}
        written = {f"{asked.stem}.{endings[file]}": content for file, content in written.items()}
    known = [*written] if asked.suffix else [file.partition(".")[0] for file in written]
    if asked.name not in known:
        raise ValueError(
            f"{language} gives {' and '.join(written)}: ask for a folder, FOLDER/, or one of these"
        )
    return {asked.parent / file: content for file, content in written.items()}


def write(written: Mapping[str, str | bytes], output: str, language: str) -> None:
    """Write the files into their places, all or none.

    A folder that is asked for is made, and that of several files; the folder of one must be there.
    """
    where = placed(written, output, language)
    if len(where) > 1 or is_folder(output):
        next(iter(where)).parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        for path, content in where.items():
            file = opened.enter_context(files.replacing_bytes(path))
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()  # a full disk is met before any is renamed
