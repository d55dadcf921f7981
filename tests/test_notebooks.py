"""Every notebook of the examples runs from its top to its end, and shows what it promises."""

from __future__ import annotations

import ast
import os
import shutil
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("sklearn")
matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("matplotlib.font_manager")  # makes the fonts' cache

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS)
def executed(request, tmp_path_factory):
    """A notebook run in a kernel of its own, on a copy of the folder, and that folder."""
    folder = tmp_path_factory.mktemp("notebooks") / "examples"
    shutil.copytree(EXAMPLES, folder)
    book = nbformat.read(folder / request.param, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder.parent / "home"))  # nothing of the user's is read
        # Made anew in that home, it may take so long that matplotlib says so.
        patch.setenv("MPLCONFIGDIR", matplotlib.get_cachedir())
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        client = nbclient.NotebookClient(
            book, timeout=120, resources={"metadata": {"path": str(folder)}}
        )
        client.execute()
    return book, folder


def shown(book):
    """What each cell of code gives: its source, and the outputs."""
    return [(cell.source, cell.outputs) for cell in book.cells if cell.cell_type == "code"]


def test_the_notebooks_are_there():
    """A glob that finds nothing would test nothing."""
    assert "slopes.ipynb" in NOTEBOOKS


def test_every_cell_shows_something(executed):
    """Its output is no complaint: nothing is written to the standard error."""
    book, _ = executed
    for source, outputs in shown(book):
        assert outputs, source
        assert not [o for o in outputs if o.get("name") == "stderr"], source


def test_objects_show_themselves(executed):
    """A last line that is an object of symnet's is shown richly, and as plain text."""
    book, _ = executed
    kinds = {}
    for source, outputs in shown(book):
        if isinstance(ast.parse(source).body[-1], ast.Expr) and "print(" not in source:
            kinds[source.splitlines()[-1]] = outputs[-1].data
    assert "text/html" in kinds["net"]
    assert "text/html" in kinds["found"]
    assert "text/html" in kinds["symnet.check(net, f)"]
    assert "text/latex" in kinds["symnet.derive(net, order=1)"]
    for picture in ("net.draw()", "found.plot()"):
        assert "image/png" in kinds[picture]
    assert all("text/plain" in data for data in kinds.values())


def test_the_page_is_written(executed):
    """A file that is complete in itself."""
    _, folder = executed
    assert "</html>" in (folder / "progression.html").read_text("utf-8")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_kept_without_outputs(name):
    """Outputs would grow old, and name places on somebody's disk."""
    book = nbformat.read(EXAMPLES / name, as_version=4)
    nbformat.validate(book)
    assert not [cell for cell in book.cells if cell.get("outputs") or cell.get("execution_count")]
