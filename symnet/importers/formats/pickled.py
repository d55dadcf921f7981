"""What a pickle says, as data: nothing in it is called, and no name in it is looked up.

A pickle is a program for a machine with a stack, which Python's own reader runs. Here a name stays
a `Name` and a call a `Call`, from which a reader takes what it knows. Source: the comments of
Python's `pickletools`, which describe each operation.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_LARGEST = 2**20  # bytes; a tensor takes some hundred


@dataclass(frozen=True)
class Name:
    """A class or function, as `torch._utils._rebuild_tensor_v2`."""

    text: str


@dataclass(frozen=True, eq=False)
class Call:
    """What a class or function would make of arguments, and the entries it would be given."""

    function: Any
    arguments: Any
    entries: dict[str | int, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's name, empty where it is none."""
        return self.function.text if isinstance(self.function, Name) else ""


def tree(file: BinaryIO, persistent: list[Call] | None = None) -> Any:
    """Numbers, texts, tuples, lists, dictionaries and Calls. ValueError for what is damaged.

    The file is read up to the pickle's end. `persistent` takes what the pickle only refers to.
    """
    machine = _Machine([] if persistent is None else persistent)
    start = file.tell()
    for operation, argument, place in pickletools.genops(file):
        if (place or 0) - start > _LARGEST:
            raise ValueError(f"its pickle takes more than the {_LARGEST:,} bytes that are read")
        if operation.name not in _STEPS:
            raise ValueError(f"its pickle has the operation {operation.name}, which is not read")
        try:
            _STEPS[operation.name](machine, argument)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise ValueError(f"its pickle is damaged at {operation.name}") from None
    if not machine.stack:
        raise ValueError("its pickle holds nothing")
    return machine.stack.pop()


class _Machine:
    """The stack, the stacks below the marks on it, and what is remembered by number."""

    def __init__(self, persistent: list[Call]) -> None:
        self.persistent = persistent
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Any]:
        """What stands above the last mark, which goes."""
        found, self.stack = self.stack, self.below.pop()
        return found

    def tuple(self, _: Any) -> None:
        found = tuple(self.marked())
        self.stack.append(found)

    def last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise LookupError
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def drop(self, _: Any) -> None:
        del self.stack[-1]

    def keep(self, number: int | None) -> None:
        self.memo[len(self.memo) if number is None else number] = self.stack[-1]

    def call(self, _: Any) -> None:
        self.stack.append(Call(*self.last(2)))

    def refer(self, _: Any) -> None:
        self.persistent.append(Call(None, *self.last(1)))
        self.stack.append(self.persistent[-1])

    def name(self, text: str | None) -> None:
        parts = text.split(" ", 1) if text is not None else self.last(2)
        self.stack.append(Name(".".join(parts)))

    def enter(self, pairs: list[Any]) -> None:
        """Entries of a dictionary, or of what would be one; those by other keys are left out."""
        target = self.stack[-1]
        entries = target.entries if isinstance(target, Call) else target
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if isinstance(key, str | int):
                entries[key] = value

    def extend(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], Call):
            self.stack[-1].extend(values)


def _pushed(made: Callable[[Any], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, argument: machine.stack.append(made(argument))


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(tuple(machine.last(count)))


_PUSHED = (
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINSTRING", "SHORT_BINSTRING"),
)
"""Operations whose argument is put on the stack."""

_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _: None),
    **dict.fromkeys(_PUSHED, _pushed(lambda argument: argument)),
    "NONE": _pushed(lambda _: None),
    "NEWTRUE": _pushed(lambda _: True),
    "NEWFALSE": _pushed(lambda _: False),
    "EMPTY_TUPLE": _pushed(lambda _: ()),
    "EMPTY_LIST": _pushed(lambda _: []),
    "EMPTY_SET": _pushed(lambda _: []),
    "EMPTY_DICT": _pushed(lambda _: {}),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "TUPLE": _Machine.tuple,
    "MARK": _Machine.mark,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.keep),
    **dict.fromkeys(
        ("BINGET", "LONG_BINGET"),
        lambda machine, number: machine.stack.append(machine.memo[number]),
    ),
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _Machine.name),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.call),
    "BINPERSID": _Machine.refer,
    "BUILD": _Machine.drop,
    "SETITEM": lambda machine, _: machine.enter(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.enter(machine.marked()),
    "APPEND": lambda machine, _: machine.extend(machine.last(1)),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda machine, _: machine.extend(machine.marked())),
}
"""What each operation does to the machine; protocols 2 to 4 have no other that arrays need."""
