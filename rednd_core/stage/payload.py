"""The Depth stage as plain JSON: what the scripts in ``browser/`` read.

Arrays travel as base64 of little-endian numbers, coordinates as 16-bit steps of the map's extent: the eye
cannot tell them from the original, and a stage of the sample shop stays below 3 MB.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.projection import COLLAPSE_MAD, movers
from rednd_core.smoothness.measures import MEASURES
from rednd_core.stage.contents import LIST_LENGTH, RECALL_K, Cast, StageRun
from rednd_core.stage.contents import MEASURES as MEASURES_SHOWN

MOST_BYTES = 5_000_000
MOVERS = 8
"""Nodes that are named as those whose neighbourhood differs most between two runs."""
NEIGHBOURS = 15
STEPS = 32_767  # of a 16-bit number, to each side of the middle

Names = Callable[[NDArray[np.int64]], Sequence[str]]
Maps = Mapping[str, NDArray[np.float32]]


def stage_payload(
    runs: Sequence[tuple[StageRun, Maps]],
    cast: Cast,
    *,
    n_users: int,
    n_items: int,
    labels: Names,
    titles: Names,
    keys: Names,
) -> dict[str, Any]:
    """One or two runs on one stage.

    Args:
        runs: each with its maps by method ("pca", "umap"): (K, n, 2), ``cast.nodes`` at all depths.
        labels: lines that are unique among all nodes. titles: short names, as cards have them.
        keys: the same nodes as links name them.

    Raises:
        DataError: a map of another shape, or more than :data:`MOST_BYTES`.
    """
    items, lists = _listed_items([run for run, _ in runs], cast)
    half = max((_half(maps["pca"]) for _, maps in runs if "pca" in maps), default=1.0)
    payload: dict[str, Any] = {
        "nodes": {
            "labels": list(labels(cast.nodes)),
            "n_users": int((cast.nodes < n_users).sum()),
            "n_items": int((cast.nodes >= n_users).sum()),
            "all_users": n_users,
            "all_items": n_items,
            "n_isolated": cast.n_isolated,
        },
        "items": list(titles(items + n_users)),
        "users": {
            "labels": list(labels(cast.users)),
            "keys": list(keys(cast.users)),
            "nodes": packed(_places(cast.nodes, cast.users)),
        },
        "item_nodes": packed(_places(cast.nodes, items + n_users)),
        "held_out": {
            "begins": packed(np.searchsorted(cast.held_out.users, cast.users).astype(np.int32)),
            "items": packed(np.searchsorted(items, cast.held_out.items).astype(np.int32)),
        },
        "n_listed": LIST_LENGTH,
        "recall_k": RECALL_K,
        "runs": [
            _run(run, maps, cast, listed, half)
            for (run, maps), listed in zip(runs, lists, strict=True)
        ],
    }
    if len(runs) == 2:
        payload["movers"] = _movers(runs[0][0], runs[1][0])
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False)
    if len(text) > MOST_BYTES:
        raise DataError(
            expected=f"a stage of at most {MOST_BYTES:,} bytes",
            found=f"{len(text):,}",
            remedy="show fewer nodes or one run alone",
        )
    payload["key"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return payload


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array as the browser decodes it; see ``browser/decode.js``."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(plain.tobytes()).decode("ascii"),
    }


def _listed_items(
    runs: Sequence[StageRun], cast: Cast
) -> tuple[NDArray[np.int64], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """All items that some list or held-out pair names, and the lists by the places in them."""
    named = [cast.held_out.items]
    for run in runs:
        named += [run.lists.items.ravel(), run.lists.own.ravel()]
    items = np.unique(np.concatenate(named))
    items = items[items >= 0]
    dtype = np.int16 if len(items) < STEPS else np.int32

    def places(lists: NDArray[np.int64]) -> dict[str, Any]:
        return packed(np.where(lists < 0, -1, np.searchsorted(items, lists)).astype(dtype))

    return items, [(places(run.lists.items), places(run.lists.own)) for run in runs]


def _run(
    run: StageRun,
    maps: Maps,
    cast: Cast,
    listed: tuple[dict[str, Any], dict[str, Any]],
    half: float,
) -> dict[str, Any]:
    return {
        "name": run.name,
        "title": run.title,
        "trained_depth": run.trained_depth,
        "n_depths": run.n_depths,
        "maps": {
            # PCA maps hold unit vectors: one scale for both runs. A UMAP's scale means nothing.
            method: _map(drawn, run, cast, half if method == "pca" else _half(drawn))
            for method, drawn in maps.items()
        },
        "collapsed": _collapsed(run),
        "lines": [*(_line(run, name) for name in MEASURES_SHOWN), *_recall(run)],
        "lists": listed[0],
        "own": listed[1],
        "ranks": packed(run.lists.ranks.astype(np.int32)),
    }


def _half(coords: NDArray[np.float32]) -> float:
    """Half the longer side of the box around all points of all depths."""
    low, high = coords.min(axis=(0, 1)), coords.max(axis=(0, 1))
    return float((high - low).max()) / 2 or 1.0


def _map(coords: NDArray[np.float32], run: StageRun, cast: Cast, half: float) -> dict[str, Any]:
    expected = (run.n_depths, len(cast.nodes), 2)
    if coords.shape != expected:
        raise DataError(
            expected=f"coordinates of shape {expected}",
            found=str(coords.shape),
            remedy="draw the map again for this stage",
        )
    # One middle and one scale for all depths: a cloud that shrinks on the screen shrank on the map.
    middle = (coords.min(axis=(0, 1)) + coords.max(axis=(0, 1))) / 2
    return packed(np.rint((coords - middle) / half * STEPS).astype(np.int16))


def _collapsed(run: StageRun) -> list[bool]:
    """Whether a side has nearly one direction, at each depth."""
    mad = run.measures[run.measures["measure"] == "mad"]
    return [bool(flag) for flag in (mad.groupby("layer")["value"].min() < COLLAPSE_MAD)]


def _places(of: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where each of ``wanted`` (m,) is in the ascending ``of`` (n,); -1 where it is not; (m,)."""
    places = np.searchsorted(of, wanted).clip(max=len(of) - 1)
    return np.where(of[places] == wanted, places, -1).astype(np.int32)


def _line(run: StageRun, name: str) -> dict[str, Any]:
    table = run.measures[run.measures["measure"] == name]
    sides = {
        side: [_number(value) for value in rows.sort_values("layer")["value"]]
        for side, rows in table.groupby("side")
    }
    counts = {side: int(rows["n"].iloc[0]) for side, rows in table.groupby("side")}
    return {"name": name, "title": MEASURES[name].title, "sides": sides, "n": counts}


def _recall(run: StageRun) -> list[dict[str, Any]]:
    if run.recall.empty:
        return []
    return [
        {
            "name": "recall",
            "title": f"Recall@{RECALL_K}",
            "sides": {"users": [_number(value) for value in run.recall["value"]]},
            "ci": [_number(value) for value in run.recall["ci"]],
            "n": {"users": int(run.recall["n"].iloc[0])},
        }
    ]


def _number(value: float) -> float | None:
    """Six digits; None for what is not defined, as JSON has no NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _movers(first: StageRun, second: StageRun) -> dict[str, Any]:
    """At every depth that both runs have, the nodes whose neighbourhoods differ most."""
    nodes, kept = [], []
    for before, after in zip(first.rows, second.rows, strict=False):
        found = movers(before, after, NEIGHBOURS)
        nodes.append(found.order[:MOVERS])
        kept.append(found.jaccard[found.order[:MOVERS]])
    return {
        "nodes": packed(np.stack(nodes).astype(np.int32)),
        "jaccard": packed(np.stack(kept).astype(np.float32)),
        "k": NEIGHBOURS,
    }
