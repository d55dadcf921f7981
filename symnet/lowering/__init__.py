"""Programs lowered to forms that languages print: loops over entries, and matrix statements."""
