"""Pictures of networks: curves, maps, drawings, sensitivities (the extra `plot`)."""

from symnet.plotting.picture import Picture, format_of
from symnet.plotting.plots import plot

__all__ = ["Picture", "format_of", "plot"]
