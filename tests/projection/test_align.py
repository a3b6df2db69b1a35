from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import DataError
from rednd_core.projection import movers, procrustes


@pytest.mark.parametrize("dim", [2, 5])
def test_recovers_a_planted_rotation_and_shift(dim):
    rng = np.random.default_rng(dim)
    source = rng.normal(size=(50, dim))
    rotation = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    target = source @ rotation + 3.0
    found = procrustes(source, target)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-10)
    assert found.residual < 1e-10
    fresh = rng.normal(size=(4, 7, dim))
    np.testing.assert_allclose(found.apply(fresh), fresh @ rotation + 3.0, atol=1e-9)


def test_keeps_the_scale_so_that_a_collapsed_map_stays_small():
    source = np.random.default_rng(0).normal(size=(30, 2))
    found = procrustes(0.1 * source, source)
    np.testing.assert_allclose(found.rotation.T @ found.rotation, np.eye(2), atol=1e-12)
    assert found.residual == pytest.approx(0.9)


def test_a_collapsed_target_is_no_division_by_zero():
    assert procrustes(np.ones((3, 2)), np.ones((3, 2))).residual == 0.0


def test_different_nodes_are_refused():
    with pytest.raises(DataError, match="same nodes"):
        procrustes(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(DataError, match="3 or more nodes"):
        movers(np.zeros((5, 2)), np.zeros((4, 2)))


def test_a_node_that_changes_its_cluster_is_the_first_mover(layers, clusters):
    before = layers[0]
    after = before.copy()
    after[7] = before[clusters == 4].mean(axis=0)
    found = movers(before, after, k=10)
    assert found.order[0] == 7
    assert found.jaccard[7] == 0.0
    assert np.median(found.jaccard) > 0.9
    assert (np.diff(found.jaccard[found.order]) >= 0).all()


def test_rotation_and_another_dimension_move_nobody(layers):
    rng = np.random.default_rng(0)
    wider = layers[0] @ np.linalg.qr(rng.normal(size=(20, 16)))[0].T
    assert movers(layers[0], wider).jaccard.min() > 0.8
    assert movers(layers[0], wider).jaccard.mean() > 0.999


def test_jaccard_literal():
    angles = np.deg2rad([0, 10, 21, 100])
    before = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = movers(before, before[[0, 3, 2, 1]], k=2)
    # Row 0: {1, 2} before, {2, 3} after. Row 1 (now at 100): {0, 2}, then {3, 2}.
    np.testing.assert_allclose(found.jaccard, [1 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert movers(before, before, k=99).k == 3
