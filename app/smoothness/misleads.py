"""Measures that mislead: they are common, and do not detect collapse on a user-item graph."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.shared.downloads import csv_button, show_figure
from app.shared.text import escape_markdown
from app.smoothness.tables import ChosenRun, value
from rednd_core import wording
from rednd_core.plots.smoothness import PanelText, contrast_panels
from rednd_core.smoothness import MEASURES

DEPTH = 16  # a depth at which embeddings have collapsed on common graphs
# (the panel of the misleading measure, the measure to read instead, whether the axis is logarithmic)
PAIRS = (
    (PanelText("mad_all", "MAD, all nodes", "against MAD"), "mad", True),
    (PanelText("rayleigh", "RQ", "against two-hop RQ"), "two_hop_rq", True),
    (PanelText("dirichlet", "Energy", "against two-hop RQ"), "two_hop_rq", True),
    (PanelText("madgap_paper", "MADGap 3/8", "against same-type"), "madgap", False),
)
SHOWN = list(dict.fromkeys(name for text, instead, _ in PAIRS for name in (text.measure, instead)))


def show_misleading(one: ChosenRun) -> None:
    """Show each misleading measure of the run beside the measure to read instead."""
    if not one.record.has_interactions:
        st.info("These measures compare neighbours in the graph, and this run has no interactions.")
        return
    linear = one.record.model is not None and one.record.model.linear_propagation
    table = cached.smoothness(one.run, SHOWN, DEPTH if linear else None, one.modality)
    table = table[table["view"] == "layer"]
    depth = int(table["layer"].max())
    reach = f", propagated to depth {depth}" if linear else ""
    st.markdown(
        f"Run **{escape_markdown(one.run.name)}**, layer output{reach}. Green squares: the misleading "
        "measure. The other lines: what to read instead, users and items apart. Logarithmic axes show "
        "which value goes to zero and which one only seems to."
    )
    figure = drawn(
        contrast_panels, table, [(text, PanelText(name, ""), log) for text, name, log in PAIRS]
    )
    show_figure(
        figure,
        key="smoothness-misleads",
        runs=[one.run],
        name=f"{one.run.name}-misleading",
        alt="Four panels, each with a misleading measure and the measure to read instead, by layer.",
    )
    for text, instead, _ in PAIRS:
        measure = MEASURES[text.measure]
        numbers = _numbers(table, text.measure, instead)
        st.markdown(f"**{measure.title}.** {measure.misleads} {numbers}")
        st.latex(measure.formula)
    rows = table[table["measure"].isin([text.measure for text, _, _ in PAIRS])]
    csv_button(rows, f"{one.run.name}-misleading.csv", "Values (CSV)", "smoothness-misleads-csv")


def _numbers(table: pd.DataFrame, name: str, instead: str) -> str:
    last = int(table["layer"].max())
    start, end = value(table, name, "all", 0), value(table, name, "all", last)
    users, items = (value(table, instead, side, last) for side in ("users", "items"))
    return (
        f"From k = 0 to k = {last} the value goes from {wording.measure(start)} to {wording.measure(end)}; "
        f"{MEASURES[instead].title} ends at {wording.measure(users)} (users) and "
        f"{wording.measure(items)} (items)."
    )
