"""The tab "Verdicts": why the lists of failing users lack what they chose, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import cached, state
from app.charts.drawn import drawn
from app.explain.asked import VERDICT, Asked
from app.shared import node_select
from app.shared.downloads import csv_button, show_figure
from app.shared.product import card_grid, product_card, title_of
from app.shared.text import escape_markdown
from app.sitemap import go_to
from rednd_core.data.tables import counted
from rednd_core.evaluation.verdicts import LOST, MISLEADS, NEAR_FACTOR, OTHER, VERDICTS, Verdicts
from rednd_core.plots.verdicts import verdicts_figure
from rednd_core.spreadsheets import without_formulas

RULES = {**VERDICTS, OTHER: "no rule holds"}
N_PICTURES = 6
USERS_TABLE = "verdict-users"


def show_verdicts(asked: Asked) -> None:
    """Counts of every class; the users of the chosen one."""
    if not all(cached.judged_soon(run, asked.split) for run in asked.runs) and not st.toggle(
        "Judge the failing users of this large data set",
        key="judge",
        help="The held-out items are ranked again under every change, which takes up to some minutes.",
    ):
        return
    found = {run.name: cached.verdicts(run, asked.split, asked.k) for run in asked.runs}
    first = found[asked.run.name]
    st.markdown(failing_sentence(asked, first))
    chosen = st.session_state.get(VERDICT)
    counts = {name: verdicts.counts for name, verdicts in found.items()}
    show_figure(
        drawn(verdicts_figure, counts, chosen),
        key="verdict-counts",
        runs=asked.runs,
        name=f"{asked.run.name}-verdicts",
        alt="Failing users by verdict: "
        + "; ".join(
            f"{name}: {verdict} {n}"
            for name, table in counts.items()
            for verdict, n in table[["verdict", "n_first"]].itertuples(index=False)
        ),
        on_pick=_take,
    )
    chosen = st.pills(
        "Whose users to show (or click a bar)",
        list(RULES),
        help="A user may be in several classes. The verdict is the first one that holds, in this order.",
        **state.keep(VERDICT),
    )
    if chosen:
        _show_class(asked, first, chosen)
    for name, why in cached.evidence(asked.run, asked.split).not_judged.items():
        st.caption(f"Nobody gets **{name}** under {escape_markdown(asked.run.name)}: {why}.")
    with st.expander("The rules"):
        st.markdown("\n".join(f"- **{name}**: {rule}" for name, rule in RULES.items()))
        st.markdown(
            "The first three change one thing, propagate again without training, and rank again. A change "
            "of any kind moves some items over the end of the list by chance, so the count of a class means "
            f"more than a single user. Near: a rank of at most {NEAR_FACTOR} times the length of the list. "
            "`docs/verdicts.md` has the thresholds, and how often the rule of misleading features is right "
            "on the sample shop."
        )


def failing_sentence(asked: Asked, found: Verdicts) -> str:
    """How many users fail, in a sentence."""
    n = len(found.table)
    share = n / found.n_users
    return (
        f"**{n:,} of {asked.whose} fail under {escape_markdown(asked.run.name)}** ({share:.0%}): none of "
        f"their held-out items is among the first {found.k}. Why?"
    )


def _take(picked: list[Any]) -> None:
    """Callback of the figure: the class of the bar that was clicked."""
    if picked and picked[0] in RULES:
        st.session_state[VERDICT] = picked[0]


def _show_class(asked: Asked, found: Verdicts, verdict: str) -> None:
    rows = found.of(verdict)
    st.markdown(
        f"## {verdict[0].upper()}{verdict[1:]}: {counted(len(rows), 'user')}  \nThe rule: {RULES[verdict]}."
    )
    if rows.empty:
        return
    if verdict == LOST:
        st.markdown(lost_sentence(rows))
    if verdict == MISLEADS:
        _show_pictures(asked, rows)
    table = users_table(asked, rows)
    st.dataframe(
        without_formulas(table),
        hide_index=True,
        key=USERS_TABLE,
        on_select="rerun",
        selection_mode="single-row",
        height=min(400, 40 + 36 * len(table)),
        alt=f"The users of the class {verdict}, the nearest miss first",
    )
    picked = st.session_state[USERS_TABLE]["selection"]["rows"]
    with st.container(horizontal=True):
        if picked and picked[0] < len(rows):
            user = int(rows["user"].iloc[picked[0]])
            if st.button(
                f"The list of user {escape_markdown(asked.names.ids[user])}", type="primary"
            ):
                st.session_state[state.USER] = asked.names.ids[user]
                go_to("recommendations")
        if len(rows) > 1 and st.button(
            "These users on the map", icon=":material/scatter_plot:", key="verdict-map"
        ):
            node_select.select(asked.names, rows["user"].tolist())
            go_to("embeddings")
        csv_button(
            table,
            f"{asked.run.name}-{verdict.replace(' ', '-')}.csv",
            f"{counted(len(rows), 'user')} (CSV)",
            "verdict-csv",
        )
    if not picked:
        st.caption("Choose a row to open the list of that user.")


def users_table(asked: Asked, rows: pd.DataFrame) -> pd.DataFrame:
    """The users of a class with original ids, and what their verdict rests on."""
    dataset, users = asked.dataset, asked.users
    table = pd.DataFrame({"user": users["user_id"].to_numpy()[rows["user"]]})
    for column in ("name", "segment"):
        if column in users:
            table[column] = users[column].to_numpy()[rows["user"]]
    table["verdict"] = rows["verdict"].to_numpy()
    table["best rank"] = rows["best_rank"].to_numpy()
    table["nearest held-out item"] = [title_of(dataset, int(i)) for i in rows["best_item"]]
    table["train items"] = rows["n_train"].to_numpy()
    table["held-out items"] = rows["n_held_out"].to_numpy()
    if (rows["depth"] >= 0).any():
        table["not listed from layer"] = rows["depth"].where(rows["depth"] >= 0).to_numpy()
    if (rows["modality"] != "").any():
        table["misleading modality"] = rows["modality"].to_numpy()
    also = [[name for name in VERDICTS if row[name]] for _, row in rows.iterrows()]
    table["all that hold"] = [", ".join(names) for names in also]
    return table


def lost_sentence(rows: pd.DataFrame) -> str:
    """After which layer the users are lost, in a sentence."""
    counts = rows["depth"].value_counts().sort_index()
    told = ", ".join(f"**{n:,}** from layer {layer} on" for layer, n in counts.items())
    return f"No held-out item is listed any more: {told}. Before, at least one was."


def _show_pictures(asked: Asked, rows: pd.DataFrame) -> None:
    """The items whose features mislead most often, in the lists of these users."""
    for modality, of in rows.groupby("modality", sort=True):
        users = np.sort(of["user"].to_numpy())
        items, flags = cached.misled_recommendations(
            asked.run, asked.split, asked.k, str(modality), users
        )
        counts = np.bincount(items[flags], minlength=asked.dataset.n_items)
        most = np.argsort(-counts, kind="stable")[:N_PICTURES]
        st.markdown(
            f"In the lists of these {counted(len(users), 'user')}, {int(flags.sum()):,} of {flags.size:,} "
            f"recommendations are there because the features **{escape_markdown(str(modality))}** do not "
            "fit. Those listed most often:"
        )
        with card_grid(f"misleading-{modality}"):
            for item in most[counts[most] > 0]:
                product_card(
                    asked.dataset,
                    int(item),
                    key=f"misleading-{modality}-{item}",
                    facts=[f"in {counted(int(counts[item]), 'list')}"],
                )
