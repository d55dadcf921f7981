"""`python -m symnet` is the command line."""

from __future__ import annotations

import sys

from symnet.cli import main

sys.exit(main())
