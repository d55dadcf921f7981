"""What is installed: the files that are no modules, and are read when something is generated."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import symnet
from symnet.backends.c.text import library
from symnet.extras import needed

PACKAGE = Path(symnet.__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"
RUN = Path(__file__).parents[1] / ".ci" / "run"
LIBRARY = PACKAGE / "backends" / "c" / "library"


@pytest.mark.skipif(not PROJECT.exists(), reason="no source tree")
def test_every_file_is_installed():
    """Each file of the package that is no module matches a pattern of package-data."""
    settings = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = settings["package-data"]["symnet"]
    installed = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    others = {p for p in PACKAGE.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert others - installed == set()
    assert all(list(PACKAGE.glob(pattern)) for pattern in patterns)


def test_every_file_of_the_library_is_used():
    """By its name, in the modules that write C text."""
    written = "\n".join(
        p.read_text(encoding="utf-8")
        for p in Path(library.__file__).parent.iterdir()
        if p.suffix == ".py"
    )
    names = [path.stem for path in LIBRARY.rglob("*.c")]
    assert len(names) > 30
    assert [name for name in names if f'"{name}"' not in written] == []


@pytest.mark.skipif(not RUN.exists(), reason="no source tree")
def test_what_needs_a_library_is_run_where_all_are_installed():
    """A file that is skipped for want of one stands among those that run with it once more."""
    asked = RUN.read_text(encoding="utf-8")
    named = re.findall(r"tests/test_{?([\w,]+)}?\.py", asked)
    skipped = {
        path.stem.removeprefix("test_")
        for path in Path(__file__).parent.glob("test_*.py")
        if "importorskip(" in path.read_text(encoding="utf-8")
    }
    assert skipped - {name for group in named for name in group.split(",")} == {"packaging"}


def test_what_does_not_import_is_not_called_missing(tmp_path, monkeypatch):
    """A framework that lacks a module of its own is installed; pip would say so."""
    (tmp_path / "halfframework.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="halfframework is installed but does not import: No mod"):
        needed("halfframework", "half")
    with pytest.raises(ImportError, match=r"nowhere_to_be_found is not .* 'symnet\[half\]'"):
        needed("nowhere_to_be_found.inside", "half")
