"""The controls of the page Embeddings, and the choices that they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import cached, state
from app.embeddings.color import (
    NOTES,
    Coloring,
    can_be_mapped,
    color_options,
    coloring,
    not_offered,
)
from app.embeddings.layers import choose_layers
from app.shared.context import DEPTHS, choose_depth, choose_modality, choose_runs, modality_of
from app.shared.links import say_unknown
from app.shared.node_select import GROUP, current_group, current_node, find_node
from app.shared.readouts import readout_name, readout_words
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.projection import sample_linked
from rednd_core.runs import LayerFacts, Run

PANELS, ANIMATION = "panels", "animation"
LAYER, READOUT = "layer output", "readout"
SIZES = (1_000, 2_000, 10_000, 30_000)
DEFAULT_SIZE = 2_000  # as on the page Depth, with which this page then shares its maps
MOST_NODES = SIZES[-1]  # UMAP and the browser are too slow for more
MOST_FITTED = 40_000  # points of all depths on one map; with more, the shown depths alone make it


@dataclass(frozen=True, eq=False)
class MapView:
    """The choices of the page, and what follows from them.

    Attributes:
        other: a second run on the same data and split.
        modality, other_modality: of ``run`` and of ``other``.
        view: ``"layer"`` or ``"readout"``, see ``cached.view_layers``.
        depth: the one that all pages show.
        layers: chosen depths, ascending, at least one.
        fitted: the depths that the maps are made of, whichever are shown.
        trained: the last depth that the run was trained with.
        nodes: (n,) nodes on the map, the selected ones among them that have a train interaction.
        node: the selected node; group: nodes chosen together, two or more, or empty.
        umap: settings of the UMAP map.
    """

    run: Run
    other: Run | None
    data: Dataset
    names: NodeNames
    modality: str
    other_modality: str
    view: str
    depth: int
    layers: tuple[int, ...]
    fitted: tuple[int, ...]
    trained: int
    display: str
    nodes: NDArray[np.int64]
    color: Coloring
    node: int | None
    group: tuple[int, ...]
    umap: dict[str, Any]

    @property
    def selected(self) -> tuple[int, ...]:
        """The nodes that the maps mark."""
        return tuple(sorted({*self.group, *([] if self.node is None else [self.node])}))

    @property
    def layer_names(self) -> list[str]:
        facts = cached.layers(self.run).facts
        return [layer_name(k, self.view, facts) for k in self.layers]

    @property
    def n_of_total(self) -> str:
        return f"{len(self.nodes):,} of {len(self.names):,} nodes"

    def map(self, method: str) -> cached.LayerMap:
        """The key of the map of the shown layers and nodes, for the functions of ``cached``."""
        settings = self.umap if method == "umap" else {}
        return cached.LayerMap(
            self.run,
            self.modality,
            self.view,
            self.layers,
            self.fitted,
            self.nodes,
            method,
            settings,
        )

    def arrays(self) -> list[Any]:
        """The chosen layers, each (N, d)."""
        stored = cached.view_layers(self.run, self.modality, self.view)
        return [stored[k] for k in self.layers]


def layer_name(k: int, view: str, facts: LayerFacts) -> str:
    return readout_name(k, facts) if view == "readout" else f"layer {k}"


def choose_view() -> MapView | None:
    """Draw the controls; None if there is no run to show."""
    context = choose_runs()
    if context is None:
        return None
    run = context.run
    data, index, names = cached.run_dataset(run), cached.layers(run), cached.node_names(run)
    colors = color_options(run, data)
    _say_unknown(run, names, colors)
    modality = choose_modality(run)
    node, group = current_node(names), current_group(names)
    row = st.columns([5, 3, 3, 2], vertical_alignment="bottom")
    with row[3], st.popover("More", icon=":material/tune:", width="stretch"):
        view = _choose_readout(index.facts)
        size = _choose_size(data)
        umap = _choose_umap()
    states = cached.view_layers(run, modality, view)
    trained = min(index.facts.shared_depth, len(states) - 1)
    depth = choose_depth(run, len(states))
    with st.sidebar:
        find_node(names, node)
    with row[0]:
        layers = choose_layers(len(states), trained, depth)
    with row[1]:
        option = _choose_color(colors, not_offered(run, data))
    with row[2]:
        display = st.segmented_control(
            "Show",
            [PANELS, ANIMATION],
            default=PANELS,
            required=True,
            help="Panels: a map for each depth. Animation: one map with a slider; the points travel from "
            "depth to depth.",
            **state.keep("show"),
        )
    layers, fitted = _of_one_width(layers, states)
    sample = sample_linked(
        can_be_mapped(data),
        data.n_users,
        size,
        include=[*group, *([] if node is None else [node])],
    ).nodes
    if len(fitted) * len(sample) > MOST_FITTED:
        fitted = layers
    return MapView(
        run=run,
        other=context.other,
        data=data,
        names=names,
        modality=modality,
        other_modality=modality_of(context.other, modality) if context.other else modality,
        view=view,
        depth=depth,
        layers=layers,
        fitted=fitted,
        trained=trained,
        display=display or PANELS,
        nodes=sample,
        color=coloring(option, run, data, modality, view, layers, sample),
        node=node,
        group=tuple(group),
        umap=umap,
    )


def _say_unknown(run: Run, names: NodeNames, colors: list[str]) -> None:
    """Warn of values in the link that this run does not have."""
    modalities = cached.modalities(run)

    def is_node(key: str) -> bool:
        return names.node(key) is not None

    n_depths = len(cached.view_layers(run, modalities[0], "layer"))
    say_unknown(
        {
            state.MODALITY: modalities,
            state.DEPTH: DEPTHS,
            state.LAYERS: [str(k) for k in range(n_depths)],
            "color": colors,
            "show": (PANELS, ANIMATION),
            "vectors": (LAYER, READOUT),
            state.NODE: is_node,
            GROUP: is_node,
        }
    )


def _choose_color(options: list[str], left_out: str) -> str:
    state.drop_foreign("color", options)
    color: str = st.selectbox(
        "Colour",
        options,
        help="  \n".join([*(f"**{name}**: {note}" for name, note in NOTES.items()), left_out]),
        **state.keep("color"),
    )
    return color


def _of_one_width(
    layers: tuple[int, ...], states: Sequence[Any]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The depths that are as wide as the last one of ``layers``: the shown ones, and all.

    A caption names the depths of another width.
    """
    widths = [state.shape[1] for state in states]
    width = widths[layers[-1]]
    alike = tuple(k for k, of in enumerate(widths) if of == width)
    others = [str(k) for k in layers if k not in alike]
    if others:
        st.caption(
            f"Not on the maps: layer {', '.join(others)}. Layers of another width than {width} columns "
            "have no axes in common with the others; choose them alone."
        )
    return tuple(k for k in layers if k in alike), alike


def _choose_readout(facts: LayerFacts) -> str:
    if not facts.has_own_readout:
        return "layer"
    chosen = st.segmented_control(
        "Vectors",
        [LAYER, READOUT],
        default=LAYER,
        required=True,
        help=f"Layer output: what comes out of layer k. Readout: what would score if propagation stopped "
        f"at layer k, {readout_words(facts)}. A readout that keeps layer 0 can hide a collapse.",
        **state.keep("vectors"),
    )
    return "readout" if chosen == READOUT else "layer"


def _choose_size(data: Dataset) -> int:
    n_nodes = int(can_be_mapped(data).sum())
    sizes = [size for size in SIZES if size < n_nodes]
    labels = {f"{size:,}": size for size in sizes}
    if n_nodes <= MOST_NODES:
        labels[f"all {n_nodes:,}"] = n_nodes
    state.drop_foreign("nodes", labels)
    wanted = sum(size <= DEFAULT_SIZE for size in sizes)
    small = n_nodes <= DEFAULT_SIZE
    chosen = st.selectbox(
        "Nodes on the map",
        list(labels),
        index=len(labels) - 1 if small else wanted - 1,
        help="A random sample with users and items in proportion. A larger sample contains the smaller one. "
        "Selected nodes are always on the map. Nodes without a train interaction are on none: no vector "
        "is left of them after layer 0.",
        **state.keep("nodes"),
    )
    return labels[chosen]


def _choose_umap() -> dict[str, Any]:
    chosen: Callable[..., Any] = st.select_slider
    neighbors = chosen(
        "UMAP neighbours (n_neighbors)",
        [5, 10, 15, 30, 50],
        value=15,
        help="Few: small local clusters. Many: more of the global order.",
        **state.keep("n_neighbors"),
    )
    distance = chosen(
        "UMAP least distance (min_dist)",
        [0.0, 0.1, 0.3, 0.5],
        value=0.1,
        help="The smallest distance between two points of the map.",
        **state.keep("min_dist"),
    )
    return {"n_neighbors": neighbors, "min_dist": distance}
