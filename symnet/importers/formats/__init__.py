"""Files that are no framework's: matrices with or without the activations between them."""
