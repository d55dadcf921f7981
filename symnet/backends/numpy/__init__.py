"""Programs as NumPy functions."""
