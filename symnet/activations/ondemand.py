"""Tables whose rows are made when they are first asked for: a formula costs SymPy milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import RLock
from typing import TypeVar

Row = TypeVar("Row")


class OnDemand(Mapping[str, Row]):
    """A mapping from names to what their `recipes` make, each made once: `recipes[name](name)`.

    A row that is being made is not there yet: its own recipe finds nothing under its name.
    """

    def __init__(self, recipes: Mapping[str, Callable[[str], Row]]) -> None:
        self._recipes = recipes
        self._made: dict[str, Row] = {}
        self._begun: set[str] = set()
        self._lock = RLock()

    def __getitem__(self, name: str) -> Row:
        if name in self._made:
            return self._made[name]
        recipe = self._recipes[name]
        with self._lock:
            if name in self._begun:
                return self._made[name]
            self._begun.add(name)
            try:
                self._made[name] = recipe(name)
            except BaseException:
                self._begun.discard(name)
                raise
            return self._made[name]

    @property
    def made(self) -> frozenset[str]:
        """The names of the rows that have been asked for."""
        return frozenset(self._made)

    def __contains__(self, name: object) -> bool:
        return name in self._recipes

    def __iter__(self) -> Iterator[str]:
        return iter(self._recipes)

    def __len__(self) -> int:
        return len(self._recipes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"
