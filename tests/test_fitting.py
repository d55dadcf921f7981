"""Training: what is learned, what is reported, what happens on Ctrl-C."""

from __future__ import annotations

import runpy
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sympy import Symbol

from symnet.catalogue import METHODS
from symnet.fitting import (
    AFFORDABLE,
    Fit,
    FitWarning,
    Progress,
    cautions,
    default_method,
    fit,
    predictions,
)
from symnet.fitting.columns import read, table
from symnet.fitting.data import Kind, MixedData
from symnet.fitting.loss import objective
from symnet.fitting.methods import staged
from symnet.fitting.search import Stage
from symnet.network import Layer, Network, concat, variables
from symnet.witness import analytic

pytest.importorskip("scipy")
pytest.importorskip("pymoo")

EXAMPLES = Path(__file__).parent.parent / "examples"


def saddle(rows: int = 60, seed: int = 0) -> MixedData:
    """y = u² − u v, w = 3 u in units far from 1: y, ∂y/∂u, ∂y/∂v and ∂w/∂u, w in turn."""
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(100, 300, rows), rng.uniform(-2e-3, 1e-3, rows)
    turn = np.arange(rows) % 4
    pick = [np.where(turn == k, 1.0, np.nan) for k in range(4)]
    return table(
        {
            "u": u,
            "v": v,
            "y": (u**2 - 1e5 * u * v) * pick[0],
            "dy/du": (2 * u - 1e5 * v) * pick[1],
            "dy/dv": -1e5 * u * pick[2],
            "d2y/dudu": 2 * pick[1],
            "w": 3 * u * pick[3],
        },
        outputs=["y", "w"],
    )


def quick(data: MixedData, **options: object) -> Fit:
    """A fit in a fraction of a second."""
    settings = {"hidden": (6,), "restarts": 1, "generations": 5, "iterations": 40, "holdout": 0.2}
    return fit(data, **{**settings, **options})


def same(a: Fit, b: Fit) -> bool:
    """Whether two fits gave the same network, to the last bit."""
    return a.network == b.network and a.loss == b.loss


def test_a_network_learns_values_and_slopes_in_their_own_units():
    """Points never seen, in raw units, for two outputs and five kinds of rows."""
    result = quick(saddle(200), iterations=150)
    unseen = saddle(40, seed=9)
    for kind in unseen.kinds:
        rows, values = unseen.of(kind)
        error = predictions(result.network, unseen.points[rows], kind) - values
        size = values.std() or values.mean()
        assert np.sqrt(np.mean(error**2)) < 0.02 * size, kind


def residual(seed: int = 1) -> Network:
    """A graph in the saddle's inputs and outputs: a skip connection, and the inputs once more."""
    rng = np.random.default_rng(seed)
    x = variables("u", "v")
    h = Layer(rng.normal(size=(6, 2)) * [1e-2, 1e3], rng.normal(size=6), "tanh")(x)
    h = Layer(rng.normal(size=(6, 6)), rng.normal(size=6), "tanh")(h) + h
    return Network.of(Layer(rng.normal(size=(2, 8)), np.zeros(2))(concat(h, x)), ("y", "w"))


def test_a_graph_is_trained_in_all_its_matrices():
    """From its own weights on; each matrix and each bias is another afterwards."""
    network, unseen = residual(), saddle(40, seed=9)
    result = quick(saddle(200), network=network, method="least-squares", iterations=150)
    assert result.network.describe() == network.describe()
    for name, array in result.network.parameters.items():
        assert np.all(array != network.parameters[name]), name
    for kind in unseen.kinds:
        rows, values = unseen.of(kind)
        error = predictions(result.network, unseen.points[rows], kind) - values
        assert np.sqrt(np.mean(error**2)) < 0.02 * (values.std() or values.mean()), kind


@pytest.mark.parametrize("method", METHODS)
def test_a_trained_network_is_trained_on(method):
    """The first training begins with its weights, so that nothing that was learned is lost."""
    data = saddle(200)
    first = quick(data, network=residual(), method="least-squares", iterations=60)
    again = fit(
        data,
        network=first.network,
        method=method,
        restarts=1,
        generations=2,
        iterations=2,
        holdout=0.2,
    )
    assert again.loss <= first.loss * (1 + 1e-6)
    assert again.history[0].loss == pytest.approx(first.loss, rel=1e-6)


def test_the_networks_names_are_the_datas():
    """In their order; weights that are symbols begin at random."""
    with pytest.raises(ValueError, match=r"the network has the inputs a, b, the data u, v"):
        quick(saddle(), network=Network.dense([2, 3, 2], inputs=("a", "b"), outputs=("y", "w")))
    names = {"inputs": ("u", "v"), "outputs": ("y", "w")}
    symbols = Network.dense([2, 2, 2], "tanh", fill=Symbol("c"), **names)
    assert quick(saddle(), network=symbols).network.symbols == frozenset()


def test_predictions_are_the_analytic_engines():
    """One entry of value, Jacobian or Hessian, in the order of the kind's inputs."""
    net = Network.dense([2, 4, 2], "tanh", inputs=("u", "v"), outputs=("p", "q"))
    X = np.random.default_rng(0).normal(size=(5, 2))
    kinds = Kind("q"), Kind("q", ("u",)), Kind("p", ("u", "v")), Kind("q", ("v", "v"))
    expected = (
        analytic.value(net, X)[:, 1],
        analytic.jacobian(net, X)[:, 1, 0],
        analytic.hessian(net, X)[:, 0, 0, 1],
        analytic.hessian(net, X)[:, 1, 1, 1],
    )
    for kind, entries in zip(kinds, expected, strict=True):
        np.testing.assert_array_equal(predictions(net, X, kind), entries)


def test_reported_errors_are_those_of_the_network_on_its_rows():
    """Recomputed from the split that the seed determines."""
    data = saddle(80)
    result = quick(data, seed=3)
    kept, held = data.split(0.2, seed=3)
    assert held is not None
    for error in result.errors:
        for part, count, rms in (
            (kept, error.rows, error.rms),
            (held, error.held_rows, error.held_rms),
        ):
            rows, values = part.of(error.kind)
            assert len(rows) == count
            predicted = predictions(result.network, part.points[rows], error.kind)
            assert rms == pytest.approx(np.sqrt(np.mean((predicted - values) ** 2)))
        measured = data.of(error.kind)[1]
        assert error.spread == pytest.approx(measured.std() or measured.max())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_improves_and_keeps_the_best(method):
    """The loss returned is that of the network returned, and the least of the history."""
    data = saddle()
    result = quick(data, method=method, restarts=2)
    losses = [m.loss for m in result.history]
    assert {m.restart for m in result.history} == {1, 2}
    assert {m.stage for m in result.history} <= {*METHODS[method]}
    assert result.loss == min(losses)
    assert result.loss < losses[0] / 2
    kept, _ = data.split(0.2, 0)
    target = objective(result.network, kept)
    assert target.loss(target.pack(result.network)) == pytest.approx(result.loss, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_makes_a_run_reproducible(method):
    """Same seed, same network; another seed, another one."""
    data = saddle()
    first = quick(data, method=method, seed=4)
    assert same(first, quick(data, method=method, seed=4))
    assert not same(first, quick(data, method=method, seed=5))


def test_the_best_restart_is_kept_not_the_last():
    """With more restarts the loss never grows."""
    data = saddle()
    short = {"iterations": 5, "generations": 1, "seed": 3}
    one, two, four, five = (quick(data, restarts=r, **short).loss for r in (1, 2, 4, 5))
    assert one > two > four == five


def test_weights_shift_the_effort():
    """Values that rise by 1, contradicted by slopes of about 2: a line follows what counts more."""
    u = np.arange(40.0)
    data = table({"u": u, "y": u, "dy/du": 2 + 0.5 * (-1) ** u})
    slopes = []
    for weights in ({"y": 1e6}, {"dy/du": 1e6}):
        with pytest.warns(FitWarning, match="first partials of a network with no hidden layer"):
            result = quick(data, hidden=(), weights=weights, holdout=0.0)
        slopes.append(float(analytic.jacobian(result.network, [[1.0]])[0, 0, 0]))
    assert slopes == pytest.approx([1, 2], abs=1e-3)


# --- progress, interruption, limits -------------------------------------------------------------


def test_progress_reports_every_stage_and_counts_down(monkeypatch):
    """Called within stages and at their ends, with errors by kind and the time remaining."""
    monkeypatch.setattr("symnet.fitting.search.REPORT_EVERY", 0.0)
    seen: list[Progress] = []
    result = quick(saddle(), restarts=2, progress=seen.append)
    assert [p.restart for p in seen] == sorted(p.restart for p in seen)
    assert {(p.restart, p.stage) for p in seen} == {
        (r, s) for r in (1, 2) for s in ("swarm", "least-squares")
    }
    assert all(list(map(str, p.errors)) == list(map(str, saddle().kinds)) for p in seen)
    assert seen[0].remaining is None
    known = [p.remaining for p in seen if p.stage == "least-squares"]
    assert None not in known
    assert known[0] > known[-1]
    bests = [p.best for p in seen]
    assert bests == sorted(bests, reverse=True)
    assert bests[-1] == result.loss
    assert str(seen[0]).startswith("restart 1/2, swarm 1/5: y ")
    assert "s left)" in str(seen[-1])


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_keeps_the_best_so_far(method):
    """The result is marked, and as good as the progress said."""
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.elapsed > 0.15:
            raise KeyboardInterrupt

    result = quick(saddle(), method=method, restarts=1000, iterations=500, progress=stop)
    assert result.interrupted
    assert result.loss == seen[-1].best
    assert "interrupted" in str(result)
    assert np.isfinite(analytic.value(result.network, saddle().points)).all()


def test_ctrl_c_before_anything_was_evaluated_is_not_swallowed(monkeypatch):
    """There is no network to return."""

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("symnet.fitting.train", stop)
    with pytest.raises(KeyboardInterrupt):
        quick(saddle())


def test_the_time_limit_ends_the_training():
    """With a note, and not marked as interrupted."""
    result = quick(saddle(), restarts=10_000, time_limit=0.3)
    assert 0.3 < result.elapsed < 3
    assert not result.interrupted
    assert result.notes[-1].startswith("the time limit of 0.3 s ended the training in restart")


def test_an_error_in_the_progress_callback_is_not_hidden():
    """Only Ctrl-C and the time limit end a training in silence."""

    def fail(_: Progress) -> None:
        raise RuntimeError("display")

    with pytest.raises(RuntimeError, match="display"):
        quick(saddle(), progress=fail)


# --- the report ---------------------------------------------------------------------------------


def test_the_report_reads_well():
    """Two headings, a row for each kind in columns, notes at the end."""
    with pytest.warns(FitWarning, match="learned up to a constant"):
        result = quick(table({"u": np.arange(50.0), "dy/du": np.sin(np.arange(50.0) / 9)}))
    lines = str(result).splitlines()
    assert lines[0] == "1-6-1, tanh, linear: 19 weights"
    assert lines[1].startswith("swarm+least-squares, 1 restart, seed 0, ")
    assert lines[2].split("  ")[-1] == "of spread"
    assert lines[3].split()[:2] == ["dy/du", "40"]
    assert lines[3].endswith(" %")
    assert len(lines[2]) == len(lines[3])
    assert lines[4] == "note: no row gives y itself: it is learned up to a constant"


def test_without_held_out_rows_the_report_has_a_dash():
    """And the relative error is that of the rows trained with."""
    result = quick(saddle(), holdout=0.0)
    assert result.errors[0].held_rms is None
    assert result.errors[0].relative == result.errors[0].rms / result.errors[0].spread
    assert " 0 " in str(result)
    assert " - " in str(result)


# --- cautions and refusals ----------------------------------------------------------------------


def template(data: MixedData, *hidden: int, activation: str = "tanh") -> Network:
    """A network for this data."""
    widths = [len(data.inputs), *hidden, len(data.outputs)]
    return Network.dense(widths, activation, inputs=data.inputs, outputs=data.outputs)


def test_cautions_come_with_numbers():
    """Few rows, single rows, partials that the activation cannot have; nothing for good data."""
    data = saddle()
    assert cautions(data, template(data, 4)) == ()
    (few,) = cautions(data, template(data, 16, 16))
    assert few.startswith("75 measurements for 354 weights: the network may fit them")
    single = table({"u": [1.0, 2, 3], "y": [1.0, 2, 3], "dy/du": [np.nan, np.nan, 1]})
    notes = cautions(single, template(single, 1))
    assert notes == ("dy/du is measured in a single row of those trained with",)
    for activation in ("relu", "leaky_relu", "linear"):
        second, first = cautions(data, template(data, 4, activation=activation))
        assert second.startswith(
            f"second partials of a network with {activation} are zero wherever they exist: "
            "15 measurements cannot be learned"
        )
        assert first.startswith(f"first partials of a network with {activation} are constant")
        assert "30 measurements" in first
    assert cautions(data, template(data, 4, activation="elu")) == ()


def test_cautions_are_warnings_and_notes():
    """A library's user sees the warning, a reader of the report the note."""
    with pytest.warns(FitWarning) as record:
        result = quick(saddle(), activation="relu")
    assert [str(warning.message) for warning in record] == list(result.notes)
    assert Path(record[0].filename) == Path(__file__)
    assert [note.split(" of ")[0] for note in result.notes] == ["second partials", "first partials"]
    assert "note: second partials" in str(result)


def test_the_default_method_is_what_is_affordable():
    """Least squares up to AFFORDABLE entries of the residual Jacobian."""
    data = saddle(40)
    net = template(data, 4)
    assert default_method(data, net) == "swarm+least-squares"
    copies = -(-AFFORDABLE // (data.measurements * net.weights_count)) + 1
    many = data.rows(np.tile(np.arange(40), copies))
    assert default_method(many, net) == "lbfgs"


def test_steps_may_be_given():
    """Generations for the swarm, iterations for the others; else the table's."""
    assert [s.steps for s in staged("swarm+least-squares", 7, 9)] == [7, 9]
    assert staged("lbfgs", None, None) == (Stage("lbfgs", METHODS["lbfgs"]["lbfgs"]),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "adam"}, "method is 'adam', expected one of swarm, least-squares"),
        ({"restarts": 0}, "restarts is 0, expected at least 1"),
        ({"generations": 0}, "generations is 0"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
        ({"holdout": 1.5}, "holdout is 1.5"),
        ({"hidden": (0,)}, "a width is 0; a whole number of at least 1"),
        ({"activation": "tahn"}, "did you mean 'tanh'"),
        ({"weights": {"y2": 1}}, "'y2' is no kind of the data"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    """One line, before any training."""
    with pytest.raises(ValueError, match=message):
        quick(saddle(), **options)


def test_a_constant_input_is_refused():
    """Nothing can be learned along it."""
    data = table({"u": [1.0, 2, 3], "T": [300.0] * 3, "dy/du": [1.0, 2, 3]})
    with pytest.raises(ValueError, match="input T is 300 in all 3 rows; leave the column out"):
        quick(data, holdout=0.0)


@pytest.mark.parametrize(("method", "library"), [("swarm", "pymoo"), ("lbfgs", "scipy")])
def test_a_missing_library_is_named_with_its_extra(monkeypatch, method, library):
    """The command that installs it."""
    for name in {library, *(name for name in sys.modules if name.startswith(f"{library}."))}:
        monkeypatch.setitem(sys.modules, name, None)
    said = rf"{library} is not installed; pip install 'symnet\[fit\]' brings it$"
    with pytest.raises(ImportError, match=said):
        quick(saddle(), method=method)


# --- the examples -------------------------------------------------------------------------------


def test_water_is_learned_from_slopes():
    """A quarter of the default effort: 300 states never seen, within the bounds of the issue."""
    data, truth = (read(EXAMPLES / "data" / f"water_{name}.csv") for name in ("mixed", "truth"))
    result = fit(data, restarts=1, generations=20, iterations=100)
    for kind in truth.kinds:
        rows, values = truth.of(kind)
        error = predictions(result.network, truth.points[rows], kind) - values
        bound = 0.001 if kind.order == 0 else 0.003
        assert np.sqrt(np.mean(error**2)) < bound * values.std(), kind


def test_the_water_example_draws_its_picture(monkeypatch, tmp_path, capsys):
    """The whole script, with a short training."""
    pytest.importorskip("matplotlib")
    module = runpy.run_path(str(EXAMPLES / "fit_water.py"))
    short = {"restarts": 1, "generations": 2, "iterations": 20}
    monkeypatch.setitem(module["main"].__globals__, "fit", partial(fit, **short))
    module["main"](tmp_path / "water.png")
    assert (tmp_path / "water.png").read_bytes()[:4] == b"\x89PNG"
    assert "600 rows: 200 p, 200 dp/drho, 200 dp/dT" in capsys.readouterr().out


def test_an_optimiser_of_ones_own(monkeypatch, capsys):
    """The example's swarm finds something, and the gradient improves it."""
    monkeypatch.setattr(sys, "argv", ["own_optimiser.py"])
    runpy.run_path(str(EXAMPLES / "own_optimiser.py"), run_name="__main__")
    swarm, refined, _ = capsys.readouterr().out.splitlines()

    def worst(line: str) -> float:
        return max(float(part.split()[-2]) for part in line.split(","))

    assert worst(swarm) < 50
    assert worst(refined) < 1
