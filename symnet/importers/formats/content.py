"""Bytes of files: archives of bounded size, and numbers that NumPy has no type for."""

from __future__ import annotations

import zipfile
from typing import Literal

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.network.weights import Array


def check_archive(archive: zipfile.ZipFile) -> None:
    """ValueError for an archive that expands to more than a network file may have."""
    total = sum(member.file_size for member in archive.infolist())
    if total > LARGEST_FILE:
        raise ValueError(f"expands to {total >> 20} MiB, more than {LARGEST_FILE >> 20}")


def bfloat16(content: bytes, order: Literal["<", ">"] = "<") -> Array:
    """Numbers that are the upper half of a float32, as float32."""
    return (np.frombuffer(content, f"{order}u2").astype("u4") << 16).view("f4")
