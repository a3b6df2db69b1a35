"""What the page Explain is asked: runs, held-out items, metric and length of the list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app import cached
from app.shared import node_select
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
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.verdicts import OTHER, VERDICTS
from rednd_core.runs import Run

PART, VERDICT = "part", "verdict"


@dataclass(frozen=True, eq=False)
class Asked:
    """The choices of the page.

    Attributes:
        runs: the chosen run, and the second one where there is one.
        users: original id and known facts of every user.
        metric: with its cut-off, which is the length ``k`` of the list.
        group: node numbers that were selected on the map.
    """

    runs: tuple[Run, ...]
    dataset: Dataset
    users: pd.DataFrame
    names: NodeNames
    split: Split
    k: int
    metric: str
    group: tuple[int, ...]

    @property
    def run(self) -> Run:
        return self.runs[0]

    @property
    def held_out_name(self) -> str:
        """``"test"`` or ``"validation"``, for sentences."""
        return SPLIT_NAMES[self.split].lower()

    @property
    def evaluation(self) -> Evaluation:
        """Of the first run; both rank the same pairs."""
        return cached.evaluation(self.run, self.split)

    @property
    def n_evaluable(self) -> int:
        """Users with held-out items."""
        return cached.n_evaluable(self.dataset, self.split)

    @property
    def whose(self) -> str:
        """Of how many users the page tells, for sentences."""
        n, n_all = self.evaluation.n_users, self.n_evaluable
        if n == n_all:
            return f"{n:,} users with held-out {self.held_out_name} items"
        return f"a sample of {n:,} of {n_all:,} users with held-out {self.held_out_name} items"


def ask(parts: Collection[str]) -> Asked | None:
    """Draw the controls; None if there is no run."""
    context = choose_runs("Verdicts and slices")
    if context is None:
        return None
    dataset = cached.run_dataset(context.run)
    users, names = users_of(context.run, dataset)
    say_unknown({**MEASURE_VALUES, VERDICT: [*VERDICTS, OTHER], PART: parts})
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        split, metric, k = choose_measure(dataset)
    group = tuple(node_select.current_group(names))
    return Asked(context.runs, dataset, users, names, split, k, metric, group)
