"""The diagnosis of one user: facts, hits and misses, the verdict, and the place among all users."""

from __future__ import annotations

import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.recommendations.controls import ListView
from app.recommendations.lists import show_ranks
from app.shared.downloads import show_figure
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.evaluation.users import Standing, standing
from rednd_core.evaluation.verdicts import LOST, MISLEADS, OTHER, VERDICTS
from rednd_core.plots.recommendations import standing_figure

KNOWN = ("name", "segment", "cohort", "tastes")  # the columns of a users table that are shown


def show_diagnosis(view: ListView) -> None:
    """What is known of the user, and how the list does, in words and one picture."""
    facts = view.users.iloc[view.user]
    name = " · ".join(str(facts[key]) for key in KNOWN[:2] if facts.get(key))
    details = [f"{key}: {facts[key]}" for key in KNOWN[2:] if facts.get(key)]
    found = view.recommended(view.run)
    place = _standing(view)
    n_hits, n_held_out = int(found.listed["hit"].sum()), len(view.held_out)
    left, right = st.columns([2, 3])
    with left:
        st.header(
            f"User {escape_markdown(facts['user_id'])}"
            + (f" · {escape_markdown(name)}" if name else ""),
            anchor=False,
        )
        if details:
            st.caption(escape_markdown(" · ".join(details)))
        with st.container(horizontal=True):
            st.metric(view.metric, wording.metric(place.value if place else None), width="content")
            st.metric(
                f"{view.held_out_name.title()} items listed",
                f"{n_hits} of {n_held_out}",
                width="content",
            )
            st.metric("Train items", f"{len(found.history):,}", width="content")
        if n_held_out and not n_hits:
            _show_verdict(view)
        st.markdown(standing_sentence(place, view.held_out_name, view.n_evaluable))
    with right:
        show_ranks(view)


def show_place(view: ListView) -> None:
    """A histogram of the metric over all users, with a line where this user stands."""
    place = _standing(view)
    if place is None:
        return
    st.markdown("### Among all users")
    show_figure(
        drawn(
            standing_figure, view.evaluation(view.run).values(view.metric), place.value, view.metric
        ),
        key="recommendations-standing",
        runs=[view.run],
        name=f"{view.run.name}-{view.metric}-users",
        alt=f"Histogram of {view.metric} over {place.n_users} users; this user has "
        f"{wording.metric(place.value)}.",
    )


def _standing(view: ListView) -> Standing | None:
    alone = None
    if view.sampled:
        alone = cached.evaluation_of(view.run, view.split, view.user)
    return standing(view.evaluation(view.run), view.metric, view.user, alone)


def _show_verdict(view: ListView) -> None:
    """Why the list has none of the held-out items, where that is known soon."""
    if not cached.judged_soon(view.run, view.split) and not st.toggle(
        "Say why",
        key="judge",
        help="The held-out items of all users are ranked again under every change, up to some minutes.",
    ):
        return
    table = cached.verdicts(view.run, view.split, view.k).table
    own = table.loc[table["user"] == view.user, ["verdict", "depth", "modality"]]
    for verdict, depth, modality in own.itertuples(index=False):  # None outside of a sample.
        st.markdown(verdict_sentence(verdict, depth, modality))


def verdict_sentence(verdict: str, depth: int, modality: str) -> str:
    """A verdict with its rule.

    Args:
        depth: the layer from which on no held-out item is listed, -1 for none.
        modality: that misleads, "" for none.
    """
    if verdict == OTHER:
        return "**Why?** None of the rules of the page Explain holds for this user."
    told = verdict
    if verdict == LOST:
        told = f"lost at depth {depth}"
    if verdict == MISLEADS:
        told = f"modality misleads ({escape_markdown(modality)})"
    return f"**Why? {told[0].upper()}{told[1:]}**: {VERDICTS[verdict]}."


def standing_sentence(place: Standing | None, held_out_name: str, n_evaluable: int) -> str:
    """The place of the user among all users, in a sentence.

    Args:
        n_evaluable: users with held-out items; more than were ranked where that is a sample.
    """
    if place is None:
        return (
            f"This user has **no held-out {held_out_name} item**, so nothing can be counted as a hit "
            "and the user is in no average."
        )
    n_above = place.n_users - place.n_below - place.n_level
    sample = "a sample of " if place.n_users < n_evaluable else "the "
    all_users = f" of {n_evaluable:,}" if place.n_users < n_evaluable else ""
    return (
        f"Of {sample}{place.n_users:,}{all_users} users with held-out {held_out_name} items, "
        f"**{place.n_below:,} do worse, {place.n_level - 1:,} the same and {n_above:,} better**."
    )
