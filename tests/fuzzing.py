"""Network files that nobody would write: mutated texts, mutated documents, formulas at random.

    python tests/fuzzing.py SEED FIRST LAST

loads the cases FIRST to LAST - 1 of a seed and ends with status 1 where one takes over 2 s
of processor time or 500 MB, raises anything but NetworkFileError, or is accepted but not equal
when it is saved and loaded again. A case that never returns ends the process after 30 s of it.
"""

from __future__ import annotations

import contextlib
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from sympy.core.cache import clear_cache

import effort
from symnet.activations.trees import FUNCTIONS
from symnet.files import NetworkFileError, load, save

SECONDS = 2.0
MEGABYTES = 500
HANGS = 30.0

FORMULAS: list[Any] = [
    ["mul", "z", ["pow", ["add", 1, ["exp", ["mul", -2, "z"]]], -1]],
    ["log", ["cos", ["cosh", ["sinh", ["sinh", 7]]]]],
    ["add", "z", ["cos", ["exp", ["exp", ["exp", 3]]]]],
    ["max", "z", ["exp", ["exp", ["exp", ["exp", 4]]]]],
    ["piecewise", ["z", ["<", ["sqrt", -1], "z"]], 0],
    ["piecewise", [0, ["<", "z", 0]], ["z", ["<=", "z", "1/3"]], 1],
    ["sqrt", ["abs", ["add", 1e308, "z"]]],
    ["exp", ["mul", "z", 1e308]],
    ["pow", 0, "z"],
    ["mul", "z", ["pow", ["add", 1, ["exp", 1e308]], -1]],
    ["mul", 1e-320, 1e-320, "z"],
    ["mul", int("7" * 399), int("7" * 399), "z"],
    ["log", ["sin", ["acos", ["min", "z", "pi", 1e-320, 3, 1e308]]]],
    ["max", ["mul", "1/100", "z"], "z"],
    ["mul", "1/2", "z", ["add", 1, ["erf", ["mul", "z", ["pow", 2, "-1/2"]]]]],
]
"""Formulas as users write them, and those that once did not end or come back."""

NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 3, 7, 64, 65, 10**30, 10**399, -(10**400), 2**53 + 1),
    *(0.5, -0.0, 1e-3, 2.5, 1e308, -1e308, 1e-320, 5e-324, 1e100, 1e-100, 710.0, float("nan")),
    *("1/3", "-7/2", "1/0", "22/7", f"{10**399}/3", "1/" + "9" * 400, "pi", "e", "٣/٤"),
]
LEAVES: list[Any] = ["z", "z", "z", "z", *NUMBERS]
JUNK: list[Any] = [
    *(None, True, [], {}, "", "z", "x1", "w1", "__class__", "np", "lambda", "\u2028", "\x1b[31m"),
    *("1/3", "a" * 10_000, [[]], [1.5], {"name": "mine"}, "sigmoid", "tanh", "漢字", "\ud800"),
]
_FEW = {"min": 3, "max": 3, "add": 3, "mul": 3, "pow": 2}


def formula(rng: random.Random, depth: int) -> Any:
    """A random tree, mostly well formed."""
    if depth <= 0 or rng.random() < 0.15:
        return rng.choice(LEAVES)
    operation = rng.choice(["add", "mul", "mul", "pow", "piecewise", *FUNCTIONS])
    if operation == "piecewise":
        relation = rng.choice(["<", "<=", ">", ">="])
        test = [relation, formula(rng, depth - 2), formula(rng, depth - 3)]
        return [operation, [formula(rng, depth - 1), test], formula(rng, depth - 1)]
    count = rng.randint(2, _FEW[operation]) if operation in _FEW else 1
    return [operation, *(formula(rng, depth - 1) for _ in range(count))]


def nested(rng: random.Random) -> Any:
    """One step, many times over itself."""
    steps = [
        lambda t: ["mul", t, ["add", 1, ["exp", t]]],
        lambda t: ["abs", ["add", t, -1]],
        lambda t: ["max", t, ["mul", -1, t]],
        lambda t: ["pow", ["add", t, rng.choice(NUMBERS)], rng.choice([2, 3, -1, "1/2", 64])],
        lambda t: [rng.choice(list(FUNCTIONS)), t],
        lambda t: ["piecewise", [t, ["<", t, rng.choice(NUMBERS)]], ["mul", -1, t]],
        lambda t: ["add", t, formula(rng, 2)],
    ]
    tree, step = rng.choice(LEAVES), rng.choice(steps)
    for _ in range(rng.choice([2, 3, 8, 12, 30, 200])):
        if len(repr(tree)) > 100_000:
            break
        tree = (step if rng.random() < 0.7 else rng.choice(steps))(tree)
    return tree


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in nested lists and dictionaries."""
    keys = range(len(tree)) if isinstance(tree, list) else tree if isinstance(tree, dict) else ()
    return [(tree, key) for key in keys] + [p for key in keys for p in places(tree[key])]


def mutated(rng: random.Random, tree: Any, pool: list[Any]) -> Any:
    """A copy with up to three entries replaced, removed, doubled or exchanged."""
    tree = json.loads(json.dumps(tree))
    for _ in range(rng.randint(1, 3)):
        if not (found := places(tree)):
            return tree
        (place, key), (other, where) = rng.choice(found), rng.choice(found)
        match rng.randrange(4):
            case 0:
                place[key] = json.loads(json.dumps(rng.choice(pool)))
            case 1:
                del place[key]
            case 2 if isinstance(place, list):
                place.insert(key, json.loads(json.dumps(place[key])))
            case _:
                place[key] = json.loads(json.dumps(other[where]))
    return tree


def document(rng: random.Random, own: Any = None) -> dict[str, Any]:
    """A small good network, with this formula in its first layer where one is given."""
    entry = own and {"name": "mine", "expression": own}
    if entry and rng.random() < 0.2:
        entry["kinks"] = [rng.choice([0, 1.5, "1/3", ["log", 0], ["sqrt", 2], ["sqrt", -1]])]
    first = {"weights": [[0.5, "1/3"], [2, "w21"]], "bias": [1.0, -2.5]}
    last = {"weights": [[1.5, 1e-3]], "bias": None, "activation": "linear"}
    layers = [{**first, "activation": entry or "sigmoid"}, last]
    return {"symnet": 1, "inputs": ["x1", "x2"], "outputs": ["y"], "layers": layers}


def torn(rng: random.Random, text: bytes) -> bytes:
    """The text with bytes changed, cut out, doubled or put in."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.choice([1, 1, 2, 8, 40]))
        put = rng.choice([b"", rng.randbytes(1), text[at:to] * 2, b"[" * 2000, b'"z"', b"1e400"])
        text = text[:at] + put + text[to:]
    return text


def case(seed: int, index: int) -> bytes:
    """The content of a file; the same for the same numbers."""
    rng = random.Random(f"{seed}/{index}")
    match rng.randrange(5):
        case 0:
            own: Any = formula(rng, rng.randint(1, 6))
        case 1:
            own = nested(rng)
        case 2:
            own = mutated(rng, rng.choice(FORMULAS), [*LEAVES, *JUNK, *FORMULAS])
        case kind:
            whole = document(rng, rng.choice([None, *FORMULAS]))
            if kind == 3:
                return torn(rng, json.dumps(whole).encode())
            return json.dumps(mutated(rng, whole, [*JUNK, *LEAVES, whole])).encode()
    return json.dumps(document(rng, own)).encode()


def complaint(content: bytes, folder: Path) -> str | None:
    """What is wrong with how a file of this content is read, if anything is."""
    given, again = folder / "given.json", folder / "again.json"
    given.write_bytes(content)
    start = time.process_time()
    try:
        network = load(given)
    except NetworkFileError as error:
        if not str(error).isprintable() or len(str(error)) > len(str(given)) + 500:
            return f"message {str(error)!r}"
    except Exception:
        return traceback.format_exc(limit=-4)
    else:
        save(network, again)
        if load(again) != network:
            return "accepted, and another when saved and loaded again"
    taken = time.process_time() - start
    if effort.over(taken, SECONDS) and effort.over(taken := _again(given), SECONDS):
        return f"{taken:.1f} s"
    largest = peak()
    return f"{largest:.0f} MB" if largest > MEGABYTES else None


def peak() -> float:
    """Megabytes that this program has held at most.

    From /proc: `ru_maxrss` outlives `exec`, so it counts what started this program as well.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _again(file: Path) -> float:
    """Seconds that the file takes once more: a busy machine, or what is made once, is no fault."""
    clear_cache()
    start = time.process_time()
    with contextlib.suppress(NetworkFileError):
        load(file)
    return time.process_time() - start


def main(seed: int, first: int, last: int) -> int:
    """Run the cases; the first complaint is printed with its case."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for index in range(first, last):
            content = case(seed, index)
            print(f"case {seed}/{index}", file=sys.stderr)
            with effort.hanging(HANGS):
                found = complaint(content, Path(folder))
            if found:
                print(f"case {seed}/{index}: {found}\n{content[:2000]!r}")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
