"""Rows on the unit sphere, and the two measures of a layer that every map prints beside itself.

Maps and neighbours here are by cosine: the norm of a row shrinks from layer to layer and would hide,
or imitate, a collapse of directions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatRows = NDArray[np.float64]


def unit_rows(x: ArrayLike) -> FloatRows:
    """Rows divided by their norms, (..., d) float64; a zero row stays zero."""
    rows = np.asarray(x, dtype=np.float64)
    # Dividing by the largest entry first keeps the squares of tiny or huge rows finite.
    largest = np.abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    rows = rows / np.where(largest > 0, largest, 1.0)
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    np.divide(rows, norms, out=rows, where=norms > 0)
    return rows


def spread(unit: FloatRows) -> float | None:
    """RMS distance of unit rows to their mean, in [0, 1]; None for no rows."""
    if not len(unit):
        return None
    return float(np.sqrt(((unit - unit.mean(axis=0)) ** 2).sum(axis=1).mean()))


def pair_mad(unit: FloatRows) -> float | None:
    """Mean of 1 - cosine over all pairs of different rows, in [0, 2]; None below two rows.

    Uses ``sum |u_i - mean u|^2 / (n - 1)``, which stays exact where all rows nearly agree.
    """
    if len(unit) < 2:
        return None
    return float(((unit - unit.mean(axis=0)) ** 2).sum() / (len(unit) - 1))


def mean_cosine(x: ArrayLike) -> float | None:
    """Mean cosine over pairs of different non-zero rows (n, d); None below two."""
    unit = unit_rows(x)
    mad = pair_mad(unit[(unit != 0).any(axis=1)])
    return None if mad is None else 1 - mad
