"""Browsers without a window that show a page and say what is then in its element `#found`.

Chromium prints the page; Firefox, which has no such option, is served it and posts the text.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SCHEMES = ("light", "dark")

Found = tuple[Any, list[str]]
"""What the page found, read from JSON, and the browser's messages."""

_SECONDS = 300
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--enable-logging=stderr", "--virtual-time-budget=5000"),
)
_PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


@dataclass(frozen=True)
class Browser:
    """A program, None where it is not installed, and how it shows a page in a scheme of colours."""

    program: str | None
    show: Callable[[str, str, Path, str], Found]

    def __call__(self, text: str, folder: Path, scheme: str) -> Found:
        assert self.program is not None
        try:
            return self.show(self.program, text, folder, scheme)
        finally:
            shutil.rmtree(folder / "profile", ignore_errors=True)


def _chromium(program: str, text: str, folder: Path, scheme: str) -> Found:
    page = folder / "page.html"
    page.write_text(text, "utf-8")
    done = subprocess.run(
        [
            *(program, *_FLAGS, f"--user-data-dir={folder / 'profile'}"),
            f"--blink-settings=preferredColorScheme={'1' if scheme == 'light' else '0'}",
            *("--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    messages = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(unescape(found[1])), messages


def _firefox(program: str, text: str, folder: Path, scheme: str) -> Found:
    profile = folder / "profile"
    profile.mkdir()
    # 1 is light, 0 dark, whatever the desktop says.
    override = {"layout.css.prefers-color-scheme.content-override": int(scheme == "light")}
    lines = (
        f'user_pref("{name}", {json.dumps(value)});\n'
        for name, value in (_PREFERENCES | override).items()
    )
    (profile / "user.js").write_text("".join(lines))
    posted: list[bytes] = []
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = text.encode() if self.path == "/" else b""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        process = subprocess.Popen(
            [program, "--headless", "--no-remote", "--profile", str(profile), address],
            env={**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert done.wait(_SECONDS), "Firefox said nothing"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            server.shutdown()
    return json.loads(posted[0]), []


def _which(*names: str) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


BROWSERS = {
    "chromium": Browser(_which("chromium", "chromium-browser"), _chromium),
    "firefox": Browser(_which("firefox-esr", "firefox"), _firefox),
}
