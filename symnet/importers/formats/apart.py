"""Files that are read by C code which may hang or crash: in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symnet.extras import missing
from symnet.importers.folding import matrices
from symnet.network.weights import Array

_SECONDS = 10.0
_BYTES_A_SECOND = 5e6


@dataclass(frozen=True)
class Contents:
    """Arrays by their paths, and texts (attributes) by path and name."""

    arrays: Mapping[str, Array]
    texts: Mapping[str, Mapping[str, Any]]

    def below(self, path: str) -> Contents:
        """What is in a group, by paths from there on."""
        start = f"{path}/"
        arrays = {k[len(start) :]: v for k, v in self.arrays.items() if k.startswith(start)}
        texts = {k[len(start) :]: v for k, v in self.texts.items() if k.startswith(start)}
        return Contents(arrays, texts | {"": self.texts.get(path, {})})


class Reader:
    """The process, which is started when it is needed first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, kind: str, content: bytes) -> Contents:
        process = self._process or _started()
        self._process = process
        timer = threading.Timer(_SECONDS + len(content) / _BYTES_A_SECOND, process.kill)
        timer.start()
        try:
            return _answer(process, kind, content)
        except _Died:
            self.end()
            raise ValueError(
                "is damaged: the library that reads it crashed or did not end"
            ) from None
        finally:
            timer.cancel()

    def close(self) -> None:
        self.end()

    def end(self) -> None:
        """End the process; another file starts another one."""
        if self._process is not None:
            self._process.kill()
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    stream.close()  # type: ignore[union-attr]
            self._process.wait()
        self._process = None


class _Died(Exception):
    """The process ended before it had answered."""


def contents(kind: str, content: bytes, extra: str) -> Contents:
    """What is in an `hdf5` or `matlab` file. ValueError for what is damaged or does not fit.

    ImportError names the extra where the library is missing.
    """
    with closing(Reader()) as reader:
        try:
            return reader.ask(kind, content)
        except ModuleNotFoundError as error:
            raise missing(str(error.name), extra) from None


def _started() -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("child.py")
    # -P: modules beside the script have the names of libraries.
    command = [sys.executable, "-P", str(script)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _answer(process: subprocess.Popen[bytes], kind: str, content: bytes) -> Contents:
    request = {"kind": kind, "size": len(content), "largest": matrices.LARGEST}
    come, go = process.stdout, process.stdin
    assert come is not None
    assert go is not None
    try:
        go.write(json.dumps(request).encode() + b"\n" + content)
        go.flush()
    except OSError:
        raise _Died from None
    line = come.readline()
    if not line.endswith(b"\n"):
        raise _Died
    told = json.loads(line)
    if "missing" in told:
        raise ModuleNotFoundError(name=told["missing"])
    if "error" in told:
        raise ValueError(told["error"])
    arrays = {}
    for name, kind_of, shape, size in told["arrays"]:
        part = come.read(size)
        if len(part) != size:
            raise _Died
        arrays[name] = np.frombuffer(part, dtype=np.dtype(kind_of)).reshape(shape)
    return Contents(arrays, told["texts"])
