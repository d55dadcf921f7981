"""Every example runs, asserts what it claims, and prints something worth reading."""

from __future__ import annotations

import ast
import inspect
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symnet

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))
EXTRAS = {
    "diabetes.py": ["sklearn"],
    "fit_water.py": ["pymoo", "scipy", "matplotlib"],
    "grid.py": ["dask", "distributed", "zarr"],
}
SLOW = {
    "fit_water.py",
    "grid.py",
    "own_optimiser.py",
}  # trained for their own tests, and by .ci/run


def run(name: str, folder: Path) -> str:
    """The output of an example, run on a copy of the folder so that the checkout stays as it is."""
    shutil.copytree(EXAMPLES, folder / "examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", name],
        cwd=folder / "examples",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in SLOW])
def test_example_runs(name, tmp_path):
    """Without a warning, and with output; its assertions hold."""
    for module in EXTRAS.get(name, []):
        pytest.importorskip(module)
    assert len(run(name, tmp_path).splitlines()) > 10


def test_the_grid_has_work_for_each_worker():
    """A small one was a single chunk, so that two workers were compared with one by chance."""
    for module in EXTRAS["grid.py"]:
        pytest.importorskip(module)
    grid = runpy.run_path(str(EXAMPLES / "grid.py"))["grid"]
    assert grid(1000).numblocks[:2] == (4, 4)
    assert grid(10_000).numblocks[:2] == (10, 10)


def test_the_grid_is_worked_on_by_as_many_as_it_says(monkeypatch):
    """The number was taken for the cluster's name: two workers were compared with two."""
    for module in EXTRAS["grid.py"]:
        pytest.importorskip(module)
    import distributed

    signature = inspect.signature(distributed.LocalCluster)
    monkeypatch.setattr(
        distributed, "LocalCluster", lambda *a, **k: signature.bind(*a, **k).arguments
    )
    started = runpy.run_path(str(EXAMPLES / "grid.py"))["started"]
    assert [started(count)["n_workers"] for count in (1, 2)] == [1, 2]


def test_the_examples_are_there():
    """A glob that finds nothing would test nothing."""
    assert {"diabetes.py", "question.py", "symbolic.py"} <= set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_example_says_how_it_is_run(name):
    """Its docstring names the command."""
    docstring = ast.get_docstring(ast.parse((EXAMPLES / name).read_text("utf-8")))
    assert docstring is not None
    assert f"python examples/{name}" in docstring


def test_question_shows_wrong_numbers_beside_right_ones(tmp_path):
    """The published attempts' numbers, each with the derivative it should have been."""
    printed = run("question.py", tmp_path)
    for wrong, right in [
        ("0.0984121571602", "0.00889186507482"),
        ("0.180706638923649", "0.0903533194618"),
        ("1.80921374946", "0.000441054673884"),
    ]:
        (line,) = [line for line in printed.splitlines() if wrong in line]
        assert right in line


def test_diabetes_network_takes_raw_units():
    """The committed network is a sensible function of kg/m² and mmHg: rising with each."""
    network = symnet.load(EXAMPLES / "diabetes.json")
    assert [symbol.name for symbol in network.inputs] == ["bmi", "bp"]
    y, J, _ = symnet.derive(network).compile()(
        np.array([[26.4, 94.6], [22.0, 80.0], [35.0, 110.0]])
    )
    assert np.all((y > 60) & (y < 300))
    assert np.all(J > 0)
    assert symnet.check(network, symnet.derive(network).compile()).ok


def test_diabetes_network_is_what_the_script_makes(tmp_path):
    """The committed file is reproduced, up to what another scikit-learn or BLAS changes."""
    pytest.importorskip("sklearn")
    run("diabetes.py", tmp_path)
    points = np.array([[26.4, 94.6], [22.0, 80.0], [35.0, 110.0]])
    made, kept = (
        symnet.analytic.value(symnet.load(folder / "diabetes.json"), points)
        for folder in (tmp_path / "examples", EXAMPLES)
    )
    np.testing.assert_allclose(made, kept, rtol=0.02)
