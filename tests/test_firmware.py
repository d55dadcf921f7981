"""What `generate --language c` costs on an emulated Cortex-M4, where its tools are installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import firmware

LIMITS = {
    "2-3-1 tanh": (900, 3_400),
    "2-8-8-1 tanh": (5_600, 4_200),
    "5-17-9-2 softplus": (25_000, 4_900),
}
"""Instructions a point, which are no timing, and bytes of the image's text, in floats."""


@pytest.fixture(autouse=True)
def tools():
    """The cross compiler and the emulator, or a skip that says which is missing."""
    if firmware.missing():
        pytest.skip(f"not installed: {', '.join(firmware.missing())}")


@pytest.mark.parametrize("name", LIMITS)
def test_instructions_and_text(name):
    """Few of both, no heap, and what is computed there is right."""
    found = firmware.measured(firmware.CASES[name], "float")
    instructions, text = LIMITS[name]
    assert found.instructions <= instructions
    assert found.text <= text
    assert found.heap == 0


def test_beside_casadi():
    """Its text of the largest is many times ours; both are compared with the analytic engine."""
    if find_spec("casadi") is None:
        pytest.skip("casadi is not installed")
    network = firmware.CASES["5-17-9-2 softplus"]
    ours, theirs = (
        firmware.measured(network, "float", made) for made in (firmware.ours, firmware.casadi)
    )
    assert ours.instructions < theirs.instructions
    assert 5 * ours.text < theirs.text
