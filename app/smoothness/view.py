"""The page Smoothness: whether embeddings become alike, in which layer, and whether that does harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from app import cached, state
from app.charts.drawn import drawn
from app.shared.choose import default_run
from app.shared.context import Context, choose_modality, choose_runs, runs_with_layers
from app.shared.downloads import show_figure
from app.shared.errors import explained
from app.shared.text import escape_markdown
from app.smoothness.deeper import show_deeper
from app.smoothness.lessons import lessons, show_lessons
from app.smoothness.misleads import show_misleading
from app.smoothness.parts import show_epochs, show_measure, show_values, show_weights
from app.smoothness.tables import (
    MAIN_TEXTS,
    RECALL_TEXT,
    RECALL_TITLE,
    TRUSTED,
    VIEW_NAMES,
    ChosenRun,
    View,
    in_modality,
    measured,
    of_view,
    recall_rows,
)
from rednd_core.plots.smoothness import measure_panels
from rednd_core.runs import RunEntry

MORE = "more"
VIEW = "smoothness_view"
PART = "smoothness_part"
MISLEADS = "smoothness_misleads"
PARTS = ("One measure", "Go deeper", "During training", "Alignment weight", "All values")


@explained
def render() -> None:
    st.title("Smoothness")
    st.markdown(
        "Do different users, and different items, end up with the same embedding? **The value under a "
        "panel's title means collapse; a line that moves towards it need not be harm.**"
    )
    entries = runs_with_layers()
    _follow_old_link(entries)
    context = choose_runs()
    if context is None:
        return
    modality = choose_modality(context.run)
    names, view = _controls(entries, context)
    chosen = in_modality([entries[name] for name in names], modality)
    chosen, table = measured(chosen)
    if not chosen:
        return
    _overview(chosen, table, view)
    first = chosen[0]
    if any(not one.record.has_interactions for one in chosen):
        st.info(
            "Measures along the edges, and recall, need interactions: vectors that were imported without a "
            "data set do not have them."
        )
    whose = f" in {escape_markdown(first.label)}" if len(chosen) > 1 else ""
    st.header(f"What to notice{whose}")
    show_lessons(
        lessons(
            table[table["run"] == first.label],
            cached.layer_recall(first.run, first.modality, "layer"),
            cached.run_dataset(first.run),
        )
    )
    _parts(chosen, list(entries.values()), table, view)
    misleads = st.expander(
        "Why this misleads: measures that do not see collapse on a user-item graph",
        key=MISLEADS,
        bind="query-params",
        icon=":material/warning:",
    )
    if misleads.open:
        with misleads:
            show_misleading(first)


def prepare() -> None:
    """Fill the caches that the page's defaults need."""
    entries = runs_with_layers()
    if not entries:
        return
    run = entries[default_run(entries)].run
    modality = cached.modalities(run)[0]
    cached.smoothness(run, TRUSTED, modality=modality)
    cached.layer_recall(run, modality, "layer")


def _follow_old_link(entries: Mapping[str, RunEntry]) -> None:
    """Links of earlier versions have all runs under one name; the first of them is run A."""
    asked = [name for name in st.query_params.get_all("runs") if name in entries]
    if "runs" in st.query_params:
        del st.query_params["runs"]
    if asked:
        st.session_state[state.RUN], *st.session_state[MORE] = asked


def _controls(entries: Mapping[str, RunEntry], context: Context) -> tuple[list[str], View]:
    """What is this page's own: further runs, and what is measured. Names of all runs, A and B first."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    shared = [run.name for run in context.runs]
    others = [name for name in entries if name not in shared]
    kept = [name for name in st.session_state.get(MORE) or () if name in others]
    if kept or MORE in st.session_state:
        st.session_state[MORE] = kept
    more = left.multiselect(
        "More runs beside run A and run B",
        others,
        placeholder="None",
        help="Each run is one line, or two: users and items. The address bar keeps the choice.",
        **state.keep(MORE, may_be_empty=True),
    )
    view: View = right.segmented_control(
        "What to measure",
        list(VIEW_NAMES),
        default="layer",
        required=True,
        format_func=lambda name: VIEW_NAMES[name],
        help="Layer output: x at depth k. Readout: what would score if propagation stopped at depth k, "
        "e.g. the mean of the layers 0 to k.",
        **state.keep(VIEW),
    )
    return [*shared, *more], view


def _overview(chosen: Sequence[ChosenRun], table: pd.DataFrame, view: View) -> None:
    """The main figure: all measures that show collapse, and recall beside them."""
    recalls = [recall_rows(one, [view]) for one in chosen]
    shown = pd.concat(
        [of_view(table, view), *(rows for rows in recalls if len(rows))], ignore_index=True
    )
    if len(chosen) == 1:
        shown = shown.drop(columns="run")
    has_recall = any(len(rows) for rows in recalls)
    texts = [text for text in MAIN_TEXTS if text.measure in set(table["measure"])]
    show_figure(
        drawn(measure_panels, shown, [*texts, *([RECALL_TEXT] if has_recall else [])]),
        key="smoothness-main",
        runs=[one.run for one in chosen],
        name="smoothness",
        alt=f"{', '.join(text.title for text in texts)} and {RECALL_TITLE} by layer, "
        f"{VIEW_NAMES[view].lower()}, "
        f"users and items as separate lines, of {', '.join(one.label for one in chosen)}.",
    )
    st.caption(
        f"{_sizes(table)} Bands: 95 % interval of sampled values. RQ: Rayleigh quotient. "
        f"{RECALL_TITLE}: inner product of one depth's user and item rows, validation"
        f"{_ranked(chosen, recalls)}."
    )


def _ranked(chosen: Sequence[ChosenRun], recalls: Sequence[pd.DataFrame]) -> str:
    """How many users were ranked, if they are a sample; else nothing."""
    counts = [
        f"{rows['n'].iloc[0]:,} of {n_all:,}"
        for one, rows in zip(chosen, recalls, strict=True)
        if len(rows)
        and rows["n"].iloc[0] < (n_all := cached.n_evaluable(cached.run_dataset(one.run), "valid"))
    ]
    return f", on a random sample of {'; '.join(dict.fromkeys(counts))} users" if counts else ""


def _sizes(table: pd.DataFrame) -> str:
    """The number of nodes that the values of each run are about."""
    mad = table[table["measure"] == "mad"].drop_duplicates(["run", "side"])
    texts = [
        " and ".join(
            f"{n:,} of {n + excluded:,} {side}"
            for n, excluded, side in zip(of["n"], of["n_excluded"], of["side"], strict=True)
        )
        for _, of in mad.groupby("run", sort=False)
    ]
    return f"Measured nodes: {'; '.join(dict.fromkeys(texts))}."


def _parts(
    chosen: Sequence[ChosenRun],
    entries: Sequence[RunEntry],
    table: pd.DataFrame,
    view: View,
) -> None:
    """Tabs of which only the open one is computed."""
    tabs = st.tabs(PARTS, key=PART, bind="query-params")
    shows: tuple[Callable[[], None], ...] = (
        lambda: show_measure(table, chosen, view),
        lambda: show_deeper(chosen, view),
        lambda: show_epochs(chosen, view),
        lambda: show_weights(chosen, entries, view),
        lambda: show_values(table),
    )
    for tab, show in zip(tabs, shows, strict=True):
        if tab.open:
            with tab:
                show()
