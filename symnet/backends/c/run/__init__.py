"""C text as functions: compiled, loaded, and called with arrays."""
