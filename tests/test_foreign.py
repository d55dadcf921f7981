"""Compiled functions in others' hands: lazy for dask's arrays, named for xarray's, with the same
numbers, and in SciPy's solvers."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest

import symnet
from symnet import reporting

X = np.random.default_rng(0).normal(size=(50, 4, 3))


@pytest.fixture(scope="module")
def f():
    """3-5-2, tanh, with names."""
    net = symnet.Network.dense([3, 5, 2], "tanh", seed=0, inputs=["rho", "T", "u"])
    return symnet.derive(net).compile()


# --- data frames --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frame():
    """Columns in another order than the inputs, and one that is none."""
    pandas = pytest.importorskip("pandas")
    u, rho, T = X[:, 0, 2], X[:, 0, 0], X[:, 0, 1]
    return pandas.DataFrame({"u": u, "day": np.arange(len(u)), "rho": rho, "T": T})


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_columns_are_taken_by_their_names(f, frame, backend):
    """Whatever their order; values in the wrong columns were computed without a word."""
    if backend == "c" and not shutil.which("gcc"):
        pytest.skip("no C compiler installed")
    f = symnet.derive(f.network).compile(backend)
    for found, numbers in zip(f(frame), f(np.ascontiguousarray(X[:, 0])), strict=True):
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, numbers)
    np.testing.assert_array_equal(f.jacobian(frame), f.jacobian(X[:, 0]))
    np.testing.assert_array_equal(f.value(frame.iloc[3]), f.value(X[3, 0]))


def test_data_of_slopes_and_pages_are_taken_by_names(f, frame):
    """As where functions are applied."""
    s = symnet.sensitivity(f.network, frame)
    np.testing.assert_array_equal(s.points, X[:, 0])
    xarray = pytest.importorskip("xarray")
    labelled = xarray.DataArray(
        X[:, 0, ::-1].T, dims=("quantity", "time"), coords={"quantity": ["u", "T", "rho"]}
    )
    np.testing.assert_array_equal(symnet.sensitivity(f.network, labelled).points, X[:, 0])
    page = reporting.described(symnet.derive(f.network), None, None, frame)
    assert reporting.text(page, "md") == reporting.text(
        reporting.described(symnet.derive(f.network), None, None, X[:, 0]), "md"
    )


def test_the_witness_takes_arrays_alone(f, frame):
    """It knows of no library."""
    with pytest.raises(TypeError, match="X is a DataFrame, in any order of columns"):
        symnet.analytic.value(f.network, frame[["T", "rho", "u"]])
    with pytest.raises(TypeError, match="X is a Series, in any order"):
        symnet.analytic.value(f.network, frame[["T", "rho", "u"]].iloc[3])


def test_a_frame_without_the_names_is_an_array(f, frame):
    """Its columns are in the order of the inputs."""
    other = frame[["rho", "T", "u"]].rename(columns={"rho": "a", "T": "b", "u": "c"})
    np.testing.assert_array_equal(f.value(other), f.value(X[:, 0]))


def test_a_frame_with_some_of_the_names_is_refused(f, frame):
    """As is one that has a name twice."""
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="the data has no column 'T', but 'rho'; the inputs are"):
        f(frame.drop(columns="T"))
    with pytest.raises(ValueError, match="the data has 2 columns 'T'; the inputs are rho, T, u"):
        f.value(pandas.concat([frame, frame[["T"]]], axis=1))


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_whatever_has_names_is_taken_by_them(f, frame, backend):
    """Record arrays and dictionaries; frames of numbers that may be missing, rows beside text."""
    if backend == "c" and not shutil.which("gcc"):
        pytest.skip("no C compiler installed")
    f = symnet.derive(f.network).compile(backend)
    points = X[:, 0]
    y = f.value(points)
    records = frame.to_records(index=False)
    plain = np.array(records.tolist(), dtype=records.dtype.descr)
    columns = {name: frame[name].to_numpy() for name in frame}
    for given in (records, plain, columns, frame.convert_dtypes(), frame.to_dict("list")):
        np.testing.assert_array_equal(f.value(given), y)
    row = frame.assign(day="Monday").iloc[3]
    assert row.dtype == object
    np.testing.assert_array_equal(f.value(row), f.value(points[3]))
    np.testing.assert_array_equal(f.value(plain[3]), f.value(points[3]))
    spread = f.value(columns | {"T": 0.5})
    np.testing.assert_allclose(spread[3], f.value([points[3, 0], 0.5, points[3, 2]]), rtol=1e-13)
    assert f.value(frame.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(f.value(frame[:0]), np.empty((0, 2)))


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_rows_of_a_list_are_taken_by_their_names(f, frame, backend):
    """They were taken by place, without a word: T where rho belongs."""
    if backend == "c" and not shutil.which("gcc"):
        pytest.skip("no C compiler installed")
    f = symnet.derive(f.network).compile(backend)
    other = frame[["u", "T", "rho"]]
    y = f.value(X[:, 0])
    rows = [row for _, row in other.iterrows()]
    named = list(other.itertuples())
    for given in (rows, tuple(rows), named, other.to_dict("records")):
        np.testing.assert_array_equal(f.value(given), y)
        np.testing.assert_array_equal(f.value([given, given])[1], y)
    np.testing.assert_array_equal(f.value(list(other.to_records())), y)
    np.testing.assert_array_equal(f.value(named[3]), f.value(X[3, 0]))
    with pytest.raises(ValueError, match="the data has no column 'T', but 'rho'"):
        f.value([{"rho": 1.0, "u": 2.0}])
    np.testing.assert_array_equal(symnet.sensitivity(f.network, rows).points, X[:, 0])


def test_missing_numbers_are_nan(f, frame):
    """Of columns that have a way of their own to say so."""
    lacking = frame.astype("Float64")
    lacking.loc[2, "T"] = None
    y = f.value(lacking)
    assert np.isnan(y[2]).all()
    assert np.isfinite(np.delete(y, 2, axis=0)).all()


def test_columns_that_are_no_numbers_are_named(f, frame):
    """Or lie under others, or differ in length."""
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=r"column 'T' holds .*; real numbers are needed"):
        f(frame.assign(T="warm"))
    with pytest.raises(TypeError, match=r"column 'T' holds datetime64.*; real numbers are needed"):
        f(frame.assign(T=pandas.Timestamp("2020-01-01")))
    with pytest.raises(ValueError, match=r"the data has columns of several levels, \('a', 'u'\)"):
        f(pandas.concat({"a": frame[["u", "rho", "T"]]}, axis=1))
    with pytest.raises(ValueError, match=r"the columns differ in shape: rho \(4,\), T \(5,\), u"):
        f({"rho": np.ones(4), "T": np.ones(5), "u": np.ones(4)})


def test_masked_entries_are_refused(f):
    """What stands below a mask, such as 9.97e36 in files of netCDF, was taken for a number."""
    points = np.ma.masked_array(X[:, 0], X[:, 0] > 1)
    with pytest.raises(ValueError, match=r"the data has masked entries; of .filled\(numpy.nan\)"):
        f(points)
    with pytest.raises(ValueError, match="column 'T' has masked entries"):
        f({"rho": X[:, 0, 0], "T": points[:, 1], "u": X[:, 0, 2]})
    np.testing.assert_array_equal(f.value(np.ma.masked_array(X)), f.value(X))
    with pytest.raises(ValueError, match="the data has masked entries"):
        symnet.sensitivity(f.network, points)
    with pytest.raises(TypeError, match="X is a MaskedArray"):
        symnet.analytic.value(f.network, points)


def test_tables_of_others_by_their_names(f, frame):
    """Arrow's, whose columns stood for inputs by their places, and lazy frames, by what to do."""

    class Table:
        """As pyarrow's: columns without names, beside their names."""

        column_names = tuple(frame)
        columns = tuple(frame[name].to_numpy() for name in frame)

        def __getitem__(self, name):
            return self.columns[self.column_names.index(name)]

        def __array__(self, dtype=None, copy=None):
            return np.stack(self.columns, axis=1)

    class LazyFrame:
        """As polars's."""

    np.testing.assert_array_equal(f.value(Table()), f.value(X[:, 0]))
    with pytest.raises(TypeError, match=r"the data is a LazyFrame, .*; give data.collect\(\)"):
        f(LazyFrame())


# --- dask ---------------------------------------------------------------------------------------


def test_lazy_in_lazy_out(f):
    """Shapes, chunks, types and meta are known before anything is computed; then the numbers."""
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(X, chunks=(20, 4, 2))
    expected = f(X)
    for found, numbers in zip(f(lazy), expected, strict=True):
        assert isinstance(found, da.Array)
        assert found.shape == numbers.shape
        assert found.dtype == np.float64
        assert isinstance(found._meta, np.ndarray)
        assert found.chunks[:2] == ((20, 20, 10), (4,))
        assert all(len(axis) == 1 for axis in found.chunks[2:])
        np.testing.assert_array_equal(found.compute(scheduler="sync"), numbers)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_each_order_alone(f, order):
    da = pytest.importorskip("dask.array")
    found = f.derivative(order, da.from_array(X, chunks=(25, 2, 3)))
    np.testing.assert_array_equal(found.compute(scheduler="sync"), f.derivative(order, X))


def test_a_value_alone():
    """Compiled to order 0, and at one point without leading axes."""
    da = pytest.importorskip("dask.array")
    value = symnet.derive(symnet.Network.example(), 0).compile()
    (found,) = value(da.from_array(np.ones(2), chunks=1))
    assert found.shape == (1,)
    np.testing.assert_array_equal(found.compute(scheduler="sync"), value(np.ones(2))[0])


def test_single_precision_stays(f):
    da = pytest.importorskip("dask.array")
    found = f.jacobian(da.from_array(X.astype(np.float32), chunks=(10, 4, 3)))
    assert found.dtype == np.float32
    assert found.compute(scheduler="sync").dtype == np.float32


def test_nothing_is_computed_before_it_is_asked_for(f):
    da = pytest.importorskip("dask.array")

    def never(block):
        raise AssertionError("computed")

    lazy = da.from_array(X, chunks=(10, 4, 3)).map_blocks(never, meta=np.empty((0, 0, 0)))
    y, J, _ = f(lazy)
    assert (y.shape, J.shape) == ((50, 4, 2), (50, 4, 2, 3))


def test_all_orders_come_from_one_call(f, monkeypatch):
    """A chunk's value, Jacobian and Hessian are computed together."""
    da = pytest.importorskip("dask.array")
    dask = pytest.importorskip("dask")
    calls = []
    one = type(f).__call__

    def counted(self, X):
        calls.append(type(X))
        return one(self, X)

    monkeypatch.setattr(type(f), "__call__", counted)
    dask.compute(*f(da.from_array(X, chunks=(25, 4, 3))), scheduler="sync")
    assert calls.count(np.ndarray) == 2


@pytest.mark.parametrize(
    ("shape", "kind", "error", "message"),
    [
        ((5, 4), float, ValueError, r"\(5, 4\), expected \(..., 3\): one column per input"),
        ((5, 3), complex, TypeError, "X holds complex128; real numbers are needed"),
    ],
)
def test_unusable_lazy_arrays_are_refused_at_once(f, shape, kind, error, message):
    """As NumPy's are, with the same words."""
    da = pytest.importorskip("dask.array")
    for zeros in (da.zeros(shape, dtype=kind), np.zeros(shape, dtype=kind)):
        with pytest.raises(error, match=message):
            f(zeros)


def test_other_weights_are_another_task():
    """Results of two networks that differ in a weight must never be taken for each other."""
    base = pytest.importorskip("dask.base")
    nets = [symnet.Network([symnet.Layer([[w, 1.0]], None, "tanh")]) for w in (0.5, 0.25)]
    one, other, same = (symnet.derive(net).compile() for net in (*nets, nets[0]))
    assert base.tokenize(one) != base.tokenize(other)
    assert base.tokenize(one) == base.tokenize(same)


def test_workers_of_a_cluster(f, tmp_path):
    """Pickled to other processes, the C kernel rebuilt there, results straight to files."""
    da = pytest.importorskip("dask.array")
    distributed = pytest.importorskip("distributed")
    backend = "c" if any(map(shutil.which, ("cc", "gcc", "clang"))) else "numpy"
    function = symnet.derive(f.network).compile(backend, threads=1)
    again = pickle.loads(pickle.dumps(function))
    np.testing.assert_array_equal(again(X)[2], function(X)[2])
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=tmp_path / "spill",
            memory_limit="1GB",
        ) as cluster,
        distributed.Client(cluster),
    ):
        results = function(da.from_array(np.tile(X, (20, 1, 1)), chunks=(250, 4, 3)))
        stacks = [tmp_path / name for name in ("y", "J", "H")]
        for result, stack in zip(results, stacks, strict=True):
            da.to_npy_stack(stack, result, axis=0)
    for stack, expected in zip(stacks, function(np.tile(X, (20, 1, 1))), strict=True):
        assert len(list(stack.glob("*.npy"))) == 4
        found = da.from_npy_stack(stack).compute(scheduler="sync")
        np.testing.assert_array_equal(found, expected)


# --- xarray -------------------------------------------------------------------------------------


def test_named_in_named_out(f):
    """Inputs by their labels in any order and place; results have names and coordinates."""
    xarray = pytest.importorskip("xarray")
    given = xarray.DataArray(
        X[..., [1, 2, 0]].transpose(2, 0, 1),
        dims=("quantity", "time", "place"),
        coords={"quantity": ["T", "u", "rho"], "time": np.arange(50)},
    )
    y, J, H = f(given)
    assert y.dims == ("time", "place", "output")
    assert J.dims == ("time", "place", "output", "input")
    assert H.dims == ("time", "place", "output", "input", "input_2")
    assert [result.name for result in (y, J, H)] == ["value", "jacobian", "hessian"]
    for found, numbers in zip((y, J, H), f(X), strict=True):
        np.testing.assert_array_equal(found.values, numbers)
    picked = H.sel(output="y2", input="T", input_2="u", time=7)
    np.testing.assert_array_equal(picked, f.hessian(X)[7, :, 1, 1, 2])


def test_a_dataset_with_a_variable_for_each_input(f):
    """Grids are spread against each other; other variables are passed over."""
    xarray = pytest.importorskip("xarray")
    given = xarray.Dataset(
        {"u": 0.5, "noise": ("t", [1.0, 2.0])}, coords={"rho": [0.1, 0.2, 0.3], "T": [1.0, 2.0]}
    )
    J = f.jacobian(given)
    assert J.sizes == {"rho": 3, "T": 2, "output": 2, "input": 3}
    found = J.sel(rho=0.2, T=2.0, output="y1")
    np.testing.assert_allclose(found, f.jacobian([0.2, 2.0, 0.5])[0], rtol=1e-14)


def test_unlabelled_inputs_by_the_dimensions_name(f):
    xarray = pytest.importorskip("xarray")
    found = f.value(xarray.DataArray(X, dims=("a", "b", "input")))
    np.testing.assert_array_equal(found.values, f.value(X))


def test_xarray_of_dask_stays_lazy(f):
    xarray = pytest.importorskip("xarray")
    da = pytest.importorskip("dask.array")
    given = xarray.DataArray(da.from_array(X, chunks=(10, 4, 3)), dims=("a", "b", "input"))
    _, _, H = f(given)
    assert isinstance(H.data, da.Array)
    np.testing.assert_array_equal(H.compute(scheduler="sync").values, f.hessian(X))


def test_what_xarray_does_not_name(f):
    xarray = pytest.importorskip("xarray")
    with pytest.raises(ValueError, match="the Dataset has no variable T; the inputs are rho, T, u"):
        f(xarray.Dataset({"rho": 1.0, "u": 2.0}))
    with pytest.raises(ValueError, match="the DataArray has dimensions a, b, c; one must be"):
        f(xarray.DataArray(X, dims=("a", "b", "c")))


# --- SciPy ----------------------------------------------------------------------------------------


def test_solvers_take_them():
    """As README says: residuals and constraints as they are, a minimum's function by output."""
    optimize = pytest.importorskip("scipy.optimize")
    f = symnet.derive(symnet.Network.dense([2, 8, 3], "tanh", seed=1)).compile()
    x0 = np.array([0.3, -0.2])
    assert optimize.least_squares(f.value, x0, jac=f.jacobian, max_nfev=5).cost >= 0
    y, J, H = (lambda x, r=r: f.derivative(r, x)[0] for r in range(3))

    def bent(x, v):
        return np.tensordot(v, f.hessian(x), 1)

    found = optimize.minimize(y, x0, jac=J, hess=H, method="trust-exact", options={"maxiter": 5})
    assert found.fun <= y(x0)
    bound = optimize.NonlinearConstraint(f.value, -1, 1, jac=f.jacobian, hess=bent)
    found = optimize.minimize(
        y, x0, jac=J, hess=H, constraints=bound, method="trust-constr", options={"maxiter": 5}
    )
    assert np.isfinite(found.fun)
