"""Energy and Rayleigh quotients against dense matrices and edge loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rednd_core.smoothness.energy import (
    dirichlet_energy,
    rayleigh_quotient,
    two_hop_rayleigh_quotient,
)
from rednd_core.smoothness.view import ConnectedPart


def test_energy_equals_the_sum_over_edges(graph, rng):
    part = ConnectedPart.of(graph)
    x = rng.standard_normal((len(part.nodes), 5))
    scaled = x / np.sqrt(part.graph.degrees)[:, None]
    rows, cols = part.graph.adjacency.nonzero()
    naive = 0.5 * sum(((scaled[i] - scaled[j]) ** 2).sum() for i, j in zip(rows, cols, strict=True))
    propagated = part.norm_adj(np.dtype(float)) @ x
    assert dirichlet_energy(x, propagated) == pytest.approx(naive, rel=1e-9)
    assert rayleigh_quotient(x, propagated) == pytest.approx(naive / (x**2).sum(), rel=1e-9)


@pytest.mark.parametrize("side", ["users", "items"])
def test_two_hop_quotient_equals_the_dense_form(graph, rng, side):
    part = ConnectedPart.of(graph)
    x = rng.standard_normal((len(part.nodes), 5)) + 0.3
    own, other = part.rows(side), part.rows("items" if side == "users" else "users")
    block = part.norm_adj(np.dtype(float)).toarray()[own, other]
    laplacian = np.eye(len(block)) - block @ block.T
    naive = np.trace(x[own].T @ laplacian @ x[own]) / (x[own] ** 2).sum()
    actual = two_hop_rayleigh_quotient(x[own], (part.norm_adj(np.dtype(float)) @ x)[other])
    assert actual == pytest.approx(naive, rel=1e-9)
    assert 0.01 < actual < 0.99


def test_the_two_extreme_vectors_of_a_bipartite_graph(graph):
    part = ConnectedPart.of(graph)
    root = np.sqrt(part.graph.degrees)[:, None].astype(float)
    flipped = root.copy()
    flipped[part.rows("items")] *= -1
    assert rayleigh_quotient(root, part.norm_adj(np.dtype(float)) @ root) == pytest.approx(
        0, abs=1e-14
    )
    assert rayleigh_quotient(flipped, part.norm_adj(np.dtype(float)) @ flipped) == pytest.approx(
        2, rel=1e-14
    )
    for vector in (root, flipped):  # both are constant over two hops, which the two-hop form sees
        propagated = (part.norm_adj(np.dtype(float)) @ vector)[part.rows("items")]
        assert two_hop_rayleigh_quotient(vector[part.rows("users")], propagated) < 1e-14


def test_a_zero_matrix_has_no_quotient():
    zeros = np.zeros((3, 2))
    assert dirichlet_energy(zeros, zeros) == 0
    assert math.isnan(rayleigh_quotient(zeros, zeros))
    assert math.isnan(two_hop_rayleigh_quotient(zeros, zeros))
