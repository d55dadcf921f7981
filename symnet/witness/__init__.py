"""The independent engines that everything is checked against: nothing of `calculus` in them."""
