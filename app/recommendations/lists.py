"""The history of the user, the list of the model, and the ranks of the held-out items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app.charts.drawn import drawn
from app.recommendations.controls import ListView
from app.shared.downloads import csv_button, show_figure
from app.shared.product import card_grid, categories_of, product_card, title_of
from rednd_core.data.schema import Dataset
from rednd_core.data.tables import counted
from rednd_core.evaluation.recommend import Recommendations
from rednd_core.plots.recommendations import mix_figure, ranks_figure
from rednd_core.runs import Run

HIT = ":green-badge[:material/check_circle: held-out hit]"
MISS = ":orange-badge[:material/cancel: missed]"
VALIDATION = ":gray-badge[:material/history: in validation]"
N_HISTORY = 12  # train items shown at first
N_HELD_OUT = 9  # held-out items with a card at first, the best ranks first
MOST_DOTS = 6  # held-out items in the first picture, which must not be higher than a small screen

Why = Callable[[Run, int], None]


def show_lists(view: ListView, why: Why) -> None:
    """The tab "Lists". A button calls ``why`` with the run and the item that the reader wants explained."""
    found = view.recommended(view.run)
    ranks = held_out_ranks(view)
    if len(ranks):
        _show_held_out(view, ranks, why)
    st.markdown(
        f"### {counted(len(found.listed), 'recommended item')}  \n"
        f"Best first, of {found.n_candidates:,} candidates: all {view.dataset.n_items:,} items but "
        f"{counted(len(found.history), 'train item')}."
    )
    validation = set(view.validation_items.tolist())
    with card_grid("listed"):
        listed = found.listed[["rank", "item", "score", "hit"]]
        for rank, item, score, hit in listed.itertuples(index=False):
            badges = [HIT] if hit else [VALIDATION] if item in validation else []
            product_card(
                view.dataset,
                item,
                key=f"listed-{item}",
                lead=f"{rank}",
                facts=[f"score {score:.3f}"],
                badges=badges,
                on_why=partial(why, view.run),
                width="stretch",
            )
    csv_button(
        lambda: list_table(view),
        f"{'-'.join(run.name for run in view.runs)}-one-user.csv",
        "This user's list (CSV)" if len(view.runs) == 1 else "This user's lists, both runs (CSV)",
        "user-csv",
    )
    _show_history(view, found)
    _show_mix(view)


def held_out_ranks(view: ListView) -> pd.DataFrame:
    """Exact rank of the user's held-out items: ``item``, ``rank``, ``hit``, best first."""
    found = view.recommended(view.run)
    hits = found.listed[found.listed["hit"]]
    table = pd.concat([hits, found.missed])[["item", "rank"]]
    table["hit"] = table["rank"] <= view.k
    return table.reset_index(drop=True)


def list_table(view: ListView) -> pd.DataFrame:
    """The user's list under every chosen run, then the missed items; a row for each run and item, best first.

    Returns:
        ``run``, ``user_id``, ``rank``, ``item_id``, ``title``, ``score``, ``listed`` and ``held_out``
        (0 or 1), with original ids.
    """
    dataset, parts = view.dataset, []
    for run in view.runs:
        found = view.recommended(run)
        part = pd.concat([found.listed.assign(listed=1), found.missed.assign(listed=0)])
        items = part["item"].to_numpy()
        columns = {
            "run": run.name,
            "user_id": dataset.user_ids[view.user],
            "rank": part["rank"].to_numpy(),
            "item_id": dataset.item_ids[items],
            "title": [title_of(dataset, int(item)) for item in items],
            "score": part["score"].to_numpy(),
            "listed": part["listed"].to_numpy(),
            "held_out": np.isin(items, view.held_out).astype(np.int8),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def by_category(dataset: Dataset, items: Iterable[int]) -> list[int]:
    """``items`` by category, then title."""
    numbers = [int(item) for item in items]
    titles = (title_of(dataset, item) for item in numbers)
    ordered = sorted(zip(categories_of(dataset, numbers), titles, numbers, strict=True))
    return [item for _, _, item in ordered]


def mix_sentence(dataset: Dataset, name: str, items: Sequence[int]) -> str:
    """``"12 train items: 5 Kettles, 4 Mugs and 3 in 2 other categories"``, unescaped."""
    counts = Counter(of or "no category" for of in categories_of(dataset, items))
    first = counts.most_common(2)
    rest = sum(counts.values()) - sum(n for _, n in first)
    parts = [f"{n} {category}" for category, n in first]
    if rest:
        parts.append(f"{rest} in {len(counts) - len(first)} other categories")
    return f"{len(items)} {name}: {', '.join(parts)}"


def show_ranks(view: ListView) -> None:
    """The first picture: where the held-out items ended up."""
    ranks = held_out_ranks(view)
    if ranks.empty:
        return
    n_candidates = view.recommended(view.run).n_candidates
    shown = ranks.head(MOST_DOTS)
    titles = [title_of(view.dataset, item) for item in shown["item"]]
    show_figure(
        drawn(ranks_figure, shown.assign(title=titles, model=view.run.name), view.k, n_candidates),
        key="recommendations-ranks",
        runs=[view.run],
        name=f"{view.run.name}-held-out-ranks",
        alt=f"Ranks of {len(shown)} of {len(ranks)} held-out items among {n_candidates} candidates: "
        + ", ".join(str(rank) for rank in shown["rank"]),
    )
    if len(shown) < len(ranks):
        st.caption(f"The best {len(shown)} of {len(ranks)} held-out items are drawn.")


def _show_held_out(view: ListView, ranks: pd.DataFrame, why: Why) -> None:
    n_candidates = view.recommended(view.run).n_candidates
    n_hits = int(ranks["hit"].sum())
    st.markdown(
        f"### {counted(len(ranks), f'held-out {view.held_out_name} item')}: {n_hits} listed, "
        f"{len(ranks) - n_hits} missed  \n"
        "The user really chose these items, and the model did not see it."
    )
    everything = len(ranks) <= N_HELD_OUT or st.toggle(
        f"Show all {len(ranks):,}", key="all-held-out"
    )
    shown = ranks if everything else ranks.head(N_HELD_OUT)
    with card_grid("held-out"):
        for item, rank, hit in shown[["item", "rank", "hit"]].itertuples(index=False):
            product_card(
                view.dataset,
                item,
                key=f"held-out-{item}",
                facts=[f"rank {rank:,} of {n_candidates:,}"],
                badges=[HIT if hit else MISS],
                on_why=partial(why, view.run),
                width="stretch",
            )


def _show_history(view: ListView, found: Recommendations) -> None:
    st.markdown(f"### History: {counted(len(found.history), 'train item')}")
    if found.notice is not None:
        st.markdown(found.notice)
        return
    dataset = view.dataset
    ordered = by_category(dataset, found.history)
    everything = len(ordered) <= N_HISTORY or st.toggle(
        f"Show all {len(ordered):,}", key="all-history"
    )
    with card_grid("history"):
        for item in ordered if everything else ordered[:N_HISTORY]:
            product_card(dataset, item, key=f"history-{item}", width="stretch")
    if not everything:
        st.caption(f"{N_HISTORY} of {len(ordered):,} train items, by category.")


def _show_mix(view: ListView) -> None:
    """Compare the categories of history, list and held-out items."""
    if "category" not in view.dataset.items:
        return
    found = view.recommended(view.run)
    lists: dict[str, Sequence[int]] = {
        "history": found.history.tolist(),
        "recommended": found.listed["item"].tolist(),
        f"held out ({view.held_out_name})": view.held_out.tolist(),
    }
    st.markdown(
        "### Does the list follow the taste?  \n"
        "Categories of the three lists. A held-out bar without a counterpart in the history is a new "
        "interest, which no history could have told."
    )
    mixes = {name: categories_of(view.dataset, items) for name, items in lists.items()}
    show_figure(
        drawn(mix_figure, {name: mix for name, mix in mixes.items() if mix}),
        key="recommendations-mix",
        runs=[view.run],
        name=f"{view.run.name}-categories",
        alt="Share of categories. "
        + "; ".join(mix_sentence(view.dataset, name, items) for name, items in lists.items()),
    )
