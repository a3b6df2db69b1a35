"""The Depth stage as plain JSON: what the scripts in ``browser/`` read.

Arrays travel as base64 of little-endian numbers, coordinates as 16-bit steps of the map's extent: the eye
cannot tell them from the original, and a stage of the sample shop stays below 3 MB.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.projection import COLLAPSE_MAD, movers
from rednd_core.smoothness.measures import MEASURES
from rednd_core.stage.contents import LIST_LENGTH, RECALL_K, Axis, Cast, StageRun
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
    axis: Axis,
    n_users: int,
    n_items: int,
    labels: Names,
    titles: Names,
    keys: Names,
    of: tuple[int, int] | None = None,
    same_axes: bool = False,
) -> dict[str, Any]:
    """One or two runs on one stage.

    Args:
        runs: each with its maps by method ("pca", "umap"): (K, n, 2), ``cast.nodes`` at all steps.
        n_users, n_items: that ``cast`` is chosen from.
        labels: lines that are unique among all nodes. titles: short names, as cards have them.
        keys: the same nodes as links name them.
        of: the users and items of the data set, if ``n_users`` and ``n_items`` are a sample.
        same_axes: whether the PCA maps of both runs have the same axes: equal vectors are then drawn at the
            same place in both.

    Raises:
        DataError: a map of another shape, or more than :data:`MOST_BYTES`.
    """
    items, lists = _listed_items([run for run, _ in runs], cast)
    boxes = _pca_boxes([maps["pca"] for _, maps in runs if "pca" in maps], same_axes)
    all_users, all_items = of or (n_users, n_items)
    payload: dict[str, Any] = {
        "axis": {"name": axis.name, "steps": list(axis.steps)},
        "nodes": {
            "labels": list(labels(cast.nodes)),
            "n_users": int((cast.nodes < n_users).sum()),
            "n_items": int((cast.nodes >= n_users).sum()),
            "all_users": all_users,
            "all_items": all_items,
            "n_isolated": cast.n_isolated,
        },
        "ranked": {"n": n_items, "all": all_items},
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
            _run(run, maps, cast, listed, next(boxes) if "pca" in maps else None)
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
    pca_box: _Box | None,
) -> dict[str, Any]:
    return {
        "name": run.name,
        "title": run.title,
        "beyond_from": run.beyond_from,
        "n_steps": run.n_steps,
        "maps": {
            method: _map(drawn, run, cast, pca_box if method == "pca" and pca_box else _box(drawn))
            for method, drawn in maps.items()
        },
        "collapsed": _collapsed(run),
        "lines": [*(_line(run, name) for name in MEASURES_SHOWN), *_recall(run), *_whole(run)],
        "lists": listed[0],
        "own": listed[1],
        "ranks": packed(run.lists.ranks.astype(np.int32)),
    }


class _Box(NamedTuple):
    """A square around points: its middle (2,) and half of its side."""

    middle: NDArray[np.float32]
    half: float


def _box(*maps: NDArray[np.float32]) -> _Box:
    """The square around all points of all steps of all ``maps``."""
    low = np.min([coords.min(axis=(0, 1)) for coords in maps], axis=0)
    high = np.max([coords.max(axis=(0, 1)) for coords in maps], axis=0)
    return _Box((low + high) / 2, float((high - low).max()) / 2 or 1.0)


def _pca_boxes(maps: Sequence[NDArray[np.float32]], same_axes: bool) -> Iterator[_Box]:
    """A box for the PCA map of each run. PCA maps hold unit vectors, so all runs have one scale; a UMAP's
    scale means nothing."""
    own = [_box(coords) for coords in maps]
    if same_axes:
        yield from [_box(*maps)] * len(maps)
    else:
        yield from (box._replace(half=max(b.half for b in own)) for box in own)


def _map(coords: NDArray[np.float32], run: StageRun, cast: Cast, box: _Box) -> dict[str, Any]:
    expected = (run.n_steps, len(cast.nodes), 2)
    if coords.shape != expected:
        raise DataError(
            expected=f"coordinates of shape {expected}",
            found=str(coords.shape),
            remedy="draw the map again for this stage",
        )
    # One middle and one scale for all steps: a cloud that shrinks on the screen shrank on the map.
    return packed(np.rint((coords - box.middle) / box.half * STEPS).astype(np.int16))


def _collapsed(run: StageRun) -> list[bool]:
    """Whether a side has nearly one direction, at each step."""
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


def _whole(run: StageRun) -> list[dict[str, Any]]:
    if run.whole is None:
        return []
    metric, values = run.whole
    title = f"{metric.capitalize()}, whole model, validation"
    return [{"name": "whole", "title": title, "sides": {"users": list(map(_number, values))}}]


def _number(value: float) -> float | None:
    """Six digits; None for what is not defined, as JSON has no NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _movers(first: StageRun, second: StageRun) -> dict[str, Any]:
    """At every step that both runs have, the nodes whose neighbourhoods differ most."""
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
