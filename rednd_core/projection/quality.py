"""How far a map can be trusted, and what the layer looked like before it was mapped.

Trustworthiness and continuity (Venna and Kaski 2006) compare neighbourhoods. They rise while a layer
collapses, so they are no safeguard: the spread and the MAD of the input stand beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.cosine import Array, pair_mad, unit_rows

# Below this MAD the mean angle between two rows is under 18 degrees: what a map still shows of such a
# layer is mostly differences that the scoring hardly sees.
COLLAPSE_MAD = 0.05

LayerQuality = dict[str, Any]

_ROWS_A_BLOCK = 128  # of distances to 2000 points: stays in the second-level cache


def layer_quality(
    layer: ArrayLike,
    coords: NDArray[np.float32],
    is_user: NDArray[np.bool_] | None,
    points: NDArray[np.int64],
    k: int = 15,
) -> LayerQuality:
    """Measures of one layer and its map, as JSON values.

    Args:
        layer: (n, d) rows as mapped.
        coords: (n, 2).
        is_user: (n,) True for users; None where sides are not known.
        points: positions in 0..n-1 on which the neighbourhoods are compared.

    Returns:
        ``trustworthiness`` and ``continuity`` with their ``k`` and ``n_points``, against ``n`` nodes;
        ``spread`` (RMS distance of the unit rows to their mean) and ``mad`` (pair MAD), and with
        known sides ``mad_users`` and ``mad_items``, all over rows that are not zero; ``n_zero``, the
        rows left out of them (isolated nodes past layer 0). None where too few rows are left.
    """
    unit = unit_rows(np.asarray(layer, dtype=np.float64))
    placed = (unit != 0).any(axis=1)
    k = min(k, (len(points) - 1) // 2)
    trust, cont = fidelity(unit[points], coords[points], k)
    quality: LayerQuality = {
        "trustworthiness": trust,
        "continuity": cont,
        "k": k,
        "n_points": len(points),
        "n": len(unit),
        "n_zero": int((~placed).sum()),
        "spread": spread(unit[placed]),
        "mad": _mad(unit[placed]),
    }
    if is_user is not None:
        quality["mad_users"] = _mad(unit[placed & is_user])
        quality["mad_items"] = _mad(unit[placed & ~is_user])
    return quality


def spread(unit: Array) -> float | None:
    """RMS distance of unit rows (n, d) to their mean, in [0, 1]; None for no rows."""
    if not len(unit):
        return None
    return float(np.sqrt(((unit - unit.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _mad(unit: Array) -> float | None:
    """MAD as a JSON value; None below two rows."""
    return pair_mad(unit) if len(unit) > 1 else None


def is_collapsed(quality: LayerQuality) -> bool:
    """Whether a side of the layer has a MAD below :data:`COLLAPSE_MAD`.

    Users and items are judged apart, where they are known: on a bipartite graph the two sides
    collapse onto two rays, and the MAD over both stays large.
    """
    names = ("mad_users", "mad_items") if "mad_users" in quality else ("mad",)
    return any(quality[name] is not None and quality[name] < COLLAPSE_MAD for name in names)


def fidelity(x: ArrayLike, coords: NDArray[np.float32], k: int) -> tuple[float, float]:
    """Trustworthiness and continuity of a map, each in [0, 1], 1 best.

    scikit-learn's ``trustworthiness``, the tests' oracle, gives one of the two a call; two calls take 1.8
    times as long as this (.25 s and .14 s for 1,600 nodes), once for every layer of a map.

    Trustworthiness falls with intruders: rows near on the map and far in ``x``. Continuity falls with
    rows near in ``x`` and torn apart on the map. ``x`` (n, d) by cosine, ``coords`` (n, 2) by
    Euclid; 1 <= k < n/2. A tied row takes the best rank of its tie. O(n^2 (d + log n)) time.
    """
    unit, flat, n = (
        unit_rows(np.asarray(x, dtype=np.float64)),
        coords.astype(np.float64),
        len(coords),
    )
    intruders = torn = 0
    for first in range(0, n, _ROWS_A_BLOCK):
        own = np.arange(first, min(first + _ROWS_A_BLOCK, n))
        inner = 1 - unit[own] @ unit.T
        # Squares, which are ordered as their roots are.
        outer = sum(np.subtract.outer(axis[own], axis) ** 2 for axis in flat.T)
        for distances in (inner, outer):
            distances[np.arange(len(own)), own] = np.inf  # a row is no neighbour of its own
        # Not knn.nearest: it loads torch, a second that the first picture of a page would wait for.
        near_inner, near_outer = (np.argpartition(d, k - 1)[:, :k] for d in (inner, outer))
        intruders += _excess_ranks(inner, near_outer)
        torn += _excess_ranks(outer, near_inner)
    most = n * k * (2 * n - 3 * k - 1) / 2
    return 1.0 - intruders / most, 1.0 - torn / most


def _excess_ranks(distances: Array, near: NDArray[np.int64]) -> int:
    """Sum of how far the neighbours ``near`` (b, k) rank beyond k by ``distances`` (b, n)."""
    reached = np.take_along_axis(distances, near, axis=1)
    rows = zip(np.sort(distances), reached, strict=True)
    ranks = 1 + np.array([np.searchsorted(row, own) for row, own in rows])
    return int((ranks - near.shape[1]).clip(min=0).sum())
