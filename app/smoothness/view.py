"""The page Smoothness: whether embeddings become alike, in which layer, and whether that does harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from app import cached, state
from app.shared.choose import default_run
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
    choose_modality,
    measured,
    of_view,
    recall_rows,
)
from rednd_core.plots.smoothness import measure_panels
from rednd_core.runs import RunEntry

RUNS = "runs"
VIEW = "smoothness_view"
PART = "smoothness_part"
MISLEADS = "smoothness_misleads"
PARTS = ("One measure", "Go deeper", "During training", "Alignment weight", "All values")


@explained
def render() -> None:
    st.title("Smoothness")
    st.markdown(
        "Every propagation step replaces a node by a mean of its neighbours. Do different users, "
        "and different items, end up with the same embedding? **The value under a panel's title "
        "means collapse; a line that moves towards it need not be harm.**"
    )
    entries = _measurable()
    if not entries:
        st.info("There is no run to measure yet. Train one on the page **Live training**.")
        return
    names, modality, view = _controls(entries)
    if not names:
        st.info("Choose at least one run.")
        return
    chosen = choose_modality([entries[name] for name in names], modality)
    if missing := len(names) - len(chosen):
        st.caption(f"{missing} of the chosen runs have no modality called {modality}.")
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
    st.subheader(f"What to notice{whose}")
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
    entries = _measurable()
    if not entries:
        return
    entry = entries[default_run(entries)]
    modality = next(iter(_modalities([entry])))
    cached.smoothness(entry.run, TRUSTED, modality=modality)
    cached.layer_recall(entry.run, modality, "layer")


def _measurable() -> dict[str, RunEntry]:
    """The runs whose layers are there, by name."""
    return {
        entry.name: entry
        for entry in cached.run_entries()
        if entry.record is not None
        and entry.record.model is not None
        and entry.run.layer_version is not None
    }


def _controls(entries: Mapping[str, RunEntry]) -> tuple[list[str], str, View]:
    left, middle, right = st.columns([3, 1, 1.6])
    kept = st.session_state.get(RUNS)
    if kept is None or (
        kept and not set(kept) & set(entries)
    ):  # No choice, or all of its runs were deleted.
        # The runs are set as a choice and not as the widget's default: see state.begin.
        shared = [st.session_state.get(key) for key in (state.RUN, state.OTHER_RUN)]
        asked = [name for name in st.query_params.get_all(RUNS) if name in entries]
        known = [name for name in shared if name in entries]
        st.session_state[RUNS] = asked or known or [default_run(entries)]
        state.write_address(RUNS, st.session_state[RUNS])
    state.drop_foreign(RUNS, entries)
    names = left.multiselect(
        "Runs",
        list(entries),
        placeholder="Choose runs to overlay",
        help="Each run is one line, or two: users and items. The address bar keeps the choice.",
        **state.keep(RUNS, may_be_empty=True),
    )
    modalities = list(_modalities([entries[name] for name in names or entries]))
    state.drop_foreign(state.MODALITY, modalities)
    modality = middle.selectbox(
        "Modality",
        modalities,
        help="A run with a single modality is shown with that one, whatever is chosen here.",
        **state.keep(state.MODALITY),
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
    return names, modality, view


def _modalities(entries: Sequence[RunEntry]) -> dict[str, None]:
    """The modalities of the runs as an ordered set; models with several modalities come first."""
    facts = [entry.record.model for entry in entries if entry.record and entry.record.model]
    facts.sort(key=lambda model: -len(model.modalities))
    return dict.fromkeys(modality for model in facts for modality in model.modalities)


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
        measure_panels(shown, [*texts, *([RECALL_TEXT] if has_recall else [])]),
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
