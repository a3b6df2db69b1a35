"""The controls of the page Embeddings, and the choices that they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import cached, state
from app.embeddings.color import NOTES, Coloring, color_options, coloring, not_offered
from app.embeddings.layers import choose_further, choose_layers
from app.shared.context import choose_modality, choose_runs
from app.shared.links import say_unknown
from app.shared.node_select import GROUP, current_group, current_node, find_node
from app.shared.readouts import readout_name, readout_words
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.projection import sample_nodes
from rednd_core.runs import LayerFacts, LayerIndex, Run

PANELS, ANIMATION = "panels", "animation"
LAYER, READOUT = "layer output", "readout"
SIZES = (1_000, 3_000, 10_000, 30_000)
DEFAULT_SIZE = 3_000
MOST_NODES = SIZES[-1]  # UMAP and the browser are too slow for more


@dataclass(frozen=True, eq=False)
class MapView:
    """The choices of the page, and what follows from them.

    Attributes:
        other: a second run on the same data and split.
        view: ``"layer"`` or ``"readout"``, see ``cached.view_layers``.
        layers: chosen layer numbers, ascending, at least one.
        nodes: (n,) nodes on the map, the selected ones among them.
        node: the selected node; group: nodes chosen together, two or more, or empty.
        umap: settings of the UMAP map.
        further: whether the PCA map goes on beyond the layers of the run.
    """

    run: Run
    other: Run | None
    data: Dataset
    names: NodeNames
    modality: str
    view: str
    layers: tuple[int, ...]
    display: str
    nodes: NDArray[np.int64]
    color: Coloring
    node: int | None
    group: tuple[int, ...]
    umap: dict[str, Any]
    further: bool

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
            self.run, self.modality, self.view, self.layers, self.nodes, method, settings
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
    modalities, colors = list(index), color_options(run, data)
    _say_unknown(names, index, colors)
    modality = choose_modality(modalities)
    node, group = current_node(names), current_group(names)
    with st.sidebar:
        find_node(names, node)
    second = st.columns([4, 3, 3, 2], vertical_alignment="bottom")
    with second[0]:
        layers = choose_layers(len(index[modality]))
    with second[1]:
        option = _choose_color(colors, not_offered(run, data))
    with second[2]:
        display = st.segmented_control(
            "Show",
            [PANELS, ANIMATION],
            default=PANELS,
            required=True,
            help="Panels: a map for each layer. Animation: one map with a layer slider; the points "
            "travel from layer to layer.",
            **state.keep("show"),
        )
    with second[3], st.popover("More", icon=":material/tune:", width="stretch"):
        view = _choose_readout(index.facts)
        size = _choose_size(len(names))
        umap = _choose_umap()
    layers = _of_one_width(layers, cached.view_layers(run, modality, view))
    # Maps beyond the run's layers exist as panels and for layer outputs only: see cached.joined_map.
    with second[0]:
        further = display != ANIMATION and view == "layer" and choose_further(run)
    sample = sample_nodes(
        data.n_users,
        data.n_items,
        size,
        include=[*group, *([] if node is None else [node])],
    ).nodes
    return MapView(
        run=run,
        other=context.other,
        data=data,
        names=names,
        modality=modality,
        view=view,
        layers=layers,
        display=display or PANELS,
        nodes=sample,
        color=coloring(option, run, data, modality, view, layers, sample),
        node=node,
        group=tuple(group),
        umap=umap,
        further=further,
    )


def _say_unknown(names: NodeNames, index: LayerIndex, colors: list[str]) -> None:
    """Warn of values in the link that this run does not have."""

    def is_node(key: str) -> bool:
        return names.node(key) is not None

    n_states = max(len(states) for states in index.values())
    say_unknown(
        {
            state.MODALITY: index,
            state.LAYERS: [str(k) for k in range(n_states)],
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


def _of_one_width(layers: tuple[int, ...], states: Sequence[Any]) -> tuple[int, ...]:
    """The layers that are as wide as the last one of ``layers``; a caption names the others."""
    widths = {k: states[k].shape[1] for k in layers}
    width = widths[layers[-1]]
    others = [str(k) for k in layers if widths[k] != width]
    if others:
        st.caption(
            f"Not on the maps: layer {', '.join(others)}. Layers of another width than {width} columns "
            "have no axes in common with the others; choose them alone."
        )
    return tuple(k for k in layers if widths[k] == width)


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


def _choose_size(n_nodes: int) -> int:
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
        "Selected nodes are always on the map.",
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
