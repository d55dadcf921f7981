"""What a network's outputs depend on, over data: slopes, interactions, partial dependence."""

from symnet.sensitivities.curves import Dependence, dependence
from symnet.sensitivities.measures import Moments, Sensitivity, rows, sensitivity

__all__ = ["Dependence", "Moments", "Sensitivity", "dependence", "rows", "sensitivity"]
