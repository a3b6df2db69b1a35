"""Split and columns: what a CSV with names of its own needs, checked on Data and trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT, ColumnNames, DataConfig
from rednd_core.data import load_dataset

PAGE = str(PROJECT_ROOT / "pages" / "5_Data.py")
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """60 pairs of 10 reviewers, in columns of other names."""
    rows = [f"anna{u},mug-{(u * 3 + i) % 12},{1000 * u + i}" for u in range(10) for i in range(6)]
    file = tmp_path / "reviews.csv"
    file.write_text("\n".join(["who,thing,when", *rows]) + "\n")
    return file


def open_page(file: Path) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    app.query_params["dataset"] = str(file)
    return app.run()


def named(app: AppTest, file: Path, **columns: str) -> AppTest:
    for role, name in columns.items():
        app.text_input(key=f"reading.{file}.{role}").set_value(name)
    return app.run()


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_columns_of_other_names_can_be_named(reviews: Path) -> None:
    app = open_page(reviews)
    assert "userID" in app.error[0].value
    app = named(app, reviews, user="who", item="thing", timestamp="when")
    assert not app.error
    assert metrics(app)["Users"] == "10"


def test_the_split_follows_its_widgets(reviews: Path) -> None:
    app = named(open_page(reviews), reviews, user="who", item="thing", timestamp="when")
    columns = ColumnNames(user="who", item="thing", timestamp="when")
    app.number_input(key=f"reading.{reviews}.Test").set_value(30).run()
    wanted = load_dataset(reviews, ratios=(0.6, 0.1, 0.3), columns=columns)
    told = "\n".join(element.value for element in app.caption)
    assert f"{len(wanted.test):,} test pairs" in told
    app = app.selectbox(key=f"reading.{reviews}.split").select("leave_last_out").run()
    assert not app.error
    assert "10 test pairs" in "\n".join(element.value for element in app.caption)
    assert f"reading.{reviews}.Test" not in {widget.key for widget in app.number_input}


RATIOS = [
    (0.5, 0.25, 0.25),
    (0.4, 0.1, 0.5),
    (0.9, 0.1, 0.0),
    (0.994, 0.003, 0.003),
    (0.75, 0.125, 0.125),
    (1 / 3, 1 / 3, 1 / 3),
    (0.0, 0.0, 1.0),
]


@pytest.mark.parametrize("ratios", RATIOS)
def test_an_unchanged_choice_is_the_configuration_as_it_was(ratios: tuple) -> None:
    def script(ratios: tuple) -> None:
        import streamlit as st

        from app.shared.reading import reading
        from rednd_core.config import ColumnNames, DataConfig

        config = DataConfig(path="there", ratios=ratios, columns=ColumnNames(user="who"))
        st.session_state["same"] = reading(config) == config

    app = AppTest.from_function(script, args=(ratios,)).run()
    assert not app.exception
    assert app.session_state["same"]
    app.run()
    assert app.session_state["same"], "nor when the page runs again"
    assert DataConfig(path="there").split == "auto"


def test_the_largest_seed_is_shown() -> None:
    def script() -> None:
        from app.shared.reading import reading
        from rednd_core.config import DataConfig

        reading(DataConfig(path="there", split_seed=2**32 - 1))

    assert not AppTest.from_function(script).run().exception


def test_shares_that_leave_nothing_to_train_on_are_one_sentence(reviews: Path) -> None:
    app = named(open_page(reviews), reviews, user="who", item="thing")
    app.number_input(key=f"reading.{reviews}.Validation").set_value(60).run()
    app.number_input(key=f"reading.{reviews}.Test").set_value(60).run()
    assert not app.exception
    assert "sum to 1" in app.error[0].value
    app.number_input(key=f"reading.{reviews}.Test").set_value(12.5).run()
    assert not app.error
