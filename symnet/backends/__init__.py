"""What runs: NumPy and C text of Programs, and how each is loaded, cut into blocks and called."""

from collections.abc import Callable
from typing import Any

Foreign = Callable[[Any], "tuple[Any, ...] | None"]
"""What gives the results at an array of another library, and None for anything else."""
