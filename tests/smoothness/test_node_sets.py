"""Mean distances to sets of nodes against the loop of the paper, however the sets are kept."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.cosine import pair_mad, unit_rows
from rednd_core.smoothness import node_sets
from rednd_core.smoothness.node_sets import NodeSets

EXACT = 1e-9


def distances(unit, mask, rows=slice(None), step=7):
    """Of the masks' rows, added in blocks."""
    sets = NodeSets(mask.shape[1])
    for first in range(0, len(mask), step):
        sets.add(mask[first : first + step])
    return sets.distances(unit, unit[rows])


def naive(x, mask, rows=None):
    """Row by row; a zero row has cosine 0 with every row."""
    lengths = np.linalg.norm(x, axis=1)
    unit = x / np.where(lengths > 0, lengths, 1)[:, None]
    rows = range(len(x)) if rows is None else rows
    return np.array(
        [
            np.mean([1 - unit[i] @ unit[j] for j in np.flatnonzero(chosen)])
            if chosen.any()
            else np.nan
            for i, chosen in zip(rows, mask, strict=True)
        ]
    )


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.8, 0.99])
def test_distances_equal_the_loop(rng, share):
    x = rng.standard_normal((130, 4)) + 0.3
    x[5] = 0
    mask = rng.random((130, 130)) < share
    mask[11] = False  # a row without pairs does not count
    found = distances(unit_rows(x), mask)
    assert np.isnan(found[11])
    np.testing.assert_allclose(found, naive(x, mask), rtol=EXACT)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sets_of_all_sizes_and_several_blocks(rng, monkeypatch, dtype):
    """Every row has another number of members; 130 nodes are five blocks, the last one of two nodes."""
    monkeypatch.setattr(node_sets, "_NODES_A_BLOCK", 32)
    x = (rng.standard_normal((130, 6)) + 0.5).astype(dtype)
    mask = rng.permuted(np.tri(131, 130, -1, dtype=bool), axis=1)
    assert mask.sum(axis=1).tolist() == list(range(131))
    rows = rng.integers(130, size=131)
    found = distances(unit_rows(x), mask, rows)
    assert found.dtype == np.float64
    rtol = EXACT if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(found, naive(x.astype(np.float64), mask, rows), rtol=rtol)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_sets_of_one_kind(rng, share):
    x = rng.standard_normal((40, 3))
    mask = np.full((3, 40), bool(share))
    found = distances(unit_rows(x), mask, slice(3))
    np.testing.assert_allclose(found, naive(x, mask, range(3)), rtol=EXACT)


def test_all_pairs_are_pair_mad(rng):
    unit = unit_rows(rng.standard_normal((60, 5)))
    found = distances(unit, ~np.eye(60, dtype=bool))
    assert found.mean() == pytest.approx(pair_mad(unit), rel=EXACT)


def test_equal_rows_count_as_pairs_whatever_rounding_says(rng):
    x = rng.standard_normal((80, 16))
    x[:40] = np.eye(16)[0] * 2.0 ** np.arange(40)[:, None]  # one direction, distances exactly 0
    unit = unit_rows(x)
    mask = ~np.eye(80, dtype=bool)
    expected = naive(x, mask).mean()
    assert distances(unit, mask).mean() == pytest.approx(expected, rel=EXACT)
    computed = (1 - unit @ unit.T) * mask  # counting "!= 0" forgets the equal pairs
    forgetful = (computed.sum(axis=1) / (computed != 0).sum(axis=1)).mean()
    assert forgetful - expected > 0.1


def test_no_set_has_no_distance(rng):
    unit = unit_rows(rng.standard_normal((5, 2)))
    assert NodeSets(5).distances(unit, unit[:0]).shape == (0,)
