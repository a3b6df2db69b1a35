"""The maps: PCA on shared axes, and beside it UMAP if it is cached or asked for."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.embeddings.color import can_be_mapped
from app.embeddings.controls import ANIMATION, MapView
from app.embeddings.story import spread_story
from app.shared.downloads import show_figure
from app.shared.node_select import take_points
from rednd_core.plots.embedding import embedding_figure
from rednd_core.plots.embedding_animation import AnimatedMap, embedding_animation
from rednd_core.projection import Projection

PCA_TITLE = "PCA · same axes in every layer"  # A longer title does not fit on a phone.
UMAP_TITLE = "UMAP · one layout for all layers"
PANELS_A_ROW = 4
WANTED = "umap_wanted"  # the maps that this session asked for; a read-only cache forgets them

PCA_CAPTION = (
    "PCA shows the cloud along its two widest directions, with the same axes and the same scale in every "
    "panel. **Lengths are kept: a layer whose vectors all agree in direction is a dot.** Differences along "
    "other directions cannot be seen."
)
UMAP_CAPTION = (
    "UMAP draws only which nodes are neighbours, and stretches every neighbourhood to about the same size. "
    "In a collapse the distances shrink while the order of the neighbours stays, so **UMAP enlarges the "
    "tiny cloud again: a collapsed layer can look wider and tidier than a healthy one.** "
    "Trustworthiness does not warn you; it even rises. Read MAD and spread above each panel, and look at "
    "the PCA map."
)


def draw_maps(view: MapView) -> dict[str, Projection]:
    """Draw the chosen display, and return the maps that it shows by method."""
    with st.spinner("Drawing the PCA map …"):
        maps = {"pca": cached.projection(view.map("pca"))}
    umap = _umap(view)
    if umap is not None:
        maps["umap"] = umap
    if view.display == ANIMATION:
        _animate(view, maps)
    else:
        _panels(view, maps["pca"], PCA_TITLE)
        if len(view.layers) > 1:
            st.markdown(spread_story(view.layer_names, maps))
        if umap is None:
            _offer_umap(view)
        else:
            _panels(view, umap, UMAP_TITLE)
        st.caption(
            f"{PCA_CAPTION} To look closer, click a point, or use the box or the lasso in the "
            "toolbar above a figure."
        )
        st.caption(UMAP_CAPTION)
    beyond = ""
    if view.layers[-1] > view.trained:
        beyond = (
            f" Depths beyond {view.trained} were never trained: they are the last layer, multiplied by "
            "the graph again and again."
        )
    st.caption(
        f"{view.n_of_total} on the map{_left_out(view)}. Colour: {view.color.note} Spread: root mean square "
        "distance of "
        "the unit vectors to their mean, 0 to 1, measured on the vectors and not on the map. MAD: mean of "
        "1 − cosine over all pairs of users, or of items, 0 to about 1. Both are measured on the nodes of "
        "the map. Trustworthiness: 1 if all neighbours on the map are true neighbours." + beyond
    )
    return maps


def _left_out(view: MapView) -> str:
    """How many nodes no map can show."""
    lonely = int((~can_be_mapped(view.data)).sum())
    return f" (never: the {lonely:,} without a train interaction)" if lonely else ""


def _umap(view: MapView) -> Projection | None:
    """The UMAP map if a cache has it or this session asked for it, else None."""
    asked = view.map("umap")
    if asked.key in st.session_state.get(WANTED, ()):
        with st.spinner(f"Computing the UMAP map of {view.n_of_total} …", show_time=True):
            return cached.projection(asked)
    return cached.known_projection(asked)


def _offer_umap(view: MapView) -> None:
    cached.compile_umap()
    with st.container(border=True):
        st.markdown(f"**{UMAP_TITLE}**")
        st.write(
            "This map is not computed yet for these layers and nodes of the run. Once it is computed, the "
            "app keeps it."
        )
        st.button(
            "Compute the UMAP map",
            key="compute_umap",
            type="primary",
            icon=":material/scatter_plot:",
            on_click=_want_umap,
            args=(view.map("umap").key,),
        )


def _want_umap(key: tuple[object, ...]) -> None:
    st.session_state[WANTED] = {*st.session_state.get(WANTED, ()), key}


def _panels(view: MapView, found: Projection, title: str) -> None:
    names = view.layer_names
    key = f"map-{found.method}"
    figure = drawn(
        embedding_figure,
        found.coords,
        found.nodes,
        names,
        found.quality,
        found.collapsed,
        title=title,
        hover=view.names.hover(found.nodes),
        selected=view.selected,
        focus=view.node,
        columns=PANELS_A_ROW,
        **view.color.arguments(),
    )
    show_figure(
        figure,
        key=key,
        runs=[view.run],
        alt=f"{title}: {len(found.nodes):,} of {found.n_total:,} nodes in {', '.join(names)}, "
        f"coloured by {view.color.name}",
        name=f"{view.run.name}-{view.modality}-{found.method}",
        on_pick=partial(take_points, view.names),
    )


def _neighbourhoods(found: Projection) -> str:
    """On what the trustworthiness was measured."""
    of = found.quality[0]
    return f"Trustworthiness: k = {of['k']}, {of['n_points']:,} of {of['n']:,} points."


def _animate(view: MapView, maps: dict[str, Projection]) -> None:
    figure = drawn(
        embedding_animation,
        [
            AnimatedMap(method.upper(), found.coords, found.quality, found.collapsed)
            for method, found in maps.items()
        ],
        view.nodes,
        view.layer_names,
        hover=view.names.hover(view.nodes),
        selected=view.selected,
        focus=view.node,
        **view.color.arguments(),
    )
    show_figure(
        figure,
        key="map-animation",
        runs=[view.run],
        alt=f"Animated map of {view.n_of_total} from {view.layer_names[0]} to "
        f"{view.layer_names[-1]}, coloured by {view.color.name}",
        name=f"{view.run.name}-{view.modality}-animation",
    )
    st.caption(
        "Press Play or drag the slider. Between two layers the points move on straight lines, which have "
        f"no meaning of their own. {PCA_CAPTION} {_neighbourhoods(maps['pca'])}"
    )
    if "umap" in maps:
        st.caption(UMAP_CAPTION)
    else:
        _offer_umap(view)
