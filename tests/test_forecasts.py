"""What a command will take is said before it begins; what is hopeless is refused at once."""

import io
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

import effort
import symnet
from symnet import cli, fitting, importers
from symnet.cli import exchange, fit, forecasts, libraries, terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("forecasts")
    for name, widths in {"many": [1000, 64, 1], "wide": [2, 300, 300, 1]}.items():
        net = symnet.Network.dense(widths, hidden="tanh", output="linear", seed=0)
        symnet.save(net, found / f"{name}.json")
    (found / "points.csv").write_text("x1,x2\n1,1\n", encoding="utf-8")
    return found


@pytest.mark.parametrize(
    "command",
    [
        ("derive", "{}"),
        ("check", "{}"),
        ("report", "{}", "-o", "{}.html"),
        ("generate", "{}", "-o", "{}.py"),
        ("evaluate", "{}", "points"),
    ],
)
def test_what_needs_too_much_memory_is_refused_at_once(folder, capsys, command):
    """10⁹ third partials of a point; the message says what fits."""
    words = [word.format(folder / "many.json") for word in command]
    words = [str(folder / "points.csv") if word == "points" else word for word in words]
    with effort.within(2):
        assert cli.main([*words, "--order", "3"]) == 2
    said = capsys.readouterr().err
    assert "GB of memory, limited to 4 GB; take --order 2" in said
    assert len(said.splitlines()) == 1
    assert {path.name for path in folder.iterdir()} == {"many.json", "wide.json", "points.csv"}


def test_expanded_formulas_are_refused_before_anything_is_checked(tmp_path, capsys):
    path = tmp_path / "net.json"
    symnet.save(symnet.Network.dense([2, 32, 32, 1], hidden="tanh", seed=0), path)
    asked = ["derive", str(path), "--notation", "expanded", "--order", "1"]
    with effort.within(1):
        assert cli.main(asked) == 2
    assert 'use notation "neuron" or "layer"' in capsys.readouterr().err


def test_five_hundred_layers_are_refused_at_once(tmp_path, capsys):
    """Whose nested formula has more operations than a float can say; neurons' before it is told."""
    path = tmp_path / "net.json"
    symnet.save(symnet.Network.dense([2] + [8] * 500 + [1], hidden="tanh", seed=0), path)
    assert cli.main(["derive", str(path), "--notation", "expanded", "--order", "1"]) == 2
    said = capsys.readouterr().err
    assert "3 formulas up to order 1 would have about 1e" in said
    assert cli.main(["derive", str(path), "--notation", "neuron", "--order", "6"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("symnet: error: the neuron notation of 2-8 (x500)-1")
    net = symnet.load(path)
    assert forecasts.compiling(net, 2) > 1  # each layer is some statements, however small
    assert forecasts.generating(net, 2) > 5 * forecasts.compiling(net, 2)


def test_seconds_are_said_unless_they_are_few(capsys):
    """Or it is to be quiet."""
    for seconds, quiet in ((41.0, False), (1.0, False), (41.0, True)):
        with terminal.working(f"thinking {seconds} {quiet}", quiet, seconds):
            pass
    assert capsys.readouterr().err == "symnet: thinking 41.0 False: about 40 s\n"


def test_a_large_file_is_told_before_it_is_read(tmp_path, monkeypatch):
    """What is done with it is foretold when it has been read, which is more than a second later."""
    said = []
    monkeypatch.setattr(terminal.sys, "stderr", io.StringIO())
    monkeypatch.setattr(
        importers, "read", lambda *_: said.append(terminal.sys.stderr.getvalue()) or HasNetwork
    )
    path = tmp_path / "net.json"
    with path.open("wb") as file:
        file.truncate(25_000_000)
    assert exchange.loaded(str(path)) is HasNetwork.network
    assert said == [f"symnet: reading {path}: about 1 s\n"]


class HasNetwork:
    network = object()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3.2, "3 s"), (44.0, "40 s"), (119.0, "120 s"), (400.0, "7 min"), (9000.0, "2 h")],
)
def test_durations(seconds, said):
    assert terminal.duration(seconds) == said


def test_what_a_training_takes_is_a_bound(capsys):
    """It ends where nothing gets better, mostly long before the steps it may take are done."""
    state = fitting.Progress("lbfgs", 10, 1000, 1, 1, 0.1, 0.1, {}, 2.0, 98.0)
    fit._shown(terminal.Progress("training"), state)
    assert capsys.readouterr().err == "symnet: training: at most about 100 s\n"


def test_forecast_is_near_what_a_check_takes(folder):
    """Of a network whose check takes seconds, within a factor of eight, on any machine."""
    net = symnet.load(folder / "wide.json")
    f = symnet.derive(net).compile(check=False)
    began = time.process_time()
    symnet.check(net, f)
    taken = time.process_time() - began
    assert taken / 8 < forecasts.check(net, 2) < taken * 8


def test_rows_of_a_table_are_told_from_its_size(tmp_path):
    path = tmp_path / "points.csv"
    points = np.random.default_rng(0).normal(size=(20_000, 2))
    np.savetxt(path, points, "%.6f", ",", header="x1,x2", comments="")
    assert abs(forecasts.rows(str(path)) - 20_000) < 400
    assert forecasts.rows("-") == 0


def test_interrupt_is_one_line_and_leaves_no_file(folder, tmp_path):
    """While a million rows are computed: status 130, no part of the output."""
    table, out = tmp_path / "points.csv", tmp_path / "out.csv"
    table.write_text("x1,x2\n" + "0.25,0.5\n" * 1_000_000)
    command = [sys.executable, "-m", "symnet", "evaluate", folder / "wide.json", table, "-o", out]
    # Shells have their background processes, and all of theirs, ignore interrupts.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard) as process:
        assert "evaluating" in process.stderr.readline()
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        said = process.stderr.read()
        assert process.wait() == 130
    assert said.splitlines()[-1] == "symnet: interrupted"
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["points.csv"]


def test_pictures_that_need_too_much_memory_are_refused_at_once(tmp_path, capsys, monkeypatch):
    """By their sizes, before the network's slopes are taken at any point."""
    monkeypatch.setattr(libraries, "find_spec", str)  # nothing is drawn
    path = tmp_path / "net.json"
    symnet.save(symnet.Network.dense([20_000, 1, 3_000], hidden="tanh", seed=0), path)
    with effort.within(2):
        assert cli.main(["plot", str(path), "-o", str(tmp_path / "net.png")]) == 2
    assert "GB of memory, limited to 4 GB; take fewer inputs or outputs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_large_networks_are_sampled_at_fewer_points():
    """So that a picture takes some seconds at most, but is never too coarse to be read."""
    from symnet.plotting import grids

    small = symnet.Network.dense([2, 8, 1], hidden="tanh", seed=0)
    assert grids.side(small, 100) == grids.SIDE
    assert grids.samples(100) == grids.SAMPLES
    assert grids.side(small, 10**6 - 1) == 100
    assert grids.side(small, 10**6 - 1, 4) == 50
    assert grids.side(small, 10**9) == 41
    assert grids.samples(10**9) == 101
    (note,) = grids.coarse(41, grids.SIDE, "maps have 41 points a side")
    assert note == "as the network is large, maps have 41 points a side instead of 161"
    assert grids.coarse(grids.SIDE, grids.SIDE, "") == ()
    wide = symnet.Network.dense([2, 8000, 1], hidden="relu", seed=0)
    assert grids.side(wide, 100) ** 2 * sum(wide.widths) <= grids.HELD


def test_entries_of_a_hessian_take_their_time():
    """784 inputs and ten outputs behind five neurons: few products, and six million entries."""
    net = symnet.Network.dense([784, 5, 5, 10], hidden="relu", seed=0)
    assert 1 < forecasts.check(net, 2) < 20
    assert forecasts.check(net, 1) < 1


def test_keras_is_imported_to_compare_with(tmp_path, monkeypatch):
    """Where it is installed, and of models, not of files of arrays."""
    for name in ("net.keras", "net.weights.h5", "net.json"):
        (tmp_path / name).write_bytes(b"{}")
    monkeypatch.setattr(forecasts, "find_spec", lambda name: name)
    assert forecasts.loading(str(tmp_path / "net.keras")) > 2
    assert forecasts.loading(str(tmp_path / "net.weights.h5")) < 1
    monkeypatch.setattr(forecasts, "find_spec", lambda name: None)
    assert forecasts.loading(str(tmp_path / "net.keras")) < 1


def test_a_large_model_is_told_before_it_is_read(tmp_path):
    """Of ONNX the import of its library counts, which alone is not worth a word."""
    large, small = tmp_path / "large.onnx", tmp_path / "small.onnx"
    with large.open("wb") as file:
        file.truncate(16_000_000)
    small.write_bytes(b"")
    assert forecasts.loading(str(small)) < terminal._AT_ONCE < forecasts.loading(str(large))
