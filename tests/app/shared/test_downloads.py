"""Downloads are written when asked for, complete, with the ids of the data; texts read literally."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.charts.drawn import drawn
from app.charts.live_charts import LiveChart
from app.shared import downloads
from app.shared.text import WORD_JOINER, escape_markdown
from rednd_core.config import DataConfig, RunConfig
from rednd_core.plots import theme
from rednd_core.plots.home import layer_maps
from rednd_core.runs import DataFacts, Provenance, Run, RunRecord, create_run
from tests.app.sent import charts


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the download buttons would write, by file name."""
    found: dict[str, object] = {}

    def download_button(label, data, file_name, **kwargs):
        found[file_name] = data

    monkeypatch.setattr(st, "download_button", download_button)
    return found


def test_csv_keeps_ids_as_they_are(offered) -> None:
    frame = pd.DataFrame({"item_id": ["007", "größe,1", "NA"], "n": [1, 2, 3]}, index=[5, 6, 7])
    downloads.csv_button(frame, "items.csv", "Items", "key")
    assert offered["items.csv"]() == 'item_id,n\n007,1\n"größe,1",2\nNA,3\n'.encode()


def test_an_html_figure_is_built_on_demand_and_needs_no_network(offered, monkeypatch) -> None:
    built = []
    original = go.Figure.to_html
    monkeypatch.setattr(
        go.Figure, "to_html", lambda self, **kw: built.append(kw) or original(self, **kw)
    )
    figure = drawn(go.Figure, [{"type": "scatter", "y": [1, 2]}])
    name = "map</title><b>"
    chart = LiveChart("key", figure, alt="two <points>", name=name, about="Run a")
    downloads.figure_downloads(chart, "key")
    assert not built
    page = offered["map</title><b>.html"]().decode()
    assert len(built) == 1
    assert "cdn.plot.ly" not in page.replace("https://cdn.plot.ly/un/", "")  # maps of the world
    assert "<script src=" not in page
    assert len(page) > 1_000_000  # plotly itself
    assert "<title>map&lt;/title&gt;&lt;b&gt;</title>" in page
    assert "<p>Run a</p><p>two &lt;points&gt;</p>" in page


def test_square_panels_are_arranged_in_a_downloaded_page_too(offered) -> None:
    maps = drawn(
        layer_maps,
        np.zeros((2, 2, 2), dtype=np.float32),
        np.array([0, 1]),
        ["layer 0", "layer 1"],
        [(1.0, 1.0)] * 2,
        n_users=1,
        hover=["u", "i"],
    )
    downloads.figure_downloads(LiveChart("key", maps, alt="maps", name="maps"), "key")
    page = offered["maps.html"]().decode()
    assert "function arranged(" in page
    assert "{plot_id}" not in page
    assert theme.PRINT in page


def test_an_exported_figure_says_whose_it_is(tmp_path) -> None:
    facts = DataFacts(
        name="shop", digest="d", n_users=1000, n_items=600, n_train=1, n_valid=1, n_test=1
    )
    config = RunConfig(model="mf", data=DataConfig(path="x"))
    record = RunRecord(config=config, provenance=Provenance(seed=0), data=facts)
    create_run(tmp_path / "a", record)
    run = Run(tmp_path / "a")
    assert downloads.of_runs(run) == "Run a: MF-BPR on shop, 1,000 users, 600 items"
    assert downloads.of_runs(run, run).count("Run a: MF-BPR") == 2
    assert downloads.of_runs() == ""


def page() -> None:
    import plotly.graph_objects as go
    import streamlit as st

    from app.charts.drawn import drawn
    from app.shared.downloads import show_figure

    figure = drawn(go.Figure, [{"type": "scatter", "y": [1, 2]}], {"height": 333})
    show_figure(figure, key="plain", alt="two points", name="two")
    show_figure(figure, key="live", alt="two points", name="two", on_pick=st.write)


def test_a_figure_brings_alt_text_camera_and_download() -> None:
    app = AppTest.from_function(page).run()
    assert not app.exception
    plain, live = charts(app)
    assert plain["config"]["toImageButtonOptions"]["filename"] == "two"
    assert plain["config"]["toImageButtonOptions"]["scale"] == 2
    assert plain["alt"] == "two points"
    assert plain["config"]["showSendToCloud"] is live["config"]["showSendToCloud"] is False
    assert plain["config"]["modeBarButtonsToRemove"] == ["select2d", "lasso2d"]
    assert live["config"]["modeBarButtonsToRemove"] == []
    assert plain["squares"] is None
    assert plain["height"] == 333
    assert [plain["picks"], live["picks"]] == [False, True]
    assert len(app.get("download_button")) == 2


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("*a* _b_", r"\*a\* \_b\_"),
        ("[x](y)", r"\[x\]\(y\)"),
        ("$5 ~ `c`", r"\$5 \~ \`c\`"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("1. a\n\n# b", r"1\. a \# b"),
        ("back\\slash", r"back\\slash"),
        (":red[x]", rf"\:{WORD_JOINER}red\[x\]"),
        ("plain 12 é", "plain 12 é"),
    ],
)
def test_markdown_is_escaped(raw: str, escaped: str) -> None:
    assert escape_markdown(raw) == escaped
