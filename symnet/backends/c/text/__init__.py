"""The C99 text of a kernel."""
