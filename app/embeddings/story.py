"""What the layers of a run do, in words: whether the vectors contract, and what the maps show of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rednd_core import wording
from rednd_core.projection import COLLAPSE_MAD, Projection

# (share, words): the words hold if the last MAD of a side is less than this share of the first one.
VERDICTS = (
    (0.85, "contract"),
    (0.95, "contract a little"),
    (1.05, "stay as far apart as they were"),
)
APART = "move apart"
COLLAPSE = "contract until all of them have almost one direction"
ALIKE = 0.02  # Two factors that differ by less than this count as equal.


def spread_story(layer_names: Sequence[str], maps: Mapping[str, Projection]) -> str:
    """Markdown about the way from the first layer to the last; empty if a measure is undefined.

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
    """What users or items do if their MAD goes from ``before`` to ``after``."""
    if after < COLLAPSE_MAD <= before:
        return COLLAPSE
    return next((words for limit, words in VERDICTS if after < limit * before), APART)


def _of_maps(maps: Mapping[str, Projection]) -> str:
    """How the widths of the maps follow the spread, and why the width of the PCA map may not."""
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
            " The PCA map has two directions only. Propagation removes what differs between neighbours "
            "and keeps what whole groups share; these two directions hold a larger part of the rest."
        )
        if factors["pca"] > 1 + ALIKE and spread < 1 + ALIKE:
            told += " So the map grows although the vectors do not move apart."
    if "umap" not in factors:
        return told
    if factors["umap"] > spread + ALIKE and maps["pca"].collapsed[-1]:
        return told + " **UMAP does not show this collapse**: it keeps no lengths."
    return told + " UMAP does not keep lengths at all."


def _width(found: Projection, layer: int) -> float:
    """Root mean square distance of a layer's points to their mean, on the map."""
    return float(np.sqrt(found.coords[layer].var(axis=0).sum()))
