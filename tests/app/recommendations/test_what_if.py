"""What if: the page's ranks against a propagation from scratch, with a dense graph that a loop filled in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from rednd_core.data import load_dataset
from rednd_core.runs import RunStore, default_store
from tests.app.recommendations.page import PAGE, settled, texts
from tests.app.sent import charts

USER = 720


@pytest.fixture
def page(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.setattr("app.cached.runs.default_store", default_store)

    def opened(run: str = "shop-lightgcn", **query: str) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=180)
        for key, value in {"run": run, "user": str(USER), "tab": "What if", **query}.items():
            app.query_params[key] = value
        return settled(app.run())

    return opened


@pytest.fixture(scope="module")
def shop():
    return load_dataset("sample_data/shop")


def ranks_from_scratch(shop, pairs: set[tuple[int, int]], depth: int = 3, centred: bool = False):
    """Ranks of all items for USER under the bundled LightGCN, on the graph of ``pairs``."""
    ratings = np.zeros((shop.n_users, shop.n_items))
    for user, item in pairs:
        ratings[user, item] = 1
    rows, columns = ratings.sum(axis=1), ratings.sum(axis=0)
    b = ratings / np.sqrt(np.maximum(rows[:, None] * columns[None], 1))
    adjacency = np.block([[np.zeros((shop.n_users,) * 2), b], [b.T, np.zeros((shop.n_items,) * 2)]])
    layer = np.array(default_store().open("shop-lightgcn").layers()["id"][0], dtype=np.float64)
    total = layer.copy()
    for _ in range(depth):
        layer = adjacency @ layer
        total += layer
    users, items = total[: shop.n_users], total[shop.n_users :]
    query = users[USER] - users.mean(axis=0) if centred else users[USER]
    scores = items @ query
    unseen = [i for i in range(shop.n_items) if not ratings[USER, i]]
    order = sorted(unseen, key=lambda i: -scores[i])
    return {item: rank for rank, item in enumerate(order, start=1)}


def shown(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


def expect(app: AppTest, shop, before: dict[int, int], after: dict[int, int]) -> None:
    """Every row of the table has the ranks of the two recomputations."""
    titles = shop.items["title"]
    table = shown(settled(app))
    assert len(table) >= 20
    by_title: dict[str, list[int]] = {}
    for item, title in enumerate(titles):
        by_title.setdefault(title, []).append(item)
    for _, row in table.iterrows():
        ranks = {(before.get(i), after.get(i)) for i in by_title[row["item"]]}
        told = tuple(
            None if pd.isna(row[name]) else int(row[name]) for name in ("rank before", "rank after")
        )
        assert told in ranks


def pairs_of(shop) -> set[tuple[int, int]]:
    return set(zip(shop.train.users.tolist(), shop.train.items.tolist(), strict=True))


def test_another_history_is_propagated_from_scratch(page, shop) -> None:
    app = page()
    pairs = pairs_of(shop)
    own = sorted(item for user, item in pairs if user == USER)
    add = next(i for i in range(shop.n_items) if i not in own)
    before = ranks_from_scratch(shop, pairs)
    expect(app, shop, before, before)
    app.multiselect(key=f"remove-{USER}").set_value([own[0]]).run()
    app.multiselect(key=f"add-{USER}").set_value([add]).run()
    after = ranks_from_scratch(shop, pairs - {(USER, own[0])} | {(USER, add)})
    expect(app, shop, before, after)
    assert any("new item" in text for text in texts(app))
    assert [c for c in charts(app) if c["key"] == "what-if-moves"]


def test_another_depth_and_no_popularity(page, shop) -> None:
    app = page()
    pairs = pairs_of(shop)
    before = ranks_from_scratch(shop, pairs)
    app.slider(key="what-if-depth-3").set_value(1).run()
    expect(app, shop, before, ranks_from_scratch(shop, pairs, depth=1))
    app.toggle(key="without-popularity").set_value(True).run()
    expect(app, shop, before, ranks_from_scratch(shop, pairs, depth=1, centred=True))


def test_without_a_modality_the_other_one_ranks_alone(page, shop) -> None:
    app = page(run="shop-rednnd-a0.1")
    app.pills(key="without").set_value(["image"]).run()
    layers = default_store().open("shop-rednnd-a0.1").layers()
    scores = layers.item_emb[:, 32:] @ layers.user_emb[USER, 32:]  # image first, then text
    own = set(shop.train.items[shop.train.users == USER].tolist())
    order = sorted((i for i in range(shop.n_items) if i not in own), key=lambda i: -scores[i])
    table = shown(settled(app)).sort_values("rank after")
    assert table["item"].head(20).tolist() == shop.items["title"].iloc[order[:20]].tolist()
    app.pills(key="without").set_value(["image", "text"]).run()
    assert "has to stay" in app.warning[0].value


def test_a_held_out_item_may_be_added(page, shop) -> None:
    app = page()
    item = int(shop.test.items[shop.test.users == USER][0])
    app.multiselect(key=f"add-{USER}").set_value([item]).run()
    assert shop.items.at[item, "title"] in set(shown(settled(app))["item"])


def test_the_change_is_in_the_address(page, shop) -> None:
    own = sorted(item for user, item in pairs_of(shop) if user == USER)
    removed, added = str(shop.item_ids[own[0]]), str(shop.item_ids[own[-1] - 1])
    app = page(run="shop-rednnd-a0.1")
    app.multiselect(key=f"remove-{USER}").set_value([own[0]]).run()
    app.multiselect(key=f"add-{USER}").set_value([own[-1] - 1]).run()
    app.pills(key="without").set_value(["image"]).run()
    app.slider(key="what-if-depth-3").set_value(1).run()
    app.toggle(key="without-popularity").set_value(True).run()
    link = {
        "remove": removed,
        "add": added,
        "without": "image",
        "at-depth": "1",
        "without-popularity": "yes",
    }
    assert {key: app.query_params[key] for key in link} == link
    opened = page(run="shop-rednnd-a0.1", **link)
    assert shown(settled(opened)).equals(shown(settled(app)))
    opened.slider(key="what-if-depth-3").set_value(3).run()
    assert "at-depth" not in opened.query_params
    assert opened.multiselect(key=f"remove-{USER}").value == [own[0]]


def test_a_link_may_ask_for_what_is_not_there(page) -> None:
    unknown = {"remove": "no-such-item", "add": "x", "without": "sound", "at-depth": "99"}
    app = page(**unknown)
    assert not app.exception
    assert app.slider(key="what-if-depth-3").value == 3
    assert app.multiselect(key=f"remove-{USER}").value == []
