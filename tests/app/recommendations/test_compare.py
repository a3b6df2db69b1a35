"""Two runs, and the download of one user's lists, on the Recommendations page."""

from __future__ import annotations

from app import cached
from app.recommendations import view as recommendations
from app.recommendations.lists import list_table
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.recommend import recommend
from tests.app.forbid import forbid
from tests.app.recommendations.page import embeddings, settled, texts, view


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


def test_run_b_is_none_until_it_is_chosen(page) -> None:
    app = page(tab="Two runs")
    assert app.sidebar.selectbox(key="vs").value == "none"
    assert "Choose **Run B**" in app.info[0].value
    app.selectbox(key="vs").set_value("light").run()
    assert not settled(app).info
    assert app.query_params["vs"] == "light"


def test_the_cross_of_the_second_run_means_none(page) -> None:
    app = page(tab="Two runs", vs="light")
    for _ in range(2):  # of the run, and of "none"
        app.selectbox(key="vs").set_value(None).run()
        assert settled(app).selectbox(key="vs").value == "none"
        assert "Choose **Run B**" in app.info[0].value
    assert app.query_params["vs"] == "none"


def test_a_page_without_the_box_leaves_run_b(page) -> None:
    app = page(vs="light")
    app.session_state["vs"] = None  # as a box without a choice on another page has it
    del app.session_state["context.other"]
    assert app.run().selectbox(key="vs").value == "light"


def test_one_user_s_lists_have_original_ids_and_every_missed_item(runs, dataset: Dataset) -> None:
    table = list_table(view(runs, dataset, ("red", "light")))
    assert table["user_id"].unique().tolist() == ["u-00"]
    for seed, name in enumerate(("red", "light")):
        own = table[table["run"] == name]
        model = embeddings(dataset, seed)
        found = recommend(*model, dataset.train_matrix, 0, 10, held_out=dataset.test)
        listed, rest = own[own["listed"] == 1], own[own["listed"] == 0]
        assert listed["item_id"].tolist() == dataset.item_ids[found.listed["item"]].tolist()
        assert listed["score"].tolist() == found.listed["score"].tolist()
        assert listed["held_out"].tolist() == found.listed["hit"].astype(int).tolist()
        assert rest["rank"].tolist() == found.missed["rank"].tolist()
        assert rest["held_out"].all()
        wanted = dataset.test.items[dataset.test.users == 0]
        assert set(own.loc[own["held_out"] == 1, "item_id"]) == set(dataset.item_ids[wanted])


def test_the_default_view_finds_all_that_was_prepared(page, monkeypatch) -> None:
    recommendations.prepare()
    slow = ("evaluate.evaluate", "recommend.recommend")
    forbid(monkeypatch, *(f"rednd_core.evaluation.{place}" for place in slow))
    app = page(run=cached.run_entries()[0].name)
    assert not app.exception
    assert app.metric
