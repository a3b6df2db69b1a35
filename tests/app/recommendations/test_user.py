"""One user: ranks, hits, the walk through a slice, and explanations, against the core's own numbers."""

from __future__ import annotations

import numpy as np
import pytest

from app.recommendations.lists import HIT, MISS, VALIDATION
from app.shared import node_select
from app.shared.text import escape_markdown
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.recommend import recommend
from rednd_core.evaluation.users import walk
from tests.app.recommendations.page import (
    N_USERS,
    button,
    embeddings,
    evaluation,
    heading,
    place_in_slice,
    settled,
    texts,
    titles,
    user_of,
)


def test_the_worst_user_is_shown_at_once_with_the_exact_ranks(page, dataset: Dataset) -> None:
    app = page()
    worst = int(walk(evaluation(dataset), "worst", "recall@20")[0])
    assert user_of(app) == dataset.user_ids[worst]
    name = f"{escape_markdown(dataset.user_ids[worst])} · Name {worst}"
    assert heading(app).startswith(f"User {name}")
    expected = recommend(
        *embeddings(dataset, 0), dataset.train_matrix, worst, 20, held_out=dataset.test
    )
    shown = texts(app)
    for row, title in zip(
        expected.listed.itertuples(), titles(dataset, expected.listed["item"]), strict=True
    ):
        assert any(text.startswith(f"**{row.rank}** · {title}  \n") for text in shown)
    for row in expected.missed.itertuples():
        place = escape_markdown(f"rank {row.rank} of {expected.n_candidates}")
        assert any(place in text for text in shown)
    assert sum(MISS in text for text in shown) == len(expected.missed) > 0
    n_hits = int(expected.listed["hit"].sum())
    assert app.metric[1].value == f"{n_hits} of {n_hits + len(expected.missed)}"


def test_hits_are_marked_where_they_are(page, dataset: Dataset) -> None:
    app = page(slice="best")
    best = int(walk(evaluation(dataset), "best", "recall@20")[0])
    found = recommend(
        *embeddings(dataset, 0), dataset.train_matrix, best, 20, held_out=dataset.test
    )
    n_hits = int(found.listed["hit"].sum())
    assert n_hits > 0
    marks = sum(text.count(HIT) for text in texts(app))
    assert marks == 2 * n_hits  # once among the held-out items, once in the list


def test_next_walks_the_slice_in_its_order_and_round(page, dataset: Dataset) -> None:
    app = page(slice="cold")
    order = walk(evaluation(dataset), "cold", "recall@20")
    assert user_of(app) == dataset.user_ids[order[0]]
    for place in (1, 2):
        button(app, "Next in this slice").click().run()
        assert user_of(settled(app)) == dataset.user_ids[order[place]]
    for _ in range(3):
        button(app, "Previous").click().run()
    assert user_of(settled(app)) == dataset.user_ids[order[-1]]
    assert f"{len(order)} of {len(order)} in the slice **cold**" in place_in_slice(app)


def test_another_slice_starts_with_its_first_user(page, dataset: Dataset) -> None:
    app = page()
    app.selectbox(key="slice").set_value("heavy").run()
    heaviest = walk(evaluation(dataset), "heavy", "recall@20")[0]
    assert user_of(settled(app)) == dataset.user_ids[heaviest]


def test_split_metric_and_k_change_what_counts(page, dataset: Dataset) -> None:
    app = page(user="u-07")
    app.segmented_control(key="split").set_value("valid").run()
    app.segmented_control(key="metric").set_value("ndcg").run()
    app.slider(key="k").set_value(10).run()
    expected = evaluation(dataset, "valid", 10).per_user.set_index("user").loc[7]
    assert app.metric[0].label == "ndcg@10"
    assert app.metric[0].value == f"{expected['ndcg@10']:.4f}"
    assert app.metric[1].label == "Validation items listed"
    assert any(text.startswith("### 10 recommended items") for text in texts(settled(app)))


def test_a_validation_item_in_the_test_list_is_neither_hit_nor_miss(page, dataset: Dataset) -> None:
    model = embeddings(dataset, 0)
    for user in range(N_USERS):
        own = dataset.valid.items[dataset.valid.users == user]
        listed = recommend(*model, dataset.train_matrix, user, 20).listed["item"]
        if np.isin(listed, own).any():
            break
    else:
        pytest.fail("no list has a validation item")
    app = page(user=f"u-{user:02d}")
    assert sum(VALIDATION in text for text in texts(app)) == 1
    app.segmented_control(key="split").set_value("valid").run()
    assert sum(VALIDATION in text for text in texts(settled(app))) == 0


def test_a_user_is_found_as_pages_call_it(page, monkeypatch) -> None:
    app = page()
    assert "user u-05 · Name 5 · Play" in app.selectbox(key="user").options
    monkeypatch.setattr(node_select, "MAX_OPTIONS", 10)
    app = page(user="u-13")
    app.text_input(key="user_query").set_value("User u-05").run()
    assert "user u-05 · Name 5 · Play" in settled(app).selectbox(key="user").options
