"""Why an item has its rank: the dialog, from a button and from a link, for both runs."""

from __future__ import annotations

import pytest

from rednd_core.data.schema import Dataset
from rednd_core.evaluation.explain import explain
from rednd_core.evaluation.recommend import recommend
from rednd_core.runs import RunStore, default_store
from tests.app.recommendations.page import N_ITEMS, PAGE, embeddings, settled, texts
from tests.app.sent import charts, figures


def test_why_opens_the_explanation_of_that_item(page, dataset: Dataset) -> None:
    app = page(user="u-11")
    model = embeddings(dataset, 0)
    item = int(recommend(*model, dataset.train_matrix, 11, 20).listed["item"][2])
    app.button(key=f"listed-{item}-why").click().run()
    assert app.query_params["why"] == dataset.item_ids[item]
    assert app.query_params["why-run"] == "A"
    expected = explain(*model, dataset.train_matrix, 11, item, {"image": 4, "text": 4})
    said = " ".join(texts(settled(app)))
    assert f"**Score.** {expected.score:.3f}" in said
    assert f"image {expected.parts['image']:+.3f}, text {expected.parts['text']:+.3f}" in said
    assert f"percentile {expected.popularity:.0f} of the {N_ITEMS} items" in said
    assert f"cosine {expected.history['cosine'].iloc[0]:.2f}" in said
    most = int(expected.history["shared_users"].max())
    assert (f"**{most} other user" in said) == (most > 0)
    figure = figures(app)[-1]
    assert f"of {len(expected.history)} train items" in figure["layout"]["xaxis"]["title"]["text"]


def test_a_model_that_is_not_linear_says_by_how_much_the_parts_miss(page, dataset: Dataset) -> None:
    """The planted runs have layers that have nothing to do with their scores."""
    item = int(dataset.test.items[dataset.test.users == 11][0])
    app = page(user="u-11", why=str(dataset.item_ids[item]))
    (warning,) = app.warning
    assert warning.value.startswith("Approximate: this model is not linear")


def test_a_link_explains_an_item_of_run_b(page, dataset: Dataset) -> None:
    item = int(dataset.test.items[dataset.test.users == 11][0])
    query = {"user": "u-11", "vs": "light", "why": str(dataset.item_ids[item]), "why-run": "B"}
    app = page(**query)
    expected = explain(*embeddings(dataset, 1), dataset.train_matrix, 11, item)
    said = " ".join(texts(app))
    assert f"**Score.** {expected.score:.3f}" in said
    assert "run light" in said


def test_why_of_the_second_list_is_asked_of_run_b(page) -> None:
    app = page(user="u-11", vs="light", tab="Two runs")
    buttons = [each for each in app.button if str(each.key).startswith("pair-light-")]
    assert buttons
    buttons[0].click().run()
    assert settled(app).query_params["why-run"] == "B"
    assert any("run light" in text for text in texts(app))


@pytest.mark.parametrize("query", [{"why": "nothing"}, {"why": "sku-1", "why-run": "Z"}])
def test_a_question_about_nothing_opens_no_dialog(page, query: dict[str, str]) -> None:
    app = page(user="u-11", **query)
    assert "why" not in app.query_params
    assert not any("**Score.**" in text for text in texts(app))


@pytest.fixture
def bundled(store: RunStore, monkeypatch: pytest.MonkeyPatch):
    """``bundled(user=..., why=...)``: the page of the bundled RedNⁿD."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr("app.cached.runs.default_store", default_store)

    def opened(**query: str) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=180)
        for key, value in {"run": "shop-rednnd-a0.1", **query}.items():
            app.query_params[key] = value
        return settled(app.run())

    return opened


def test_bars_and_squares_add_up_to_the_score(bundled) -> None:
    app = bundled(user="720", why="156")
    layers = default_store().open("shop-rednnd-a0.1").layers()
    score = float(layers.user_emb[720].astype(float) @ layers.item_emb[156].astype(float))
    for way in ("the user's history", "the item's users", "pairs of layers"):
        app.segmented_control(key="parts-by").set_value(way).run()
        (figure,) = [c["figure"] for c in charts(settled(app)) if c["key"] == f"parts-{way}"]
        if way == "pairs of layers":
            total = sum(value for trace in figure["data"] for row in trace["z"] for value in row)
        else:
            rows = len(figure["layout"]["yaxis"]["ticktext"]) - 1  # the last bar is the sum
            total = sum(value for trace in figure["data"] for value in trace["x"][:rows])
        assert total == pytest.approx(score, abs=1e-5)
    assert any("The parts add up to the score" in caption.value for caption in app.caption)
