"""The page Home: what the app is about, one picture of it, the runs, and links to the other pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cached, state
from app.charts.drawn import drawn
from app.home.story import Story, choose_story, notices, recall
from app.shared.chapter import DEEP, Chapter
from app.shared.downloads import csv_button, show_figure
from app.shared.errors import explained
from app.shared.text import escape_markdown
from app.sitemap import page_link
from rednd_core.errors import RedndError
from rednd_core.modeling.registry import model_title
from rednd_core.plots.home import layer_maps, mad_lines
from rednd_core.projection import Projection
from rednd_core.runs import RunEntry
from rednd_core.spreadsheets import without_formulas

PANELS = 4
STORY, FURTHER = "home-story", "home-next"  # keys that the style sheet below uses
# Streamlit stacks columns by the width of the window, although the menu may take a third of that width.
STACKING = f"""
.st-key-{STORY} .stColumn {{ min-width: min(248px, 100%); }}
.st-key-{FURTHER} .stColumn {{ min-width: min(176px, 100%); }}
"""

INTRODUCTION = """
A graph recommender mixes the vector of every user and item with those of its neighbours, layer by layer.
Mix often and all vectors point the same way: **over-smoothing**. **RedNⁿD** has a loss against it, the
alignment, which keeps each node close to its own beginning. Here is one model without it and with it.
"""

NEXT = (
    ("learn", "Ten lessons of five minutes: predict, look, go on."),
    ("depth", "One slider from layer 0 to 16: maps, measures and a user's list move together."),
    (
        "embeddings",
        "Every layer as a map: find a user or an item and follow it through the layers.",
    ),
    ("smoothness", "All measures by layer, epoch and alignment weight, and which of them mislead."),
    ("recommendations", "What a user is offered and why, and how deeper layers change it."),
    ("training", "Train a model, watch loss, recall and smoothness, and move a weight meanwhile."),
    ("data", "Check a data set of your own before you train on it."),
)


@explained
def render() -> None:
    st.title("See over-smoothing happen")
    st.markdown(INTRODUCTION)
    st.html(f"<style>{STACKING}</style>")
    entries = cached.run_entries()
    story = choose_story(entries)
    if story is None:
        _how_to_train()
    else:
        with st.container(key=STORY):
            explained(lambda: _tell(story))()
    _runs(entries)
    _next()


def prepare() -> None:
    """Fill the caches that the first picture needs."""
    story = choose_story(cached.run_entries())
    if story is not None:
        for chapter in _chapters(story):
            cached.joined_mad(chapter.run, chapter.reach)
            cached.joined_map(chapter.run, shown_layers(chapter, chapter.can_go_on), chapter.reach)
        cached.node_names(story.base.run)


def _chapters(story: Story) -> list[Chapter]:
    return [chapter for chapter in (story.base, story.other) if chapter]


def _how_to_train() -> None:
    st.info(
        "There is no trained run yet, so there is nothing to draw. Start a training on the page "
        "**Live training** or in a terminal, for example LightGCN on the sample shop:",
        icon=":material/play_circle:",
    )
    st.code("rednd train --data sample_data/shop --model lightgcn", language="bash")
    page_link("training")


def _tell(story: Story) -> None:
    base = story.base
    deep = base.can_go_on and st.toggle(
        f"Keep propagating to layer {DEEP}",
        value=True,
        help=f"{base.title} only multiplies by the graph, so its layers can be continued beyond the "
        f"{base.n_layers} that it was trained with.",
        **state.keep("deep"),
    )
    chapters = _chapters(story)
    mads = [cached.joined_mad(chapter.run, chapter.reach) for chapter in chapters]
    maps, lines = st.columns([2, 1], gap="medium")
    with maps:
        projections = [cached.joined_map(c.run, shown_layers(c, deep), c.reach) for c in chapters]
        _show_maps(projections, chapters, shown_layers(base, deep), "pca")
        st.caption(_map_caption(story, projections[0]))
    with lines:
        _show_lines(chapters, mads, deep)
    st.header("What to notice")
    for sentence in notices(story, mads[0], mads[1] if story.other else None):
        st.markdown(f"- {sentence}")
    _show_umap(base)


def shown_layers(chapter: Chapter, deep: bool) -> list[int]:
    """Layers of the panels: the first and the last of the model, then two beyond them; or the model's own."""
    known, last = chapter.mapped_layers, chapter.n_layers
    if deep:
        return sorted({0, last, max(last, DEEP // 2), DEEP})
    steps = min(len(known), PANELS) - 1
    return sorted({known[round(k * (len(known) - 1) / max(steps, 1))] for k in range(steps + 1)})


def _show_maps(
    projections: Sequence[Projection], chapters: Sequence[Chapter], shown: list[int], method: str
) -> None:
    """The same layers of each run, a row for each run, each map in the middle of its panels."""
    first = projections[0]
    centred = [each.coords - _middle(each.coords) for each in projections]
    figure = drawn(
        layer_maps,
        np.concatenate(centred),
        first.nodes,
        [f"layer {k}" for k in shown] * len(projections),
        [(of["mad_users"], of["mad_items"]) for each in projections for of in each.quality],
        n_users=cached.node_names(chapters[0].run).n_users,
        hover=_hover(first, chapters[0]),
        run_names=[f"alignment {c.alignment}" for c in chapters] if len(chapters) > 1 else (),
    )
    whose = " and of ".join(chapter.title for chapter in chapters)
    show_figure(
        figure,
        key=f"home-{method}",
        runs=[chapter.run for chapter in chapters],
        name=f"layers-{method}",
        alt=f"Maps ({method.upper()}) of the layers {', '.join(map(str, shown))} of {whose}; users and "
        f"items in two colours, the numbers their MAD. {len(first.nodes):,} of {first.n_total:,} nodes.",
    )


def _middle(coords: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of the box around the points of all layers."""
    middle: NDArray[np.float32] = (coords.min(axis=(0, 1)) + coords.max(axis=(0, 1))) / 2
    return middle


def _hover(projection: Projection, base: Chapter) -> list[str]:
    return cached.node_names(base.run).labels(projection.nodes)


def _map_caption(story: Story, projection: Projection) -> str:
    """The caption of the maps, with the number of nodes."""
    two = " The axes of two runs cannot be compared, their scale can." if story.other else ""
    n_lonely = cached.n_isolated(story.base.run)
    lonely = f" Left out: {n_lonely:,} nodes without a train interaction." if n_lonely else ""
    return (
        "PCA of directions, the same two axes in all panels of a run: a cloud that shrinks is a layer whose "
        f"vectors grow alike.{two} Users are circles, items are diamonds; the numbers are MAD. "
        f"{len(projection.nodes):,} of {projection.n_total:,} nodes.{lonely}"
    )


def _show_lines(chapters: Sequence[Chapter], mads: Sequence[pd.DataFrame], deep: bool) -> None:
    tables = [
        (chapter.title, mad if deep else mad[mad["layer"] <= chapter.n_layers])
        for chapter, mad in zip(chapters, mads, strict=True)
    ]
    base, mad = chapters[0], mads[0]
    show_figure(
        drawn(mad_lines, tables, trained_depth=base.n_layers),
        key="home-mad",
        runs=[chapter.run for chapter in chapters],
        name="mad-by-layer",
        alt=f"Line chart of MAD by layer, users and items apart, of "
        f"{' and '.join(name for name, _ in tables)}.",
    )
    counts = mad[mad["layer"] == 0].set_index("side")["n"]
    words = [
        f"Over all pairs of the {counts['users']:,} users, and of the {counts['items']:,} items, "
        "that have a train interaction."
    ]
    if base.record.model and len(base.record.model.modalities) > 1:
        words.append("All modalities side by side.")
    if deep:
        words.append(
            "The zigzag: with every layer, users get the values that items had, and items those of users."
        )
    st.caption(" ".join(words))


def _show_umap(base: Chapter) -> None:
    shown = shown_layers(base, deep=base.can_go_on)
    known = cached.known_joined_umap(base.run, shown, base.reach)
    if known is None:
        return
    st.header("The same layers, drawn by UMAP")
    maps, words = st.columns([3, 2], gap="medium")
    with maps:
        _show_maps([known], [base], shown, "umap")
    with words:
        widths = np.sqrt(
            np.square(known.coords - known.coords.mean(axis=1, keepdims=True))
            .sum(axis=2)
            .mean(axis=1)
        )
        spread = [quality["spread"] for quality in known.quality]
        st.markdown(
            "UMAP draws who is **next to** whom and stretches what lies close together. Groups stand "
            f"out, but a collapse need not look like one: from layer {shown[0]} to layer {shown[-1]} the "
            f"spread of the vectors goes to **{spread[-1] / spread[0]:.2f}** of what it was, and the "
            f"width of the UMAP to **{widths[-1] / widths[0]:.2f}**. Read shrinking off the PCA maps "
            "and the MAD, and groups off this one."
        )
        st.caption(
            f"{len(known.nodes):,} of {known.n_total:,} nodes; one UMAP for all layers. Spread and width are "
            "root mean square distances from the middle."
        )


def _runs(entries: Sequence[RunEntry]) -> None:
    st.header("Runs at a glance")
    rows, problems = [], []
    for entry in entries:
        try:
            if entry.problem:
                problems.append((entry.name, entry.problem))
            else:
                rows.append(_row(entry))
        except RedndError as error:  # The other runs are shown all the same.
            problems.append((entry.name, str(error)))
    table = pd.DataFrame(rows)
    if table.empty:
        st.caption("None yet.")
    else:
        st.dataframe(
            without_formulas(table),
            hide_index=True,
            column_config={
                "valid recall@20": st.column_config.NumberColumn(format="%.4f"),
                "test recall@20": st.column_config.NumberColumn(format="%.4f"),
            },
            alt="Table of all runs with model, data, alignment weight, recall and state",
        )
        st.caption(
            "recall@20: share of a user's held-out items among the first 20 offered, mean over "
            "the users that have any, at the epoch with the best validation."
        )
        csv_button(table, "runs.csv", "Runs (CSV)", "home-runs-csv")
    for name, problem in problems:
        st.warning(escape_markdown(f"{name}: {problem}"), icon=":material/error:")


def _row(entry: RunEntry) -> dict[str, object]:
    assert entry.record is not None
    assert entry.status is not None
    config, data = entry.record.config, entry.record.data
    evaluation = entry.run.evaluation()
    return {
        "run": entry.name,
        "model": model_title(config.model),
        "alignment weight": str(cached.alignment_weight(entry.run) or ""),
        "layers": entry.record.model.n_layers if entry.record.model else None,
        "best epoch": entry.status.best_epoch,
        "seed": config.training.seed,
        "valid recall@20": recall(evaluation, "valid"),
        "test recall@20": recall(evaluation, "test"),
        "test users": evaluation.n_users.get("test") if evaluation else None,
        "state": entry.status.state,
        "data": data.name if data else config.data.path,
        "users": data.n_users if data else None,
        "items": data.n_items if data else None,
        "train pairs": data.n_train if data else None,
    }


def _next() -> None:
    st.header("Where to go next")
    with st.container(key=FURTHER):
        for place, (name, what) in zip(st.columns(len(NEXT)), NEXT, strict=True):
            with place:
                page_link(name)
                st.caption(what)
