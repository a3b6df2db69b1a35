"""The PCA map beyond the layers of a run: the vectors after more propagation."""

from __future__ import annotations

from dataclasses import dataclass

from app import cached
from app.embeddings.color import NEIGHBOURS, SELF, TYPE, Coloring, coloring
from app.embeddings.controls import MapView
from app.shared.chapter import DEEP, Chapter
from rednd_core.projection import Projection

TITLE = f"PCA · same axes, on to depth {DEEP}"


@dataclass(frozen=True, eq=False)
class FurtherMap:
    """The shown layers and the depths beyond, on shared axes.

    Attributes:
        names: titles of the panels.
        note: what is on the map, for its caption, in Markdown.
    """

    found: Projection
    names: list[str]
    color: Coloring
    note: str


def further_map(view: MapView) -> FurtherMap:
    """The map of the shown layers and of two depths beyond the layers of the run."""
    last = Chapter(view.run, view.run.record).n_layers
    depths = sorted({*view.layers, max(last, DEEP // 2), DEEP})
    found = cached.joined_map(view.run, depths, DEEP)
    note = (
        f"{len(found.nodes):,} of {found.n_total:,} nodes. Depths beyond {last} were never trained: "
        "they are the last layer, multiplied by the graph again and again."
    )
    if n_zero := max(quality["n_zero"] for quality in found.quality):
        note += (
            f" {n_zero} of the nodes have no train interaction: they lie on one spot after layer 0."
        )
    modalities = list(cached.layers(view.run))
    if len(modalities) > 1:
        note += f" All modalities side by side: {', '.join(modalities)}."
    option = view.color.name
    if option in (NEIGHBOURS, SELF):
        note += f" Coloured by {TYPE}: the {option} is known for the run's own layers only."
        option = TYPE
    color = coloring(
        option, view.run, view.data, view.modality, view.view, view.layers, found.nodes
    )
    names = [f"layer {k}" if k <= last else f"depth {k}" for k in depths]
    return FurtherMap(found, names, color, note)
