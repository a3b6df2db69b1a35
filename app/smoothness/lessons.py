"""What to notice: short lessons with the numbers of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app.smoothness.tables import RECALL_TITLE, peak, value
from rednd_core import wording
from rednd_core.data.schema import Dataset

SIDES = ("users", "items")


@dataclass(frozen=True)
class Lesson:
    """A lesson; ``body`` is Markdown that holds no text from a file."""

    icon: str
    title: str
    body: str


def show_lessons(lessons: Sequence[Lesson]) -> None:
    """Show the lessons as boxes, two in a row if there is room."""
    for first in range(0, len(lessons), 2):
        for column, lesson in zip(st.columns(2), lessons[first : first + 2], strict=False):
            with column.container(border=True):
                st.markdown(f":material/{lesson.icon}: **{lesson.title}**")
                st.markdown(lesson.body)


def lessons(table: pd.DataFrame, recall: pd.DataFrame | None, of: Dataset) -> list[Lesson]:
    """All lessons that the numbers of this run allow.

    Args:
        table: smoothness of one run and one modality, both views.
        recall: of the layer output, as ``cached.layer_recall`` gives it.
    """
    return [
        *([zigzag(table)] if table["layer"].max() > 0 else []),
        *([not_damage(table, recall)] if recall is not None else []),
        *([readout_hides(table)] if table["layer"].max() > 0 else []),
        *([isolated(table, of)] if of.has_interactions else []),
        sampled(table),
    ]


def zigzag(table: pd.DataFrame) -> Lesson:
    """MAD by the parity of k: where it rises; else, which side is smoother at each layer."""
    last = int(table["layer"].max())
    mads = {side: [value(table, "mad", side, k) for k in range(last + 1)] for side in SIDES}
    rises = sorted(
        ((of[k] - of[k - 1], side, k) for side, of in mads.items() for k in range(1, last + 1)),
        reverse=True,
    )
    told = [
        f"MAD of {side} rises from {wording.measure(mads[side][k - 1])} at k = {k - 1} to "
        f"{wording.measure(mads[side][k])} at k = {k}"
        for rise, side, k in rises[:2]
        if rise > 0
    ]
    smoother = [
        "users" if mads["users"][k] < mads["items"][k] else "items" for k in range(1, last + 1)
    ]
    if told:
        found = f"Here {'; '.join(told)}."
    elif len(set(smoother)) > 1:
        turns = ", ".join(f"k = {k}: {side}" for k, side in enumerate(smoother, start=1))
        found = f"Here MAD falls on both sides, but the smoother side changes ({turns})."
    else:
        found = (
            f"Not here: MAD falls at every layer and {smoother[0]} are always the smoother side."
        )
    reason = (
        "On a user-item graph one step swaps the sides: at odd k a user is a mean of item vectors, "
        "at even k of user vectors. So compare k with k + 2, not with k + 1."
    )
    return Lesson("timeline", "MAD zigzags with the parity of k", f"{found} {reason}")


def not_damage(table: pd.DataFrame, recall: pd.DataFrame) -> Lesson:
    """The layer whose output has the best recall, and how smooth that layer is."""
    output = recall.set_index("layer")["value"]
    best, last, n = peak(output), int(output.index.max()), int(recall["n"].iloc[0])
    at_best, at_start = (value(table, "mad", "users", k) for k in (best, 0))
    if best == 0:
        found = (
            f"Here the unpropagated layer ranks best: {RECALL_TITLE} {wording.metric(output[0])} at k = 0, "
            f"{wording.metric(output[last])} at k = {last}."
        )
    else:
        found = (
            f"{RECALL_TITLE} of the layer output rises from {wording.metric(output[0])} at k = 0 to its "
            f"peak {wording.metric(output[best])} at k = {best}, while MAD of users goes from "
            f"{wording.measure(at_start)} to {wording.measure(at_best)}."
        )
    return Lesson(
        "trending_up",
        "Smoothing is not damage",
        f"{found} Random vectors have MAD 1 and recommend nothing. (Validation, {n:,} users.)",
    )


def readout_hides(table: pd.DataFrame) -> Lesson:
    """The last layer compared with the readout."""
    last = int(table["layer"].max())
    parts = [
        f"{side} {wording.measure(value(table, 'mad', side, last))} in layer {last}, "
        f"{wording.measure(value(table, 'mad', side, last, 'readout'))} in the readout"
        for side in SIDES
    ]
    return Lesson(
        "visibility_off",
        "The readout hides collapse",
        f"MAD of {'; '.join(parts)}. The mean over the layers keeps x⁰, so it stays diverse even "
        "where the last layer collapses. Switch between both above, or go deeper below.",
    )


def isolated(table: pd.DataFrame, of: Dataset) -> Lesson:
    """The number of nodes that were left out."""
    mad = table[table["measure"] == "mad"].drop_duplicates("side").set_index("side")["n_excluded"]
    users, items = int(mad["users"]), int(mad["items"])
    if users + items:
        found = f"{users:,} of {of.n_users:,} users and {items:,} of {of.n_items:,} items"
        body = (
            f"{found} have no train interaction and are left out at every depth. Propagation turns "
            "them into zero rows; left in, they would look like nodes that never smooth."
        )
    else:
        body = (
            f"All {of.n_users:,} users and {of.n_items:,} items have train interactions, so none is "
            "left out. Without any, a node's row is zero from layer 1 on and would fake diversity."
        )
    return Lesson("link_off", "Isolated nodes are excluded", body)


def sampled(table: pd.DataFrame) -> Lesson:
    """The measures that are estimated from samples, the sizes of the samples, and their intervals."""
    outputs = table[(table["view"] == "layer") & (table["layer"] == table["layer"].max())]
    nodes = outputs[outputs["measure"] == "mad"].set_index("side")["n"]
    parts = []
    for name, title, unit in (("uniformity", "Uniformity", "pairs"), ("madgap", "MADGap", "rows")):
        for side in SIDES:
            rows = outputs[(outputs["measure"] == name) & (outputs["side"] == side)]
            if rows.empty or bool(rows["exact"].iloc[0]):
                continue
            n, ci, total = int(rows["n"].iloc[0]), float(rows["ci"].iloc[0]), int(nodes[side])
            of = total * (total - 1) // 2 if unit == "pairs" else total
            parts.append(f"{title} of {side}: {n:,} of {of:,} {unit}, ± {wording.measure(ci)}")
    if not parts:
        body = "This graph is small: every value on this page is exact, from all pairs and rows."
    else:
        body = (
            f"{'; '.join(parts)} (95 % interval, at layer {int(outputs['layer'].max())}). "
            "Bands in the charts show the interval. Everything else is exact."
        )
    return Lesson("casino", "Sampled values carry an interval", body)
