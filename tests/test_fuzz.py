"""Network files that nobody would write, by the thousand: see `fuzzing`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="memory is measured as POSIX does")

CASES = int(os.environ.get("SYMNET_FUZZ", "500"))
SEED = int(os.environ.get("SYMNET_FUZZ_SEED", "0"))
SHARES = 2


@pytest.mark.parametrize("share", range(SHARES))
def test_no_file_hangs_crashes_or_comes_back_another(share):
    """2 s, 500 MB, NetworkFileError and nothing else; what is accepted survives a round trip.

    In a process of its own, which a file that hangs or takes all memory can be blamed on.
    """
    first, last = (CASES * part // SHARES for part in (share, share + 1))
    script = Path(__file__).with_name("fuzzing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(SEED), str(first), str(last)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-4000:]}"
