"""A Program as steps on slabs of memory."""
