"""Lesson 6: a map that hides a collapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import (
    Picture,
    bar,
    bars,
    panel,
    scatter,
)
from rednd_core.lessons.world import World
from rednd_core.projection import NodeSample, PooledPCA, Projection, default_map_cache, project
from rednd_core.projection.sample import SampledRows
from rednd_core.stage.contents import Cast
from rednd_core.stage.depths import DEPTH

SHOWN = (0, DEPTH)
WIDTH, SPREAD = "width of the map", "spread of the vectors"


def map_lies(world: World) -> tuple[Step, ...]:
    """Lesson 6."""
    umap = _umap(world)
    # Both maps show the same vectors: only the coordinates and the method differ.
    pca = replace(umap, coords=PooledPCA().fit_transform(np.stack(_rows(world))), method="pca")
    return (_which(umap, world), _one_scale(pca, world), _trust(umap))


def _rows(world: World) -> list[NDArray[np.float32]]:
    """The vectors of LightGCN that the maps show, at all depths; (n, d) each."""
    nodes = Cast.of(world.dataset, world.graph).nodes
    return [np.ascontiguousarray(x[nodes], dtype=np.float32) for x in world.plain.layers]


def _umap(world: World) -> Projection:
    """One UMAP of all depths, as it came with the sample data."""
    nodes = Cast.of(world.dataset, world.graph).nodes
    sample = NodeSample(nodes, world.graph.n_nodes)
    stack = [SampledRows(sample, rows) for rows in _rows(world)]
    n_users = world.dataset.n_users
    return project(stack, "umap", sample, n_users=n_users, cache=default_map_cache())


def _panels(found: Projection, titles: Sequence[str], *, numbers: bool) -> list[dict[str, Any]]:
    """The depths ``SHOWN``, each around its own middle, on one scale."""
    centred = [_centred(found.coords[k]) for k in SHOWN]
    half = max(float(np.abs(coords).max()) for coords in centred)
    return [
        panel(title, coords, half, _numbers(found, k) if numbers else {})
        for k, title, coords in zip(SHOWN, titles, centred, strict=True)
    ]


def _centred(coords: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = (coords.min(axis=0) + coords.max(axis=0)) / 2
    return np.asarray(coords - middle, dtype=np.float32)


def _numbers(found: Projection, k: int) -> dict[str, float]:
    quality = found.quality[k]
    centred = found.coords[k] - found.coords[k].mean(axis=0)
    return {
        "MAD of users": quality["mad_users"],
        "MAD of items": quality["mad_items"],
        SPREAD: quality["spread"],
        WIDTH: float(np.sqrt(np.square(centred).sum(axis=1).mean())),
    }


def _n_users(found: Projection, world: World) -> int:
    return int((found.nodes < world.dataset.n_users).sum())


def _ratio(picture: Picture, name: str) -> float:
    """A number of the last panel, as a share of the same number of the first."""
    first, last = (one["numbers"][name] for one in (picture["panels"][0], picture["panels"][-1]))
    return float(last / first)


def _which(umap: Projection, world: World) -> Step:
    n_users = _n_users(umap, world)
    title = "[[UMAP]], one layout for all depths"
    picture = scatter(title, _panels(umap, [f"layer {k}" for k in SHOWN], numbers=True), n_users)
    hidden = scatter(title, _panels(umap, ("map A", "map B"), numbers=False), n_users)
    return Step(
        "which",
        "Which map is the dead one?",
        "One of these maps shows the vectors that were learned. The other shows what is left of them after "
        f"{DEPTH} steps. [[UMAP]] draws both.",
        picture,
        (
            Claim(
                f"Map B is layer {DEPTH}. The [[spread]] of its vectors is "
                f"{_ratio(picture, SPREAD):.0%} of that of "
                f"layer 0, the width of its map {_ratio(picture, WIDTH):.0%}.",
                lambda p: _ratio(p, SPREAD) < 0.3 and _ratio(p, WIDTH) > 2 * _ratio(p, SPREAD),
            ),
            Claim(
                "UMAP keeps who is next to whom and stretches what lies close together. It cannot "
                "show that "
                "everything came closer.",
                lambda p: (
                    p["panels"][-1]["numbers"]["MAD of users"]
                    < 0.01
                    < p["panels"][0]["numbers"]["MAD of users"]
                ),
            ),
        ),
        Question(f"Which map shows layer {DEPTH}?", ("Map A", "Map B", "One cannot tell"), 1),
        before=hidden,
    )


def _one_scale(pca: Projection, world: World) -> Step:
    picture = scatter(
        "[[PCA]], the same two axes and one scale",
        _panels(pca, [f"layer {k}" for k in SHOWN], numbers=True),
        _n_users(pca, world),
    )
    return Step(
        "pca",
        "A map that shrinks",
        "[[PCA]] with the same axes for all layers is a plain shadow of the directions. What shrinks in "
        "space shrinks on this map.",
        picture,
        (
            Claim(
                f"The width of the map goes to {_ratio(picture, WIDTH):.0%} of that of layer 0; the "
                "spread of the "
                f"vectors goes to {_ratio(picture, SPREAD):.0%}.",
                lambda p: 0 < _ratio(p, WIDTH) < 0.4 and _ratio(p, SPREAD) < 0.3,
            ),
        ),
        Question(
            "How will PCA draw the same two layers?",
            (f"Layer {DEPTH} much smaller", "Both as wide", f"Layer {DEPTH} wider"),
            0,
        ),
        way=Way("Both maps on one slider", "depth", {"run": world.plain.run.name}),
    )


def _trust(umap: Projection) -> Step:
    picture = bars(
        "[[Trustworthiness]] of the UMAP",
        {f"layer {k}": umap.quality[k]["trustworthiness"] for k in SHOWN},
        colors=("one", "two"),
    )
    return Step(
        "trust",
        "Does the quality of the map warn us?",
        "[[Trustworthiness]] says how far neighbours on the map are neighbours in the original "
        "space. 1 is best.",
        picture,
        (
            Claim(
                "In this one training it is higher for the dead layer: "
                f"{wording.measure(bar(picture, f'layer {DEPTH}'))} against "
                f"{wording.measure(bar(picture, 'layer 0'))}. Neighbours are easy to keep where "
                "little is left. "
                "Read the MAD, or the spread, beside any map.",
                lambda p: bar(p, f"layer {DEPTH}") > bar(p, "layer 0") > 0.5,
            ),
        ),
        Question(
            f"Is the trustworthiness of layer {DEPTH} lower than that of layer 0?",
            ("Yes, much lower", "It is the same", "No, it is higher"),
            2,
        ),
    )
