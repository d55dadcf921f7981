"""Pictures of networks: curves, maps, drawings, sensitivities (the extra `plot`)."""

from symnet.plotting.picture import Picture, format_of
from symnet.plotting.plots import KINDS, SENSITIVITY_KINDS, plot

__all__ = ["KINDS", "SENSITIVITY_KINDS", "Picture", "format_of", "plot"]
