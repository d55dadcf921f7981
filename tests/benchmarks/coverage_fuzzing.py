"""Network files found by coverage: what reaches a new line of the reader is kept and mutated on.

    pip install atheris                              (Linux and macOS, CPython up to 3.13)
    python tests/benchmarks/coverage_fuzzing.py [CORPUS] [-max_total_time=600] [-seed=1]

Every input must be refused by NetworkFileError or come back equal when it is saved and loaded
again, in 2 s and 500 MB. Half of the mutations change the document's structure (`fuzzing.mutated`),
half its bytes. Whatever fails is written to the working directory as `crash-...`, `timeout-...` or
`oom-...`; the script called with that file's name runs it alone.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["symnet"]):
    import fuzzing

_FOLDER = Path(tempfile.mkdtemp(prefix="symnet-fuzzing-"))
_POOL = [*fuzzing.JUNK, *fuzzing.LEAVES, *fuzzing.FORMULAS]


def mutator(data: bytes, most: int, seed: int) -> bytes:
    """A file like `data`, of at most so many bytes."""
    rng = random.Random(seed)
    try:
        if rng.random() < 0.5:
            changed = fuzzing.mutated(rng, json.loads(data), _POOL)
            return json.dumps(changed).encode()[:most]
    except (ValueError, RecursionError):  # not JSON any more
        pass
    return atheris.Mutate(data, most)


def one_input(data: bytes) -> None:
    """RuntimeError for what is read wrongly."""
    if found := fuzzing.complaint(data, _FOLDER):
        raise RuntimeError(found)


def main() -> None:
    """Run until told to stop; begins with every formula that once went wrong."""
    corpus = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    arguments = [*sys.argv, "-timeout=30", "-rss_limit_mb=2000", "-max_len=4096"]
    if not corpus:
        arguments.insert(1, tempfile.mkdtemp(prefix="symnet-corpus-"))
    folder = Path(arguments[1])
    if folder.is_dir() and not any(folder.iterdir()):
        for i, formula in enumerate([None, *fuzzing.FORMULAS]):
            text = json.dumps(fuzzing.document(random.Random(0), formula))
            (folder / f"{i}.json").write_text(text)
    atheris.Setup(arguments, one_input, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
