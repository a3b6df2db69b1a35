"""Permalinks, hostile data, and what is missing on the Recommendations page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import cached
from app.shared.product import picture_of
from app.shared.text import escape_markdown
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.users import walk
from rednd_core.runs import RunStore
from tests.app.recommendations.page import (
    HOSTILE,
    PAGE,
    evaluation,
    heading,
    settled,
    texts,
    user_of,
)


@pytest.mark.parametrize("name", ["slice", "split", "metric", "k", "tab", "user", "run", "vs"])
def test_an_address_with_nothing_after_a_name_asks_for_nothing(page, name: str) -> None:
    """``?slice=`` was a traceback: a choice that is always there was None."""
    app = page(**{name: ""})
    assert not app.exception
    assert not app.error


def test_a_permalink_restores_the_view(page, dataset: Dataset) -> None:
    app = page(
        user="u-13",
        slice="random",
        split="Validation",
        k="35",
        metric="ndcg",
        vs="none",
    )
    assert user_of(app) == "u-13"
    assert app.selectbox(key="slice").value == "random"
    assert app.metric[0].label == "ndcg@35"
    assert app.metric[1].label == "Validation items listed"
    assert app.selectbox(key="vs").value == "none"
    worst = dataset.user_ids[walk(evaluation(dataset), "worst", "recall@20")[0]]
    assert user_of(page(user="nobody")) == worst


def test_the_address_has_plain_names_and_ids(page) -> None:
    app = page()
    app.selectbox(key="user").set_value("u-13").run()
    assert settled(app).query_params["user"] == "u-13"
    # The browser writes what the options are called.
    assert app.selectbox(key="run").options == ["light", "red"]
    assert app.selectbox(key="vs").options == ["none", "light"]
    shown = app.selectbox(key="run").value
    assert {"light": "LightGCN · shop", "red": "RedNⁿD · shop"}[shown] in {
        c.value for c in app.caption
    }


def test_a_link_to_what_is_not_there_opens_with_the_defaults(page) -> None:
    app = page(run="red · rednnd · shop", vs="gone · lightgcn · shop", user="u-13 · Name 13")
    first = app.selectbox(key="run").options[0]
    assert app.selectbox(key="run").value == first
    assert app.selectbox(key="vs").value == "none"


def test_what_a_link_asks_for_and_is_not_here_is_said_in_one_line(page) -> None:
    app = page(user="99999999", slice="upside", k="7000", vs="gone", tab="Lists", metric="ndcg")
    said = " ".join(warning.value for warning in app.warning)
    for asked in ("user\\=99999999", "slice\\=upside", "k\\=7000", "vs\\=gone"):
        assert asked in said
    assert "tab" not in said
    assert "metric" not in said
    assert not app.run().warning


def test_the_address_leads_to_its_user(page) -> None:
    app = page(user="u-13")
    assert user_of(app) == "u-13"
    app.query_params["user"] = "u-14"  # as the browser's Back may have it
    assert user_of(settled(app.run())) == "u-14"


def test_hostile_titles_are_shown_as_they_are_written(page, dataset: Dataset) -> None:
    owner = int(dataset.train.users[dataset.train.items == 0][0])
    app = page(user=f"u-{owner:02d}")
    own = [text for text in texts(app) if "onerror" in text]
    assert own
    assert all(escape_markdown(HOSTILE) in text for text in own)
    assert not any(re.search(r"(?<!\\)<img", text) for text in own)


def test_pictures_are_small_local_and_never_missing(runs: RunStore, dataset: Dataset) -> None:
    of = cached.run_dataset(runs.open("red"))
    ids = of.item_ids.tolist()
    pictures = [picture_of(of, ids.index(f"sku-{k}")) for k in range(5)]
    assert pictures[0] == pictures[1] == pictures[2] == pictures[4]  # the empty frame
    kind, _, content = pictures[3].partition(",")
    assert kind == "data:image/jpeg;base64"
    real = Image.open(io.BytesIO(base64.b64decode(content)))
    assert real.size == (192, 96)
    assert real.getpixel((5, 5))[0] > 250


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "ICNS"])
def test_pictures_are_of_four_formats_whatever_their_name(tmp_path: Path, kind: str) -> None:
    """A decoder that nobody needs is one that a hostile file could break."""
    file = tmp_path / "picture.png"
    Image.new("RGB", (64, 64), "red").save(file, kind)
    assert (cached.thumbnail(str(file)) is not None) == (kind in ("PNG", "JPEG", "WEBP", "GIF"))


def test_an_unreadable_users_table_costs_the_names_only(page, shop: Path, tmp_path: Path) -> None:
    table = shop / "users.csv"
    before = table.read_text()
    table.write_text("name\nnobody\n")
    try:
        app = page(user="u-03")
    finally:
        table.write_text(before)
    assert "userID" in app.warning[0].value
    assert heading(app) == f"User {escape_markdown('u-03')}"


def test_without_a_run_the_page_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cached.runs.default_store", lambda: RunStore(tmp_path / "none"))
    st.cache_data.clear()
    app = AppTest.from_file(PAGE, default_timeout=180).run()
    assert not app.exception
    assert "Live training" in app.info[0].value


def test_data_that_is_gone_or_changed_is_a_sentence(
    runs: RunStore, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shop.with_name("elsewhere")
    shop.rename(moved)
    try:
        app = AppTest.from_file(PAGE, default_timeout=180).run()
    finally:
        moved.rename(shop)
    assert not app.exception
    assert "shop" in app.error[0].value


def test_broken_embeddings_are_a_sentence(runs: RunStore) -> None:
    for name in ("red", "light"):
        (runs.open(name).layout.users).write_bytes(b"junk")
    app = AppTest.from_file(PAGE, default_timeout=180).run()
    assert not app.exception
    assert r"users\.npy" in app.error[0].value
