"""Tables of points in, tables of derivatives out."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symnet
from symnet import tables

NETWORK = symnet.Network.dense([2, 3, 2], hidden="tanh", seed=0, inputs=("u", "v"))
ONE = symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0)


def evaluated(text, network=ONE, order=2, **options):
    """The table of results for a table of points, as header and rows of floats."""
    out = io.StringIO()
    function = symnet.derive(network, order).compile()
    lines = io.StringIO(text, newline="")
    count = tables.evaluate(function, lines, "points.csv", out, **options)
    header, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert count == len(rows)
    return header, np.array([[float(cell) for cell in row] for row in rows])


def test_column_names():
    """By order, then output, then inputs i ≤ j, as the issue has them."""
    assert tables.columns(ONE, 2) == [
        *("y", "dy/dx1", "dy/dx2", "d2y/dx1dx1", "d2y/dx1dx2", "d2y/dx2dx2"),
    ]
    assert tables.columns(NETWORK, 1) == ["y1", "y2", "dy1/du", "dy1/dv", "dy2/du", "dy2/dv"]
    assert tables.columns(ONE, 3)[-4:] == [
        *("d3y/dx1dx1dx1", "d3y/dx1dx1dx2", "d3y/dx1dx2dx2", "d3y/dx2dx2dx2"),
    ]


def test_every_column_holds_what_its_name_says():
    """Values to the last bit, each entry of J and H found by name."""
    X = np.random.default_rng(0).standard_normal((20, 2))
    text = "u,v\n" + "".join(f"{u!r},{v!r}\n" for u, v in X.tolist())
    header, rows = evaluated(text, NETWORK)
    y, J, H = symnet.derive(NETWORK).compile()(X)
    column = dict(zip(header, rows.T, strict=True))
    for p, output in enumerate(("y1", "y2")):
        np.testing.assert_array_equal(column.pop(output), y[:, p])
        for i, a in enumerate("uv"):
            np.testing.assert_array_equal(column.pop(f"d{output}/d{a}"), J[:, p, i])
            for j, b in enumerate("uv"):
                if i <= j:
                    name = f"d2{output}/d{a}d{b}"
                    np.testing.assert_array_equal(column.pop(name), H[:, p, i, j])
    assert not column


def test_columns_in_any_order_beside_others():
    """Columns are found by name; others are passed over, whatever is in them."""
    _, expected = evaluated("x1,x2\n0.5,-1\n2,3\n")
    _, found = evaluated("place,x2,note,x1\nA,-1,,0.5\nB,3,none,2\n")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "text",
    [
        "x1,x2\r\n0.5,-1\r\n",
        '"x1","x2"\n"0.5","-1"\n',
        " x1 , x2 \n 0.5 , -1 \n",
        "x1,x2\n0.5,-1",
        "x1,x2\n5e-1,-1.0e0\n\n",
        "# measured on Monday\n\nx1,x2\n# and so on\n0.5,-1\n",
        "x1;x2\n0.5;-1\n",
        "x1\tx2\n0.5\t-1\n",
    ],
)
def test_forms_of_the_same_table(text):
    """Line ends, quotes, blanks, comments and separators."""
    _, rows = evaluated(text)
    np.testing.assert_array_equal(rows[0], evaluated("x1,x2\n0.5,-1\n")[1][0])


def test_header_only():
    """No points give a header and no rows."""
    header, rows = evaluated("x1,x2\n")
    assert header == tables.columns(ONE, 2)
    assert len(rows) == 0


def test_nan_stays_in_its_row():
    """`nan` is a number to everyone who writes tables; it gives NaN in that row alone."""
    _, rows = evaluated("x1,x2\n1,1\nnan,1\n2,2\n")
    assert np.isnan(rows[1]).all()
    assert np.isfinite(rows[[0, 2]]).all()


def test_points_beside_results():
    """On request each row begins with its point."""
    header, rows = evaluated("x2,x1\n2,0.1\n", order=0, inputs=True)
    assert header == ["x1", "x2", "y"]
    assert rows[0, :2].tolist() == [0.1, 2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a header with x1, x2"),
        ("\n\n# nothing\n", "is empty; expected a header with x1, x2"),
        ("x1,y\n1,2\n", "line 1 has no column x2, but x1, y; expected a header with x1, x2"),
        ("1,2\n3,4\n", "line 1 has no column x1, but 1, 2; expected a header with x1, x2"),
        ("x1,x2,x1\n1,2,3\n", "line 1 has 2 columns x1; expected a header with x1, x2"),
        ("x1,x2\n1,2\n3,\n", "line 3: x2 is missing"),
        ("x1,x2\n1,2\n\n# so\n ,4\n", "line 5: x1 is missing"),
        ("x1,x2\n1,two\n", "line 2: x2 is 'two'; expected a number"),
        ("x1,x2\n1,1_000\n", "line 2: x2 is '1_000'; expected a number"),
        ("x1,x2\n1,\u0663\n", "line 2: x2 is '\u0663'; expected a number"),
        ("x1,x2\n1,0x10\n", "line 2: x2 is '0x10'; expected a number"),
        ("x1,x2\n1\n", "line 2 has 1 cell, but the header has 2"),
        ("x1,x2\n1,2,3\n", "line 2 has 3 cells, but the header has 2"),
        ('x1,x2\n1,"2\n', "line 2: a quote is not closed"),
    ],
)
def test_mistakes_name_the_file_and_the_line(text, message):
    """One line each, and the first mistake is the one that is told."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        evaluated(text)
    assert str(error.value) == f"points.csv: {message}"


def test_text_that_is_no_text():
    """Bytes that are no UTF-8 are named as such, and how far the text could be read before."""
    for rows, after in ((1, ""), (10_000, r" after line [1-9]\d+")):
        raw = io.BytesIO(b"x1,x2\n" + b"1,2\n" * rows + b"\xff\xfe,3\n")
        lines = io.TextIOWrapper(raw, encoding="utf-8")
        with pytest.raises(ValueError, match=rf"^points.csv: no UTF-8 text{after}; save"):
            list(tables.blocks(ONE, lines, "points.csv", 10))


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_numbers_come_through_exactly(numbers):
    """Read with every bit, and written so that they are read with every bit."""
    identity = symnet.Network([symnet.Layer([[1.0]])])
    text = "x1\n" + "".join(f"{x!r}\n" for x in numbers)
    _, rows = evaluated(text, identity, order=0, inputs=True)
    assert rows[:, 0].tolist() == numbers


def test_memory_does_not_grow_with_the_table():
    """Twice the rows take the same memory."""
    function = symnet.derive(ONE).compile()

    class Nowhere(io.StringIO):
        def write(self, text):
            return len(text)

    def peak(rows):
        lines = (f"{i},1\n" if i else "x1,x2\n" for i in range(rows + 1))
        tracemalloc.start()
        tables.evaluate(function, lines, "points.csv", Nowhere())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)
    assert peak(50_000) < 1.2 * peak(25_000)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.ma.masked_greater([1.0, 9.97e36], 1e30), ValueError, "'T' has masked entries; of .fil"),
        (np.array([1.0, 2.0 + 1j]), TypeError, "'T' holds complex128; real numbers are needed"),
        (np.array(["2020", "2021"], "datetime64[Y]"), TypeError, "'T' holds datetime64"),
    ],
)
def test_columns_are_real_numbers(given, error, message):
    """What is below a mask, seconds since 1970 and real parts alone were learnt."""
    with pytest.raises(error, match=re.escape(f"column {message}")):
        symnet.fitting.table({"T": given, "p": [1.0, 2.0]}, outputs=["p"])
