"""One dialect of CSV: what `evaluate` reads, `fit` reads alike, and what one refuses, both do."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest

import symnet
from symnet import fitting, tables
from symnet.dialect import Table

NETWORK = symnet.Network.dense([2, 1], seed=0)


def as_points(text):
    """The inputs as `evaluate` reads them."""
    lines = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    return np.concatenate(list(tables.blocks(NETWORK, lines, "table.csv", 100)))


def as_data(text, tmp_path):
    """The inputs as `fit` reads them: y is among the columns."""
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    return fitting.read(path, outputs=["y"]).points


POINTS = [[0.5, -1.0], [10.0, 2e-3]]
READ = {
    "plain": "x1,x2,y\n0.5,-1,1\n10,2e-3,1\n",
    "byte order mark": "\ufeffx1,x2,y\n0.5,-1,1\n10,2e-3,1\n",
    "windows": "x1,x2,y\r\n0.5,-1,1\r\n10,2e-3,1\r\n",
    "old mac": "x1,x2,y\r0.5,-1,1\r10,2e-3,1\r",
    "tabs": "x1\tx2\ty\n0.5\t-1\t1\n10\t2e-3\t1\n",
    "semicolons": "x1;x2;y\n0.5;-1;1\n10;2e-3;1\n",
    "decimal commas": "x1;x2;y\n0,5;-1;1\n10;2,0e-3;1,0\n",
    "decimal commas and tabs": "x1\tx2\ty\n0,5\t-1\t1\n10\t2,0e-3\t1\n",
    "sep=": "sep=;\nx1;x2;y\n0,5;-1;1\n10;0,002;1\n",
    "sep= after a mark": "\ufeffsep=;\r\nx1;x2;y\r\n0,5;-1;1\r\n10;0,002;1\r\n",
    "quoted sep=": '"sep=,"\nx1,x2,y\n0.5,-1,1\n10,2e-3,1\n',
    "numpy": "# x1,x2,y\n5e-1,-1e0,1\n1e1,2e-3,1\n",
    "numpy with a note": "# run 7\n# x1;x2;y\n5e-1;-1e0;1\n1e1;2e-3;1\n",
    "blanks": " x1 , x2 ,y \n 0.5 , -1 ,1\n 10,2e-3 , 1 \n",
    "quotes": '"x1","x2","y"\n"0.5","-1","1"\n"10","2e-3","1"\n',
    "blanks in quotes": '" x1 ","x2 ","y"\n" 0.5 ","-1","1"\n"10 ","2e-3","1"\n',
    "blanks around quotes": '"x1" , "x2" ,"y"\n"0.5" , "-1" ,"1"\n10,"2e-3" ,1\n',
    "index without a name": ",x1,x2,y\n0,0.5,-1,1\n1,10,2e-3,1\n",
    "index of words": '"","x1","x2","y"\n"a",0.5,-1,1\n"b",10,2e-3,1\n',
    "trailing separators": "x1,x2,y,\n0.5,-1,1,\n10,2e-3,1,\n",
    "many trailing separators": "x1;x2;y;;\n0.5;-1;1;;\n10;2e-3;1;;\n",
    "trailing separators in rows": "x1,x2,y\n0.5,-1,1,\n10,2e-3,1,\n",
    "comments": "# a\n\nx1,x2,y\n# b\n0.5,-1,1\n\n10,2e-3,1\n",
    "comments with separators": "x1,x2,y\n# 1,2,3\n0.5,-1,1\n10,2e-3,1\n",
    "other order": "y,x2,x1\n1,-1,0.5\n1,2e-3,10\n",
}
REFUSED = {
    "underscore": ("x1,x2,y\n1_0,2,1\n", "line 2: x1 is '1_0'; expected a number"),
    "full width": ("x1,x2,y\n１０,2,1\n", "line 2: x1 is '１０'; expected a number"),
    "words": ("x1,x2,y\n1,two,1\n", "line 2: x2 is 'two'; expected a number"),
    "beyond doubles": (
        "x1,x2,y\n1,1e999,1\n",
        "line 2: x2 is '1e999'; expected a number that doubles hold",
    ),
    "5,000 digits": (
        f"x1,x2,y\n{'9' * 5000},2,1\n",
        f"line 2: x1 is '{'9' * 36}...; expected a number that doubles hold",
    ),
    "NUL bytes": (
        "x\0001\0,\0x\0002\0",
        "line 1 holds NUL bytes, as UTF-16 does; "
        "save the table as UTF-8 (in a spreadsheet: CSV UTF-8)",
    ),
    "decimal comma": (
        'x1,x2,y\n1,"2,5",1\n',
        "line 2: x2 is '2,5'; expected a number; write a decimal point, or separate by semicolons",
    ),
    "both signs": (
        "x1;x2;y\n1,5;2;1\n3;2.5;1\n",
        "line 3: x2 is '2.5', but a number in line 2 has the other decimal sign; "
        "write all with a point, or all with a comma",
    ),
    "thousands": ("x1;x2;y\n1.234,5;2;1\n", "line 2: x1 is '1.234,5'; expected a number"),
    "more cells": ("x1,x2,y\n1,2,3,4\n", "line 2 has 4 cells, but the header has 3"),
    "fewer cells": ("x1,x2,y\n1\n", "line 2 has 1 cell, but the header has 3"),
    "open quote": ('x1,x2,y\n1,"2,3\n', "line 2: a quote is not closed"),
    "unnamed column": (
        "x1,,x2,y\n1,2,3,4\n",
        "line 1: column 2 of the header has no name, but line 2 holds '2' there",
    ),
    "other separator": (
        "sep=|\nx1|x2|y\n1|2|3\n",
        "line 1: '|' is to separate; use commas, semicolons or tabs",
    ),
    "blanks separate": (
        "# x1 x2 y\n1e0 2e0 3e0\n",
        "line 2: blanks separate; use commas, semicolons or tabs, and a header",
    ),
    "long cell": (
        f"x1,x2,y\n{'a' * 5000},2,1\n",
        f"line 2: x1 is '{'a' * 36}...; expected a number",
    ),
    "line separator": ("x1,x2,y\n1\u20282,2,1\n", r"line 2: x1 is '1\u20282'; expected a number"),
    "escape": ("x1,x2,y\n\x1b[31m,2,1\n", r"line 2: x1 is '\x1b[31m'; expected a number"),
}


@pytest.mark.parametrize("kind", READ)
def test_read_by_both(kind, tmp_path):
    """The same points from every way to write them."""
    np.testing.assert_array_equal(as_points(READ[kind]), POINTS)
    columns = as_data(READ[kind], tmp_path)
    np.testing.assert_array_equal(columns[:, ::-1] if kind == "other order" else columns, POINTS)


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_by_both(kind, tmp_path):
    """In the same words, on one line."""
    text, message = REFUSED[kind]
    with pytest.raises(ValueError) as points:  # noqa: PT011 - the whole message is compared
        as_points(text)
    with pytest.raises(ValueError) as data:  # noqa: PT011
        as_data(text, tmp_path)
    assert str(points.value) == f"table.csv: {message}"
    assert str(data.value) == f"{tmp_path}/table.csv: {message}"
    assert message.isprintable()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_other_encodings_are_told_what_to_do(encoding, tmp_path):
    """With a mark or without one; evaluate and fit say the same."""
    path = tmp_path / "table.csv"
    path.write_bytes("x1,x2,y\n1,2,é\n".encode(encoding))
    messages = []
    with open(path, encoding="utf-8-sig", newline="") as lines:
        for read in (
            lambda: list(tables.blocks(NETWORK, lines, str(path), 9)),
            lambda: fitting.read(path),
        ):
            with pytest.raises(ValueError, match="save the table as UTF-8") as error:
                read()
            messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert messages[0].isprintable()


@pytest.mark.parametrize("name", ["h" * 5000, "a\u2028b", "\x1b[31mred", "\u202egnp"])
def test_headers_are_never_echoed_raw(name, tmp_path):
    """Long names are cut short, what moves a cursor is written as an escape."""
    headers = (f"{name},x2,y", f"{name},{name},y", f"{name},x2,dz/{name}", f"{name}/,x2,y")
    reads = (as_points, lambda text: as_data(text, tmp_path))
    messages = []
    for read, header in itertools.product(reads, headers):
        try:
            read(f"{header}\n1,2,3\n")
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) >= 7
    for message in messages:
        assert message.isprintable()
        assert len(message) < 500 + len(str(tmp_path))


def test_a_table_is_names_and_rows():
    """The parts that commands are made of."""
    table = Table(io.StringIO("# u,v\n1,2\n\n3,4\n", newline=""))
    assert (table.header, table.line) == (("u", "v"), 1)
    assert [(line, table.numbers(row, [1, 0], line)) for line, row in table] == [
        (2, [2.0, 1.0]),
        (4, [4.0, 3.0]),
    ]


def test_blanks_and_empty_tables():
    """No lines, no names; a blank cell is no number."""
    assert Table([]).header == ()
    table = Table(["u,v\n", "1,\n"])
    (line, row) = next(iter(table))
    with pytest.raises(ValueError, match=r"^line 2: v is missing$"):
        table.numbers(row, [0, 1], line)
