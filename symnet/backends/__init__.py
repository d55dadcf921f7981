"""What runs: NumPy and C text of Programs, and how each is loaded, cut into blocks and called."""
