"""Slices, paired differences and tables of the page Explain, against the core's own numbers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from app import cached
from app.explain.asked import Asked
from app.explain.pairs import COLUMNS, MEASURED, by_chance
from app.explain.tables import all_lists, per_user_table
from app.explain.weak import readable
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.recommend import recommend
from rednd_core.evaluation.weak_slices import weak_slices
from rednd_core.runs import default_store
from tests.app.recommendations.page import N_USERS, embeddings, evaluation, settled, texts
from tests.app.sent import figures


def asked(runs, dataset: Dataset) -> Asked:
    chosen = tuple(runs.open(name) for name in ("red", "light"))
    names, users = cached.node_names(chosen[0]), cached.users(chosen[0])
    return Asked(chosen, dataset, users, names, "test", 10, "recall@10", ())


def cell(app, row: str, column: int) -> str:
    """The text of a cell of the matrix, by the beginning of its row's label."""
    figure = figures(app)[0]
    labels = figure["layout"]["yaxis"]["ticktext"]
    (number,) = [k for k, label in enumerate(labels) if label.startswith(row)]
    return figure["data"][0]["text"][number][column]


def test_intervals_are_trusted_one_by_one(page) -> None:
    said = by_chance(7)
    assert "resamples the users only: each model was trained once" in said
    assert "where the models do not differ, one in twenty looks clear" in said
    assert "Among 7 of them, at least one" in said
    assert "up to about 30%" in said
    assert "Among" not in by_chance(1)
    app = page(part="Slices", vs="light")
    (sentences,) = [text for text in texts(app) if text.startswith("- **all users**")]
    n = len(sentences.splitlines())
    assert by_chance(n) in [caption.value for caption in app.caption]


def test_slices_show_the_cores_numbers(page, dataset: Dataset) -> None:
    app = page(run="red", part="Slices", vs="light")
    table = app.dataframe[0].value
    everyone = table[table["slice"] == "all users"].set_index("run")
    for seed, name in enumerate(("red", "light")):
        expected = evaluation(dataset, seed=seed)
        assert everyone.loc[name, "mean"] == pytest.approx(expected.metrics["recall@20"])
        assert everyone.loc[name, "users (n)"] == expected.n_users
    assert any(text.startswith("- **all users**") for text in texts(app))


def test_the_downloads_have_original_ids_and_one_row_a_pair(runs, dataset: Dataset) -> None:
    shown = asked(runs, dataset)
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


def test_numbers_of_the_slices_have_four_decimals_and_no_difference_is_blank(page) -> None:
    shown = page(part="Slices").dataframe[0].proto
    columns = {k: v for k, v in json.loads(shown.columns).items() if "type_config" in v}
    formats = {name: column["type_config"]["format"] for name, column in columns.items()}
    assert formats == dict.fromkeys((COLUMNS[name] for name in MEASURED), "%.4f")
    assert shown.placeholder == ""
    assert shown.HasField("placeholder")


def test_the_matrix_has_every_model_and_its_seeds(bundled) -> None:
    app = bundled(part="Slices", vs="shop-lightgcn")
    columns = figures(app)[0]["layout"]["xaxis"]["ticktext"]
    assert columns[0].startswith("shop-rednnd-a0.1 (3 see")
    assert columns[1] == "shop-lightgcn"
    names = ["shop-rednnd-a0.1", "shop-rednnd-a0.1-seed2", "shop-rednnd-a0.1-seed3"]
    tables = [default_store().open(name).per_user() for name in names]
    means = [table.loc[table["split"] == "test", "recall@20"].mean() for table in tables]
    assert f"<b>{np.mean(means):.4f}</b>" in cell(app, "all users", 0)
    own = tables[0].query("split == 'test' and n_train <= 5")
    assert f"n = {len(own)}" in " ".join(figures(app)[0]["layout"]["yaxis"]["ticktext"])


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("segment", ["Living", "Play", "Outdoors"]),
        ("cohort", ["regular", "newcomer"]),
        ("verdict under run A", ["does not fail", "near miss"]),
        ("category of the held-out item", ["Kettles", "Tents"]),
        ("popularity of the held-out item", ["head", "torso", "tail"]),
    ],
)
def test_slices_by_any_column(bundled, by: str, rows: list[str]) -> None:
    app = bundled(part="Slices", slices=by)
    labels = figures(app)[0]["layout"]["yaxis"]["ticktext"]
    for row in rows:
        assert any(label.startswith(row) for label in labels)


def test_users_who_fail_have_no_recall(bundled) -> None:
    app = bundled(run="shop-lightgcn", part="Slices", slices="verdict under run A")
    assert cell(app, "near miss", 0) == "<b>0.0000</b><br>0.000 to 0.000"
    hit = default_store().open("shop-lightgcn").per_user().query("split == 'test'")
    told = f"n = {(hit['recall@20'] > 0).sum()}"
    labels = figures(app)[0]["layout"]["yaxis"]["ticktext"]
    assert any(label.startswith("does not fail") and told in label for label in labels)


def test_a_selection_on_the_map_is_a_slice(bundled) -> None:
    app = bundled(part="Slices", group="user:1")
    assert "selected on the map" not in app.selectbox(key="slices").options
    app.session_state["group"] = ("user:1", "user:2", "item:3")
    app.run()
    app.selectbox(key="slices").set_value("selected on the map").run()
    labels = figures(settled(app))[0]["layout"]["yaxis"]["ticktext"]
    assert any(label.startswith("selected") and "n = 2" in label for label in labels)


def test_weak_slices_say_how_many_were_looked_at(bundled) -> None:
    app = bundled(part="Weak slices")
    assert any("slices of at least 30 users were looked at" in text for text in texts(app))
    assert any("tastes" in caption.value for caption in app.caption)


def test_a_pair_of_columns_is_told_in_words() -> None:
    rng = np.random.default_rng(0)
    segment = pd.Series(rng.choice(["Living", "Play"], 400))
    cohort = pd.Series(rng.choice(["old", "new"], 400))
    planted = (segment == "Play") & (cohort == "new")
    values = (rng.random(400) < np.where(planted, 0.02, 0.6)).astype(float)
    table = readable(weak_slices(values, {"segment": segment, "cohort": cohort}))
    assert table.iloc[0]["slice"] == "segment: Play and cohort: new"
    assert table.iloc[0]["users (n)"] == planted.sum()
    assert table.iloc[0]["mean inside"] < table.iloc[0]["mean of all others"]


def test_beyond_accuracy_has_counts_and_a_line_for_each_measure(bundled) -> None:
    app = bundled(part="Beyond accuracy", vs="shop-lightgcn")
    table = app.dataframe[0].value
    first = table.iloc[0]
    assert first["slice"] == "all users"
    assert first["users (n)"] == 995
    assert first["recommendations (n)"] == 995 * 20
    index = default_store().open("shop-rednnd-a0.1").layers()
    assert set(table["run"]) == {"shop-rednnd-a0.1", "shop-lightgcn"}
    assert 0 < first["coverage"] <= 1
    assert index.user_emb.shape[0] == 1000
    (lines,) = [text for text in texts(app) if text.startswith("- **coverage**")]
    for measure in ("coverage", "gini", "novelty", "lift", "diversity"):
        assert f"**{measure}**" in lines
