"""The centre: layer-level algebra, Programs, and their derivatives."""
