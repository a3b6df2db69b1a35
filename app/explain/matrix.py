"""The tab "Slices": a metric of every model on slices of one's own, and two runs compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cached, state
from app.charts.drawn import drawn
from app.explain.asked import Asked
from app.explain.columns import ACTIVITY, item_slicings, slicings
from app.explain.pairs import show_pairs
from app.shared.choose import readable_runs
from app.shared.downloads import csv_button, show_figure
from rednd_core import wording
from rednd_core.evaluation.matrix import LEAST_USERS, slice_matrix
from rednd_core.evaluation.metrics import Values
from rednd_core.plots.matrix import matrix_figure
from rednd_core.runs import Run

BY = "slices"


def show_matrix(asked: Asked) -> None:
    """The matrix, its table, and the paired differences of run A and run B."""
    of_users, of_items = slicings(asked), item_slicings(asked)
    state.drop_foreign(BY, [*of_users, *of_items])
    by = st.selectbox(
        "Slices by",
        [*of_users, *of_items],
        help="Any column of the users table or of the items table; numbers become four bands of about "
        "equal size. A selection made on the page Embeddings is a slice as well.",
        **state.keep(BY),
    )
    by = by if by in of_users or by in of_items else ACTIVITY
    if by in of_users:
        values = user_values(asked)
        table = slice_matrix(values, {"all users": _everybody(values), **of_users[by]()})
    else:
        table = _of_items(asked, of_items[by])
    st.markdown(
        f"Mean **{asked.metric}** on {asked.held_out_name} of every model on this data, of {asked.whose}. "
        "In each cell: the mean, and below it the 95 % interval over resampled users, and over seeds where "
        f"a model has several. A slice of fewer than {LEAST_USERS} users has no mean."
    )
    show_figure(
        drawn(matrix_figure, table, asked.metric),
        key="slice-matrix",
        runs=asked.runs,
        name=f"{asked.run.name}-slices",
        alt=f"{asked.metric} by slice and model: "
        + "; ".join(
            f"{name}, {model}: {wording.metric(mean)}"
            for name, model, mean in table[["slice", "model", "mean"]].itertuples(index=False)
        ),
    )
    csv_button(table, f"{asked.run.name}-slice-matrix.csv", "This matrix (CSV)", "matrix-csv")
    show_pairs(asked)


def user_values(asked: Asked) -> dict[str, Values]:
    """The metric of every evaluated user in each training of each model, (S, n_users).

    Trainings that differ in their seed alone are one model. A run without layers counts as well where it
    kept the metric of every user.
    """
    trainings: dict[str, list[Run]] = {}
    for run in _comparable(asked):
        config = run.config
        same = config.model_copy(
            update={"training": config.training.model_copy(update={"seed": 0})}
        )
        trainings.setdefault(same.model_dump_json(), []).append(run)
    found = {}
    for runs in trainings.values():
        known = [values for run in runs if (values := _values(asked, run)) is not None]
        if known:
            name = runs[0].name if len(known) == 1 else f"{runs[0].name} ({len(known)} seeds)"
            found[name] = np.stack(known)
    return found


def _comparable(asked: Asked) -> list[Run]:
    """Run A, run B, then all other runs on the same data, those with the shortest names first."""
    facts = asked.run.record.data
    others = [
        entry.run
        for entry in readable_runs().values()
        if facts is not None
        and entry.record is not None
        and entry.record.data is not None
        and entry.record.data.same_pairs(facts)
    ]
    chosen = {run.path for run in asked.runs}
    rest = sorted((run for run in others if run.path not in chosen), key=lambda run: len(run.name))
    return [*asked.runs, *rest]


def _values(asked: Asked, run: Run) -> NDArray[np.floating] | None:
    if any(run.path == chosen.path for chosen in asked.runs):
        return cached.evaluation(run, asked.split).values(asked.metric)
    table = cached.per_user(run)
    if table is None or asked.metric not in table:
        return None
    of_split = table[table["split"] == asked.split].set_index("user")[asked.metric]
    values = of_split.reindex(asked.evaluation.users).to_numpy(dtype=np.float64)
    return None if np.isnan(values).any() else values


def _everybody(values: dict[str, Values]) -> np.ndarray:
    return np.ones(next(iter(values.values())).shape[1], dtype=bool)


def _of_items(asked: Asked, texts: np.ndarray) -> pd.DataFrame:
    """Slices of held-out pairs; each user is averaged over the pairs of the slice."""
    tables = []
    evaluations = {run.name: cached.evaluation(run, asked.split) for run in asked.runs}
    of_pairs = texts[asked.evaluation.held_out.items]
    for name in pd.unique(of_pairs):
        parts = {run: of.for_pairs(of_pairs == name) for run, of in evaluations.items()}
        values = {run: part.values(asked.metric)[None] for run, part in parts.items()}
        tables.append(slice_matrix(values, {str(name) or "(none)": _everybody(values)}))
    return pd.concat(tables, ignore_index=True)
