"""The controls of the page Recommendations; their choices are kept in the address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app import cached, state
from app.recommendations.user import FIRST, ask, pick_user
from app.shared.context import (
    MEASURE_VALUES,
    SPLIT_NAMES,
    Split,
    choose_measure,
    choose_runs,
    users_of,
)
from app.shared.links import say_unknown
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset, IntArray, Interactions
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.recommend import Recommendations
from rednd_core.evaluation.users import WALKS
from rednd_core.runs import Run

SLICE, TAB = "slice", "tab"
FIRST_SLICE = "worst"


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
    names: NodeNames
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
    users, names = users_of(run, dataset)
    _say_unknown(names, tabs)
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        split, metric, k = choose_measure(dataset)
        kind = _pick_slice()
    evaluation = cached.evaluation(run, split)
    user, order = pick_user(evaluation, metric, kind, users, names)
    if evaluation.n_users < (n_all := cached.n_evaluable(dataset, split)):
        st.caption(
            f"Slices, means and standings are those of a random sample: {evaluation.n_users:,} of "
            f"{n_all:,} users with held-out items. Any user can be looked up."
        )
    return ListView(context.runs, dataset, users, names, split, k, metric, user, order)


def _say_unknown(names: NodeNames, tabs: Collection[str]) -> None:
    """Warn of values in the link that are not here."""
    say_unknown(
        {
            **MEASURE_VALUES,
            SLICE: WALKS,
            state.USER: lambda user_id: names.user(user_id) is not None,
            TAB: tabs,
        }
    )


def _pick_slice() -> str:
    kind: str = st.selectbox(
        "Walk through",
        list(WALKS),
        index=list(WALKS).index(FIRST_SLICE),
        help="\n".join(f"- **{name}**: {what}" for name, what in WALKS.items()),
        on_change=ask,
        args=(FIRST,),
        width=140,
        **state.keep(SLICE),
    )
    return kind
