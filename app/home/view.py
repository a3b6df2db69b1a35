"""Home: what this is, the one picture that tells it, the runs, and where to go next."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import cached, state
from app.home.story import Story, choose_story, notices, recall
from app.shared.chapter import DEEP, Chapter
from app.shared.downloads import csv_button, show_figure
from app.shared.errors import explained
from app.shared.text import escape_markdown
from app.sitemap import page_link
from rednd_core import wording
from rednd_core.errors import RedndError
from rednd_core.plots.home import layer_maps, mad_lines
from rednd_core.projection import Projection
from rednd_core.runs import RunEntry

PANELS = 4
STORY, FURTHER = "home-story", "home-next"  # as the style sheet has them
# Streamlit stacks columns by the width of the window, whether or not the menu takes a third of it.
STACKING = f"""
.st-key-{STORY} .stColumn {{ min-width: min(288px, 100%); }}
.st-key-{FURTHER} .stColumn {{ min-width: min(176px, 100%); }}
"""

INTRODUCTION = """
A graph recommender gives every user and every item a vector and mixes it, layer by layer, with the
vectors of its neighbours. Mix too often and all vectors point the same way: that is
**over-smoothing**, and two people can no longer be told apart. Here you can watch it happen, in maps
of each layer and in measures. **RedNⁿD** works against it: an alignment loss keeps each node close
to its own beginning while it listens to its neighbours. Compare it with LightGCN below, look into the
recommendations that come out, and train on your own data.
"""

NEXT = (
    (
        "embeddings",
        "Every layer as a map: find a user or an item and follow it through the layers.",
    ),
    ("smoothness", "All measures by layer, epoch and alignment weight, and which of them mislead."),
    ("recommendations", "What a user is offered and why, and how deeper layers change it."),
    ("training", "Start a run, watch loss, recall and smoothness, change the alignment meanwhile."),
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
        base = story.base
        for chapter in filter(None, (base, story.other)):
            cached.joined_mad(chapter.run, chapter.reach)
        cached.joined_map(base.run, _shown(base, base.can_go_on), base.reach)
        cached.node_names(base.run)


def _how_to_train() -> None:
    st.info(
        "There is no trained run yet, so there is nothing to draw. Start one on the page "
        "**Live training**, or in a terminal; LightGCN on the sample shop takes about a minute:",
        icon=":material/play_circle:",
    )
    st.code("rednd train --data sample_data/shop --model lightgcn", language="bash")
    page_link("training")


def _tell(story: Story) -> None:
    base, other = story.base, story.other
    deep = base.can_go_on and st.toggle(
        f"Keep propagating to depth {DEEP}",
        value=True,
        help=f"{base.title} only multiplies by the graph, so its layers can be continued beyond the "
        f"{base.n_layers} that it was trained with.",
        **state.keep("deep"),
    )
    mad = cached.joined_mad(base.run, base.reach)
    other_mad = cached.joined_mad(other.run, other.reach) if other else None
    shown = _shown(base, deep)
    maps, lines = st.columns([3, 2], gap="medium")
    with maps:
        st.markdown(f"**{escape_markdown(base.title)}**: each dot is a user or an item.")
        projection = cached.joined_map(base.run, shown, base.reach)
        _show_maps(projection, shown, base, "pca")
        st.caption(_map_caption(projection))
    with lines:
        _show_lines(story, mad, other_mad, deep)
    st.subheader("What to notice")
    for sentence in notices(story, mad, other_mad):
        st.markdown(f"- {sentence}")
    _show_umap(base)


def _shown(base: Chapter, deep: bool) -> list[int]:
    """Depths of the panels: those of the model (at most :data:`PANELS`), then two beyond them."""
    last = base.n_layers
    steps = min(last, PANELS - 1)
    trained = {round(k * last / steps) for k in range(steps + 1)}
    return sorted(trained | ({max(last, DEEP // 2), DEEP} if deep else set()))


def _show_maps(projection: Projection, shown: list[int], base: Chapter, method: str) -> None:
    figure = layer_maps(
        projection.coords,
        projection.nodes,
        [f"layer {k}" for k in shown],
        [(quality["mad_users"], quality["mad_items"]) for quality in projection.quality],
        n_users=cached.node_names(base.run).n_users,
        hover=_hover(projection, base),
    )
    show_figure(
        figure,
        key=f"home-{method}",
        runs=[base.run],
        name=f"layers-{method}",
        alt=f"Maps ({method.upper()}) of the layers {', '.join(map(str, shown))} on shared axes; "
        f"users and items in two colours, the numbers their MAD. {len(projection.nodes):,} of "
        f"{projection.n_total:,} nodes.",
    )


def _hover(projection: Projection, base: Chapter) -> list[str]:
    return cached.node_names(base.run).labels(projection.nodes)


def _map_caption(projection: Projection) -> str:
    kept = [quality["trustworthiness"] for quality in projection.quality]
    known = [value for value in kept if value is not None]
    ends = " to ".join(map(wording.measure, (min(known), max(known))))
    faith = f" Neighbourhoods kept (trustworthiness): {ends}."
    n_zero = max(quality["n_zero"] for quality in projection.quality)
    lonely = f" {n_zero} of them without a train interaction become one spot after layer 0."
    return (
        "PCA of directions on the same two axes in every panel: a cloud that shrinks is a layer "
        "whose vectors grow alike. The numbers are MAD. "
        f"{len(projection.nodes):,} of {projection.n_total:,} nodes."
        f"{lonely if n_zero else ''}{faith if known else ''}"
    )


def _show_lines(
    story: Story, mad: pd.DataFrame, other_mad: pd.DataFrame | None, deep: bool
) -> None:
    base, other = story.base, story.other
    tables = [(base.title, mad if deep else mad[mad["layer"] <= base.n_layers])]
    if other and other_mad is not None:
        own = other_mad["layer"] <= other.n_layers
        tables.append((other.title, other_mad if deep else other_mad[own]))
    show_figure(
        mad_lines(tables, trained_depth=base.n_layers),
        key="home-mad",
        runs=[chapter.run for chapter in (base, other) if chapter],
        name="mad-by-layer",
        alt=f"Line chart of MAD by layer, users and items apart, of "
        f"{' and '.join(name for name, _ in tables)}.",
    )
    counts = mad[mad["layer"] == 0].set_index("side")["n"]
    words = [
        f"Over all pairs of the {counts['users']:,} users, and of the {counts['items']:,} items, "
        "that have a train interaction."
    ]
    if other and other.record.model and len(other.record.model.modalities) > 1:
        words.append(f"{escape_markdown(other.title)}: its modalities side by side.")
    if deep:
        words.append(
            "A zigzag: with every step users take what items had, and items what users had."
        )
    st.caption(" ".join(words))


def _show_umap(base: Chapter) -> None:
    shown = _shown(base, deep=False)
    known = cached.known_joined_umap(base.run, shown, base.reach)
    if known is None:
        return
    st.subheader("The same layers, drawn by UMAP")
    maps, words = st.columns([3, 2], gap="medium")
    with maps:
        _show_maps(known, shown, base, "umap")
    with words:
        st.markdown(
            "UMAP draws who is **next to** whom and stretches what lies close together, so groups "
            "stand out, but a collapse need not look like one: its islands keep their size while the "
            "vectors behind them run together. Read shrinking off the PCA maps and the MAD, and "
            "groups off this one."
        )
        st.caption(f"{len(known.nodes):,} of {known.n_total:,} nodes; one UMAP for all layers.")


def _runs(entries: Sequence[RunEntry]) -> None:
    st.subheader("Runs at a glance")
    rows, problems = [], []
    for entry in entries:
        try:
            if entry.problem:
                problems.append((entry.name, entry.problem))
            else:
                rows.append(_row(entry))
        except RedndError as error:  # of this run only: the others are shown all the same
            problems.append((entry.name, str(error)))
    table = pd.DataFrame(rows)
    if table.empty:
        st.caption("None yet.")
    else:
        st.dataframe(
            table,
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
        "model": config.model,
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
    st.subheader("Where to go next")
    with st.container(key=FURTHER):
        for place, (name, what) in zip(st.columns(len(NEXT)), NEXT, strict=True):
            with place:
                page_link(name)
                st.caption(what)
