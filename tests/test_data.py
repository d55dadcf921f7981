"""Mixed data: headers, cells, tables."""

from __future__ import annotations

import numpy as np
import pytest

import symnet
from symnet.fitting.columns import read, table
from symnet.fitting.data import Kind, MixedData

WATER = "rho,T,p,dp/drho,dp/dT\n236,895,70.5,,\n41,813,,0.31,\n\n# a comment\n493,831,,,0.39\n"


@pytest.fixture
def csv(tmp_path):
    """A function that writes a text to a file and returns its path."""

    def write(text: str, encoding: str = "utf-8"):
        path = tmp_path / "data.csv"
        path.write_text(text, encoding=encoding)
        return path

    return write


def test_reads_the_readme_table(csv):
    """Names, kinds, points, values and what was not measured."""
    data = read(csv(WATER))
    assert (data.inputs, data.outputs) == (("rho", "T"), ("p",))
    assert data.kinds == (Kind("p"), Kind("p", ("rho",)), Kind("p", ("T",)))
    np.testing.assert_array_equal(data.points, [[236, 895], [41, 813], [493, 831]])
    nan = np.nan
    expected = [[70.5, nan, nan], [nan, 0.31, nan], [nan, nan, 0.39]]
    np.testing.assert_array_equal(data.values, expected)
    assert data.describe() == "3 rows: 1 p, 1 dp/drho, 1 dp/dT; inputs rho, T; output p"


@pytest.mark.parametrize(
    ("column", "along"),
    [
        ("dy/du", ("u",)),
        ("dy/dv", ("v",)),
        ("d2y/dudu", ("u", "u")),
        ("d2y/du^2", ("u", "u")),
        ("d^2y/du**2", ("u", "u")),
        ("∂²y/∂u²", ("u", "u")),
        ("∂2y/∂u∂v", ("u", "v")),
        ("d2y/dvdu", ("u", "v")),
        ("d2y/(du dv)", ("u", "v")),
        ("d2y/dv*du", ("u", "v")),
    ],
)
def test_spellings_of_partials(column, along):
    """Every spelling of a partial is recognised; mixed partials are symmetric."""
    data = table({"u": [1.0, 2], "v": [3.0, 4], column: [5.0, 6]})
    assert data.kinds == (Kind("y", along),)
    assert (data.inputs, data.outputs) == (("u", "v"), ("y",))


def test_a_kind_prints_as_a_column_that_is_read_as_it():
    """str(kind) is a header of the same kind."""
    for kind in (Kind("y"), Kind("y", ("u",)), Kind("y", ("u", "v")), Kind("y", ("v", "v"))):
        data = table({"u": [1.0], "v": [2.0], str(kind): [3.0]}, outputs=["y"])
        assert data.kinds == (kind,)


def test_several_outputs_and_kinds_in_order_of_derivatives():
    """Outputs are the numerators; kinds are sorted by order, columns keep their numbers."""
    data = table(
        {"d2q/dadb": [7.0], "a": [1.0], "dp/db": [2.0], "b": [3.0], "q": [4.0], "p": [5.0]}
    )
    assert (data.inputs, data.outputs) == (("a", "b"), ("q", "p"))
    assert list(map(str, data.kinds)) == ["q", "p", "dp/db", "d2q/dadb"]
    np.testing.assert_array_equal(data.values, [[4, 5, 2, 7]])


def test_symmetric_columns_are_one_kind_and_a_contradiction_two_rows():
    """d2y/dudv and d2y/dvdu measure the same; where a row gives both, both are kept."""
    data = table({"u": [1.0, 2], "v": [3.0, 4], "d2y/dudv": [5.0, np.nan], "d2y/dvdu": [6.0, 7]})
    assert data.counts == {Kind("y", ("u", "v")): 3}
    rows, values = data.of(Kind("y", ("u", "v")))
    assert sorted(zip(data.points[rows, 0].tolist(), values.tolist(), strict=True)) == [
        (1, 5),
        (1, 6),
        (2, 7),
    ]


def test_rows_without_a_measurement_and_empty_columns_are_left_out(csv):
    """Neither takes part in anything."""
    data = read(csv("u,y,dy/du\n1,2,\n3,,\n4,5,\n"))
    assert len(data) == 2
    assert data.kinds == (Kind("y"),)


def test_weights_are_a_column_by_name(csv):
    """A weight column is no input."""
    data = read(csv("u,importance,y\n1,2,3\n4,0.5,6\n"), outputs=["y"], weight="importance")
    assert data.inputs == ("u",)
    np.testing.assert_array_equal(data.weights, [2, 0.5])


def test_other_separators_and_a_byte_order_mark(csv):
    """Semicolons and tabs are seen in the header."""
    for separator in ";\t":
        text = WATER.replace(",", separator)
        assert read(csv(text, "utf-8-sig")).counts == read(csv(WATER)).counts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("u,y\n1,2\n", "does not tell inputs from outputs; name the outputs: --outputs y"),
        ("u,y,dy/dw\n1,2,3\n", "'dy/dw' fits nothing; names that fit are u, y, dy/du, d2y/dudu"),
        ("u,y,d2y/du\n1,2,3\n", "'d2y/du' fits nothing"),
        ("u,y,d3y/dududu\n1,2,3\n", "'d3y/dududu': partials of order 1 to 2"),
        ("u,y,grad/du\n1,2,3\n", "'grad/du' is neither a name nor a partial"),
        ("u,udu,d2y/dudu\n1,2,3\n", None),
        ("a,adb,b,bdb,d2y/dadbdb\n1,2,3,4,5\n", "'d2y/dadbdb' may be read as"),
        ("y,dy/du\n1,2\n", "has no input"),
        (
            "u,,dy/du\n1,2,3\n",
            "line 1: column 2 of the header has no name, but line 2 holds '2' there",
        ),
        ("u,u,dy/du\n1,2,3\n", "line 1: the column 'u' stands twice"),
        ("u [K],dy/du\n1,2\n", "'dy/du' fits nothing; names that fit are u [K]"),
        (f"{'u' * 101},dy/d{'u' * 101}\n1,2\n", "is no name; use one printable line"),
        ("u,dy/du\n1,2\n3\n", "line 3 has 1 cell, but the header has 2"),
        ("u,dy/du\n1,2\n3,abc\n", "line 3: dy/du is 'abc'; expected a number"),
        ('u,dy/du\n1,"2,5"\n', "line 2: dy/du is '2,5'; expected a number; write a decimal point"),
        ("u,dy/du\n1,nan\n", "line 2: dy/du is nan, not finite; leave the cell blank"),
        ("u,dy/du\n-inf,1\n", "line 2: u is -inf, not finite"),
        ("# note\nu,v,dy/du\n1,2,3\n1,,2\n", "line 4: input v is blank"),
        ("u,dy/du\n1,\n2,\n", "no row measures any of dy/du"),
        ("u,dy/du\n", "no row measures any of dy/du"),
        ("u,dy/du\n1e200,1\n", "u holds 1e+200; numbers up to 1e+100"),
    ],
)
def test_bad_files_are_refused_in_a_line(csv, text, message):
    """The message names the file, the line, what was found and what to do."""
    path = csv(text)
    if message is None:
        assert read(path).kinds == (Kind("y", ("u", "u")),)
        return
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole text is compared below
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path, csv):
    """A missing file and a file that is no text."""
    with pytest.raises(ValueError, match=r"none\.csv: cannot be read: No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match=r"data\.csv: no UTF-8 text"):
        read(csv("u,ä,dy/du\n", "latin-1"))


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"u": [1.0], "y": [2.0], "dq/du": [3.0]}, {"outputs": ["y"]}, "'q' is not among"),
        (
            {"u": [1.0], "y": [2.0]},
            {"outputs": ["w"]},
            "output 'w' is no column; the header is u, y$",
        ),
        (
            {"u": [1.0], "y": [2.0]},
            {"outputs": ["w", "y"]},
            r"'w' is no column; the header is u, y; name those that are: --outputs y, or outputs",
        ),
        ({"u": [1.0], "dy/du": [2.0]}, {"weight": "w"}, "weight column 'w' is missing"),
        ({"u": [1.0], "dy/du": [2.0], "w": [0.0]}, {"weight": "w"}, "row 0: weight w is 0"),
        ({"u": [1.0], "dy/du": [2.0], "w": [np.nan]}, {"weight": "w"}, "weight w is blank"),
        ({"u": [1.0, 2], "dy/du": [2.0]}, {}, "columns need one length each"),
        ({"u": [1.0, np.inf], "dy/du": [2.0, 3]}, {}, "row 1: input u is inf"),
        ({"u": [1.0, 2], "dy/du": [2.0, np.inf]}, {}, "dy/du holds inf"),
        ({"u": [1.0], "v": [1.0], "y": [np.nan]}, {"outputs": ["y"]}, "no row measures any of y"),
    ],
)
def test_bad_tables_are_refused(columns, options, message):
    """The same checks without a file."""
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        table(columns, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.ones((2, 3))}, r"values have shape \(2, 3\), expected \(2, 2\)"),
        ({"points": np.ones((2, 3))}, r"points have shape \(2, 3\), expected \(2, 1\)"),
        ({"weights": np.ones(3)}, r"weights have shape \(3,\), expected \(2,\)"),
        ({"weights": np.array([1.0, -1])}, "a weight is -1"),
        ({"points": np.array([[np.nan], [1]])}, "points hold NaN"),
        ({"values": np.full((2, 2), np.nan)}, "no row with a measurement"),
        ({"kinds": (Kind("y"), Kind("y", ("w",)))}, "kind dy/dw: known are u, y"),
        ({"kinds": (Kind("y", ("u",)), Kind("y"))}, "lower orders first"),
        ({"kinds": (Kind("y"), Kind("y"))}, "each once"),
        ({"kinds": (Kind("y"), Kind("y", ("u",) * 3))}, "up to order 2"),
    ],
)
def test_a_table_made_by_hand_is_checked(change, message):
    """The constructor accepts nothing that fitting could stumble over."""
    good = {
        "inputs": ("u",),
        "outputs": ("y",),
        "points": np.array([[1.0], [2]]),
        "kinds": (Kind("y"), Kind("y", ("u",))),
        "values": np.array([[1, np.nan], [2, 3.0]]),
    }
    assert len(MixedData(**good)) == 2
    with pytest.raises(ValueError, match=message):
        MixedData(**{**good, **change})


def test_arrays_are_copies_and_read_only():
    """Nobody changes a table, neither through it nor behind its back."""
    u = np.array([1.0, 2])
    data = table({"u": u, "dy/du": [3.0, 4]})
    u[0] = 9
    assert data.points[0, 0] == 1
    for array in (data.points, data.values, data.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_split_holds_out_a_share_of_every_make_up():
    """Rows that measure the same kinds are split alike, reproducibly, and nothing is lost."""
    y = np.where(np.arange(100) < 60, np.arange(100.0), np.nan)
    slope = np.where(np.arange(100) >= 60, np.arange(100.0), np.nan)
    data = table({"u": np.arange(100.0), "y": y, "dy/du": slope})
    kept, held = data.split(0.1, seed=3)
    assert list(kept.counts.values()) == [54, 36]
    assert list(held.counts.values()) == [6, 4]
    together = np.sort(np.concatenate([kept.points, held.points]), axis=0)
    np.testing.assert_array_equal(together, data.points)
    np.testing.assert_array_equal(held.points, data.split(0.1, seed=3)[1].points)
    assert not np.array_equal(held.points, data.split(0.1, seed=4)[1].points)


def test_split_never_takes_all_rows_of_a_make_up():
    """A kind with one row stays in training; without rows to hold out there is no second table."""
    data = table({"u": [1.0, 2, 3], "y": [1.0, 2, np.nan], "dy/du": [np.nan, np.nan, 3]})
    kept, held = data.split(0.9, seed=0)
    assert list(kept.counts.values()) == [1, 1]
    assert held is not None
    assert held.kinds == (Kind("y"),)
    assert data.split(0.1, seed=0)[1] is None
    with pytest.raises(ValueError, match="holdout is 1, expected a fraction"):
        data.split(1, seed=0)


def test_a_file_is_read_before_it_is_fitted():
    """Its name alone is no data; the message says what makes data of it."""
    for call in (symnet.fit, lambda data: symnet.objective(symnet.Network.example(), data)):
        with pytest.raises(TypeError, match=r"not str; symnet\.fitting\.read makes it of a"):
            call("table.csv")
