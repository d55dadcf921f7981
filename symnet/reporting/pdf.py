"""The page as a PDF: by LaTeX where it is installed, else by a browser that prints the HTML.

Both are other programs. What they read lies in a folder of its own, which is removed; LaTeX runs
no commands from it, and the browser loads nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from symnet.reporting import html
from symnet.reporting.contents import Page

LATEX = ("pdflatex", "lualatex", "xelatex", "tectonic")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_PATIENCE = 120  # seconds that one program may take
_NAME = "report"
_NEEDED = (
    "a PDF is made by LaTeX (pdflatex, lualatex, xelatex or tectonic) or by Chromium, and none of "
    "them is found: install one, or write report.html and print it in a browser"
)


def check_tools() -> None:
    """ValueError where there is no program that makes a PDF."""
    if not _found(LATEX) and not _found(BROWSERS):
        raise ValueError(_NEEDED)


def make(page: Page, write: Callable[[Page, str], None]) -> bytes:
    """The PDF; `write` writes a page to a file, and its pictures beside it.

    ValueError where there is no program for it, or where every one that there is fails.
    """
    check_tools()
    failures = []
    for made, names in ((_by_latex, LATEX), (_by_browser, BROWSERS)):
        for program in _found(names):
            with tempfile.TemporaryDirectory(prefix="symnet-") as folder:
                try:
                    return made(program, page, Path(folder), write)
                except (OSError, subprocess.SubprocessError) as error:
                    failures.append(f"{Path(program).name}: {_reason(error)}")
    raise ValueError(f"no PDF could be made ({'; '.join(failures)}); write report.html instead")


def _found(names: Sequence[str]) -> list[str]:
    return [path for name in names if (path := shutil.which(name))]


def _by_latex(program: str, page: Page, folder: Path, write: Callable[[Page, str], None]) -> bytes:
    write(page, str(folder / f"{_NAME}.tex"))
    batch = ["-no-shell-escape", "-interaction=batchmode", "-halt-on-error"]
    options = [] if Path(program).stem == "tectonic" else batch
    _run([program, *options, f"{_NAME}.tex"], folder)
    return (folder / f"{_NAME}.pdf").read_bytes()


def _by_browser(
    program: str, page: Page, folder: Path, write: Callable[[Page, str], None]
) -> bytes:
    source, target = folder / f"{_NAME}.html", folder / f"{_NAME}.pdf"
    source.write_text(html.write(page), encoding="utf-8")
    # Chromium refuses its sandbox to the superuser, and opens what was written here only.
    apart = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    options = [
        *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", *apart),
        *("--disable-background-networking", "--disable-dev-shm-usage", "--disable-sync"),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000"),
        *("--no-pdf-header-footer", f"--print-to-pdf={target}"),
    ]
    _run([program, *options, source.as_uri()], folder)
    return target.read_bytes()


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE,
        check=True,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        last = (error.stdout + b"\n" + error.stderr).decode(errors="replace").strip().splitlines()
        return next((line for line in last if line.startswith("!")), f"status {error.returncode}")
    if isinstance(error, subprocess.TimeoutExpired):
        return f"took more than {_PATIENCE} s"
    return str(error)
