"""A cache of the tests' own, a command line, and golden files with `--update-golden`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from symnet import cli

GOLDEN = Path(__file__).parent / "golden"

# The same examples at every run where a failure must be that of the change; new ones elsewhere.
# No test is a measurement: another process may have the processor.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("elsewhere", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "elsewhere")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden from what is printed now"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test marked `complete(every=k)` each k-th case, of one marked `complete` none.

    All of them where SYMNET_COMPLETE is set, as they take longer than everything else together;
    where it is "rest", only those that are left out without.
    """
    asked = os.environ.get("SYMNET_COMPLETE")
    if asked and asked != "rest":
        return
    cases: Counter[tuple[str, str]] = Counter()
    kept, left = [], []
    for item in items:
        mark = item.get_closest_marker("complete")
        name = item.location[0], item.name.partition("[")[0]
        number, every = cases[name], mark.kwargs.get("every") if mark else 1
        cases[name] += 1
        (kept if every and number % every == 0 else left).append(item)
    if asked:
        kept, left = left, kept
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled kernels go to a directory of the tests, not to the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line: exit status, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(list(map(str, arguments)))
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the file of this name; rewrites it under --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"no {path.name}; run pytest --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return compare
