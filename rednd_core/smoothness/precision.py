"""How exactly rows are kept: what is summed over them is float64 in any case."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGE = 1 << 22  # values of a layer: above, memory traffic is what measuring costs


def row_type(n_values: int) -> type[np.floating[Any]]:
    """float64, or float32 for large layers: those of a run are, and measures then differ by about 1e-6."""
    return np.float32 if n_values > LARGE else np.float64
