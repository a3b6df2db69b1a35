"""Layers with a known structure."""

from __future__ import annotations

import numpy as np
import pytest

N_CLUSTERS, PER_CLUSTER, DIM = 6, 40, 16


@pytest.fixture(scope="package")
def clusters():
    """Cluster of every node, (240,)."""
    return np.repeat(np.arange(N_CLUSTERS), PER_CLUSTER)


@pytest.fixture(scope="package")
def layers(clusters):
    """Three layers (240, 16): separate clusters, tighter ones, and a near collapse."""
    rng = np.random.default_rng(3)
    centres = 4 * np.eye(DIM)[:N_CLUSTERS]
    first = centres[clusters] + 0.5 * rng.normal(size=(len(clusters), DIM))
    second = centres[clusters] + 0.5 * (first - centres[clusters])
    third = first.mean(axis=0) + 0.02 * first
    return [layer.astype(np.float32) for layer in (first, second, third)]
