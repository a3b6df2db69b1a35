"""The user-item graph of an epoch, without some of its edges."""

from __future__ import annotations

import numpy as np

from rednd_core.graph.propagator import Propagator
from rednd_core.graph.sampling import degree_weights, draw_edges, normalized_subset
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import Epoch


def thinned(
    inputs: ModelInputs, edge_dropout: float, epoch: Epoch, *, by_degree: bool = True
) -> Propagator:
    """Draw edges of an epoch without replacement; every further call for an epoch draws other edges.

    Args:
        edge_dropout: share of the edges that is left out, rounded to whole edges; at least one stays.
        by_degree: an edge stays with a chance in proportion to 1 / sqrt(d_u d_i); False: all with the same.

    Returns:
        propagation on D^-1/2 A D^-1/2 of the edges that stay, with their own degrees.
    """
    n_edges = len(inputs.graph.edges.users)
    n_kept = max(1, n_edges - round(edge_dropout * n_edges))
    weights = degree_weights(inputs.graph) if by_degree else np.ones(n_edges)
    kept = draw_edges(n_kept, weights, epoch.rng)
    return inputs.bind(normalized_subset(inputs.graph, kept))
