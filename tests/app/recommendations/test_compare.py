"""Two runs, slices, and downloads on the Recommendations page."""

from __future__ import annotations

import pytest

from app.components.recommendations_slices import all_lists, per_user_table
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.recommend import recommend
from tests.app.recommendations.page import N_USERS, embeddings, evaluation, settled, texts, view


def test_two_runs_side_by_side(page, dataset: Dataset) -> None:
    app = page(user="u-20", vs="light", tab="Two runs")
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
