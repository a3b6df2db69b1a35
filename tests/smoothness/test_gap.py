"""MADGap against distances from SciPy's shortest paths and O(N^2) loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from rednd_core.smoothness.gap import PAPER_RULE, SAME_TYPE_RULE, mad_gaps
from rednd_core.smoothness.pairwise import unit_rows




def naive_gap(unit, hops, near, far):
    """Chen et al.: row means over the masked pairs, mean over the rows that have any."""
    remote_rows, near_rows = [], []
    for i in range(len(unit)):
        nearby = [1 - unit[i] @ unit[j] for j in range(len(unit)) if 1 <= hops[i, j] <= near]
        distant = [1 - unit[i] @ unit[j] for j in range(len(unit)) if hops[i, j] >= far]
        near_rows += [np.mean(nearby)] if nearby else []
        remote_rows += [np.mean(distant)] if distant else []
    return np.mean(remote_rows) - np.mean(near_rows)
