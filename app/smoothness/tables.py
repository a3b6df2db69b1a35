"""Tables of the page Smoothness: the chosen runs below each other, one value in a row.

A table is that of ``rednd_core.smoothness.measure_layers`` with a column ``run`` in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from app import cached
from app.shared.context import modality_of
from app.shared.text import escape_markdown
from rednd_core.errors import RedndError
from rednd_core.plots.smoothness import PanelText
from rednd_core.runs import Run, RunEntry, RunRecord
from rednd_core.smoothness import MEASURES

View = Literal["layer", "readout"]

VIEW_NAMES: dict[View, str] = {"layer": "Layer output", "readout": "Readout"}
RECALL = f"recall@{cached.RECALL_K}"
RECALL_TITLE = f"Recall@{cached.RECALL_K}"
RECALL_SIDES = {"layer": "layer output", "readout": "readout", "popularity": "popularity"}

MAIN_TEXTS = [
    PanelText("mad", "MAD", "0 = one direction"),
    PanelText("effective_rank", "Effective rank", "1 = one direction"),
    PanelText("two_hop_rq", "Two-hop RQ", "0 = neighbours agree"),
    PanelText("uniformity", "Uniformity", "0 = one point"),
    PanelText("madgap", "MADGap, same type", "0 = distance is lost"),
]
"""Short enough for two panels side by side on a phone; RQ is the Rayleigh quotient."""
RECALL_TEXT = PanelText(RECALL, RECALL_TITLE, "one depth, validation")
TRUSTED = [name for name, measure in MEASURES.items() if measure.misleads is None]
"""Without the measures that mislead on a user-item graph."""


@dataclass(frozen=True)
class ChosenRun:
    """A run and its modality that is shown; ``label`` names the run, if needed with the modality."""

    run: Run
    record: RunRecord
    modality: str
    label: str

    @property
    def n_layers(self) -> int:
        """Propagation steps that the modality was trained with."""
        model = self.record.model
        if model is None:
            return 0
        return (
            model.shared_depth
            if self.modality == cached.ALL
            else len(model.widths[self.modality]) - 1
        )


def in_modality(entries: Sequence[RunEntry], modality: str) -> list[ChosenRun]:
    """The runs in ``modality``; one without it is shown as a whole, and its label says so."""
    chosen = []
    for entry in entries:
        if entry.record is None or entry.record.model is None:
            continue
        shown = modality_of(entry.run, modality)
        label = entry.name if shown == modality else f"{entry.name} ({shown})"
        chosen.append(ChosenRun(entry.run, entry.record, shown, label))
    return chosen


def measured(chosen: Sequence[ChosenRun]) -> tuple[list[ChosenRun], pd.DataFrame]:
    """The runs that could be measured, and their values; a message on the page names the others."""
    good, tables = [], []
    for one in chosen:
        try:
            table = cached.smoothness(one.run, TRUSTED, modality=one.modality)
        except RedndError as error:
            st.warning(escape_markdown(str(error)), icon=":material/warning:")
            continue
        good.append(one)
        tables.append(with_run(table, one.label))
    return good, pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def with_run(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """A copy of ``table`` with the run's name in front."""
    labelled = table.copy()
    labelled.insert(0, "run", label)
    return labelled


def of_view(table: pd.DataFrame, view: View) -> pd.DataFrame:
    """Rows of one view, and those of the discrepancy, which compares layers and has no view."""
    return table[(table["view"] == view) | (table["measure"] == "discrepancy")]


def recall_rows(one: ChosenRun, views: Sequence[str], depth: int | None = None) -> pd.DataFrame:
    """The recall of ``one`` in the columns of a smoothness table; empty without validation pairs."""
    found = [cached.layer_recall(one.run, one.modality, view, depth) for view in views]
    known = [recall for recall in found if recall is not None]
    if not known:
        return pd.DataFrame()
    recall = pd.concat(known, ignore_index=True)
    rows = recall.assign(
        side=recall["view"].map(RECALL_SIDES),
        modality=one.modality,
        measure=RECALL,
        n_excluded=0,
        exact=recall["ci"].isna(),
    )
    return with_run(rows, one.label)


def value(table: pd.DataFrame, measure: str, side: str, layer: int, view: View = "layer") -> float:
    """One value of a table with a single run and modality; NaN if the table does not have it."""
    rows = table[
        (table["view"] == view)
        & (table["measure"] == measure)
        & (table["side"] == side)
        & (table["layer"] == layer)
    ]
    return float(rows["value"].iloc[0]) if len(rows) else float("nan")


def peak(by_layer: pd.Series) -> int:
    """The layer, which is the index, with the largest value; the first one of several."""
    return int(by_layer.index[int(by_layer.argmax())])
