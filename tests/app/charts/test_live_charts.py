"""What the chart component sends to the browser."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.charts.drawn import pack
from tests.app.sent import numbers, unpacked


def test_texts_and_ids_that_panels_share_are_sent_once() -> None:
    texts, ids = ["a kettle", "b"], np.array([4, 5], dtype=np.int32)
    traces = [{"type": "scattergl", "y": [k, 1], "text": texts, "customdata": ids} for k in (0, 2)]
    sent = pack(go.Figure(data=traces, layout={"height": 50})).text
    assert sent.count("a kettle") == 1
    figure = unpacked(sent)
    assert [numbers(trace["customdata"]).tolist() for trace in figure["data"]] == [[4, 5]] * 2
    assert [trace["text"] for trace in figure["data"]] == [texts] * 2
    assert [trace["y"] for trace in figure["data"]] == [[0, 1], [2, 1]]
    assert figure["layout"]["height"] == 50
    plain = unpacked(pack(go.Figure(data=[{"type": "bar", "y": [1], "text": "all the same"}])).text)
    assert plain["data"][0]["text"] == "all the same"
