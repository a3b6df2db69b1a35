"""What the page Recommendations shows: the choices of its upper part, made and kept in the permalink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from app import cached, state
from app.components import node_select
from app.components.choose import pick_run, run_box
from app.node_names import NodeNames
from rednd_core.data.ids import id_column
from rednd_core.data.schema import Dataset, IntArray
from rednd_core.errors import DataError
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.people import WALKS, walk
from rednd_core.evaluation.recommend import Recommendations
from rednd_core.runs import Run, RunEntry

Split = Literal["test", "valid"]

SPLIT, SLICE, K, METRIC = "split", "slice", "k", "metric"
SPLIT_NAMES = {"test": "Test", "valid": "Validation"}
NO_RUN = "none"
STEP = "recommendations.step"  # what a button asked for: a step within the slice, or its first user
FIRST = "first"
# What the page opens with, and what it therefore prepares.
FIRST_SPLIT: Split = "test"
FIRST_METRIC, FIRST_K, FIRST_SLICE = "recall", 20, "worst"


@dataclass(frozen=True, eq=False)
class View:
    """The choices, and what follows from them at once.

    Attributes:
        runs: the chosen run, and the second one where there is one.
        users: original id and known facts of every user.
        metric: with its cut-off, which is the length ``k`` of the list.
        user: dense id.
        order: users of the chosen slice in walking order.
    """

    runs: tuple[Run, ...]
    dataset: Dataset
    users: pd.DataFrame
    split: Split
    k: int
    metric: str
    user: int
    order: IntArray

    @property
    def run(self) -> Run:
        return self.runs[0]

    @property
    def held_out_name(self) -> str:
        """``"test"`` or ``"validation"``, as a reader says it."""
        return SPLIT_NAMES[self.split].lower()

    @property
    def held_out(self) -> IntArray:
        """The user's held-out items."""
        pairs = self.dataset.held_out(self.split)
        return pairs.items[pairs.users == self.user]

    @property
    def validation_items(self) -> IntArray:
        """Items that are no hits on test although the user chose them: ranked, never masked."""
        if self.split == "valid":
            return np.empty(0, np.int64)
        return self.dataset.valid.items[self.dataset.valid.users == self.user]

    @property
    def n_evaluable(self) -> int:
        """Users with held-out items."""
        return cached.n_evaluable(self.dataset, self.split)

    @property
    def sampled(self) -> bool:
        """Whether only some of them are ranked."""
        return self.evaluation(self.run).n_users < self.n_evaluable

    def evaluation(self, run: Run) -> Evaluation:
        return cached.evaluation(run, self.split)

    def recommended(self, run: Run) -> Recommendations:
        return cached.recommendations(run, self.split, self.user, self.k)

    def ranks(self, run: Run, items: Sequence[int]) -> dict[int, int]:
        """Exact rank of each of ``items``, none of which the user has in train."""
        return cached.ranks(run, self.user, items)


def choose() -> View | None:
    """Draw the controls; None where there is no run yet."""
    runs = st.columns(2)
    with runs[0]:
        run = pick_run()
    if run is None:
        return None
    dataset = cached.run_dataset(run)
    with runs[1]:
        other = _pick_other(run)
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        split, metric, k = _pick_measure()
        kind = _pick_slice()
    users, names = _users(run, dataset)
    evaluation = cached.evaluation(run, split)
    user, order = _pick_user(evaluation, metric, kind, users, names)
    if evaluation.n_users < (n_all := cached.n_evaluable(dataset, split)):
        st.caption(
            f"Slices, means and standings are those of a random sample: {evaluation.n_users:,} of "
            f"{n_all:,} users with held-out items. Any user can be looked up."
        )
    chosen = (run,) if other is None else (run, other)
    return View(chosen, dataset, users, split, k, metric, user, order)


def _pick_measure() -> tuple[Split, str, int]:
    split: Split = st.segmented_control(
        "Held-out items",
        list(SPLIT_NAMES),
        default=FIRST_SPLIT,
        required=True,
        format_func=lambda name: SPLIT_NAMES[name],
        help="Which hidden interactions count as hits. Models were selected on validation; test is "
        "the honest one.",
        **state.keep(SPLIT),
    )
    metric = st.segmented_control(
        "Metric",
        ["recall", "ndcg"],
        default=FIRST_METRIC,
        required=True,
        help="Recall: share of the held-out items that are listed. NDCG: also counts how far up.",
        **state.keep(METRIC),
    )
    k = st.slider(
        "List length k",
        cached.CUT_OFFS[0],
        cached.CUT_OFFS[-1],
        FIRST_K,
        step=5,
        width=170,
        help="Also the cut-off of the metric.",
        **state.keep(K),
    )
    return split, f"{metric}@{k}", k


def _pick_slice() -> str:
    kind: str = st.segmented_control(
        "Slice of users to walk through",
        list(WALKS),
        default=FIRST_SLICE,
        required=True,
        help="\n".join(f"- **{name}**: {what}" for name, what in WALKS.items()),
        on_change=_ask,
        args=(FIRST,),
        **state.keep(SLICE),
    )
    return kind


def _pick_other(run: Run) -> Run | None:
    """A second run on the same data and split, or none."""
    entries = {entry.name: entry for entry in _comparable(run)}
    default = _default_other(run, list(entries.values()))
    state.begin(state.OTHER_RUN, (NO_RUN, *entries), default)
    return run_box(
        "Compare with",
        entries,
        state.OTHER_RUN,
        none=[NO_RUN],
        help="Runs on the same data and split, for the tabs Two runs and Slices.",
    )


def _comparable(run: Run) -> list[RunEntry]:
    facts = run.record.data
    return [
        entry
        for entry in cached.run_entries()
        if entry.run.path != run.path
        and entry.record is not None
        and entry.record.data is not None
        and facts is not None
        and entry.record.data.digest == facts.digest
        and entry.run.layer_version is not None
    ]


def _default_other(run: Run, entries: Sequence[RunEntry]) -> str:
    """The first run of another model, RedNⁿD and LightGCN before others; none on a phone."""
    if "Mobi" in st.context.headers.get("User-Agent", ""):
        return NO_RUN
    own = run.config.model
    others = {
        entry.record.config.model: entry.name
        for entry in reversed(entries)
        if entry.record is not None and entry.record.config.model != own
    }
    preferred = [others[model] for model in ("rednnd", "lightgcn") if model in others]
    return next(iter([*preferred, *others.values()]), NO_RUN)


def _users(run: Run, dataset: Dataset) -> tuple[pd.DataFrame, NodeNames]:
    """The users table, and the names that are searched."""
    try:
        return cached.users(run), cached.node_names(run)
    except DataError as error:  # the page works without names
        st.warning(str(error), icon=":material/warning:")
        users = pd.DataFrame({"user_id": id_column(dataset.user_ids)})
        return users, NodeNames.of(dataset, users)


def user_labels(users: pd.DataFrame) -> list[str]:
    """``"17 · Hana W. · Play"``: the original id, then name and segment where they are known."""
    columns = [name for name in ("user_id", "name", "segment") if name in users]
    rows = zip(*(users[name] for name in columns), strict=True)
    return [" · ".join(" ".join(str(cell).split()) for cell in row if cell) for row in rows]


def _pick_user(
    evaluation: Evaluation, metric: str, kind: str, users: pd.DataFrame, names: NodeNames
) -> tuple[int, IntArray]:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    order = walk(evaluation, kind, metric)
    _settle_user(order, names)
    with left:
        user = _user_box(users, names)
    if user is None:
        user = _first(order)
    user_id = names.ids[user]
    if st.query_params.get(state.USER) != user_id:
        # Not bound to the box: that would write the label, with the name of a person.
        st.query_params[state.USER] = user_id
    here = np.flatnonzero(order == user)
    with right.container(horizontal=True, vertical_alignment="center"):
        nothing = len(order) == 0
        st.button("Previous", on_click=_ask, args=(-1,), disabled=nothing)
        st.button("Next in this slice", type="primary", on_click=_ask, args=(1,), disabled=nothing)
    place = f"{here[0] + 1:,} of {len(order):,}" if len(here) else f"not among the {len(order):,}"
    st.caption(f"This user is {place} in the slice **{kind}** ({WALKS[kind]}).")
    return user, order


def _user_box(users: pd.DataFrame, names: NodeNames) -> int | None:
    """The chosen user; of many users only those that a text finds are options."""
    what = f"{names.n_users:,} ids" + (" and names" if "name" in users else "")
    label, current = f"User (search {what})", names.user(st.session_state.get(state.USER) or "")
    options = np.arange(names.n_users)
    if names.n_users > node_select.MAX_OPTIONS:
        label = "User"
        text = st.text_input(f"Search {what}", key="user_query")
        options = node_select.shown_matches(
            names.search_users(text) if text else None, names.n_users, "users"
        )
        options = np.union1d(options, [] if current is None else [current]).astype(np.int64)
    chosen = users.iloc[options] if len(options) < len(users) else users
    labels = dict(zip(chosen["user_id"], user_labels(chosen), strict=True))
    user_id = st.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda name: labels.get(name, name),
        key=state.USER,
        persist_state="session",
    )
    return None if user_id is None else names.user(user_id)


def _ask(step: int | str) -> None:
    st.session_state[STEP] = step


def _settle_user(order: IntArray, names: NodeNames) -> None:
    """Set the user before the select box is drawn: a step, a link's user, or the slice's first."""
    step = st.session_state.pop(STEP, None)
    current = names.user(st.session_state.get(state.USER) or "")
    if step is not None and len(order):
        here = np.flatnonzero(order == current) if current is not None else []
        place = (int(here[0]) + step) % len(order) if step != FIRST and len(here) else 0
        st.session_state[state.USER] = names.ids[order[place]]
    elif current is None:
        asked = names.user(st.query_params.get(state.USER, ""))
        st.session_state[state.USER] = names.ids[_first(order) if asked is None else asked]


def _first(order: IntArray) -> int:
    return int(order[0]) if len(order) else 0
