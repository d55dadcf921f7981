"""Bytes of files: what they begin with, archives of bounded size, numbers unknown to NumPy."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import Literal

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.network.weights import Array

TORCH_BEFORE_1_6 = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickle of the number that torch.save began its files with."""


def index_of_torch(names: Iterable[str]) -> str | None:
    """The member of an archive that torch.save has written what else is in it into."""
    ends = (n for n in names if n.count("/") <= 1 and n.rpartition("/")[2] == "data.pkl")
    return next(ends, None)


def check_archive(archive: zipfile.ZipFile) -> None:
    """ValueError for an archive that expands to more than a network file may have."""
    total = sum(member.file_size for member in archive.infolist())
    if total > LARGEST_FILE:
        raise ValueError(f"expands to {total >> 20} MiB, more than {LARGEST_FILE >> 20}")


def bfloat16(content: bytes, order: Literal["<", ">"] = "<") -> Array:
    """Numbers that are the upper half of a float32, as float32."""
    return (np.frombuffer(content, f"{order}u2").astype("u4") << 16).view("f4")
