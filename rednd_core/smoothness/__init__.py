"""How alike embeddings are: measures of over-smoothing for users and items, at every depth."""

from rednd_core.smoothness.depth import MAX_DEPTH, propagate_depth
from rednd_core.smoothness.measures import EPOCH_MEASURES, MEASURES, Measure
from rednd_core.smoothness.report import measure_layers

__all__ = [
    "EPOCH_MEASURES",
    "MAX_DEPTH",
    "MEASURES",
    "Measure",
    "measure_layers",
    "propagate_depth",
]
