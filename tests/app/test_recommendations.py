"""The recommendations page against the core's own numbers, on planted runs and a hostile shop."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import cached
from app.components.product import picture_of
from app.components.recommendations_lists import HIT, MISS, VALIDATION
from app.components.recommendations_slices import all_lists, per_user_table
from app.components.recommendations_view import View
from app.components.text import escape_markdown
from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.evaluation.explain import explain
from rednd_core.evaluation.people import walk
from rednd_core.evaluation.recommend import recommend
from rednd_core.runs import DataFacts, ModelFacts, Provenance, RunRecord, RunStore, create_run

PAGE = Path(__file__).resolve().parents[2] / "pages" / "3_Recommendations.py"
N_USERS, N_ITEMS, SIZE = 40, 60, 8
HOSTILE = "<img src=x onerror=alert(1)> **Pot** :red[hot] $x$"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ids that are no numbers; item 0 has a hostile title, 1 a web picture, 2 junk, 3 a real one."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    folder.mkdir()
    rng = np.random.default_rng(3)
    rows = ["userID,itemID,x_label"]
    for user in range(N_USERS):
        items = rng.choice(N_ITEMS, size=5 + user % 12, replace=False)
        labels = [1, 2, 2] + [0] * (len(items) - 3)
        rows += [f"u-{user:02d},sku-{i},{label}" for i, label in zip(items, labels, strict=True)]
    (folder / "shop.csv").write_text("\n".join(rows) + "\n")
    items = pd.DataFrame({"itemID": [f"sku-{i}" for i in range(N_ITEMS)]})
    items["title"] = [HOSTILE, *(f"Thing {i}" for i in range(1, N_ITEMS))]
    items["category"] = [("Pots", "Kites", "Mugs")[i % 3] for i in range(N_ITEMS)]
    pictures = ["", "https://example.org/1.png", "junk.png", "real.png", "absent.png"]
    items["image"] = pictures + [""] * (N_ITEMS - len(pictures))
    items.to_csv(folder / "items.csv", index=False)
    (folder / "junk.png").write_bytes(b"not a picture")
    Image.new("RGB", (400, 200), "red").save(folder / "real.png")
    names = [f"u-{user:02d},Name {user},Play" for user in range(N_USERS)]
    (folder / "users.csv").write_text("\n".join(["userID,name,segment", *names]) + "\n")
    return folder


@pytest.fixture(scope="module")
def dataset(shop: Path) -> Dataset:
    return load_dataset(shop)


def embeddings(dataset: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a hint of the test items, so that there are hits and misses; (n, 8) each."""
    rng = np.random.default_rng(seed)
    item_emb = rng.normal(size=(dataset.n_items, SIZE)).astype(np.float32)
    user_emb = rng.normal(size=(dataset.n_users, SIZE)).astype(np.float32)
    np.add.at(user_emb, dataset.test.users, 0.6 * item_emb[dataset.test.items])
    return user_emb, item_emb


@pytest.fixture(scope="module")
def planted(shop: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    models = {"red": ("rednnd", ("image", "text"), 4), "light": ("lightgcn", ("id",), SIZE)}
    for seed, (name, (model, modalities, size)) in enumerate(models.items()):
        facts = ModelFacts(modalities=modalities, n_layers=1, embedding_size=size, readout="mean")
        record = RunRecord(
            config=RunConfig(model=model, data=DataConfig(path=str(shop))),
            provenance=Provenance(seed=1),
            data=DataFacts(
                name=dataset.name,
                digest=dataset.digest,
                n_users=dataset.n_users,
                n_items=dataset.n_items,
                n_train=len(dataset.train),
                n_valid=len(dataset.valid),
                n_test=len(dataset.test),
            ),
            model=facts,
        )
        writer = create_run(root / name, record)
        layer = np.ones((dataset.n_users + dataset.n_items, size), dtype=np.float32)
        layers = {modality: [layer, layer] for modality in modalities}
        writer.save_layers(layers, *embeddings(dataset, seed), epoch=1)
        writer.status("finished", epoch=1, best_epoch=1)
    return root


@pytest.fixture
def runs(planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    root = tmp_path / "runs"
    shutil.copytree(planted, root)
    monkeypatch.setattr("app.cached.runs.default_store", lambda: RunStore(root))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield RunStore(root)
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def page(runs: RunStore) -> Callable[..., AppTest]:
    """``page(slice="best", ...)``: the page of run "red" with these query parameters, run once."""

    def opened(**query: str) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=60)
        for key, value in {"run": "red · rednnd · shop", **query}.items():
            app.query_params[key] = value
        return settled(app.run())

    return opened


def settled(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def heading(app: AppTest) -> str:
    return str(app.subheader[0].value)


def user_of(app: AppTest) -> str:
    return str(app.selectbox(key="user").value)


def evaluation(dataset: Dataset, split: str = "test", k: int = 20, seed: int = 0) -> Evaluation:
    held_out = dataset.test if split == "test" else dataset.valid
    return evaluate(*embeddings(dataset, seed), dataset.train_matrix, held_out, [k])


def titles(dataset: Dataset, items: Any) -> list[str]:
    return [escape_markdown(title) for title in dataset.items["title"].iloc[np.asarray(items)]]


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
        place = escape_markdown(f"rank {row.rank} of {expected.n_candidates} candidates")
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
    assert f"{len(order)} of {len(order)} in the slice **cold**" in app.caption[0].value


def test_another_slice_starts_with_its_first_user(page, dataset: Dataset) -> None:
    app = page()
    app.segmented_control(key="slice").set_value("heavy").run()
    heaviest = walk(evaluation(dataset), "heavy", "recall@20")[0]
    assert user_of(settled(app)) == dataset.user_ids[heaviest]


def test_split_metric_and_k_change_what_counts(page, dataset: Dataset) -> None:
    app = page(user="u-07")
    app.segmented_control(key="split").set_value("valid").run()
    app.segmented_control(key="metric").set_value("ndcg").run()
    app.slider(key="k").set_value(10).run()
    expected = evaluation(dataset, "valid", 10).per_user.set_index("user").loc[7]
    assert app.metric[0].label == "ndcg@10"
    assert app.metric[0].value == f"{expected['ndcg@10']:.3f}"
    assert app.metric[1].label == "Validation items listed"
    assert any(text.startswith("#### 10 recommended items") for text in texts(settled(app)))


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


def test_why_opens_the_explanation_of_that_item(page, dataset: Dataset) -> None:
    app = page(user="u-11")
    model = embeddings(dataset, 0)
    item = int(recommend(*model, dataset.train_matrix, 11, 20).listed["item"][2])
    app.button(key=f"listed-{item}-why").click().run()
    assert app.session_state["tab"] == "Why this item?"
    assert app.selectbox(key="explain").value == dataset.item_ids[item]
    expected = explain(*model, dataset.train_matrix, 11, item, {"image": 4, "text": 4})
    said = " ".join(texts(settled(app)))
    assert f"**Score.** {expected.score:.3f}" in said
    assert f"image {expected.parts['image']:+.3f}, text {expected.parts['text']:+.3f}" in said
    assert f"percentile {expected.popularity:.0f} of the {N_ITEMS} items" in said
    assert f"cosine {expected.history['cosine'].iloc[0]:.2f}" in said
    most = int(expected.history["shared_users"].max())
    assert (f"**{most} other user" in said) == (most > 0)
    figure = json.loads(app.get("plotly_chart")[-1].proto.spec)
    assert f"of {len(expected.history)} train items" in figure["layout"]["xaxis"]["title"]["text"]


def test_two_runs_side_by_side(page, dataset: Dataset) -> None:
    app = page(user="u-20", vs="light · lightgcn · shop", tab="Two runs")
    lists = [
        recommend(*embeddings(dataset, s), dataset.train_matrix, 20, 20, held_out=dataset.test)
        for s in (0, 1)
    ]
    a, b = (set(found.listed["item"]) for found in lists)
    said = texts(app)
    jaccard = f"Jaccard {len(a & b) / len(a | b):.2f}: {len(a & b)} of {len(a | b)} different items"
    assert any(jaccard in text for text in said)
    leads = [text for text in said if "in the other" in text]
    assert len(leads) == len(a - b) + len(b - a)
    app.segmented_control(key="pair-show").set_value("whole lists").run()
    assert sum("in the other" in text for text in texts(settled(app))) == 40


def test_a_second_run_is_proposed_and_none_is_kept(page) -> None:
    app = page(tab="Two runs")
    assert app.selectbox(key="vs").value == "light"
    app.selectbox(key="vs").set_value("none").run()
    assert "Choose a second run" in settled(app).info[0].value
    assert page(vs="none").selectbox(key="vs").value == "none"


def test_slices_show_the_cores_numbers(page, dataset: Dataset) -> None:
    app = page(tab="Slices and tables")
    table = app.dataframe[0].value
    everyone = table[table["slice"] == "all users"].set_index("run")
    for seed, name in enumerate(("red", "light")):
        expected = evaluation(dataset, seed=seed)
        assert everyone.loc[name, "mean"] == pytest.approx(expected.metrics["recall@20"])
        assert everyone.loc[name, "users (n)"] == expected.n_users
    assert any(text.startswith("- **all users**") for text in texts(app))


def view(runs: RunStore, dataset: Dataset, names: tuple[str, ...]) -> View:
    chosen = tuple(runs.open(name) for name in names)
    users = cached.users(chosen[0])
    return View(chosen, dataset, users, "test", 10, "recall@10", 0, np.array([0]))


def test_the_downloads_have_original_ids_and_one_row_a_pair(runs, dataset: Dataset) -> None:
    shown = view(runs, dataset, ("red", "light"))
    table = all_lists(shown, shown.run)
    assert len(table) == N_USERS * 10
    for user in (0, 25):
        own = table[table["user_id"] == f"u-{user:02d}"]
        found = recommend(
            *embeddings(dataset, 0), dataset.train_matrix, user, 10, held_out=dataset.test
        ).listed
        assert own["item_id"].tolist() == dataset.item_ids[found["item"]].tolist()
        assert own["rank"].tolist() == list(range(1, 11))
        assert own["test_hit"].tolist() == found["hit"].astype(int).tolist()
    metrics = per_user_table(shown)
    assert len(metrics) == 2 * evaluation(dataset).n_users
    row = metrics[(metrics["run"] == "light") & (metrics["user_id"] == "u-05")].iloc[0]
    expected = evaluation(dataset, seed=1).per_user.set_index("user").loc[5]
    assert row["recall@20"] == expected["recall@20"]


def test_a_permalink_restores_the_view(page, dataset: Dataset) -> None:
    app = page(
        user="u-13 · Name 13 · Play",
        slice="random",
        split="Validation",
        k="35",
        metric="ndcg",
        vs="none",
    )
    assert user_of(app) == "u-13"
    assert app.segmented_control(key="slice").value == "random"
    assert app.metric[0].label == "ndcg@35"
    assert app.metric[1].label == "Validation items listed"
    assert app.selectbox(key="vs").value == "none"
    assert user_of(page(user="u-13")) == "u-13"  # the bare id, as people write it
    worst = dataset.user_ids[walk(evaluation(dataset), "worst", "recall@20")[0]]
    assert user_of(page(user="nobody")) == worst


def test_hostile_titles_are_shown_as_they_are_written(page, dataset: Dataset) -> None:
    owner = int(dataset.train.users[dataset.train.items == 0][0])
    app = page(user=f"u-{owner:02d}")
    own = [text for text in texts(app) if "onerror" in text]
    assert own
    assert all(escape_markdown(HOSTILE) in text for text in own)
    assert not any(re.search(r"(?<!\\)<img", text) for text in own)


def test_pictures_are_small_local_and_never_missing(runs: RunStore, dataset: Dataset) -> None:
    of = cached.run_dataset(runs.open("red"))
    empty = picture_of(of, 0)
    assert picture_of(of, 1) == picture_of(of, 2) == picture_of(of, 4) == empty
    kind, _, content = picture_of(of, 3).partition(",")
    assert kind == "data:image/jpeg;base64"
    real = Image.open(io.BytesIO(base64.b64decode(content)))
    assert real.size == (192, 96)
    assert real.getpixel((5, 5))[0] > 250


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
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    assert "Live training" in app.info[0].value


def test_data_that_is_gone_or_changed_is_a_sentence(
    runs: RunStore, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shop.with_name("elsewhere")
    shop.rename(moved)
    try:
        app = AppTest.from_file(PAGE, default_timeout=60).run()
    finally:
        moved.rename(shop)
    assert not app.exception
    assert "shop" in app.error[0].value


def test_broken_embeddings_are_a_sentence(runs: RunStore) -> None:
    for name in ("red", "light"):
        (runs.open(name).layout.users).write_bytes(b"junk")
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    assert "users.npy" in app.error[0].value


def button(app: AppTest, label: str) -> Any:
    return next(element for element in app.button if element.label == label)
