"""Damaged and hostile files of every format that is read, by the thousand: see `fuzzreaders`."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from symnet.catalogue import READERS

pytest.importorskip("resource", reason="memory is measured as POSIX does")
pytest.importorskip("scipy")

CASES = int(os.environ.get("SYMNET_FUZZ", "120"))
SEED = int(os.environ.get("SYMNET_FUZZ_SEED", "0"))
NEEDS = {
    ".onnx": "onnx",
    ".keras": "h5py",
    ".h5": "h5py",
    ".nc": "h5py",
    ".safetensors": "safetensors",
    ".pt": "numpy",
    ".pth": "numpy",
    ".msgpack": "msgpack",
    ".npz": "numpy",
    ".mat": "scipy",
    ".nnet": "scipy",
}
"""The package that a format needs."""

TOGETHER = (
    (".onnx", ".npz", ".safetensors", ".pt", ".pth", ".msgpack", ".nnet"),
    (".keras", ".h5", ".nc", ".mat"),
)


SPELLED = {".hdf5", ".checkpoint", ".bin", ".ckpt"}
"""Other endings of `.h5`, `.msgpack` and `.pt`."""


def test_no_format_is_left_out():
    """Each that is read is damaged here."""
    assert {*NEEDS} == {s for suffixes in TOGETHER for s in suffixes} == {*READERS} - SPELLED


@pytest.mark.parametrize("suffixes", TOGETHER, ids=lambda suffixes: " ".join(suffixes))
def test_no_file_hangs_crashes_or_is_refused_in_other_words(suffixes, tmp_path):
    """2 s, 1.2 GB, one line that begins with the file's name, and no end of the process."""
    there = [suffix for suffix in suffixes if find_spec(NEEDS[suffix])]
    if not there:
        pytest.skip(f"none of the packages for {', '.join(suffixes)} is installed")
    script = Path(__file__).with_name("fuzzreaders.py")
    command = [sys.executable, "-W", "ignore", str(script), str(tmp_path), str(SEED), "0"]
    done = subprocess.run(
        [*command, str(CASES), *there], capture_output=True, text=True, check=False
    )
    case = (tmp_path / "case").read_text(encoding="utf-8")
    assert done.returncode == 0, f"{case}\n{done.stdout[-8000:]}\n{done.stderr[-4000:]}"
