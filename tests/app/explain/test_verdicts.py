"""The verdicts on the page Explain: counts, the users of a class, and where they lead."""

from __future__ import annotations

import numpy as np
import pytest

from app import cached
from app.explain.verdicts import users_table
from rednd_core.data import load_dataset
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.verdicts import MISLEADS, NEAR, TAIL, VERDICTS
from rednd_core.runs import default_store
from tests.app.recommendations.page import settled, texts
from tests.app.sent import figures


@pytest.fixture(scope="module")
def the_shop():
    return load_dataset("sample_data/shop")


@pytest.fixture(scope="module")
def best_ranks(the_shop):
    """User -> best rank of the test items under the bundled RedNⁿD, by the evaluation alone."""
    layers = default_store().open("shop-rednnd-a0.1").layers()
    found = evaluate(layers.user_emb, layers.item_emb, the_shop.train_matrix, the_shop.test, [20])
    best = np.full(the_shop.n_users, np.iinfo(np.int64).max)
    np.minimum.at(best, found.held_out.users, found.ranks)
    return {int(user): int(best[user]) for user in found.users}


def test_every_failing_user_has_one_verdict(bundled, best_ranks) -> None:
    app = bundled()
    failing = sum(rank > 20 for rank in best_ranks.values())
    assert f"**{failing} of 995 users" in texts(app)[0]
    bars = figures(app)[0]["data"][0]
    assert sum(bars["x"]) == failing
    assert bars["customdata"][: len(VERDICTS)] == list(VERDICTS)


def test_two_runs_have_a_bar_each(bundled) -> None:
    app = bundled(vs="shop-lightgcn")
    assert [bar["name"] for bar in figures(app)[0]["data"]] == ["shop-rednnd-a0.1", "shop-lightgcn"]


def test_a_class_shows_its_users_with_original_ids(bundled, best_ranks, the_shop) -> None:
    app = bundled(verdict=NEAR)
    table = app.dataframe(key="verdict-users").value
    wanted = {str(the_shop.user_ids[u]) for u, rank in best_ranks.items() if 20 < rank <= 40}
    assert set(table["user"]) == wanted
    assert table["best rank"].is_monotonic_increasing
    app.pills(key="verdict").set_value(TAIL).run()
    assert set(settled(app).dataframe(key="verdict-users").value["user"]) != wanted


def test_pictures_that_mislead_are_shown(bundled, the_shop) -> None:
    app = bundled(verdict=MISLEADS)
    told = " ".join(texts(app))
    assert "the features **image** do not fit" in told
    with np.load("sample_data/shop/truth.npz") as truth:
        wrong = truth["picture_kind"] != 0
    shown = [
        text for text in texts(app) if "in 1 list" in text or ("lists" in text and "id" in text)
    ]
    ids = [int(text.split("id ")[1].split(" ")[0]) for text in shown if ":small[" in text]
    assert len(ids) >= 3
    assert wrong[ids].mean() > 0.9


def test_what_cannot_be_judged_is_said(bundled) -> None:
    app = bundled(run="shop-lightgcn")
    assert any(f"Nobody gets **{MISLEADS}**" in caption.value for caption in app.caption)


def test_a_link_to_an_unknown_class_is_said(bundled) -> None:
    app = bundled(verdict="bad luck")
    assert "verdict\\=bad luck" in app.warning[0].value


def test_the_file_of_a_class_has_a_row_a_user(runs, dataset) -> None:
    from tests.app.explain.test_slices import asked

    view = asked(runs, dataset)
    found = cached.verdicts(view.run, "test", 10)
    table = users_table(view, found.table)
    assert len(table) == len(found.table)
    assert set(table["user"]) <= set(view.users["user_id"])
