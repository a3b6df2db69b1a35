"""The recommendations page in a real browser: hits, a walk, an explanation, two runs, a download."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.users import walk
from rednd_core.runs import ModelFacts, Provenance, RunRecord, create_run
from rednd_core.training.experiment import data_facts

MODELS = {"walk-a": "rednnd", "walk-b": "lightgcn"}
SIZE = 16
# Both boxes are read in one frame: while the cards' pictures arrive, the upper box grows and moves the lower.
BESIDE = """names => {
    const [a, b] = names.map(name => document.querySelector(name)?.getBoundingClientRect());
    return a && b && a.height > 0 && b.left >= a.right;
}"""
STACKED = """names => {
    const [a, b] = names.map(name => document.querySelector(name)?.getBoundingClientRect());
    return a && b && a.height > 0 && b.top >= a.bottom;
}"""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset("sample_data/shop")


def embeddings(dataset: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a hint of the test items: hits for some users, misses for others."""
    rng = np.random.default_rng(seed)
    item_emb = rng.normal(size=(dataset.n_items, SIZE)).astype(np.float32)
    user_emb = rng.normal(size=(dataset.n_users, SIZE)).astype(np.float32)
    np.add.at(user_emb, dataset.test.users, 0.5 * item_emb[dataset.test.items])
    return user_emb, item_emb


@pytest.fixture(scope="module")
def planted(app_home: Path, dataset: Dataset) -> None:
    for seed, (name, model) in enumerate(MODELS.items()):
        record = RunRecord(
            config=RunConfig(model=model, data=DataConfig(path="sample_data/shop")),
            provenance=Provenance(seed=1),
            data=data_facts(dataset),
            model=ModelFacts.uniform(("id",), 1, SIZE),
        )
        writer = create_run(app_home / "runs" / name, record)
        user_emb, item_emb = embeddings(dataset, seed)
        layer = np.concatenate([user_emb, item_emb])
        writer.save_layers({"id": [layer, layer]}, user_emb, item_emb, epoch=1)
        writer.status("finished", epoch=1, best_epoch=1)


@pytest.mark.usefixtures("planted")
def test_from_a_hit_to_the_download(open_page: Callable[..., Any], dataset: Dataset) -> None:
    page = open_page("/recommendations?run=walk-a&vs=walk-b&slice=best")
    model = embeddings(dataset, 0)
    ranked = evaluate(*model, dataset.train_matrix, dataset.test, [20])
    order = walk(ranked, "best", "recall@20")

    # The best user, with hits that say so in words.
    page.get_by_role("heading", name=re.compile(f"^User {dataset.user_ids[order[0]]} ")).wait_for()

    # The address has plain names, also of what is chosen by hand, and no name of a person.
    page.get_by_role("combobox", name="Run B").click()
    page.get_by_role("option", name="none", exact=True).click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('vs') === 'none'")
    page.get_by_role("combobox", name="Run B").click()
    page.get_by_role("option", name="walk-b", exact=True).click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('vs') === 'walk-b'")
    user = page.evaluate("new URLSearchParams(location.search).get('user')")
    assert user == dataset.user_ids[order[0]]
    listed = page.locator(".st-key-listed")
    listed.get_by_text("held-out hit").first.wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.st-key-listed img')]"
        ".filter(picture => picture.naturalWidth === 96).length === 20"
    )

    # On to the next user; the address bar follows.
    page.get_by_role("button", name="Next in this slice").click()
    page.get_by_role("heading", name=re.compile(f"^User {dataset.user_ids[order[1]]} ")).wait_for()
    page.wait_for_url(re.compile(rf"user={dataset.user_ids[order[1]]}\b"))
    page.reload()
    page.get_by_role("heading", name=re.compile(f"^User {dataset.user_ids[order[1]]} ")).wait_for()

    # Why is the first item there?
    page.locator(".st-key-listed").get_by_role("button", name="Why?").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Popularity.").wait_for()
    page.wait_for_function("() => new URLSearchParams(location.search).get('why')")
    page.reload()  # A link opens the same dialog.
    dialog.get_by_text("Popularity.").wait_for()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")
    page.wait_for_function("() => !new URLSearchParams(location.search).get('why')")

    # Both runs side by side.
    page.get_by_role("tab", name="Two runs").click()
    page.get_by_text("Jaccard").wait_for()
    page.wait_for_function(BESIDE, arg=[f".st-key-pair-{name}" for name in MODELS])

    # All lists, with the ids of the data set, one row a user and item.
    page.get_by_role("link", name="Explain").click()
    page.get_by_role("tab", name="Tables").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Top 20 of all users, walk-a (CSV)").click()
    table = pd.read_csv(download.value.path(), dtype={"user_id": str, "item_id": str})
    assert len(table) == 20 * dataset.n_users
    assert set(table["user_id"]) == set(dataset.user_ids)
    assert set(table["item_id"]) <= set(dataset.item_ids)
    hits = table.groupby("user_id")["test_hit"].sum()
    expected = ranked.per_user.set_index("user")["precision@20"] * 20
    assert hits[dataset.user_ids[order[0]]] == round(expected[order[0]])


@pytest.mark.usefixtures("planted")
def test_a_phone_stacks_and_does_not_scroll_sideways(open_page: Callable[..., Any]) -> None:
    page = open_page(
        "/recommendations?run=walk-a&vs=walk-b&tab=Two+runs",
        width=390,
        height=844,
    )
    page.get_by_text("Jaccard").wait_for()
    page.wait_for_function(STACKED, arg=[f".st-key-pair-{name}" for name in MODELS])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_cards_stand_in_rows_of_six_and_on_a_phone_in_a_list(open_page: Callable[..., Any]) -> None:
    for width, columns in ((1280, 6), (390, 1)):
        page = open_page("/recommendations?run=shop-lightgcn", width=width, height=844)
        cards = page.locator(".st-key-listed [class*=st-key-listed-]:has(img)")
        cards.nth(7).wait_for()
        tops = cards.evaluate_all(
            "cards => cards.slice(0, 7).map(card => card.getBoundingClientRect().top)"
        )
        assert sum(abs(top - tops[0]) < 2 for top in tops) == columns
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_first_screen_holds_the_first_picture(open_page: Callable[..., Any]) -> None:
    page = open_page("/recommendations?run=shop-lightgcn", width=1280, height=720)
    picture = page.locator(".live-charts figure").first
    picture.locator(".main-svg").first.wait_for()
    box = picture.bounding_box()
    assert box["y"] + box["height"] <= 720
    # What all pages share is there as well, below the menu.
    box = page.get_by_role("combobox", name="Run B", exact=True).bounding_box()
    assert box["y"] + box["height"] <= 720


def test_another_history_changes_list_and_ranks(open_page: Callable[..., Any]) -> None:
    page = open_page("/recommendations?run=shop-lightgcn&user=720&tab=What+if")
    page.get_by_text("0 new items").wait_for()
    page.get_by_role("combobox", name="Remove from the history").click()
    page.get_by_role("option").first.click()
    page.get_by_text(re.compile(r"^[1-9]\d* new items?")).wait_for()
