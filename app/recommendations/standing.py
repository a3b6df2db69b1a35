"""Facts of the user, the metrics of the model for this user, and their place among all users."""

from __future__ import annotations

import streamlit as st

from app import cached
from app.recommendations.controls import ListView
from app.shared.downloads import show_figure
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.evaluation.users import Standing, standing
from rednd_core.plots.recommendations import standing_figure

KNOWN = ("name", "segment", "cohort", "tastes")  # the columns of a users table that are shown


def show_standing(view: ListView) -> None:
    """Facts and figures of the user, and a histogram of the metric over all users."""
    facts = view.users.iloc[view.user]
    name = " · ".join(str(facts[key]) for key in KNOWN[:2] if facts.get(key))
    st.header(
        f"User {escape_markdown(facts['user_id'])}"
        + (f" · {escape_markdown(name)}" if name else "")
    )
    details = [f"{key}: {facts[key]}" for key in KNOWN[2:] if facts.get(key)]
    if details:
        st.caption(escape_markdown(" · ".join(details)))
    found = view.recommended(view.run)
    evaluation = view.evaluation(view.run)
    alone = None
    if view.sampled:
        alone = cached.evaluation_of(view.run, view.split, view.user)
    place = standing(evaluation, view.metric, view.user, alone)
    n_hits, n_held_out = int(found.listed["hit"].sum()), len(view.held_out)
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left.container(horizontal=True):
        st.metric(view.metric, wording.metric(place.value if place else None), width="content")
        st.metric(
            f"{view.held_out_name.title()} items listed",
            f"{n_hits} of {n_held_out}",
            width="content",
        )
        st.metric("Train items", f"{len(found.history):,}", width="content")
    left.markdown(standing_sentence(place, view.held_out_name, view.n_evaluable))
    if place is None:
        return
    with right:
        show_figure(
            standing_figure(evaluation.values(view.metric), place.value, view.metric),
            key="recommendations-standing",
            runs=[view.run],
            name=f"{view.run.name}-{view.metric}-users",
            alt=f"Histogram of {view.metric} over {place.n_users} users; this user has "
            f"{wording.metric(place.value)}.",
        )


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
