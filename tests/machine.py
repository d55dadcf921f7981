"""An interpreter of the loop form in JSON, written from its documentation alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Machine:
    """Runs the loop form of a JSON file, by its documentation."""

    def __init__(self, document: Any) -> None:
        self.functions = {f["name"]: f for f in document["functions"]}
        self.routines = {r["name"]: r for r in document["routines"]}
        self.constants = {k: np.array(v) for k, v in document["constants"].items()}

    def __call__(self, name: str, x: Any) -> list[Any]:
        routine = self.routines[name]
        arrays = {k: np.full(s, np.nan) for k, s in routine["arrays"].items()}
        results = {k: np.full(s, np.nan) for k, s in routine["results"].items()}
        self.state: dict[str, Any] = {**self.constants, **arrays, **results, "x": x}
        self.run(routine["body"])
        return list(results.values())

    def run(self, steps: Any) -> None:
        for step in steps:
            (kind, what), *_ = step.items()
            if kind == "loop":
                last = step["last"]
                count = self.state[last] + 1 if isinstance(last, str) else last
                for k in range(count):
                    self.state[what] = k
                    self.run(step["body"])
            elif kind in ("let", "start", "put"):
                self.state[what] = self.value(step["value"])
            elif kind == "more":
                self.state[what] += self.value(step["value"])
            elif kind == "store":
                self.store(what, self.value(step["value"]))
            elif kind == "mirror":
                for other in step["others"]:
                    self.store(other, self.value(what))
            else:
                self.call(self.functions[what], self.value(step["argument"]), step["results"])

    def store(self, element: Any, value: float) -> None:
        _, name, *indices = element
        self.state[name][tuple(self.value(i) for i in indices)] = value

    def call(self, function: Any, z: float, results: Any) -> None:
        outer = self.state
        self.state = {"z": z}
        for name, tree in function["shared"]:
            self.state[name] = self.value(tree)
        found = [self.value(tree) for tree in function["results"]]
        self.state = outer
        for element, value in zip(results, found, strict=True):
            self.store(element, value)

    def value(self, tree: Any) -> Any:
        if isinstance(tree, str):
            return self.state[tree]
        if not isinstance(tree, list):
            return tree
        kind, *rest = tree
        if kind == "at":
            return self.state[rest[0]][tuple(map(self.value, rest[1:]))]
        if kind == "piecewise":
            *arms, otherwise = rest
            for value, (relation, left, right) in arms:
                a, b = self.value(left), self.value(right)
                if {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[relation]:
                    return self.value(value)
            return self.value(otherwise)
        values = list(map(self.value, rest))
        if kind == "same":
            return float(values[0] == values[1])
        if kind in ("add", "mul"):
            return sum(values) if kind == "add" else math.prod(values)
        if kind == "pow":
            return values[0] ** values[1]
        return getattr(math, {"abs": "fabs"}.get(kind, kind))(*values)
