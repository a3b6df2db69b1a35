"""What a run's layers do, in words: whether the vectors gather, and what the maps make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rednd_core import wording
from rednd_core.projection import COLLAPSE_MAD, Projection

# What a side does whose last MAD is less than this share of its first.
VERDICTS = ((0.85, "gather"), (0.95, "gather a little"), (1.05, "stay as far apart as they were"))
APART = "move apart"
COLLAPSE = "gather until they are almost one direction"
ALIKE = 0.02  # factors that differ by less are told apart by no word


def spread_story(layer_names: Sequence[str], maps: Mapping[str, Projection]) -> str:
    """Markdown on the way from the first layer to the last; empty where a measure is undefined.

    Args:
        layer_names: (n_layers,), at least two. maps: by method, ``"pca"`` among them.
    """
    first, last = maps["pca"].quality[0], maps["pca"].quality[-1]
    names = ("mad_users", "mad_items", "spread")
    if not all(first[name] and last[name] is not None for name in names):
        return ""
    users, items = (verdict(first[name], last[name]) for name in names[:2])
    did = f"users and items {users}" if users == items else f"users {users}, items {items}"
    of_users, of_items, spread = (
        f"{wording.measure(first[name])} → {wording.measure(last[name])}" for name in names
    )
    return (
        f"**From {layer_names[0]} to {layer_names[-1]}, {did}**: MAD of users {of_users}, of items "
        f"{of_items}; spread of all vectors {spread}. {_of_maps(maps)}"
    )


def verdict(before: float, after: float) -> str:
    """What a side does whose MAD goes from ``before`` to ``after``."""
    if after < COLLAPSE_MAD <= before:
        return COLLAPSE
    return next((words for limit, words in VERDICTS if after < limit * before), APART)


def _of_maps(maps: Mapping[str, Projection]) -> str:
    """How the maps' widths follow the spread, and why that of the PCA may not."""
    if not all(_width(found, 0) for found in maps.values()):
        return ""
    quality = maps["pca"].quality
    spread = quality[-1]["spread"] / quality[0]["spread"]
    factors = {method: _width(found, -1) / _width(found, 0) for method, found in maps.items()}
    told = ", ".join(
        f"that of the {method.upper()} map ×{each:.2f}" for method, each in factors.items()
    )
    told = f"The width of the vectors' cloud changes ×{spread:.2f}, {told}."
    if factors["pca"] > spread + ALIKE:
        told += (
            " The PCA map has two directions only. Mixing evens out what differs between neighbours "
            "and leaves what whole groups share; of what is left, these two directions hold more."
        )
        if factors["pca"] > 1 + ALIKE and spread < 1 + ALIKE:
            told += " So the map grows although the vectors do not move apart."
    return told + (" UMAP does not keep lengths at all." if "umap" in maps else "")


def _width(found: Projection, layer: int) -> float:
    """RMS distance of a layer's points to their mean, on the map."""
    return float(np.sqrt(found.coords[layer].var(axis=0).sum()))
