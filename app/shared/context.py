"""What pages share: data, runs, modality and depth in the sidebar, and what a list is measured by.

The choices are made once, hold on every page, and are in the address bar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from app import cached, state
from app.shared.choose import default_run, pick_run, readable_runs, run_box
from app.shared.links import say_unknown
from app.shared.text import escape_markdown
from rednd_core.data.ids import id_column
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.errors import DataError
from rednd_core.runs import Run, RunEntry

Split = Literal["test", "valid"]

SPLIT, K, METRIC = "split", "k", "metric"
METRICS = ("recall", "ndcg")
SPLIT_NAMES: dict[Split, str] = {"test": "Test", "valid": "Validation"}
MEASURE_VALUES = {
    SPLIT: [*SPLIT_NAMES.values()],
    METRIC: METRICS,
    K: [str(k) for k in range(cached.CUT_OFFS[0], cached.CUT_OFFS[-1] + 1)],
}
"""The values that a link may have under each key."""
# The choices that a page opens with; the server prepares them.
FIRST_SPLIT: Split = "test"
FIRST_METRIC, FIRST_K = "recall", 20
NO_RUN = "none"  # the address has this word
SHOWN = "context.other"  # the run B that was shown last
DATA_BOX = "context.data"
DEPTH_SLIDER = "context.depth"
DEPTHS = {str(k): k for k in range(33)}  # what a link may ask for, as the address has it


@dataclass(frozen=True)
class Context:
    """Run A, and run B on the same data and split; None without a second run."""

    run: Run
    other: Run | None

    @property
    def runs(self) -> tuple[Run, ...]:
        return (self.run,) if self.other is None else (self.run, self.other)


def choose_runs(needing_interactions: str = "") -> Context | None:
    """Draw the choice of runs in the sidebar. Without a run, say so on the page and return None.

    Args:
        needing_interactions: what the page shows that only interactions can tell, in the plural. Vectors that
            were imported without a data set are answered with one sentence on the page.
    """
    entries = runs_with_layers()
    if not entries:
        st.info("There is no run to show yet. Train one on the page **Live training**.")
        return None
    with st.sidebar:
        of_data = _pick_data(entries)
        run = pick_run("Run A", allow=lambda entry: entry.name in of_data)
    assert run is not None
    others = {entry.name: entry for entry in comparable(run)}
    say_unknown({state.OTHER_RUN: (NO_RUN, *others)})
    with st.sidebar:
        context = Context(run, _pick_other(others))
    if needing_interactions and not run.record.has_interactions:
        st.info(
            f"{needing_interactions} follow from interactions, and the vectors of this run were imported "
            "without a data set. Import them again with the data set, or choose another run."
        )
        return None
    return context


def _pick_data(entries: dict[str, RunEntry]) -> dict[str, RunEntry]:
    """Draw the choice of a data set, which is that of run A; return the runs on it."""
    by_data: dict[str, dict[str, RunEntry]] = {}
    for name, entry in entries.items():
        by_data.setdefault(data_name(entry, entries.values()), {})[name] = entry
    asked = st.session_state.get(state.RUN) or st.query_params.get(state.RUN)
    current = next((data for data, runs in by_data.items() if asked in runs), None)
    if current is None:
        first = default_run(entries)
        current = next(data for data, runs in by_data.items() if first in runs)
    st.session_state[DATA_BOX] = current

    def take() -> None:
        """Another data set has other runs."""
        chosen = by_data.get(st.session_state[DATA_BOX], entries)
        st.session_state[state.RUN] = default_run(chosen)

    st.selectbox("Data set", list(by_data), key=DATA_BOX, on_change=take)
    return by_data[current]


def data_name(entry: RunEntry, among: Iterable[RunEntry]) -> str:
    """The name of the run's data set; with its size where data sets of that name differ."""
    facts = entry.record.data if entry.record else None
    if facts is None:
        return "unknown"
    others = [e.record.data for e in among if e.record and e.record.data]
    alike = {other.digest: other for other in others if other.name == facts.name}
    if len(alike) == 1:
        return facts.name
    size = f"{facts.name} · {facts.n_users:,} users, {facts.n_train:,} pairs"
    sizes = [(other.n_users, other.n_train) for other in alike.values()]
    if sizes.count((facts.n_users, facts.n_train)) == 1:
        return size
    return f"{size} ({1 + sorted(alike).index(facts.digest)})"


def _pick_other(entries: dict[str, RunEntry]) -> Run | None:
    options = (NO_RUN, *entries)
    was_shown = st.session_state.get(SHOWN) in options
    if was_shown and st.session_state.get(state.OTHER_RUN, NO_RUN) is None:
        # The reader pressed the cross of the box; a visit of a page without the box looks the same.
        st.session_state[state.OTHER_RUN] = NO_RUN
    state.begin(state.OTHER_RUN, options, NO_RUN)
    other = run_box(
        "Run B",
        entries,
        state.OTHER_RUN,
        none=[NO_RUN],
        help="A second run on the same data and split, shown beside run A.",
    )
    st.session_state[SHOWN] = other.name if other else NO_RUN
    return other


def choose_modality(run: Run) -> str:
    """Draw the choice of a modality in the sidebar if there are several; see ``cached.modalities``."""
    options = cached.modalities(run)
    state.drop_foreign(state.MODALITY, options)
    if len(options) == 1:
        return options[0]
    chosen: str = st.sidebar.selectbox(
        "Modality",
        options,
        help="Whose vectors are shown. The whole model scores with all modalities side by side.",
        **state.keep(state.MODALITY),
    )
    return chosen


def modality_of(other: Run, modality: str) -> str:
    """The same modality of another run; all of its modalities where it has none of that name."""
    options = cached.modalities(other)
    return modality if modality in options else options[0]


def choose_depth(run: Run, n_depths: int, default: int | None = None) -> int:
    """Draw the choice of a depth in the sidebar; below ``n_depths``.

    Args:
        default: while the reader has chosen none; None means the depth of the run.
    """
    chosen = kept_depth(run)
    if default is not None and state.DEPTH not in st.session_state:
        chosen = default
    chosen = min(chosen, n_depths - 1)
    st.session_state[DEPTH_SLIDER] = chosen
    if n_depths > 1:
        facts = run.record.model
        trained = facts.shared_depth if facts else 0
        beyond = " Deeper layers are propagated on to." if n_depths > trained + 1 else ""
        st.sidebar.slider(
            "Depth k",
            0,
            n_depths - 1,
            key=DEPTH_SLIDER,
            help=f"The layer that all pages show. The run was trained with {trained} layers.{beyond}",
            on_change=_take_depth,
        )
    return chosen


def _take_depth() -> None:
    st.session_state[state.DEPTH] = st.session_state[DEPTH_SLIDER]


def kept_depth(run: Run) -> int:
    """The depth that a link asks for; else the one that was chosen; else that of the model."""
    for text in state.from_address(state.DEPTH) or ():
        if text in DEPTHS:
            st.session_state[state.DEPTH] = DEPTHS[text]
    facts = run.record.model
    depth: int = st.session_state.get(state.DEPTH, facts.shared_depth if facts else 0)
    state.to_address(state.DEPTH, [str(depth)] if state.DEPTH in st.session_state else [])
    return depth


def runs_with_layers() -> dict[str, RunEntry]:
    """The runs with layers, by name."""
    return {n: e for n, e in readable_runs().items() if e.run.layer_version is not None}


def comparable(run: Run) -> list[RunEntry]:
    """The other runs on the same data and split that have layers."""
    facts = run.record.data
    return [
        entry
        for entry in runs_with_layers().values()
        if entry.run.path != run.path
        and facts is not None
        and entry.record is not None
        and entry.record.data is not None
        and entry.record.data.same_pairs(facts)
    ]


def choose_measure(dataset: Dataset) -> tuple[Split, str, int]:
    """Draw the choice of held-out items, metric and length of the list; the metric with its cut-off."""
    offered = [name for name in SPLIT_NAMES if len(dataset.held_out(name))]
    state.drop_foreign(SPLIT, offered)
    split: Split = st.segmented_control(
        "Held-out items",
        offered,
        default=offered[0],
        required=True,
        format_func=lambda name: SPLIT_NAMES[name],
        help="Which hidden interactions count as hits. Models were selected on validation; test is "
        "the honest one.",
        **state.keep(SPLIT),
    )
    metric = st.segmented_control(
        "Metric",
        METRICS,
        default=FIRST_METRIC,
        required=True,
        help="Recall: the share of held-out items that are listed. NDCG also counts how high they stand.",
        **state.keep(METRIC),
    )
    k = st.slider(
        "List length k",
        cached.CUT_OFFS[0],
        cached.CUT_OFFS[-1],
        FIRST_K,
        step=5,
        width=170,
        help="The length is the cut-off of the metric as well.",
        **state.keep(K),
    )
    return split, f"{metric}@{k}", k


def users_of(run: Run, dataset: Dataset) -> tuple[pd.DataFrame, NodeNames]:
    """The users table and the names that are searched; where the table cannot be read, ids alone."""
    try:
        return cached.users(run), cached.node_names(run)
    except DataError as error:  # The page works without names.
        st.warning(escape_markdown(str(error)), icon=":material/warning:")
        users = pd.DataFrame({"user_id": id_column(dataset.user_ids)})
        return users, NodeNames.of(dataset, users)
