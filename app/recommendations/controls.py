"""The controls of the page Recommendations; their choices are kept in the address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from app import cached, state
from app.recommendations.user import FIRST, ask, pick_user
from app.shared.context import choose_runs
from app.shared.links import say_unknown
from app.shared.text import escape_markdown
from rednd_core.data.ids import id_column
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset, IntArray, Interactions
from rednd_core.errors import DataError
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.recommend import Recommendations
from rednd_core.evaluation.users import WALKS
from rednd_core.runs import Run

Split = Literal["test", "valid"]

SPLIT, SLICE, K, METRIC, TAB = "split", "slice", "k", "metric", "tab"
METRICS = ("recall", "ndcg")
SPLIT_NAMES: dict[Split, str] = {"test": "Test", "valid": "Validation"}
# The choices that the page opens with; the server prepares them.
FIRST_SPLIT: Split = "test"
FIRST_METRIC, FIRST_K, FIRST_SLICE = "recall", 20, "worst"


@dataclass(frozen=True, eq=False)
class ListView:
    """The choices of the page, and what follows from them.

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
        """``"test"`` or ``"validation"``, for sentences."""
        return SPLIT_NAMES[self.split].lower()

    @property
    def held_out(self) -> IntArray:
        """The user's held-out items."""
        return self._items_in(self.dataset.held_out(self.split))

    @property
    def validation_items(self) -> IntArray:
        """Validation items, which are ranked and never masked: on test they are no hits."""
        if self.split == "valid":
            return np.empty(0, np.int64)
        return self._items_in(self.dataset.valid)

    def _items_in(self, pairs: Interactions) -> IntArray:
        items: IntArray = pairs.items[pairs.users == self.user]
        return items

    @property
    def n_evaluable(self) -> int:
        """Users with held-out items."""
        return cached.n_evaluable(self.dataset, self.split)

    @property
    def sampled(self) -> bool:
        """Whether only some of these users are ranked."""
        return self.evaluation(self.run).n_users < self.n_evaluable

    def evaluation(self, run: Run) -> Evaluation:
        return cached.evaluation(run, self.split)

    def recommended(self, run: Run) -> Recommendations:
        return cached.recommendations(run, self.split, self.user, self.k)

    def ranks(self, run: Run, items: Sequence[int]) -> dict[int, int]:
        """Exact rank of each of ``items``, none of which the user has in train."""
        return cached.ranks(run, self.user, items)


def choose(tabs: Collection[str]) -> ListView | None:
    """Draw the controls; None if there is no run. ``tabs`` lie below the controls, see :data:`TAB`."""
    context = choose_runs("Recommendations")
    if context is None:
        return None
    run = context.run
    dataset = cached.run_dataset(run)
    users, names = _users(run, dataset)
    _say_unknown(names, tabs)
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        split, metric, k = _pick_measure(dataset)
        kind = _pick_slice()
    evaluation = cached.evaluation(run, split)
    user, order = pick_user(evaluation, metric, kind, users, names)
    if evaluation.n_users < (n_all := cached.n_evaluable(dataset, split)):
        st.caption(
            f"Slices, means and standings are those of a random sample: {evaluation.n_users:,} of "
            f"{n_all:,} users with held-out items. Any user can be looked up."
        )
    return ListView(context.runs, dataset, users, split, k, metric, user, order)


def _say_unknown(names: NodeNames, tabs: Collection[str]) -> None:
    """Warn of values in the link that are not here."""
    say_unknown(
        {
            SPLIT: SPLIT_NAMES.values(),
            METRIC: METRICS,
            K: [str(k) for k in range(cached.CUT_OFFS[0], cached.CUT_OFFS[-1] + 1)],
            SLICE: WALKS,
            state.USER: lambda user_id: names.user(user_id) is not None,
            TAB: tabs,
        }
    )


def _pick_measure(dataset: Dataset) -> tuple[Split, str, int]:
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


def _pick_slice() -> str:
    kind: str = st.segmented_control(
        "Slice of users to walk through",
        list(WALKS),
        default=FIRST_SLICE,
        required=True,
        help="\n".join(f"- **{name}**: {what}" for name, what in WALKS.items()),
        on_change=ask,
        args=(FIRST,),
        **state.keep(SLICE),
    )
    return kind


def _users(run: Run, dataset: Dataset) -> tuple[pd.DataFrame, NodeNames]:
    """The users table, and the names that are searched."""
    try:
        return cached.users(run), cached.node_names(run)
    except DataError as error:  # The page works without names.
        st.warning(escape_markdown(str(error)), icon=":material/warning:")
        users = pd.DataFrame({"user_id": id_column(dataset.user_ids)})
        return users, NodeNames.of(dataset, users)
