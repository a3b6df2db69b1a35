"""Why an item has its rank: a dialog over the place where one asked, and the address has the question."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app import cached, state
from app.charts.drawn import drawn
from app.recommendations.attribution import show_parts
from app.recommendations.controls import ListView
from app.recommendations.lists import HIT, MISS
from app.recommendations.paths import path_sentence
from app.shared.downloads import show_figure
from app.shared.product import product_card, title_of
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.explain import Explanation, explain
from rednd_core.evaluation.slices import popularity_groups
from rednd_core.plots.explanation import history_figure, parts_figure
from rednd_core.runs import Run

WHY, WHY_RUN = "why", "why-run"  # original id of the item; the letter of the run
LETTERS = ("A", "B")
N_HISTORY_BARS = 10


def ask_why(view: ListView, run: Run, item: int) -> None:
    """Callback of a button: open the dialog for an item of the list of ``run``."""
    st.session_state[WHY] = str(view.dataset.item_ids[item])
    st.session_state[WHY_RUN] = LETTERS[view.runs.index(run)]


def show_asked(view: ListView) -> None:
    """Open the dialog that a button or a link asks for, and keep the question in the address."""
    for key in (WHY, WHY_RUN):
        asked = state.from_address(key)
        if asked is not None:
            st.session_state[key] = asked[0] if asked else None
    item = _item(view, st.session_state.get(WHY))
    letter = st.session_state.get(WHY_RUN) or LETTERS[0]
    if item is None or letter not in LETTERS[: len(view.runs)]:
        _forget()
        return
    state.to_address(WHY, [str(view.dataset.item_ids[item])])
    state.to_address(WHY_RUN, [letter])
    run = view.runs[LETTERS.index(letter)]
    of = f" (run {letter})" if len(view.runs) > 1 else ""
    dialog = st.dialog(f"Why does this item have its rank?{of}", width="large", on_dismiss=_forget)
    dialog(show_explanation)(view, run, item)


def _item(view: ListView, item_id: str | None) -> int | None:
    """The dense id; None for an item that has no rank for this user."""
    node = view.names.node(f"item:{item_id}") if item_id else None
    if node is None:
        return None
    item = node - view.dataset.n_users
    return None if item in view.recommended(view.run).history else item


def _forget() -> None:
    for key in (WHY, WHY_RUN):
        st.session_state[key] = None
        state.to_address(key, [])


def show_explanation(view: ListView, run: Run, item: int) -> None:
    """What the dialog shows."""
    dataset, found = view.dataset, view.recommended(run)
    rank = view.ranks(run, [item])[item]
    held_out = item in view.held_out
    badges = [HIT if rank <= view.k else MISS] if held_out else []
    facts = [f"rank {rank:,} of {found.n_candidates:,} candidates", f"run {run.name}"]
    product_card(dataset, item, key="explained", facts=facts, badges=badges)
    this = _explain(view, run, item)
    listed = found.listed["item"].tolist()
    compared = listed[0] if item == listed[-1] else listed[-1]
    other = _explain(view, run, compared)
    place = f"rank {listed.index(compared) + 1}"
    show_parts(view, run, this)
    sentences = [
        gap_sentence(this, other, place),
        *reasons(dataset, this),
        path_sentence(view, run, item),
    ]
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    left, right = st.columns(2)
    with left:
        if len(this.parts) > 1:
            _show_modalities(run, this, other, rank, place)
    with right:
        _show_history(view, run, this)


def reasons(dataset: Dataset, this: Explanation) -> list[str]:
    """Popularity, shared users and similarity, one Markdown sentence each."""
    group = popularity_groups(dataset.item_degrees)[this.item]
    sentences = [
        f"**Popularity.** {_count(this.degree, 'user has', 'users have')} it in train: percentile "
        f"{this.popularity:.0f} of the {dataset.n_items:,} items ({group})."
        + ("" if this.degree else " No training example ever had it as a positive item.")
    ]
    n_history = len(this.history)
    if not n_history:
        sentences.append("**History.** This user has no train item to compare with.")
        return sentences
    nearest = this.history.iloc[0]
    sentences.append(
        f"**Similarity.** In the model's space, the nearest of the {n_history:,} train items is "
        f"{_title(dataset, nearest['item'])} (cosine {wording.cosine(nearest['cosine'])}; mean over all "
        f"{n_history:,}: {wording.cosine(this.history['cosine'].mean())}). Cosines indicate what the "
        "model finds alike; they do not add up to the score."
    )
    shared = this.history.sort_values("shared_users", ascending=False, kind="stable").head(3)
    shared = shared[shared["shared_users"] > 0]
    if len(shared):
        listed = "; ".join(
            f"**{_count(n_users, 'other user', 'other users')}** chose "
            f"{_title(dataset, item)} as this user did, and this item"
            for item, n_users in shared[["item", "shared_users"]].itertuples(index=False)
        )
        sentences.append(
            f"**Users in common.** {listed}. In all, {len(this.neighbours):,} of the "
            f"{this.degree:,} users who have it share a train item with this user."
        )
    else:
        sentences.append(
            "**Users in common.** 0 other users share a train item with this user and chose this one."
        )
    return sentences


def gap_sentence(this: Explanation, other: Explanation, place: str) -> str:
    """The score beside the score of a listed item, by modality."""
    gap = this.score - other.score
    text = (
        f"**Score.** {this.score:.3f}, that is {abs(gap):.3f} {'above' if gap >= 0 else 'below'} the "
        f"item on {place} ({other.score:.3f})"
    )
    if len(this.parts) == 1:
        return f"{text}. The model has one embedding, so the score has one part."
    parts = ", ".join(f"{escape_markdown(name)} {value:+.3f}" for name, value in this.parts.items())
    gaps = {name: value - other.parts[name] for name, value in this.parts.items()}
    widest = max(gaps, key=lambda name: abs(gaps[name]))
    return (
        f"{text}. Its parts: {parts}. The modality **{escape_markdown(widest)}** makes most of the "
        f"difference ({gaps[widest]:+.3f})."
    )


def modality_widths(run: Run) -> Mapping[str, int] | None:
    """Width of each modality's block in the scoring embedding; None if there is one block."""
    facts, width = run.record.model, cached.layers(run).user_emb.shape[1]
    if facts is None or sum(facts.scored_widths.values()) != width:
        return None
    return facts.scored_widths


def _explain(view: ListView, run: Run, item: int) -> Explanation:
    index = cached.layers(run)
    return explain(
        index.user_emb,
        index.item_emb,
        view.dataset.train_matrix,
        view.user,
        item,
        modality_widths(run),
    )


def _show_modalities(
    run: Run, this: Explanation, other: Explanation, rank: int, place: str
) -> None:
    st.markdown("**Score by modality**")
    show_figure(
        drawn(
            parts_figure,
            {
                f"this item (rank {rank:,})": this.parts,
                f"{place} of the list": other.parts,
            },
        ),
        key="recommendations-parts",
        runs=[run],
        name=f"{run.name}-score-parts",
        alt=f"Score of this item, {this.score:.3f}, and of the item on {place}, {other.score:.3f}, "
        f"by modality: {', '.join(this.parts)}.",
    )


def _show_history(view: ListView, run: Run, this: Explanation) -> None:
    if not len(this.history):
        return
    nearest = this.history.head(N_HISTORY_BARS)
    st.markdown("**Train items that the model finds alike**")
    show_figure(
        drawn(
            history_figure,
            [title_of(view.dataset, int(item)) for item in nearest["item"]],
            nearest["cosine"].to_numpy(),
            len(this.history),
        ),
        key="recommendations-history",
        runs=[run],
        name=f"{run.name}-similar-history",
        alt=f"Cosine of the nearest {len(nearest)} of {len(this.history)} train items with this "
        f"item, from {wording.cosine(nearest['cosine'].iloc[0])} down.",
    )


def _title(dataset: Dataset, item: int) -> str:
    return f"‹{escape_markdown(title_of(dataset, int(item)))}›"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
