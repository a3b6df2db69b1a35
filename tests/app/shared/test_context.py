"""The choices that all pages share: data set, runs, modality and depth."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.context import data_name
from rednd_core.config import PROJECT_ROOT

BUNDLED = PROJECT_ROOT / "sample_data" / "shop" / "runs"
PAGE = str(PROJECT_ROOT / "pages" / "6_Depth.py")


def entry(name: str, digest: str, n_users: int = 3, n_train: int = 9) -> Any:
    facts = SimpleNamespace(name=name, digest=digest, n_users=n_users, n_train=n_train)
    return SimpleNamespace(record=SimpleNamespace(data=facts))


def test_data_sets_of_one_name_are_told_apart_in_words() -> None:
    shop, small, other = entry("shop", "a"), entry("shop", "b", n_train=5), entry("baby", "c")
    every = [shop, small, other]
    assert data_name(other, every) == "baby"
    assert data_name(shop, every) == "shop · 3 users, 9 pairs"
    assert data_name(small, every) == "shop · 3 users, 5 pairs"
    twin = entry("shop", "z")
    names = [data_name(each, [shop, twin]) for each in (shop, twin)]
    assert names == ["shop · 3 users, 9 pairs (1)", "shop · 3 users, 9 pairs (2)"]


@pytest.fixture
def two_data_sets(show_store, tmp_path, monkeypatch) -> None:
    """The bundled runs, one of them said to be of other data."""
    root = tmp_path / "runs"
    for name in ("shop-lightgcn", "shop-rednnd-a0", "shop-rednnd-a0.1"):
        shutil.copytree(BUNDLED / name, root / name)
    config = root / "shop-lightgcn" / "config.json"
    config.write_text(config.read_text().replace('"name": "shop"', '"name": "market"'))
    show_store(root)
    # This test is about the sidebar: no page needs the layers or the data.
    monkeypatch.setattr(
        "app.depth.view.cached.node_names", lambda run: SimpleNamespace(user=lambda _: None)
    )
    monkeypatch.setattr("app.depth.view._stage", lambda *_: None)


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def test_the_data_set_is_that_of_the_link_and_bounds_the_runs(two_data_sets) -> None:
    app = open_page(run="shop-rednnd-a0")
    data = app.selectbox("context.data")
    assert data.value == "shop"
    assert set(data.options) == {"shop", "market"}
    assert set(app.selectbox("run").options) == {"shop-rednnd-a0", "shop-rednnd-a0.1"}
    app = data.select("market").run()
    assert not app.exception
    assert app.selectbox("run").value == "shop-lightgcn"
    assert not app.warning
    app = app.selectbox("context.data").select("shop").run()
    assert app.selectbox("run").value in {"shop-rednnd-a0", "shop-rednnd-a0.1"}
    assert app.query_params["run"] == app.selectbox("run").value
