"""What partials and values determine, against the functions they leave open."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.fitting.columns import table
from symnet.fitting.determined import described, undetermined

X = {"x1": [0.0, 1.0, 2.0], "x2": [5.0, 6.0, 8.0]}
M = [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("measured", "left"),
    [
        (["y"], None),
        (["y", "dy/dx1"], None),
        (["dy/dx1", "dy/dx2"], "a constant"),
        (["dy/dx1", "dy/dx2", "d2y/dx1dx1"], "a constant"),
        (["dy/dx1"], "a function of x2, since dy/dx2 is not measured"),
        (["dy/dx1", "d2y/dx1dx2"], "a function of x2, since dy/dx2 is not measured"),
        (["dy/dx1", "d2y/dx2dx2"], "a constant and multiples of x2"),
        (["d2y/dx1dx1", "d2y/dx1dx2", "d2y/dx2dx2"], "a constant and multiples of x1, x2"),
        (
            ["d2y/dx1dx1"],
            "a function of x1, x2 with d2y/dx1dx1 = 0, since dy/dx1, dy/dx2 are not measured",
        ),
    ],
)
def test_what_is_left_open(measured, left):
    """The kernel of what is measured, in words."""
    data = table({**X, **dict.fromkeys(measured, M)}, outputs=["y"])
    expected = [] if left is None else [f"no row gives y itself: it is learned up to {left}"]
    assert undetermined(data) == expected


def test_values_at_one_input_alone():
    """They say nothing about another one, unless its partial is measured."""
    nan = np.nan
    columns = {"x1": [0.0, 1, 2, 3], "x2": [5.0, 5, 6, 7], "y": [1.0, 2, nan, nan]}
    data = table({**columns, "dy/dx1": [nan, nan, 1, 2]})
    assert undetermined(data) == [
        "nothing tells how y changes with x2: all rows that give y itself have one x2, "
        "and dy/dx2 is not measured"
    ]
    assert described(data) == ("y: along x1 from dy/dx1 and y, along x2 from nothing",)
    assert undetermined(table({**columns, "dy/dx2": [nan, nan, 1, 2]})) == []


def test_inputs_that_depend_on_each_other():
    """Values along a line say nothing across it; a partial across it does."""
    x1, x3 = np.array([0.0, 1, 3, 4, 7]), np.array([1.0, 0, 2, 1, 1])
    columns = {"x1": x1, "x2": 300 - 2e-3 * x1, "x3": x3, "y": x1}
    told = (
        "{} depend on each other linearly in the rows that give y: "
        "how it changes with one of them alone is not known"
    )
    assert undetermined(table(columns, outputs=["y"])) == [told.format("x1, x2")]
    assert undetermined(table({**columns, "dy/dx2": x1}, outputs=["y"])) == []
    few = {name: column[:4] for name, column in columns.items()} | {"x2": [5.0, 6, 9, 2]}
    assert undetermined(table(few, outputs=["y"])) == []
    fewer = {name: column[:2] for name, column in few.items()}
    assert undetermined(table(fewer, outputs=["y"])) == [told.format("x1, x2, x3")]


def test_each_output_is_told_apart():
    """One may be known and another not."""
    data = table({**X, "p": M, "dq/dx2": M}, outputs=["p", "q"])
    assert undetermined(data) == [
        "no row gives q itself: it is learned up to a function of x1, since dq/dx1 is not measured"
    ]
    assert described(data) == (
        "p: along x1 from p, along x2 from p",
        "q: along x1 from nothing, along x2 from dq/dx2",
    )
